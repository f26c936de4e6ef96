"""The backbones that can be named."""

from typing import Literal, Self

from pydantic import Field, model_validator

from sizing.settings import Settings
from surrogates.backbones.backbone import Backbone
from surrogates.backbones.perceptron import Perceptron
from surrogates.backbones.relaxation import DeviceRelaxation


class BackboneSettings(Settings):
    """The network. `layers` are rounds for the relaxation network, convolutions or plain layers for the others."""

    kind: Literal["relaxation", "deepgen", "gcn", "gat", "mlp"] = "relaxation"
    width: int = Field(32, ge=16, multiple_of=4)
    layers: int = Field(6, ge=1)
    devices: int | None = Field(None, ge=1, description="of the one topology that an mlp is for")
    nets: int | None = Field(None, ge=2, description="of that topology, ground included")

    @model_validator(mode="after")
    def _sizes_of_an_mlp(self) -> Self:
        if (self.kind == "mlp") != (self.devices is not None) or (self.kind == "mlp") != (self.nets is not None):
            raise ValueError("expected devices and nets for an mlp, and for no other kind")
        return self


def build_backbone(settings: BackboneSettings) -> Backbone:
    """A backbone with random weights, from torch's global generator."""
    if settings.kind == "relaxation":
        return DeviceRelaxation(settings.width, settings.layers, 2 * settings.width)
    if settings.kind == "mlp":
        if settings.devices is None or settings.nets is None:
            raise ValueError("expected the devices and nets of its topology for an mlp")
        return Perceptron(settings.devices, settings.nets, settings.width, settings.layers)
    from surrogates.backbones.message_passing import MessagePassing

    return MessagePassing(settings.kind, settings.layers, settings.width)

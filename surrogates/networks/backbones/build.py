"""The backbones that can be named."""

from collections.abc import Sequence
from typing import Literal, Self

from pydantic import Field, model_validator

from sizing.errors import InputError
from sizing.task.settings import Settings
from surrogates.networks.backbones.backbone import Backbone
from surrogates.networks.backbones.perceptron import Perceptron
from surrogates.networks.backbones.relaxation import DeviceRelaxation
from surrogates.networks.graph import Topology


class BackboneSettings(Settings):
    """The network. `layers` are rounds for the relaxation network, convolutions or plain layers for the others."""

    kind: Literal["relaxation", "deepgen", "gcn", "gat", "mlp"] = "relaxation"
    width: int = Field(32, ge=16, multiple_of=4)
    layers: int = Field(6, ge=1)
    devices: int | None = Field(None, ge=1, description="of the one topology that an mlp is for, known from the data")
    nets: int | None = Field(None, ge=2, description="of that topology, ground included")

    @model_validator(mode="after")
    def _only_an_mlp_has_sizes(self) -> Self:
        if self.kind != "mlp" and (self.devices is not None or self.nets is not None):
            raise ValueError("expected devices and nets for an mlp only")
        return self

    def sized(self, topologies: Sequence[Topology]) -> "BackboneSettings":
        """With the sizes of the one topology that an mlp is for; raises InputError where there are several."""
        if self.kind != "mlp":
            return self
        if len(topologies) != 1:
            raise InputError(f"backbone: expected one circuit for an mlp, got {len(topologies)}; choose another kind")
        sizes = {"devices": len(topologies[0].devices), "nets": len(topologies[0].nets)}
        return self.model_copy(update=sizes)


def build_backbone(settings: BackboneSettings) -> Backbone:
    """A backbone with random weights, from torch's global generator."""
    if settings.kind == "relaxation":
        return DeviceRelaxation(settings.width, settings.layers, 2 * settings.width)
    if settings.kind == "mlp":
        if settings.devices is None or settings.nets is None:
            raise ValueError("expected an mlp with the sizes of its topology")
        return Perceptron(settings.devices, settings.nets, settings.width, settings.layers)
    from surrogates.networks.backbones.message_passing import MessagePassing

    return MessagePassing(settings.kind, settings.layers, settings.width)

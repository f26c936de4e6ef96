"""The backbones that can be named."""

from typing import Literal

from pydantic import Field

from sizing.settings import Settings
from surrogates.backbones.backbone import Backbone
from surrogates.backbones.relaxation import DeviceRelaxation


class BackboneSettings(Settings):
    """The network. `layers` are rounds for the relaxation network, convolutions for the others."""

    kind: Literal["relaxation", "deepgen", "gcn", "gat"] = "relaxation"
    width: int = Field(32, ge=16, multiple_of=4)
    layers: int = Field(6, ge=1)


def build_backbone(settings: BackboneSettings) -> Backbone:
    """A backbone with random weights, from torch's global generator."""
    if settings.kind == "relaxation":
        return DeviceRelaxation(settings.width, settings.layers, 2 * settings.width)
    from surrogates.backbones.message_passing import MessagePassing

    return MessagePassing(settings.kind, settings.layers, settings.width)

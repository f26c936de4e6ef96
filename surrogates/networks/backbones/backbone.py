"""What every backbone is: a network from the device parameters of one topology to states of its nodes."""

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import nn

from surrogates.networks.backbones.normalisation import Normalisation
from surrogates.networks.graph import Topology


class Backbone(nn.Module, ABC):
    """A network that reads circuits: many designs of one topology at once. D devices, N nets, FEATURES a device."""

    width: int
    token_width: int
    normalisation: Normalisation

    @abstractmethod
    def bind(self, topology: Topology, device: torch.device | str = "cpu") -> Any:
        """The topology as this network wants it: made once, given to every call."""

    @abstractmethod
    def forward(self, wiring: Any, parameters: torch.Tensor) -> list[torch.Tensor]:
        """States of the nets, one for every stage at which voltages can be read, for parameters (B, D, FEATURES).

        Their layout is the backbone's own; the last one counts.
        """

    @abstractmethod
    def voltages(self, state: torch.Tensor) -> torch.Tensor:
        """Voltages (B, N) in volts in one of these states."""

    @abstractmethod
    def tokens(self, wiring: Any, parameters: torch.Tensor) -> torch.Tensor:
        """What a readout attends to (B, tokens, token_width)."""

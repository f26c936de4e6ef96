"""What knows one topology only: all device features of it in a row, through a fully connected network, to voltages."""

import torch
from torch import nn

from surrogates.networks.backbones.backbone import Backbone
from surrogates.networks.backbones.normalisation import Normalisation
from surrogates.networks.backbones.relaxation import Wiring
from surrogates.networks.graph import Topology
from surrogates.networks.kinds import FEATURES


class Perceptron(Backbone):
    """Features (B, D, FEATURES) of `devices` devices -> voltages (B, N) of `nets` nets, as its only state.

    It is made for the number of devices and nets of one topology. Nets that a grounded source holds have its voltage,
    as in the relaxation network, so that it need not learn to copy.
    """

    def __init__(self, devices: int, nets: int, width: int = 256, layers: int = 3) -> None:
        super().__init__()
        self.width = self.token_width = width
        self.nets = nets
        self.normalisation = Normalisation()
        inner = [part for _ in range(layers - 1) for part in (nn.Linear(width, width), nn.ReLU())]
        self.network = nn.Sequential(nn.Linear(devices * FEATURES, width), nn.ReLU(), *inner)
        self.read = nn.Linear(width, nets)

    def bind(self, topology: Topology, device: torch.device | str = "cpu") -> Wiring:
        """The topology as index tensors."""
        return Wiring(topology, device)

    def forward(self, wiring: Wiring, parameters: torch.Tensor) -> list[torch.Tensor]:
        """Voltages (B, N)."""
        told = self.read(self.tokens(wiring, parameters)[:, 0])
        known = torch.zeros_like(told)
        known[:, wiring.held] = (parameters[:, wiring.sources, 0] * wiring.signs).to(told.dtype)
        moves = torch.zeros(self.nets, dtype=torch.bool, device=told.device)
        moves[wiring.moving] = True
        return [torch.where(moves, told, known)]

    def voltages(self, state: torch.Tensor) -> torch.Tensor:
        """The state itself (B, N)."""
        return state

    def tokens(self, wiring: Wiring, parameters: torch.Tensor) -> torch.Tensor:
        """One token (B, 1, width), of the whole circuit."""
        inner: torch.Tensor = self.network(self.normalisation(parameters, wiring.kinds).flatten(1))
        return inner[:, None]

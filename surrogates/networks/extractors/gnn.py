"""A graph extractor: a backbone reads the sized circuit, a readout makes an embedding of what it says."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from sizing.spice.circuit import Circuit
from sizing.task.problem import Problem
from surrogates.networks.backbones.backbone import Backbone
from surrogates.networks.extractors.extractor import Extractor
from surrogates.networks.graph import CircuitGraph


class GraphExtractor(Extractor):
    """Random, frozen and fine-tuned are states of this class: the weights it starts from, and how fast they change."""

    chunk = 1024
    block = 256

    def __init__(
        self,
        problem: Problem,
        circuit: Circuit,
        backbone: Backbone,
        *,
        readout: nn.Module,
        rate: float,
        device: torch.device,
    ) -> None:
        super().__init__()
        self.rate = rate
        self._problem = problem
        self._graph = CircuitGraph(circuit)
        self._graph.parameters(problem.values(problem.start))  # what cannot be evaluated is refused now
        self._device = device
        self._wiring = backbone.bind(self._graph.topology, device)
        self.backbone = backbone.to(device).requires_grad_(rate > 0)
        self.readout = readout.to(device)

    def read(self, designs: NDArray[np.int64]) -> torch.Tensor:
        """Device features (B, D, FEATURES); for a frozen backbone, what it says of them (B, tokens, width)."""
        parameters = torch.from_numpy(self._graph.parameters(self._problem.columns(designs))).to(self._device)
        if self.rate > 0:
            return parameters
        with torch.no_grad():
            return self.backbone.tokens(self._wiring, parameters)

    def body(self, read: torch.Tensor) -> torch.Tensor:
        """What the backbone says (B, tokens, width)."""
        return self.backbone.tokens(self._wiring, read) if self.rate > 0 else read

    def embed(self, body: torch.Tensor) -> torch.Tensor:
        """Embedding (B, EMBEDDING)."""
        embedding: torch.Tensor = self.readout(body)
        return embedding

    def learning(self) -> list[nn.Parameter]:
        """The backbone's, unless it is frozen."""
        return list(self.backbone.parameters()) if self.rate > 0 else []

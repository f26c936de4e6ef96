"""A fully connected extractor: it sees the design's numbers and nothing of the circuit."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from sizing.task.problem import Problem
from surrogates.features import DesignFeatures
from surrogates.networks.extractors.extractor import Extractor
from surrogates.networks.heads import EMBEDDING


class FullyConnected(Extractor):
    """Two hidden layers over every variable's place on its grid."""

    chunk = block = 4096

    def __init__(self, problem: Problem, dropout: float, device: torch.device) -> None:
        super().__init__()
        self._features = DesignFeatures(problem)
        self._device = device
        self.layers = nn.Sequential(
            nn.Linear(self._features.width, EMBEDDING), nn.ReLU(), nn.Dropout(dropout),
            nn.Linear(EMBEDDING, EMBEDDING), nn.ReLU(), nn.Dropout(dropout),
        ).to(device)  # fmt: skip

    def read(self, designs: NDArray[np.int64]) -> torch.Tensor:
        """Features (B, inputs)."""
        return torch.from_numpy(self._features(designs)).to(self._device)

    def embed(self, body: torch.Tensor) -> torch.Tensor:
        """Embedding (B, EMBEDDING)."""
        embedding: torch.Tensor = self.layers(body)
        return embedding

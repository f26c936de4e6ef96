"""A fully connected extractor: it sees numbers, those of the design alone or what is told of it too."""

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from surrogates.networks.extractors.extractor import Extractor
from surrogates.networks.heads import EMBEDDING


class Features(Protocol):
    """Numbers of designs, in about [-1, 1]."""

    width: int

    def __call__(self, designs: NDArray[np.int64]) -> NDArray[np.float32]:
        """Features (B, width) of designs (B, V) given as grid indices."""


class FullyConnected(Extractor):
    """Two hidden layers over numbers of a design, such as every variable's place on its grid."""

    chunk = block = 4096

    def __init__(self, features: Features, dropout: float, device: torch.device) -> None:
        super().__init__()
        self._features = features
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

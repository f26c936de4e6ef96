"""A fully connected extractor: it sees the design's numbers and nothing of the circuit."""

import torch
from torch import nn


class FullyConnected(nn.Module):
    """Two hidden layers of `width`: features (B, inputs) -> embedding (B, width)."""

    def __init__(self, inputs: int, dropout: float, width: int = 128) -> None:
        super().__init__()
        self.width = width
        self.layers = nn.Sequential(
            nn.Linear(inputs, width), nn.ReLU(), nn.Dropout(dropout), nn.Linear(width, width), nn.ReLU(),
            nn.Dropout(dropout),
        )  # fmt: skip

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Embedding (B, width) of features (B, inputs)."""
        embedding: torch.Tensor = self.layers(features)
        return embedding

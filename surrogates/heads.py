"""Heads on an extractor's embedding, of the same sizes for every extractor."""

import torch
from torch import nn

HIDDEN = 64


class Comparison(nn.Module):
    """Log-odds per metric that design a is better than design b; antisymmetric by construction.

    The same network sees (a, b) and (b, a) and the difference is taken, so P(a better b) + P(b better a) = 1 exactly
    (BagNet, ICCAD 2019, section III-C).
    """

    def __init__(self, width: int, metrics: int) -> None:
        super().__init__()
        self.first = nn.Linear(width, HIDDEN)
        self.second = nn.Linear(width, HIDDEN, bias=False)
        self.out = nn.Linear(HIDDEN, metrics, bias=False)

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """Log-odds (B, M) for embeddings a (B, F) and b (B, F), or b (1, F) for one reference."""
        one = torch.relu(self.first(a) + self.second(b))
        other = torch.relu(self.first(b) + self.second(a))
        odds: torch.Tensor = self.out(one - other)
        return odds


class MeetsTarget(nn.Module):
    """Log-odds per metric that a design meets its target."""

    def __init__(self, width: int, metrics: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(width, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, metrics))

    def forward(self, embedding: torch.Tensor) -> torch.Tensor:
        """Log-odds (B, M) for embeddings (B, F)."""
        odds: torch.Tensor = self.layers(embedding)
        return odds

"""Heads, of one size for every extractor: from a graph's tokens to an embedding, and from embeddings to answers."""

from collections.abc import Callable, Mapping

import torch
from torch import nn

EMBEDDING = 128
HIDDEN = 64


class AttentionReadout(nn.Module):
    """Tokens (B, T, width) -> embedding (B, EMBEDDING): a learned array of latents attends to them, layer upon layer.

    16 latents of 16 channels and three layers, as in Hakhamaneshi et al. (2022), section 4. The order of the tokens
    does not matter.
    """

    def __init__(self, width: int, dropout: float, latents: int = 16, channels: int = 16, layers: int = 3) -> None:
        super().__init__()
        self.latents = nn.Parameter(torch.randn(latents, channels) * channels**-0.5)
        self.keys_and_values = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, layers * 2 * channels, bias=False))
        self.layers = nn.ModuleList(_CrossAttention(channels) for _ in range(layers))
        self.out = nn.Sequential(
            nn.Flatten(), nn.LayerNorm(latents * channels), nn.Linear(latents * channels, EMBEDDING), nn.ReLU(),
            nn.Dropout(dropout),
        )  # fmt: skip

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Embedding (B, EMBEDDING)."""
        latents = self.latents.expand(len(tokens), -1, -1)
        keys_and_values = self.keys_and_values(tokens).chunk(len(self.layers), dim=-1)
        for layer, key_and_value in zip(self.layers, keys_and_values, strict=True):
            latents = layer(latents, *key_and_value.chunk(2, dim=-1))
        embedding: torch.Tensor = self.out(latents)
        return embedding


class MeanReadout(nn.Module):
    """Tokens (B, T, width) -> embedding (B, EMBEDDING) of their mean: the ablation of attention."""

    def __init__(self, width: int, dropout: float, hidden: int = 256) -> None:
        super().__init__()
        self.out = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, EMBEDDING), nn.ReLU(),
            nn.Dropout(dropout),
        )  # fmt: skip

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Embedding (B, EMBEDDING)."""
        embedding: torch.Tensor = self.out(tokens.mean(dim=1))
        return embedding


READOUTS: Mapping[str, Callable[[int, float], nn.Module]] = {"attention": AttentionReadout, "mean": MeanReadout}
"""The readouts that can be named, each made of a width of tokens and a dropout."""


class Comparison(nn.Module):
    """Log-odds per metric that design a is better than design b; antisymmetric by construction.

    The same network sees (a, b) and (b, a) and the difference is taken, so P(a better b) + P(b better a) = 1 exactly
    (BagNet, ICCAD 2019, section III-C).
    """

    def __init__(self, metrics: int) -> None:
        super().__init__()
        self.first = nn.Linear(EMBEDDING, HIDDEN)
        self.second = nn.Linear(EMBEDDING, HIDDEN, bias=False)
        self.out = nn.Linear(HIDDEN, metrics, bias=False)

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """Log-odds (..., M) for embeddings a (..., EMBEDDING) and b, which broadcast."""
        one = torch.relu(self.first(a) + self.second(b))
        other = torch.relu(self.first(b) + self.second(a))
        odds: torch.Tensor = self.out(one - other)
        return odds


class MeetsTarget(nn.Module):
    """Log-odds per metric that a design meets its target."""

    def __init__(self, metrics: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(EMBEDDING, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, metrics))

    def forward(self, embedding: torch.Tensor) -> torch.Tensor:
        """Log-odds (B, M) for embeddings (B, EMBEDDING)."""
        odds: torch.Tensor = self.layers(embedding)
        return odds


class _CrossAttention(nn.Module):
    """Latents (B, L, C) take what they ask for of values (B, T, C) with keys (B, T, C); a small network follows."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.query = nn.Linear(channels, channels, bias=False)
        self.join = nn.Linear(channels, channels)
        self.network = nn.Sequential(
            nn.LayerNorm(channels), nn.Linear(channels, 2 * channels), nn.GELU(), nn.Linear(2 * channels, channels)
        )

    def forward(self, latents: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        query = self.query(self.norm(latents))
        attention = torch.softmax(query @ key.transpose(1, 2) * key.shape[-1] ** -0.5, dim=-1)
        latents = latents + self.join(attention @ value)
        result: torch.Tensor = latents + self.network(latents)
        return result

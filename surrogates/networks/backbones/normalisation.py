"""Scales device features; the scales are learned from data and are part of a network's weights."""

from collections.abc import Collection, Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from surrogates.networks.graph import Topology
from surrogates.networks.kinds import FEATURES, KINDS

_LEAST_SPREAD = 1e-3
_FARTHEST_SPREADS = 8.0
"""Spreads from the mean beyond which a feature counts as being there: a shorted resistor, say."""


class Normalisation(nn.Module):
    """Subtracts the mean and divides by the spread of each feature of each kind; does nothing until it is fitted."""

    mean: torch.Tensor
    spread: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(len(KINDS), FEATURES))
        self.register_buffer("spread", torch.ones(len(KINDS), FEATURES))

    def fit(
        self, samples: Iterable[tuple[Topology, NDArray[np.float32]]], known: Collection[str] = frozenset()
    ) -> None:
        """Take means and spreads from circuits and their parameters (B, D, FEATURES).

        Kinds that are absent, or whose names are among the `known`, keep theirs.
        """
        sums = np.zeros((3, len(KINDS), FEATURES))
        for topology, parameters in samples:
            kinds = np.array(topology.kinds)
            for kind in np.unique(kinds):
                values = parameters[:, kinds == kind].astype(np.float64)
                sums[:, kind] += np.stack(
                    [np.full(FEATURES, values[..., 0].size), values.sum((0, 1)), (values**2).sum((0, 1))]
                )
        present = (sums[0] > 0) & np.array([[kind.name not in known] for kind in KINDS])
        count = np.maximum(sums[0], 1)
        mean = sums[1] / count
        spread = np.sqrt(np.maximum(sums[2] / count - mean**2, 0))
        spread[spread < _LEAST_SPREAD] = 1.0
        self.mean[present] = torch.from_numpy(mean[present]).float()
        self.spread[present] = torch.from_numpy(spread[present]).float()

    def forward(self, parameters: torch.Tensor, kinds: torch.Tensor) -> torch.Tensor:
        """Scaled features (B, D, FEATURES) of devices whose kinds are (D,)."""
        return ((parameters - self.mean[kinds]) / self.spread[kinds]).clamp(-_FARTHEST_SPREADS, _FARTHEST_SPREADS)

"""Which operating points of a data set a training learns from, and which it is validated on."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from surrogates.networks.graph import Topology
from surrogates.pretraining.dataset import Array, Samples
from surrogates.pretraining.recipe import Recipe, RecipeError, TargetSettings


class TensorCircuit(NamedTuple):
    """Device features (n, D, FEATURES) of one circuit, and what is to be told of it.

    `truths` are the voltages (n, N) of its nets, or a graph-level target (n,) on the scale on which it is told.
    """

    topology: Topology
    parameters: torch.Tensor
    truths: torch.Tensor

    @classmethod
    def of(cls, samples: Samples, target: TargetSettings | None = None) -> "TensorCircuit":
        """The same of a data set's arrays; raises RecipeError for a target that it does not have."""
        truths = samples.voltages if target is None else _target(samples, target)
        return cls(samples.topology, torch.from_numpy(samples.parameters), torch.from_numpy(truths))


def split(recipe: Recipe, samples: Sequence[Samples]) -> tuple[list[TensorCircuit], list[TensorCircuit]]:
    """The last rows of each circuit are for validation; rows are independent draws, so their order means nothing.

    Raises RecipeError where there are too few.
    """
    train, validation = [], []
    for each in samples:
        kept = math.ceil(len(each) * recipe.validation)
        first = TensorCircuit.of(each[: len(each) - kept], recipe.target)
        validation.append(TensorCircuit.of(each[len(each) - kept :], recipe.target))
        if not len(first.parameters):
            raise RecipeError(
                f"data: expected operating points of {each.name} to train on, got {len(each)}, of which {kept} for "
                "validation; make a larger data set"
            )
        share = len(first.parameters) if recipe.rows is None else math.ceil(recipe.rows / len(samples))
        if share > len(first.parameters):
            raise RecipeError(f"rows: expected at most {len(first.parameters)} of {each.name}, got {share}")
        train.append(TensorCircuit(first.topology, first.parameters[:share], first.truths[:share]))
    return train, validation


def _target(samples: Samples, wanted: TargetSettings) -> Array:
    if wanted.name not in samples.targets:
        known = ", ".join(samples.targets) or "none"
        raise RecipeError(
            f"target.name: expected a graph-level target of {samples.name} ({known}), got {wanted.name!r}; choose "
            "another data set"
        )
    target = samples.targets[wanted.name]
    if wanted.scale == "linear":
        return target
    if not (target > 0).all():
        raise RecipeError(
            f"target.scale: expected positive values of {wanted.name} for logarithms, got {target.min():.3g} of "
            f"{samples.name}; choose linear"
        )
    return np.log10(target)

"""Which operating points of a data set a training learns from, and which it is validated on."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from surrogates.graph import Topology
from surrogates.pretraining.dataset import Samples
from surrogates.pretraining.recipe import Recipe, RecipeError


@dataclass(frozen=True)
class TensorCircuit:
    """Device features (n, D, FEATURES) and voltages (n, N) of one circuit."""

    topology: Topology
    parameters: torch.Tensor
    voltages: torch.Tensor

    @classmethod
    def of(cls, samples: Samples) -> "TensorCircuit":
        """The same of a data set's arrays."""
        return cls(samples.topology, torch.from_numpy(samples.parameters), torch.from_numpy(samples.voltages))


def split(
    recipe: Recipe, samples: Sequence[Samples]
) -> tuple[list[TensorCircuit], list[tuple[Topology, torch.Tensor, torch.Tensor]]]:
    """The last rows of each circuit are for validation; rows are independent draws, so their order means nothing.

    Raises RecipeError where there are too few.
    """
    train, validation = [], []
    for each in samples:
        kept = math.ceil(len(each) * recipe.validation)
        first = TensorCircuit.of(each[: len(each) - kept])
        last = TensorCircuit.of(each[len(each) - kept :])
        validation.append((last.topology, last.parameters, last.voltages))
        if not len(first.parameters):
            raise RecipeError(
                f"data: expected operating points of {each.name} to train on, got {len(each)}, of which {kept} for "
                "validation; make a larger data set"
            )
        share = len(first.parameters) if recipe.rows is None else math.ceil(recipe.rows / len(samples))
        if share > len(first.parameters):
            raise RecipeError(f"rows: expected at most {len(first.parameters)} of {each.name}, got {share}")
        train.append(TensorCircuit(first.topology, first.parameters[:share], first.voltages[:share]))
    return train, validation

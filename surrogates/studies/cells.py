"""What studies of networks share: data sets made where they are missing, and trainings that outlive a kill."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from sizing.paper.study import Options, Row
from surrogates.hardware import one_thread
from surrogates.pretraining.accuracy import Accuracy
from surrogates.pretraining.circuits import SampledCircuit
from surrogates.pretraining.dataset import Manifest, Samples, read_dataset
from surrogates.pretraining.generate import generate
from surrogates.pretraining.named import DATASETS
from surrogates.pretraining.recipe import Recipe
from surrogates.pretraining.training import Training

PRECISION = 6
"""Digits of figures in tables."""


Answer = TypeVar("Answer")


@dataclass(frozen=True)
class DataSet:
    """A data set and the manifest it was read with."""

    manifest: Manifest
    samples: tuple[Samples, ...]

    def only(self, circuit: str) -> Samples:
        """Its circuit of that name."""
        return next(each for each in self.samples if each.name == circuit)


def named_data(name: str, options: Options) -> DataSet:
    """A data set that has a name, made unless it is there."""
    return made_data(name, DATASETS[name].circuits(options.models), options)


def made_data(name: str, wanted: Sequence[tuple[SampledCircuit, int]], options: Options, seed: int = 0) -> DataSet:
    """A data set of these circuits, made unless it is there."""
    folder = options.data / name
    generate(name, wanted, folder, seed=seed, workers=options.jobs)
    return DataSet(*read_dataset(folder))


def with_training(
    recipe: Recipe, data: DataSet, samples: Sequence[Samples], scratch: Path, seed: int, device: str,
    answer: Callable[[Training], Answer],
) -> Answer:  # fmt: skip
    """What `answer` makes of a training in the folder `scratch`, which goes on there if it was begun, and then away."""
    training = Training(recipe, data.manifest, samples, scratch, seed=seed, device=device)
    with one_thread():
        answered = answer(training)
    shutil.rmtree(scratch)
    return answered


def figures(reached: Accuracy) -> Row:
    """The columns that say how well something is told."""
    return {
        "k": reached.k,
        "at_k_free": round(reached.at_k_free, PRECISION),
        "mean_error_free": round(reached.mean_error_free, PRECISION),
    }

"""Table I: networks on ladders longer than those they were trained on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from sizing.paper.plots import PlottedLine, line, panels
from sizing.paper.seeds import over_seeds
from sizing.paper.study import CellStudy, Options, Row, Scale, Section, StudySettings, settings_for
from sizing.task.settings import Settings
from surrogates.hardware import device_named
from surrogates.pretraining.accuracy import accuracy_of
from surrogates.pretraining.circuits import ladder
from surrogates.pretraining.recipe import Recipe
from surrogates.pretraining.training import Training
from surrogates.studies.cells import DataSet, figures, made_data, named_data, with_training
from surrogates.studies.networks import PAPERS_SCHEDULE, label, network

PAPER_ZERO_SHOT = {
    "deepgen 128 x 10, 2 to 10 branches": {12: 0.685, 16: 0.649, 32: 0.598, 128: 0.566},
    "deepgen 128 x 15, 2 to 10 branches": {128: 0.819},
    "deepgen 128 x 15, specialised": {128: 0.833},
    "mlp, specialised": {12: 0.306, 16: 0.247, 32: 0.165, 128: 0.091},
}
"""Table I of Hakhamaneshi et al. (2022): Acc@100 on ladders of so many branches."""
TWO_TO_TEN_BRANCHES = "2 to 10 branches"
SPECIALISED_SEED = 1
"""Seed of specialised data sets: not that of the test ladders, which would be the same graphs."""


class Specialised(Settings):
    """A network that is trained on ladders of one size, for each of these numbers of branches."""

    recipe: Recipe
    branches: tuple[int, ...]


class Table1Settings(StudySettings):
    """Networks pretrained on ladders of 2 to 10 branches, and networks trained on one number of branches."""

    pretrained: tuple[Recipe, ...]
    specialised: tuple[Specialised, ...]
    specialised_rows: int
    tests: tuple[int, ...] = (12, 16, 32, 128)
    test_rows: int


@dataclass(frozen=True)
class Table1Cell:
    """One training."""

    network: str
    trained_on: str
    """"2 to 10 branches", or a number of them."""
    seed: int


class Table1(CellStudy[Table1Cell]):
    """Ladders longer than those trained on, without further training; specialised networks beside it."""

    title = "Table I: ladders longer than those trained on"

    def __init__(self, settings: Table1Settings, options: Options) -> None:
        device_named(options.device)
        self.settings: Table1Settings = settings
        self._options = options
        self._tests = cache(lambda: named_data("ladder_test", options))

    def cells(self) -> Iterator[Table1Cell]:
        """Cheap ones first."""
        for seed in self.settings.seeds:
            for each in self.settings.specialised:
                for branches in each.branches:
                    yield Table1Cell(label(each.recipe), str(branches), seed)
            for recipe in self.settings.pretrained:
                yield Table1Cell(label(recipe), TWO_TO_TEN_BRANCHES, seed)

    def measure(self, cell: Table1Cell, scratch: Path) -> Sequence[Row]:
        """Train, and test on all sizes, or on the only one."""
        if cell.trained_on == TWO_TO_TEN_BRANCHES:
            recipe = next(each for each in self.settings.pretrained if label(each) == cell.network)
            data, sizes = named_data("ladder", self._options), self.settings.tests
        else:
            branches = int(cell.trained_on)
            recipe = next(each.recipe for each in self.settings.specialised if label(each.recipe) == cell.network)
            data, sizes = self._specialised(branches), (branches,)

        def answer(training: Training) -> list[Row]:
            training.run()
            about = {
                "parameters": sum(parameter.numel() for parameter in training.backbone.parameters()),
                "steps": recipe.steps,
                "batch": recipe.batch,
                "cpu_minutes": round(training.cpu_s / 60, 3),
            }
            tests = [self._tests().only(f"ladder{size}")[: self.settings.test_rows] for size in sizes]
            reached = [accuracy_of(training.backbone, [each], recipe.accuracy) for each in tests]
            return [{"branches": size, **about, **figures(each)} for size, each in zip(sizes, reached, strict=True)]

        return with_training(recipe, data, data.samples, scratch, cell.seed, self._options.device, answer)

    def sections(self, table: pd.DataFrame) -> list[Section]:
        """Ours by network and size, then the paper's."""
        named = table.assign(network=table["network"] + ", " + _trained(table))
        means = over_seeds(named, ["network", "steps", "branches"], ["at_k_free", "mean_error_free", "cpu_minutes"])
        published = [
            {"network": network, "branches": size, "paper_at_k": value}
            for network, values in PAPER_ZERO_SHOT.items()
            for size, value in values.items()
        ]
        words = (
            "`at_k_free` is Acc@100 of the voltages of the nodes that no source holds, without further training; "
            "`specialised` networks were trained on ladders of that very size. Tested on "
            f"{self.settings.test_rows} ladders of each."
        )
        return [
            Section("Ours", words, means),
            Section(
                "The paper's",
                "As printed: Acc@100 of DeepGEN, left as pretrained or trained on that very size, and of a perceptron.",
                pd.DataFrame(published),
            ),
        ]

    def figure(self, table: pd.DataFrame, folder: Path) -> Figure:
        """Accuracy over sizes."""
        named = table.assign(network=table["network"] + ", " + _trained(table))
        means = over_seeds(named.sort_values("branches"), ["network", "branches"], ["at_k_free"])
        ours = [line(str(name), part, "branches", "at_k_free") for name, part in means.groupby("network")]
        paper = [
            PlottedLine(f"paper: {name}", list(values), list(values.values()), published=True)
            for name, values in PAPER_ZERO_SHOT.items()
        ]
        return panels({"Ladders": [*ours, *paper]}, "branches", "Acc@100", log_x=True)

    def _specialised(self, branches: int) -> DataSet:
        rows = self.settings.specialised_rows
        wanted = [(ladder(branches), rows)]
        return made_data(f"ladder{branches}_{rows}", wanted, self._options, SPECIALISED_SEED)


_ALL_BRANCHES = (12, 16, 32, 128)
TABLE1: Mapping[Scale, Table1Settings] = {
    "small": Table1Settings(
        pretrained=(network("relaxation", 32, 12, steps=400, looks=1),),
        specialised=(
            Specialised(recipe=network("mlp", 256, 3, steps=1000, learning_rate=1e-3, looks=1), branches=_ALL_BRANCHES),
            Specialised(recipe=network("relaxation", 32, 12, steps=200, batch=32, looks=1), branches=(12,)),
        ),
        specialised_rows=2000,
        test_rows=200,
    ),
    "full": Table1Settings(
        pretrained=(
            network("relaxation", 32, 12, steps=4500),
            network("deepgen", 128, 10, **PAPERS_SCHEDULE),
            network("deepgen", 128, 15, **PAPERS_SCHEDULE),
        ),
        specialised=(
            Specialised(recipe=network("mlp", 512, 4, **PAPERS_SCHEDULE), branches=_ALL_BRANCHES),
            Specialised(recipe=network("relaxation", 32, 12, steps=4500), branches=_ALL_BRANCHES),
            Specialised(recipe=network("deepgen", 128, 15, **PAPERS_SCHEDULE), branches=_ALL_BRANCHES),
        ),
        specialised_rows=20_000,
        test_rows=1000,
    ),
}


def table1(options: Options) -> Table1:
    """Zero-shot accuracy on long ladders."""
    return Table1(settings_for(options, TABLE1), options)


def _trained(table: pd.DataFrame) -> pd.Series:
    return table["trained_on"].astype(str).where(table["trained_on"] == TWO_TO_TEN_BRANCHES, "specialised")

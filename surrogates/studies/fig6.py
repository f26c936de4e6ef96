"""Figure 6: how fast backbones learn ladders."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from sizing.paper.plots import PlottedLine, line, panels
from sizing.paper.seeds import over_seeds
from sizing.paper.study import CellStudy, Options, Row, Scale, Section, StudySettings, settings_for
from surrogates.hardware import device_named
from surrogates.pretraining.recipe import Recipe
from surrogates.pretraining.state import LOG
from surrogates.pretraining.training import Training
from surrogates.studies.cells import PRECISION, named_data, with_training
from surrogates.studies.networks import PAPERS_SCHEDULE, label, network

PAPER_VALIDATION = 0.92
"""Acc@100 of the 15-layer DeepGEN of Hakhamaneshi et al. (2022) on ladders of 2 to 10 branches, held out."""


class Fig6Settings(StudySettings):
    """Networks, each with its schedule, on ladders of 2 to 10 branches."""

    networks: tuple[Recipe, ...]


@dataclass(frozen=True)
class Fig6Cell:
    """One training."""

    network: str
    seed: int


class Fig6(CellStudy[Fig6Cell]):
    """Validation accuracy while backbones learn, over steps and over processor time."""

    title = "Figure 6: backbones on ladders"

    def __init__(self, settings: Fig6Settings, options: Options) -> None:
        device_named(options.device)
        self.settings: Fig6Settings = settings
        self._options = options

    def cells(self) -> Iterator[Fig6Cell]:
        """Seed by seed."""
        for seed in self.settings.seeds:
            for recipe in self.settings.networks:
                yield Fig6Cell(label(recipe), seed)

    def measure(self, cell: Fig6Cell, scratch: Path) -> Sequence[Row]:
        """Train; a row for every look at the validation set."""
        recipe = next(each for each in self.settings.networks if label(each) == cell.network)
        data = named_data("ladder", self._options)

        def answer(training: Training) -> list[dict[Any, Any]]:
            training.run()
            parameters = sum(parameter.numel() for parameter in training.backbone.parameters())
            looks = pd.read_csv(scratch / LOG)[["step", "cpu_s", "at_k_free", "mean_error_free"]]
            return looks.assign(parameters=parameters, batch=recipe.batch).round(PRECISION).to_dict("records")

        return with_training(recipe, data, data.samples, scratch, cell.seed, self._options.device, answer)

    def sections(self, table: pd.DataFrame) -> list[Section]:
        """What each reached in the end."""
        last = table[table["step"] == table.groupby("network")["step"].transform("max")]
        means = over_seeds(last, ["network", "parameters", "batch", "step"], ["cpu_s", "at_k_free", "mean_error_free"])
        words = (
            "`at_k_free` is Acc@100 on ladders of 2 to 10 branches held out, over the nodes that no source holds, "
            f"after the last step. The paper's DeepGEN of 15 layers reaches {PAPER_VALIDATION} in 30 000 steps of 256."
        )
        return [Section("At the end", words, means)]

    def figure(self, table: pd.DataFrame, folder: Path) -> Figure:
        """Accuracy over steps, and over seconds of processor time."""
        means = over_seeds(table, ["network", "step"], ["cpu_s", "at_k_free"])
        by_network = list(means.groupby("network", sort=False))
        return panels(
            {
                title: [
                    *(line(str(name), part, x, "at_k_free") for name, part in by_network),
                    _paper_line(means[x]),
                ]
                for title, x in (("by steps", "step"), ("by processor time in seconds", "cpu_s"))
            },
            "",
            "Acc@100 on held-out ladders",
        )


_BRIEF = {"steps": 200, "batch": 32, "validation": 0.02, "looks": 10}
FIG6: Mapping[Scale, Fig6Settings] = {
    "small": Fig6Settings(
        networks=(
            network("relaxation", 32, 12, **_BRIEF),
            *(network(kind, 64, 8, learning_rate=1e-3, **_BRIEF) for kind in ("deepgen", "gcn", "gat")),
        )
    ),
    "full": Fig6Settings(
        networks=(
            network("relaxation", 32, 12, steps=4500),
            *(network(kind, 128, 15, **PAPERS_SCHEDULE) for kind in ("deepgen", "gcn", "gat")),
        )
    ),
}


def fig6(options: Options) -> Fig6:
    """How fast backbones learn."""
    return Fig6(settings_for(options, FIG6), options)


def _paper_line(x: pd.Series) -> PlottedLine:
    return PlottedLine(
        "paper: deepgen 128 x 15, in the end", [x.min(), x.max()], [PAPER_VALIDATION] * 2, published=True
    )

"""Figures 7, 8 and 9: what pretraining is worth where there are few graphs of a circuit to learn from."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from sizing.paper.plots import line, panels
from sizing.paper.seeds import differences, over_seeds
from sizing.paper.study import CellStudy, Options, Row, Scale, Section, StudySettings, settings_for
from surrogates.hardware import device_named
from surrogates.networks.checkpoints import read_checkpoint
from surrogates.pretraining.recipe import Recipe
from surrogates.pretraining.training import Training
from surrogates.studies.cells import DataSet, figures, named_data, with_training

FINE_TUNED, SCRATCH = "fine-tuned", "from scratch"
VOLTAGES = "voltages"
NO_READOUT = "none"


class FewShotSettings(StudySettings):
    """What is trained, on how many graphs, for how long."""

    data: str
    k: int
    """The K of Acc@K."""
    held_out: float = 0.5
    """Share of the data set that is not trained on."""
    checkpoint: str
    """The pretrained network; from scratch, one of the same architecture."""
    rows: tuple[int, ...]
    """Graphs to train on; 0 for the pretrained network as it is."""
    arms: tuple[tuple[str, str], ...]
    """(start, readout) pairs; voltages need no readout."""
    steps: int
    batch: int
    rates: Mapping[str, float]
    """The highest learning rate, by start."""


@dataclass(frozen=True)
class FewShotCell:
    """One training, or one look at the network before any (`rows` 0)."""

    circuit: str
    told: str
    """"voltages", or the name of a graph-level target."""
    start: str
    readout: str
    rows: int
    seed: int


@dataclass(frozen=True)
class Told:
    """A circuit of the data set, and what is told of it: its voltages, or a target on a scale."""

    circuit: str
    name: str = VOLTAGES
    scale: str = "linear"


class FewShot(CellStudy[FewShotCell]):
    """Fine-tuned against from scratch, over numbers of graphs, judged on the last rows of the data set."""

    def __init__(
        self, title: str, words: str, told: Sequence[Told], settings: FewShotSettings, options: Options
    ) -> None:
        device_named(options.device)
        self.title = title
        self.settings: FewShotSettings = settings
        self._words = words
        self._told = told
        self._options = options
        self._data = cache(lambda: named_data(settings.data, options))
        self._backbone = cache(lambda: read_checkpoint(settings.checkpoint)[1].backbone)

    def cells(self) -> Iterator[FewShotCell]:
        """Small numbers of graphs first."""
        for rows in self.settings.rows:
            for told in self._told:
                for start, readout in _arms(self.settings.arms, told):
                    if rows == 0 and (told.name, start) != (VOLTAGES, FINE_TUNED):
                        continue
                    for seed in self.settings.seeds if rows else self.settings.seeds[:1]:
                        yield FewShotCell(told.circuit, told.name, start, readout, rows, seed)

    def measure(self, cell: FewShotCell, scratch: Path) -> Sequence[Row]:
        """Train, and look at the rows held out."""
        data: DataSet = self._data()
        samples = [data.only(cell.circuit)]
        recipe = self._recipe(cell)

        def answer(training: Training) -> Row:
            reached = training.run() if cell.rows else training.reached()
            return {**figures(reached), "cpu_minutes": round(training.cpu_s / 60, 3)}

        return [with_training(recipe, data, samples, scratch, cell.seed, self._options.device, answer)]

    def sections(self, table: pd.DataFrame) -> list[Section]:
        """Accuracies, and how much the claims of the paper are worth here."""
        keys = ["circuit", "told", "rows"]
        means = over_seeds(table, ["circuit", "told", "start", "readout", "rows"], ["at_k_free", "mean_error_free"])
        plain = table[table["readout"] != "mean"]
        found = [
            Section("Accuracy", self._words, means),
            Section(
                "Fine-tuned less from scratch",
                "Differences of `at_k_free` in the same seed (with attention, where there is a readout).",
                differences(plain[plain["rows"] > 0], keys, "start", FINE_TUNED, SCRATCH, "at_k_free"),
            ),
        ]
        if "mean" in set(table["readout"]):
            by_start = differences(table, [*keys, "start"], "readout", "attention", "mean", "at_k_free")
            words = "Differences of `at_k_free` in the same seed, from the same start."
            found.append(Section("Attention less mean pooling", words, by_start))
        return found

    def figure(self, table: pd.DataFrame, folder: Path) -> Figure:
        """Accuracy over numbers of graphs, a panel for each circuit and what is told of it."""
        readout = table["readout"].map(lambda name: "" if name == NO_READOUT else f", {name}")
        shown = table.assign(label=table["start"] + readout)
        return panels(
            {
                f"{circuit}, {told}": [
                    line(str(label), over_seeds(arm, ["rows"], ["at_k_free"]), "rows", "at_k_free")
                    for label, arm in part[part["rows"] > 0].groupby("label", sort=False)
                ]
                for (circuit, told), part in shown.groupby(["circuit", "told"], sort=False)
            },
            "graphs trained on",
            f"Acc@{self.settings.k} on held-out graphs",
            log_x=True,
        )

    def _recipe(self, cell: FewShotCell) -> Recipe:
        given, told = self.settings, next(each for each in self._told if each.name == cell.told)
        start: dict[str, Any] = (
            {"start_from": given.checkpoint} if cell.start == FINE_TUNED else {"backbone": self._backbone()}
        )
        target = {"name": told.name, "scale": told.scale, "readout": cell.readout}
        return Recipe.model_validate(
            {
                "name": "few_shot",
                "data": given.data,
                "target": None if cell.told == VOLTAGES else target,
                "steps": given.steps,
                "batch": given.batch,
                "learning_rate": given.rates[cell.start],
                "validation": self.settings.held_out,
                "rows": cell.rows or None,
                "accuracy": self.settings.k,
                "looks": 1,
                **start,
            }
        )


def _arms(arms: Iterable[tuple[str, str]], told: Told) -> list[tuple[str, str]]:
    if told.name == VOLTAGES:
        return list(dict.fromkeys((start, NO_READOUT) for start, _ in arms))
    return list(arms)


EITHER_START = ((FINE_TUNED, "attention"), (SCRATCH, "attention"))
ABLATION = (*EITHER_START, (FINE_TUNED, "mean"), (SCRATCH, "mean"))
RATES = {FINE_TUNED: 2e-3, SCRATCH: 4e-3}

_RESISTORS = {"data": "resistors", "k": 100, "checkpoint": "ladder", "rates": RATES}
FIG7: Mapping[Scale, FewShotSettings] = {
    "small": FewShotSettings.model_validate(
        _RESISTORS | {"rows": (0, 100, 1000), "arms": EITHER_START, "steps": 150, "batch": 32}
    ),
    "full": FewShotSettings.model_validate(
        _RESISTORS | {"rows": (0, 100, 250, 500, 1000), "arms": EITHER_START, "steps": 3000, "batch": 256}
    ),
}
_LADDERS = {"data": "output_resistance", "k": 100, "checkpoint": "ladder", "rates": RATES}
FIG8: Mapping[Scale, FewShotSettings] = {
    "small": FewShotSettings.model_validate(
        _LADDERS | {"rows": (250, 1000), "arms": ABLATION[:3], "steps": 250, "batch": 32}
    ),
    "full": FewShotSettings.model_validate(
        _LADDERS | {"rows": (250, 500, 750, 1000), "arms": ABLATION, "steps": 3000, "batch": 64}
    ),
}
_OPAMPS = {"data": "opamp_voltage_biased", "k": 200, "held_out": 0.0909, "checkpoint": "opamp", "rates": RATES}
FIG9: Mapping[Scale, FewShotSettings] = {
    "small": FewShotSettings.model_validate(
        _OPAMPS | {"rows": (0, 100, 500, 1000), "arms": EITHER_START, "steps": 150, "batch": 32}
    ),
    "full": FewShotSettings.model_validate(
        _OPAMPS | {"rows": (0, 100, 500, 1000, 5000, 10_000), "arms": ABLATION, "steps": 3000, "batch": 64}
    ),
}


def fig7(options: Options) -> FewShot:
    """Few-shot resistor circuits."""
    return FewShot(
        "Figure 7: few-shot resistor circuits",
        "`at_k_free` is Acc@100 of the voltages of nets that no source holds, on 1 000 graphs held out. The network "
        "was pretrained on ladders of 2 to 10 branches; `rows` of 0 is that network as it is. The paper prints curves, "
        "no numbers.",
        [Told("series"), Told("parallel"), Told("loaded")],
        settings_for(options, FIG7),
        options,
    )


def fig8(options: Options) -> FewShot:
    """Output resistance of ladders, and what reads it."""
    return FewShot(
        "Figure 8: output resistance of ladders of 10 branches",
        "A graph-level target: `at_k_free` is its Acc@100 on 1 000 graphs held out, `mean_error_free` is in ohms. The "
        "network was pretrained on the voltages of ladders of 2 to 10 branches; readout and head begin at random. The "
        "paper prints curves, no numbers.",
        [Told("ladder10", "output_resistance")],
        settings_for(options, FIG8),
        options,
    )


def fig9(options: Options) -> FewShot:
    """The op-amp with voltage-biased loads."""
    return FewShot(
        "Figure 9: op-amp with voltage-biased loads",
        "`at_k_free` is Acc@200, on 1 000 graphs held out, of the voltages of nets that no source holds, or of the "
        "decimal logarithm of the gain, which spans a dozen decades (`mean_error_free` in volts or decades). The "
        "network was pretrained on the op-amp with a current mirror; `rows` of 0 is that network as it is. The paper "
        "prints curves, no numbers.",
        [Told("opamp_voltage_biased"), Told("opamp_voltage_biased", "gain", "logarithmic")],
        settings_for(options, FIG9),
        options,
    )

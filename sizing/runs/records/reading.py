"""A run folder, read back."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sizing.evaluation.corners import NOMINAL
from sizing.evaluation.evaluator import Evaluation, Purpose, Simulation, evaluation_of
from sizing.evaluation.failures import Lack, lacks
from sizing.runs.records.journal import NAME, read_journal
from sizing.runs.records.journal import RunError as RunError
from sizing.simulation.simulator import Measured, outcome_from
from sizing.task.job import Conditions
from sizing.task.objectives import best_first
from sizing.task.problem import Corner, Design, Metric, Problem, Variable

_NOW_CALLED = {"ngspice": "simulator"}
"""Versions that earlier manifests call by another name."""


@dataclass(frozen=True)
class Batch:
    """The evaluations, by index, that joined the population together, and the decision behind them if there was one."""

    evaluations: tuple[int, ...]
    decision: Mapping[str, Any] | None = None
    looks: int | None = None
    """Operating points found for the decision, by a method that may look."""


@dataclass(frozen=True)
class RunRecord:
    """A run as its folder tells it."""

    path: Path
    manifest: Mapping[str, Any]
    problem: Problem
    simulations: tuple[Simulation, ...]
    """Every simulation, in order."""
    purposes: tuple[Purpose, ...]
    batches: tuple[Batch, ...]
    summary: Mapping[str, Any]
    """Status and times; empty for a run that did not end, or has lost the end of its journal."""
    damage: str = ""
    """What is wrong with the journal, and in which line; the record holds what comes before it."""
    notice: str = ""
    """What of the end of the journal had to be left out, if anything; `sizing resume` simulates it again."""

    @cached_property
    def joined(self) -> tuple[int, ...]:
        """Indices of the designs that joined the population, in order: of the first simulation of each."""
        return tuple(index for batch in self.batches for index in batch.evaluations)

    @cached_property
    def decisions(self) -> tuple[Mapping[str, Any], ...]:
        """The decisions behind the batches that have one, in order."""
        return tuple(batch.decision for batch in self.batches if batch.decision is not None)

    @cached_property
    def population(self) -> tuple[Evaluation, ...]:
        """The designs that joined the population, in order."""
        begun: dict[Design, list[Simulation]] = {}
        by_first: dict[int, list[Simulation]] = {}
        for each in self.simulations:
            if each.corner == NOMINAL:
                begun[each.design] = by_first[each.index] = []
            begun[each.design].append(each)
        return tuple(evaluation_of(self.problem, by_first[index]) for index in self.joined)

    @cached_property
    def simulations_at(self) -> NDArray[np.int64]:
        """How many simulations there had been of the population, at all corners, when each of it was known (N,)."""
        return np.cumsum([len(evaluation.corners) for evaluation in self.population], dtype=np.int64)

    @cached_property
    def values(self) -> NDArray[np.float64]:
        """Metric values of the population (N, M), the worst of its corners; NaN where missing or failed."""
        width = len(self.problem.metrics)
        rows = [e.outcome.values if isinstance(e.outcome, Measured) else (np.nan,) * width for e in self.population]
        return np.array(rows, dtype=float).reshape(-1, width)

    @cached_property
    def lacks(self) -> list[Lack]:
        """What simulations did not give, and why."""
        return lacks([each.outcome for each in self.simulations], [metric.name for metric in self.problem.metrics])

    @cached_property
    def ranked(self) -> NDArray[np.intp]:
        """Rows of the population, the best first, by the rule of the run; versions before 0.2 had the first in spec."""
        return best_first(self.problem, self.values, self.manifest.get("run", {}).get("best", "first"))


def read_run(path: str | Path) -> RunRecord:
    """Read a run folder; raises RunError for one that is none, or damaged, with the line."""
    record = _read(Path(path))
    if record.damage:
        raise RunError(record.damage)
    return record


def read_runs(paths: Sequence[str | Path]) -> tuple[list[RunRecord], list[str]]:
    """Read many run folders for tables and reports: what can be read, and what is wrong with the rest.

    A run whose journal is damaged counts as far as the line before: behind a line that is lost, nobody can tell how
    many simulations there were. Its record says so in `damage`.
    """
    records, problems = [], []
    for path in paths:
        try:
            record = _read(Path(path))
        except RunError as error:
            problems.append(str(error))
            continue
        records.append(record)
        if record.damage:
            problems.append(f"{record.damage}; the run counts up to there, and in no mean")
    return records, problems


def _read(path: Path) -> RunRecord:
    if not (path / "manifest.json").is_file():
        raise RunError(f"{path}: expected a run folder (with manifest.json); `sizing run` makes one")
    try:
        manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
        manifest["versions"] = {
            _NOW_CALLED.get(name, name): text for name, text in manifest.get("versions", {}).items()
        }
        problem = _problem(manifest["problem"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunError(f"{path / 'manifest.json'}: damaged: {error!r}") from None
    simulations: list[Simulation] = []
    purposes: list[Purpose] = []
    batches: list[Batch] = []
    held = read_journal(path, sealed=manifest["format"] > 1)
    damage = held.damage
    for number, text in enumerate(held.lines, 1):
        line = json.loads(text)
        try:
            if "batch" in line:
                batches.append(Batch(_known(line["batch"], len(simulations)), line.get("decision"), line.get("looks")))
            else:
                simulations.append(_simulation(line, len(simulations), len(problem.corners)))
                purposes.append(line["purpose"])
        except (ValueError, KeyError, TypeError) as error:
            damage = f"{path / NAME}:{number}: damaged line: {error!r}"
            break
    summary_path = path / "summary.json"
    try:
        summary = json.loads(summary_path.read_text(encoding="utf-8")) if summary_path.exists() else {}
    except ValueError as error:
        raise RunError(f"{summary_path}: damaged: {error!r}") from None
    notice = f"{path / NAME}:{len(held.lines) + 1}: the last line is torn and left out" if held.torn else ""
    if not damage and summary.get("seal", held.seal) != held.seal:
        notice = f"{path / NAME}: the end is missing; `sizing resume {path}` simulates what was lost again"
        summary = {}
    found = (tuple(simulations), tuple(purposes), tuple(batches))
    return RunRecord(path, manifest, problem, *found, summary, damage, notice)


def find_runs(paths: Sequence[str | Path]) -> list[Path]:
    """Run folders among these paths and directly or deeply below them, sorted; raises RunError where there is none."""
    found: list[Path] = []
    for path in map(Path, paths):
        below = sorted(manifest.parent for manifest in path.rglob("manifest.json") if _is_run(manifest.parent))
        if not below:
            raise RunError(f"{path}: expected a run folder or a folder of runs, found none")
        found += below
    return list(dict.fromkeys(found))


def _problem(stored: Mapping[str, Any]) -> Problem:
    variables = tuple(Variable(**{**entry, "values": tuple(entry["values"])}) for entry in stored["variables"])
    metrics = tuple(
        Metric(**{**entry, "sum_of": tuple(map(tuple, entry.get("sum_of", ())))}) for entry in stored["metrics"]
    )
    words = [stored["name"], stored["topology"]]
    words += [word for variable in variables for word in (variable.name, variable.unit)]
    words += [word for metric in metrics for word in (metric.name, metric.unit)]
    words += [corner["name"] for corner in stored.get("corners", ())]
    if strange := next((word for word in words if not word.isprintable()), None):  # which could command a terminal
        raise ValueError(f"expected names and units without control characters, got {strange!r}")
    corners = tuple(map(_corner, stored.get("corners", ())))
    problem = Problem(stored["name"], stored["topology"], variables, metrics)
    return replace(problem, corners=corners) if corners else problem


def _corner(entry: Mapping[str, Any]) -> Corner:
    """As in the manifest; versions before 0.2 had all settings in one table, a process as its place."""
    if "settings" in entry:
        settings = dict(entry["settings"])
        temperature, process = settings.pop("temperature", None), settings.pop("process", None)
        held = Conditions(temperature, None if process is None else f"{process:g}", tuple(settings.items()))
        return Corner(entry["name"], held)
    held = Conditions(**entry["conditions"])
    return Corner(entry["name"], replace(held, parameters=tuple((name, value) for name, value in held.parameters)))


def _is_run(folder: Path) -> bool:
    """Whether a folder with a manifest is a run's: data sets have manifests too, and a kill may leave half a folder."""
    return (folder / "spec.yaml").exists() and not folder.match(".*.part")


def _known(batch: list[int], count: int) -> tuple[int, ...]:
    """These indices; raises ValueError for one that is no evaluation before it."""
    if not all(0 <= index < count for index in batch):
        raise ValueError(f"expected evaluations before this line, 0 to {count - 1}, got {batch}")
    return tuple(batch)


def _simulation(line: Mapping[str, Any], index: int, corners: int) -> Simulation:
    """The simulation of a line; raises ValueError where it is another one than comes next, or at no corner."""
    if line["evaluation"] != index:
        raise ValueError(f"expected evaluation {index}, got {line['evaluation']}")
    corner = line.get("corner", NOMINAL)
    if not 0 <= corner < corners:
        raise ValueError(f"expected a corner from 0 to {corners - 1}, got {corner}")
    return Simulation(index, tuple(line["design"]), outcome_from(line), corner)

"""A run folder, read back."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sizing.evaluation import Evaluation, Purpose
from sizing.problem import Metric, Problem, Variable
from sizing.records.journal import NAME, read_journal
from sizing.records.journal import RunError as RunError
from sizing.simulation.simulator import Measured, outcome_from


@dataclass(frozen=True)
class RunRecord:
    """A run as its folder tells it."""

    path: Path
    manifest: Mapping[str, Any]
    problem: Problem
    evaluations: tuple[Evaluation, ...]
    """Every simulation, in order."""
    purposes: tuple[Purpose, ...]
    joined: tuple[int, ...]
    """Indices of the evaluations that joined the population, in order: what `sims_total` counts."""
    decisions: tuple[Mapping[str, Any], ...]
    summary: Mapping[str, Any]
    """Status and times; empty for a run that did not end, or has lost the end of its journal."""
    notice: str = ""
    """What had to be left out, if anything."""

    @cached_property
    def population(self) -> tuple[Evaluation, ...]:
        """The evaluations that joined the population, in order."""
        return tuple(self.evaluations[index] for index in self.joined)

    @cached_property
    def values(self) -> NDArray[np.float64]:
        """Metric values of the population (N, M); NaN where missing or failed."""
        width = len(self.problem.metrics)
        rows = [e.outcome.values if isinstance(e.outcome, Measured) else (np.nan,) * width for e in self.population]
        return np.array(rows, dtype=float).reshape(-1, width)


def read_run(path: str | Path) -> RunRecord:
    """Read a run folder; raises RunError for one that is none, or damaged, with the line."""
    path = Path(path)
    if not (path / "manifest.json").is_file():
        raise RunError(f"{path}: expected a run folder (with manifest.json); `sizing run` makes one")
    try:
        manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
        problem = _problem(manifest["problem"])
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path / 'manifest.json'}: damaged: {error!r}") from None
    evaluations: list[Evaluation] = []
    purposes: list[Purpose] = []
    joined: list[int] = []
    decisions = []
    held = read_journal(path, sealed=manifest["format"] > 1)
    for number, text in enumerate(held.lines, 1):
        line = json.loads(text)
        try:
            if "batch" in line:
                joined += line["batch"]
                decisions += [line["decision"]] if "decision" in line else []
            else:
                evaluations.append(Evaluation(line["evaluation"], tuple(line["design"]), outcome_from(line)))
                purposes.append(line["purpose"])
        except (ValueError, KeyError, TypeError) as error:
            raise RunError(f"{path / NAME}:{number}: damaged line: {error!r}") from None
    summary_path = path / "summary.json"
    summary = json.loads(summary_path.read_text(encoding="utf-8")) if summary_path.exists() else {}
    notice = f"{path / NAME}:{len(held.lines) + 1}: the last line is torn and left out" if held.torn else ""
    if summary.get("seal", held.seal) != held.seal:
        notice = f"{path / NAME}: the end is missing; `sizing resume {path}` simulates what was lost again"
        summary = {}
    return RunRecord(
        path, manifest, problem, tuple(evaluations), tuple(purposes), tuple(joined), tuple(decisions), summary, notice
    )


def find_runs(paths: Sequence[str | Path]) -> list[Path]:
    """Run folders among these paths and directly or deeply below them, sorted; raises RunError where there is none."""
    found: list[Path] = []
    for path in map(Path, paths):
        below = sorted(m.parent for m in path.rglob("manifest.json") if not m.parent.match(".*.part"))
        if not below:
            raise RunError(f"{path}: expected a run folder or a folder of runs, found none")
        found += below
    return list(dict.fromkeys(found))


def _problem(stored: Mapping[str, Any]) -> Problem:
    variables = tuple(Variable(**{**entry, "values": tuple(entry["values"])}) for entry in stored["variables"])
    metrics = tuple(Metric(**entry) for entry in stored["metrics"])
    return Problem(stored["name"], stored["topology"], variables, metrics)

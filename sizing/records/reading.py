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
from sizing.mistakes import InputError
from sizing.problem import Design, Metric, Problem, Variable
from sizing.simulation.simulator import Failed, Measured


class RunError(InputError):
    """A run folder that cannot be made or read; the message says what was expected and what to do."""


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
    """Status and times; empty for a run that did not end."""

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
    journal = path / "journal.jsonl"
    lines = journal.read_text(encoding="utf-8").splitlines() if journal.exists() else []
    for number, text in enumerate(lines, 1):
        try:
            line = json.loads(text)
            if "batch" in line:
                joined += line["batch"]
                decisions += [line["decision"]] if "decision" in line else []
            else:
                evaluations.append(_evaluation(line))
                purposes.append(line["purpose"])
        except (ValueError, KeyError, TypeError) as error:
            if number == len(lines):
                break  # torn by whatever ended the run
            raise RunError(f"{journal}:{number}: damaged line: {error!r}") from None
    summary_path = path / "summary.json"
    summary = json.loads(summary_path.read_text(encoding="utf-8")) if summary_path.exists() else {}
    return RunRecord(
        path, manifest, problem, tuple(evaluations), tuple(purposes), tuple(joined), tuple(decisions), summary
    )


def find_runs(paths: Sequence[str | Path]) -> list[Path]:
    """Run folders among these paths and directly or deeply below them, sorted; raises RunError where there is none."""
    found: list[Path] = []
    for path in map(Path, paths):
        below = sorted(manifest.parent for manifest in path.rglob("manifest.json"))
        if not below:
            raise RunError(f"{path}: expected a run folder or a folder of runs, found none")
        found += below
    return list(dict.fromkeys(found))


def _problem(stored: Mapping[str, Any]) -> Problem:
    variables = tuple(Variable(**{**entry, "values": tuple(entry["values"])}) for entry in stored["variables"])
    metrics = tuple(Metric(**entry) for entry in stored["metrics"])
    return Problem(stored["name"], stored["topology"], variables, metrics)


def _evaluation(line: Mapping[str, Any]) -> Evaluation:
    design: Design = tuple(line["design"])
    if "failed" in line:
        return Evaluation(line["evaluation"], design, Failed(line["failed"], line["message"]))
    values = tuple(float("nan") if value is None else float(value) for value in line["values"])
    missing = {int(index): reason for index, reason in line.get("missing", {}).items()}
    return Evaluation(line["evaluation"], design, Measured(values, missing))

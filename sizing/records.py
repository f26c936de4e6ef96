"""The run folder: resolved spec, manifest, append-only journal, summary. runs/README.md documents the format.

The journal holds no clock, so that the same spec and seed give the same bytes whatever the number of workers.
"""

import json
import os
import platform
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import LiteralScalarString

from sizing.evaluation import Evaluation, Purpose
from sizing.netlist import inline_includes
from sizing.problem import Design, Metric, Problem, Variable
from sizing.search.optimizer import Decision
from sizing.simulation.simulator import Failed, Measured
from sizing.spec.load import Spec

FORMAT = 1
PACKAGES = ("circuit-sizing", "numpy", "deap", "PySpice", "torch")


class RunError(Exception):
    """A run folder that cannot be made or read; the message says what was expected and what to do."""


class RunFolder:
    """Writes one run; never into a folder that exists."""

    def __init__(self, path: Path, spec: Spec, ngspice: str) -> None:
        self.refuse_existing(path)
        self.path = path
        partial = path.with_name(f"{path.name}.part{os.getpid()}")
        partial.mkdir(parents=True)
        (partial / "circuit.cir").write_text(
            inline_includes(spec.netlist.read_text(encoding="utf-8"), spec.netlist.parent), encoding="utf-8"
        )
        (partial / "spec.yaml").write_text(_resolved(spec), encoding="utf-8")
        (partial / "manifest.json").write_text(json.dumps(_manifest(spec, ngspice), indent=1) + "\n", encoding="utf-8")
        partial.rename(path)
        self._journal = (path / "journal.jsonl").open("a", encoding="utf-8")

    @staticmethod
    def refuse_existing(path: Path) -> None:
        """Raise RunError where something is already there."""
        if path.exists():
            raise RunError(
                f"{path} already exists, and a run is never overwritten: look at it with `sizing show {path}`, "
                "or choose another --out or --seed"
            )

    def evaluation(self, evaluation: Evaluation, purpose: Purpose) -> None:
        """Append one simulation."""
        line: dict[str, Any] = {"evaluation": evaluation.index, "purpose": purpose, "design": evaluation.design}
        outcome = evaluation.outcome
        if isinstance(outcome, Failed):
            line |= {"failed": outcome.reason, "message": outcome.message}
        else:
            line["values"] = [None if np.isnan(value) else value for value in outcome.values]
            if outcome.missing:
                line["missing"] = {str(index): reason for index, reason in outcome.missing.items()}
        self._append(line)

    def batch(self, evaluations: Sequence[Evaluation], decision: Decision | None) -> None:
        """Append which evaluations joined the population together, and the decision behind them."""
        line: dict[str, Any] = {"batch": [evaluation.index for evaluation in evaluations]}
        self._append(line | ({"decision": asdict(decision)} if decision else {}))

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Write the summary and close the journal."""
        self._journal.close()
        (self.path / "summary.json").write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")

    def _append(self, line: Mapping[str, Any]) -> None:
        self._journal.write(json.dumps(line, separators=(",", ":")) + "\n")
        self._journal.flush()


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


def _resolved(spec: Spec) -> str:
    """The spec with its run settings filled in and the circuit beside it, so that the folder stands alone."""
    document = dict(spec.document) | {"netlist": "circuit.cir", "run": spec.run.model_dump(exclude_none=True)}
    for bench in document["benches"].values():
        bench["stimulus"] = LiteralScalarString(inline_includes(bench["stimulus"], spec.path.parent))
    stream = StringIO()
    yaml = YAML()
    yaml.width = 110
    yaml.dump(document, stream)
    return stream.getvalue()


def _manifest(spec: Spec, ngspice: str) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "spec": spec.problem.name,
        "spec_file": str(spec.path),
        "topology": spec.problem.topology,
        "method": spec.run.method,
        "seed": spec.run.seed,
        "initial_designs": "distinct uniform random, by spec and seed alone: the same for every method",
        "run": spec.run.model_dump(),
        "command": sys.argv,
        "created": datetime.now().astimezone().isoformat(timespec="seconds"),
        "host": socket.gethostname(),
        "platform": platform.platform(),
        "versions": {"python": platform.python_version(), "ngspice": ngspice, **_versions()},
        "problem": asdict(spec.problem),
    }


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


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

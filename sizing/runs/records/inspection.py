"""What was simulated of a run's best design after the run, kept beside its journal so that it is simulated once.

RUN/inspection.json is one sealed line, as a journal's are, and replaced whole. It belongs to one design: where another
one has become the best, what it holds is no longer of use.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sizing.evaluation.evaluator import Evaluation
from sizing.files import CannotWrite, write_whole
from sizing.measures.catalogue import MEASURES
from sizing.measures.measure import Measure
from sizing.measures.waveforms import Results, Vector, Waveforms
from sizing.runs.records.journal import RunError, opened_line, sealed_line
from sizing.runs.records.reading import RunRecord
from sizing.simulation.simulator import Measured, Outcome, outcome_entries, outcome_from
from sizing.task.problem import Design

NAME = "inspection.json"
FORMAT = 1
_BUCKETS = 500
"""Parts of a kept waveform; the least and the largest point of each stay, which is finer than a page can show."""


@dataclass(frozen=True)
class Step:
    """A neighbour of the inspected design: one grid step of one variable, up (1) or down (-1), and what it gave."""

    variable: int
    direction: int
    outcome: Outcome


@dataclass(frozen=True)
class Inspection:
    """Simulations of a run's best design and of its neighbours, which are none of the run's own."""

    design: Design
    simulator: str
    """Which one, with its version."""
    measures: Mapping[str, Measure]
    """By metric: what waveforms are looked at for."""
    commands: Mapping[str, str]
    """The command of every analysis, by "bench.analysis"."""
    waveforms: Results | None = None
    """Those of the design itself, with at most some thousand points each; None where nobody has asked for them."""
    steps: tuple[Step, ...] = ()
    """To every neighbour that the grid has; empty where nobody has asked for them."""


def best_evaluation(record: RunRecord) -> Evaluation | None:
    """The run's best measured design, the first of its tables; None where nothing was measured."""
    if not record.joined:
        return None
    best = record.population[int(record.ranked[0])]
    return best if best.ok else None


def read_inspection(record: RunRecord) -> Inspection | None:
    """What is kept of the run's best design; None where nothing is. Raises RunError where the file is damaged."""
    path, best = record.path / NAME, best_evaluation(record)
    if best is None or not path.exists():
        return None
    try:
        text, _ = opened_line(path.read_text(encoding="utf-8").rstrip("\n"))
        entries = json.loads(text)
        found = Inspection(
            tuple(entries["design"]),
            entries["simulator"],
            {name: MEASURES[each["measure"]].model_validate(each) for name, each in entries["measures"].items()},
            entries["commands"],
            None if entries["waveforms"] is None else {k: _waveforms(v) for k, v in entries["waveforms"].items()},
            tuple(Step(each["variable"], each["direction"], outcome_from(each)) for each in entries["steps"]),
        )
        _check_fits(record, found)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path}: damaged: {error}; remove it, and what it held can be simulated again") from None
    return found if found.design == best.design else None


def write_inspection(record: RunRecord, inspection: Inspection) -> None:
    """Keep it in the run's folder, in place of what was kept; raises CannotWrite."""
    waveforms = inspection.waveforms
    entries = {
        "format": FORMAT,
        "design": inspection.design,
        "simulator": inspection.simulator,
        "measures": {name: each.model_dump(mode="json", by_alias=True) for name, each in inspection.measures.items()},
        "commands": dict(inspection.commands),
        "waveforms": None if waveforms is None else {name: _entries(each) for name, each in waveforms.items()},
        "steps": [
            {"variable": step.variable, "direction": step.direction} | outcome_entries(step.outcome)
            for step in inspection.steps
        ],
    }
    text, _ = sealed_line(json.dumps(entries, separators=(",", ":")))
    try:
        write_whole(record.path / NAME, f"{text}\n".encode())
    except OSError as error:
        raise CannotWrite(
            f"{record.path / NAME}: cannot be written: {error.strerror}; put that right, and ask again"
        ) from None


def _check_fits(record: RunRecord, found: Inspection) -> None:
    """Raise ValueError where these are not simulations of such a run."""
    measured = [metric.name for metric in record.problem.measured]
    if list(found.measures) != measured:
        raise ValueError(f"expected measurements of {', '.join(measured)}, got {', '.join(found.measures)}")
    for step in found.steps:
        whole = not isinstance(step.outcome, Measured) or len(step.outcome.values) == len(record.problem.metrics)
        if not (0 <= step.variable < len(record.problem.variables) and step.direction in (-1, 1) and whole):
            raise ValueError(f"expected a step of one of the variables and all metrics after it, got {step}")
    for name, waveforms in (found.waveforms or {}).items():
        if name not in found.commands or any(v.shape != waveforms.axis.shape for v in waveforms.vectors.values()):
            raise ValueError(f"{name}: expected the waveforms of an analysis, each as long as the axis")


def thinned(waveforms: Waveforms) -> Waveforms:
    """The waveforms with at most some thousand of their points, the extremes of every stretch among them."""
    count = len(waveforms.axis)
    if count <= 2 * _BUCKETS:
        return waveforms
    kept = {0, count - 1}
    for stretch in np.array_split(np.arange(count), _BUCKETS):
        for vector in waveforms.vectors.values():
            values = np.abs(vector[stretch]) if np.iscomplexobj(vector) else vector[stretch]
            kept |= {int(stretch[np.argmin(values)]), int(stretch[np.argmax(values)])}
    rows = np.array(sorted(kept))
    vectors: dict[str, Vector] = {name: vector[rows] for name, vector in waveforms.vectors.items()}
    return Waveforms(waveforms.axis[rows], vectors, waveforms.meas)


def _entries(waveforms: Waveforms) -> dict[str, Any]:
    vectors = {name: _numbers(vector) for name, vector in waveforms.vectors.items()}
    return {"axis": waveforms.axis.tolist(), "vectors": vectors, "meas": dict(waveforms.meas)}


def _numbers(vector: Vector) -> Any:
    if np.iscomplexobj(vector):
        return {"real": np.real(vector).tolist(), "imaginary": np.imag(vector).tolist()}
    return np.asarray(vector).tolist()


def _waveforms(entries: Mapping[str, Any]) -> Waveforms:
    vectors = {name: _vector(numbers) for name, numbers in entries["vectors"].items()}
    return Waveforms(np.array(entries["axis"], dtype=float), vectors, entries["meas"])


def _vector(numbers: Any) -> Vector:
    if isinstance(numbers, dict):
        phasor: NDArray[np.complex128] = np.array(numbers["real"]) + 1j * np.array(numbers["imaginary"])
        return phasor
    return np.array(numbers, dtype=float)

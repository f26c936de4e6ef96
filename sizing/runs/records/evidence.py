"""Earlier runs as evidence for a new one, and evidence as a run folder keeps it."""

import json
from pathlib import Path

import numpy as np

from sizing.evaluation.corners import NOMINAL
from sizing.evaluation.evidence import Evidence
from sizing.runs.records.journal import RunError
from sizing.runs.records.reading import RunRecord
from sizing.simulation.simulator import Measured
from sizing.task.problem import Problem

EVIDENCE = "evidence.json"


def evidence_of(record: RunRecord, problem: Problem) -> Evidence:
    """What a run measured at its nominal corner, for a problem with the same metrics.

    Raises RunError for a run without some of them, or that measured nothing.
    """
    found = {(metric.name, metric.unit) for metric in record.problem.metrics}
    lacking = [f"{m.name} in {m.unit or 'plain numbers'}" for m in problem.measured if (m.name, m.unit) not in found]
    if lacking:
        raise RunError(f"warm_start: {record.path}: expected a run that measured {', '.join(lacking)}, got one without")
    at_nominal = {row: evaluation.corners[NOMINAL] for row, evaluation in enumerate(record.population)}
    measured = {row: outcome for row, outcome in at_nominal.items() if isinstance(outcome, Measured)}
    if not measured:
        raise RunError(f"warm_start: {record.path}: expected a run with measured designs, got one without")
    names = [metric.name for metric in record.problem.metrics]
    settings = [list(record.problem.values(record.population[row].design).values()) for row in measured]
    same = record.problem.corners[NOMINAL].conditions == problem.corners[NOMINAL].conditions
    return Evidence(
        str(record.path),
        len(record.simulations),
        record.problem.topology,
        tuple(variable.name for variable in record.problem.variables),
        np.array(settings),
        tuple((metric.name, metric.unit) for metric in record.problem.metrics),
        np.array([outcome.values for outcome in measured.values()]),
        tuple({names[m]: reason for m, reason in outcome.missing.items()} for outcome in measured.values()),
        record.manifest.get("circuit", "") if same else "",
        record.manifest.get("measures", {}),
    )


def read_evidence(record: RunRecord) -> tuple[Evidence, ...]:
    """The evidence that a run began with; raises RunError where it is damaged."""
    path: Path = record.path / EVIDENCE
    if not record.manifest.get("warm_start"):
        return ()
    try:
        return tuple(Evidence.from_json(each) for each in json.loads(path.read_text(encoding="utf-8"))["runs"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path}: damaged: {error!r}; start a new run") from None

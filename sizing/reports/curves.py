"""What plots show, as numbers: how a run came closer to its targets, and means of that over seeds."""

from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sizing.runs.records.reading import RunRecord
from sizing.task.objectives import cost, figures, front, hypervolume, in_spec

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """A mean over runs, at the numbers of simulations (P,) from which on it has another value, and at its end."""

    sims: NDArray[np.int64]
    mean: Numbers
    error: Numbers
    """Standard error over runs; 0 for one run."""


def wanted(record: RunRecord) -> int:
    """Designs in spec that the run was asked for."""
    count: int = record.manifest["run"]["in_spec"]
    return count


def ended(record: RunRecord) -> bool:
    """Whether the run came to an end of its own, so that there is nothing more to come."""
    return bool(record.summary.get("status", "interrupted") != "interrupted")


def top_costs(record: RunRecord) -> Numbers:
    """Mean cost of the best designs, as many as are wanted, after each simulation (N,); infinite before there are."""
    count = wanted(record)
    best: list[float] = []
    means = np.full(len(record.joined), np.inf)
    for number, value in enumerate(cost(record.problem, record.values)):
        if len(best) < count or value < best[-1]:
            insort(best, float(value))
            del best[count:]
        if len(best) == count:
            means[number] = np.mean(best)
    return _after_each_simulation(record, means, np.inf)


def in_spec_counts(record: RunRecord) -> Numbers:
    """Designs in spec after each simulation (N,)."""
    counts = np.cumsum(in_spec(record.problem, record.values)).astype(float)
    return _after_each_simulation(record, counts, 0.0)


def objective_values(record: RunRecord) -> Numbers:
    """The best value of the only objective among designs in spec, or the hypervolume of several, after each simulation.

    (N,); infinite before there is one, NaN where there is no hypervolume.
    """
    problem, values = record.problem, record.values
    good = in_spec(problem, values)
    if len(problem.objectives) == 1:
        sign = problem.metrics[problem.objectives[0]].sign
        return sign * np.minimum.accumulate(np.where(good, figures(problem, values)[:, 0], np.inf))
    known, volume, volumes = values[:0], hypervolume(problem, values[:0]), []
    for row in range(len(values)):
        if good[row]:
            known = np.concatenate([known, values[row : row + 1]])
            known = known[front(problem, known)]
            volume = hypervolume(problem, known)
        volumes.append(np.nan if volume is None else volume)
    return np.array(volumes)


def reached_at(record: RunRecord, count: int) -> int | None:
    """Simulations until this many designs were in spec, the initial ones included; None where there never were."""
    good = np.flatnonzero(in_spec(record.problem, record.values))
    return int(record.simulations_at[good[count - 1]]) if len(good) >= count else None


def mean_curve(runs: Sequence[RunRecord], series: Sequence[Numbers]) -> Curve:
    """The mean of the runs' series, each a value after every simulation.

    A run that has ended keeps its last value until the longest one ends; where one has not, the mean ends with it.
    """
    pairs = [(run, values) for run, values in zip(runs, series, strict=True) if len(values)]
    if not pairs:
        return Curve(np.empty(0, dtype=np.int64), np.empty(0), np.empty(0))
    open_ends = [len(values) for run, values in pairs if not ended(run)]
    length = min(open_ends, default=max(len(values) for _, values in pairs))
    table = np.array([_carried_on(values, length) for _, values in pairs])
    measured = np.isfinite(table).all(axis=0)
    table = table[:, measured]
    sims = np.flatnonzero(measured) + 1
    changes = np.ones(len(sims), dtype=bool)
    changes[1:-1] = (table[:, 1:-1] != table[:, :-2]).any(axis=0)
    table = table[:, changes]
    spread = table.std(axis=0, ddof=1) / np.sqrt(len(table)) if len(table) > 1 else np.zeros(table.shape[1])
    return Curve(sims[changes], table.mean(axis=0), spread)


def _after_each_simulation(record: RunRecord, series: Numbers, before: float) -> Numbers:
    """Values after each design as values after each simulation, of which a design has one for every corner."""
    simulations = np.arange(1, record.simulations_at[-1] + 1) if len(series) else np.empty(0)
    return np.concatenate([[before], series])[np.searchsorted(record.simulations_at, simulations, side="right")]


def _carried_on(values: Numbers, length: int) -> Numbers:
    return np.concatenate([values[:length], np.full(max(length - len(values), 0), values[-1])])

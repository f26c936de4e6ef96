"""Designs in words and numbers for people: values in their ranges, metrics against their targets."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sizing.reports.words import target_words
from sizing.runs.records.reading import RunRecord
from sizing.simulation.simulator import Measured
from sizing.task.objectives import cost, margin, meets
from sizing.task.problem import Metric, Variable
from sizing.units import format_quantity


@dataclass(frozen=True)
class Setting:
    """The value of a variable, and where in its range it lies."""

    name: str
    value: str
    low: str
    high: str
    place: float
    """From 0 to 1 along the variable's grid."""

    @property
    def at_end(self) -> bool:
        """Whether the range ends here, so that a wider one might hold something better."""
        return self.place in (0.0, 1.0)


@dataclass(frozen=True)
class Target:
    """A metric of a design against its target."""

    name: str
    target: str
    value: str
    met: bool
    margin: str
    """Distance to the target in percent of it, positive on the good side; empty where a value or a target lacks."""
    bar: float
    """The same from -1 to 1."""
    why: str
    """Why there is no value."""


@dataclass(frozen=True)
class Sized:
    """A design with the values of its variables."""

    rank: int
    simulation: int
    cost: str
    settings: tuple[Setting, ...]
    targets: tuple[Target, ...]

    @property
    def met(self) -> int:
        """How many targets it meets."""
        return sum(target.met for target in self.targets)


def best_sized(record: RunRecord, count: int) -> tuple[Sized, ...]:
    """The run's best designs, as many as there are up to `count`."""
    if not record.joined:
        return ()
    return tuple(_sized(record, rank, int(row)) for rank, row in enumerate(record.ranked[:count], 1))


def margin_words(margin: float) -> str:
    """A margin as people write it: "+20 %", "−0.3 %"."""
    percent = 100 * margin
    text = f"{percent:+,.0f}".replace(",", "\u202f") if abs(percent) >= 10 else f"{percent:+.2g}"
    return f"{text.replace('-', '−')} %"


def setting(variable: Variable, index: int) -> Setting:
    """The value of a variable at this place of its grid."""
    value, low, high = (
        format_quantity(each, variable.unit)
        for each in (variable.values[index], variable.values[0], variable.values[-1])
    )
    return Setting(variable.name, value, low, high, index / max(len(variable.values) - 1, 1))


def target(metric: Metric, value: float, met: bool, why: str = "") -> Target:
    """A value of a metric against its target; `why` says why there is none."""
    words = (metric.name, target_words(metric), format_quantity(value, metric.unit), met)
    if np.isnan(value):
        return Target(*words, "", 0.0, why or "the simulation failed")
    distance = float(margin(metric, np.asarray(value)))
    if np.isinf(distance):
        return Target(*words, "", 0.0, "")
    return Target(*words, margin_words(distance), float(np.clip(distance, -1, 1)), "")


def _sized(record: RunRecord, rank: int, row: int) -> Sized:
    problem, values, evaluation = record.problem, record.values[row], record.population[row]
    outcome = evaluation.outcome
    reasons: Mapping[int, str] = outcome.missing if isinstance(outcome, Measured) else {}
    met, total = meets(problem, values), float(cost(problem, values))
    return Sized(
        rank,
        int(record.simulations_at[row]),
        f"{total:.4g}" if np.isfinite(total) else "–",
        tuple(map(setting, problem.variables, evaluation.design)),
        tuple(
            target(metric, float(values[m]), bool(met[m]), reasons.get(m, ""))
            for m, metric in enumerate(problem.metrics)
        ),
    )

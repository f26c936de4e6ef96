"""What each variable does to each metric: over a run's own designs, and around its best one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from sizing.evaluation.corners import NOMINAL
from sizing.runs.records.inspection import Inspection, best_evaluation
from sizing.runs.records.reading import RunRecord
from sizing.simulation.simulator import Measured
from sizing.task.objectives import meets

Numbers = NDArray[np.float64]

FEWEST_SPARE_DESIGNS = 5
"""Designs beyond the number of variables, below which no correlation is told."""
_NORMAL_QUANTILE = 1.96
"""Quantile of a two-sided interval of 95 %."""
_RANK_VARIANCE = 1.06
"""Variance of Fisher's z for ranks, against values (Fieller, Hartley and Pearson, Biometrika 44, 1957)."""


@dataclass(frozen=True)
class Correlations:
    """How metrics rise and fall with variables, each array (V, M); NaN where it cannot be told."""

    value: Numbers
    low: Numbers
    high: Numbers
    """Ends of the 95 % intervals."""
    designs: NDArray[np.int64]
    """Designs with a value of the metric (M,)."""

    @property
    def sure(self) -> NDArray[np.bool_]:
        """Whether the interval leaves no doubt about the sign (V, M)."""
        return np.asarray((self.low > 0) | (self.high < 0))


@dataclass(frozen=True)
class Elasticities:
    """Relative change of metrics per relative change of variables around the best design, all (V, M)."""

    value: Numbers
    """NaN where the design and its neighbours do not tell."""
    one_sided: NDArray[np.bool_]
    """Whether only one neighbour has a value."""
    misses_up: NDArray[np.bool_]
    """Whether a target that is met is missed one step up."""
    misses_down: NDArray[np.bool_]


def correlations(record: RunRecord) -> Correlations:
    """Partial rank correlations between variables and metrics over the measured designs of the run.

    Partial: the part of the other variables, which a search moves together, is taken out of the ranks of both (Marino
    et al., J. Theor. Biol. 254, 2008). Rank: any monotone relation counts. Intervals take designs as independent.
    """
    problem = record.problem
    settings = np.array([evaluation.design for evaluation in record.population], dtype=float)
    shape = (len(problem.variables), len(problem.metrics))
    value, low, high = (np.full(shape, np.nan) for _ in range(3))
    designs = np.isfinite(record.values).sum(axis=0)
    for metric in range(shape[1]):
        rows = np.isfinite(record.values[:, metric])
        if designs[metric] < shape[0] + FEWEST_SPARE_DESIGNS:
            continue
        found = partial_rank_correlations(settings[rows], record.values[rows, metric])
        half = _NORMAL_QUANTILE * np.sqrt(_RANK_VARIANCE / (designs[metric] - (shape[0] - 1) - 3))
        middle = np.arctanh(np.clip(found, -1 + 1e-12, 1 - 1e-12))
        value[:, metric], low[:, metric], high[:, metric] = found, np.tanh(middle - half), np.tanh(middle + half)
    return Correlations(value, low, high, designs)


def partial_rank_correlations(settings: Numbers, values: Numbers) -> Numbers:
    """Correlations (V,) of N values with V variables (N, V), the others held still; NaN where either does not vary."""
    ranks = np.apply_along_axis(rankdata, 0, settings)
    answer = rankdata(values)
    found = np.full(ranks.shape[1], np.nan)
    for variable in range(ranks.shape[1]):
        others = np.column_stack([np.ones(len(answer)), np.delete(ranks, variable, axis=1)])
        pair = np.column_stack([ranks[:, variable], answer])
        rest = pair - others @ np.linalg.lstsq(others, pair, rcond=None)[0]
        spread = np.linalg.norm(rest, axis=0)
        if (spread > 1e-9 * len(answer) ** 1.5).all():
            found[variable] = rest[:, 0] @ rest[:, 1] / np.prod(spread)
    return found


def elasticities(record: RunRecord, inspection: Inspection) -> Elasticities:
    """From the neighbours that were simulated: central differences, or one-sided where a side has no value.

    Positive where the metric rises with the variable, whatever the signs of both.
    """
    best = best_evaluation(record)
    assert best is not None
    nominal = best.corners[NOMINAL]  # where the neighbours were simulated
    assert isinstance(nominal, Measured)
    here = np.array(nominal.values)
    at = np.array(list(record.problem.values(best.design).values()))[:, None]
    up, down = (_side(record, inspection, way, at, here) for way in (1, -1))
    with np.errstate(divide="ignore", invalid="ignore"):
        value = (up.values - down.values) / (up.settings - down.settings) * np.abs(at) / np.abs(here)
    value[~np.isfinite(value)] = np.nan
    return Elasticities(value, up.known ^ down.known, up.missed, down.missed)


@dataclass(frozen=True)
class _Side:
    """The neighbours on one side, or the design itself where they have no value, all (V, M)."""

    settings: Numbers
    values: Numbers
    known: NDArray[np.bool_]
    missed: NDArray[np.bool_]


def _side(record: RunRecord, inspection: Inspection, way: int, at: Numbers, here: Numbers) -> _Side:
    problem = record.problem
    best = inspection.design
    shape = (len(problem.variables), len(problem.metrics))
    settings, values = np.broadcast_to(at, shape).copy(), np.broadcast_to(here, shape).copy()
    known, missed = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    for step in inspection.steps:
        if step.direction != way:
            continue
        row, outcome = step.variable, step.outcome
        found = np.array(outcome.values) if isinstance(outcome, Measured) else np.full(shape[1], np.nan)
        known[row] = np.isfinite(found)
        values[row, known[row]] = found[known[row]]
        settings[row, known[row]] = problem.variables[row].values[best[row] + way]
        missed[row] = meets(problem, here) & ~meets(problem, found)
    return _Side(settings, values, known, missed)

"""The one definition of penalty, cost, rank, "meets" and "better", for every method and every report.

Values are arrays (..., M), one column per metric of the problem in its order; NaN is a metric without a value, which
ranks below every measured one. Penalties follow section IV of Hakhamaneshi et al. (2022): relative distance to the
target, in units of the target below a minimum and of the value above a maximum, 0 where the target is met. A maximum
that is not positive counts in units of the target, any target of 0 in SI units, so that worse never costs less.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sizing.problem import Problem

Values = NDArray[np.float64]


def penalties(problem: Problem, values: Values) -> Values:
    """Penalty of every metric (..., M); infinite where the value is missing."""
    return np.maximum(violations(problem, values), 0.0)


def violations(problem: Problem, values: Values) -> Values:
    """Penalty of every metric (..., M) that goes on below 0 where the target is met, by how much it is exceeded.

    A positive target's margin is, like its penalty, at most 1: a value's distance to a minimum counts in units of the
    value. Infinite where the value is missing.
    """
    columns = [_violation(values[..., m], metric.at_least, metric.at_most) for m, metric in enumerate(problem.metrics)]
    return np.stack(columns, axis=-1)


def cost(problem: Problem, values: Values) -> Values:
    """Weighted sum of the penalties (...,), 0 for a design in spec."""
    return np.asarray(penalties(problem, values) @ _weights(problem))


def meets(problem: Problem, values: Values) -> NDArray[np.bool_]:
    """Whether every metric meets its target (..., M)."""
    return np.equal(penalties(problem, values), 0.0)


def in_spec(problem: Problem, values: Values) -> NDArray[np.bool_]:
    """Whether every metric of a design meets its target (...,)."""
    return np.asarray(meets(problem, values).all(axis=-1))


def better(problem: Problem, values: Values, others: Values) -> NDArray[np.bool_]:
    """Whether each value lies further in its target's direction than the other's (..., M).

    A metric bounded on both sides is better where its penalty is smaller. A missing value is worse than any other.
    """
    return _merit(problem, values) > _merit(problem, others)


def no_worse(problem: Problem, values: Values, reference: Values) -> NDArray[np.bool_]:
    """Whether each metric's penalty is at most the reference's (..., M): it meets the target or is as good.

    This is the one question put to every discriminator, the oracle included.
    """
    return penalties(problem, values) <= penalties(problem, reference)


def order(problem: Problem, values: Values, metrics: Sequence[int] | None = None) -> NDArray[np.intp]:
    """Indices (B,) from best to worst by weighted penalty summed over `metrics` (all by default).

    Fewer missing metrics come first; ties keep their order.
    """
    return order_by_penalty(problem, penalties(problem, values), metrics)


def order_by_penalty(problem: Problem, table: Values, metrics: Sequence[int] | None = None) -> NDArray[np.intp]:
    """The same, for penalties (B, M) that have been computed already."""
    chosen = list(range(len(problem.metrics))) if metrics is None else list(metrics)
    missing = np.isinf(table[:, chosen])
    total = np.where(missing, 0.0, table[:, chosen]) @ _weights(problem)[chosen]
    return np.lexsort((total, missing.sum(axis=1)))


def order_by_value(problem: Problem, values: Values, metric: int) -> NDArray[np.intp]:
    """Indices (B,) from best to worst by the value of one metric alone, targets aside; ties keep their order."""
    return np.argsort(-_merit(problem, values)[:, metric], kind="stable")


def _violation(value: Values, at_least: float | None, at_most: float | None) -> Values:
    result = np.full(value.shape, -np.inf)
    if at_least is not None:
        scale = np.maximum(value, at_least) if at_least > 0 else abs(at_least) or 1.0
        result = np.maximum(result, (at_least - value) / scale)
    if at_most is not None:
        # Below a target of 0 or less, a penalty in units of the value would fall again as the value gets worse.
        scale = np.maximum(np.abs(value), at_most) if at_most > 0 else abs(at_most) or 1.0
        result = np.maximum(result, (value - at_most) / scale)
    return np.where(np.isnan(value), np.inf, result)


def _merit(problem: Problem, values: Values) -> Values:
    """A score (..., M) that grows as the metric improves; minus infinity where it is missing."""
    columns = []
    for m, metric in enumerate(problem.metrics):
        value = values[..., m]
        if metric.at_most is None:
            merit = value
        elif metric.at_least is None:
            merit = -value
        else:
            merit = -np.maximum(_violation(value, metric.at_least, metric.at_most), 0.0)
        columns.append(np.where(np.isnan(value), -np.inf, merit))
    return np.stack(columns, axis=-1)


def _weights(problem: Problem) -> Values:
    return np.array([metric.weight for metric in problem.metrics])

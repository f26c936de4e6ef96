"""The one definition of penalty, cost, rank, "meets" and "better", for every method and every report.

Values are arrays (..., M), one column per metric of the problem in its order; NaN is a metric without a value, which
ranks below every measured one. Penalties follow section IV of Hakhamaneshi et al. (2022): relative distance to the
target, in units of the target below a minimum and of the value above a maximum, 0 where the target is met. A maximum
that is not positive counts in units of the target, any target of 0 in SI units, so that worse never costs less. A
metric without a target costs nothing as long as it has a value.

Objectives tell designs apart that meet every target: one by its value, several by whether another design is at least
as good in all of them (the front is the designs of which this cannot be said).
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sizing.task.problem import Metric, Problem

Values = NDArray[np.float64]
Rule = Literal["margin", "first"]
"""Which of the designs in spec is the best: the one with the largest smallest margin, or the first that was found."""


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


def completed(problem: Problem, measured: Values) -> Values:
    """Values of all metrics (..., M) from those of the measured ones, which come first; others may follow."""
    places = {metric.name: m for m, metric in enumerate(problem.measured)}
    sums = [
        sum(factor * measured[..., places[name]] for name, factor in metric.sum_of)
        for metric in problem.metrics[len(places) :]
    ]
    return np.concatenate([measured[..., : len(places)], *(np.asarray(each)[..., None] for each in sums)], axis=-1)


def figures(problem: Problem, values: Values) -> Values:
    """The objectives (..., K), less being better; infinite where one has no value."""
    columns = list(problem.objectives)
    signed = values[..., columns] * [problem.metrics[m].sign for m in columns]
    return np.where(np.isnan(signed), np.inf, signed)


def front(problem: Problem, values: Values) -> NDArray[np.bool_]:
    """Whether a design is in spec and no other such design is better in one objective and as good in all (B,)."""
    good = in_spec(problem, values)
    good[good] = _undominated(figures(problem, values[good]))
    return good


def hypervolume(problem: Problem, values: Values) -> float | None:
    """The volume between the designs in spec (B, M) and the targets of all objectives, each in units of its target.

    None where an objective has no target on the side that it is to leave behind, or one of 0.
    """
    metrics = [problem.metrics[m] for m in problem.objectives]
    targets = [(metric.at_least if metric.goal == "maximize" else metric.at_most) or 0.0 for metric in metrics]
    if not all(targets):
        return None
    reference = np.array(targets) * [metric.sign for metric in metrics]
    found = figures(problem, values[front(problem, values)])
    return _volume((reference - found) / np.abs(reference))


def meets(problem: Problem, values: Values) -> NDArray[np.bool_]:
    """Whether every metric meets its target (..., M)."""
    return np.equal(penalties(problem, values), 0.0)


def in_spec(problem: Problem, values: Values) -> NDArray[np.bool_]:
    """Whether every metric of a design meets its target (...,)."""
    return np.asarray(meets(problem, values).all(axis=-1))


def better(problem: Problem, values: Values, others: Values) -> NDArray[np.bool_]:
    """Whether each value lies further in its target's direction than the other's (..., M).

    A metric bounded on both sides is better where its penalty is smaller, an objective also where its value is with the
    same penalty. A missing value is worse than any other.
    """
    ahead = _merit(problem, values) > _merit(problem, others)
    if goals := list(problem.objectives):
        mine, theirs = penalties(problem, values)[..., goals], penalties(problem, others)[..., goals]
        further = figures(problem, values) < figures(problem, others)
        ahead[..., goals] = (mine < theirs) | ((mine == theirs) & further)
    return ahead


def no_worse(problem: Problem, values: Values, reference: Values) -> NDArray[np.bool_]:
    """Whether each metric's penalty is at most the reference's (..., M): it meets the target or is as good.

    An objective has, where the reference meets its target, the reference's value for a target. This is the one question
    put to every discriminator, the oracle included.
    """
    mine, its = penalties(problem, values), penalties(problem, reference)
    answers = mine <= its
    if goals := list(problem.objectives):
        as_far = figures(problem, values) <= figures(problem, reference)
        answers[..., goals] &= as_far | (its[..., goals] > 0)
    return answers


def order(problem: Problem, values: Values, metrics: Sequence[int] | None = None) -> NDArray[np.intp]:
    """Indices (B,) from best to worst by weighted penalty summed over `metrics` (all by default).

    Fewer missing metrics come first. Designs in spec are told apart by the objectives: those on the front first, then
    those that would be on it without these, and so on, each by the first objective. Ties keep their order.
    """
    return order_by_penalty(problem, penalties(problem, values), metrics, places(problem, values))


def best_first(problem: Problem, values: Values, rule: Rule) -> NDArray[np.intp]:
    """Indices (B,) from best to worst for people: as `order`, but that by margin, of designs in spec that no objective
    tells apart, the one comes first whose smallest margin is the largest."""
    ranked = order(problem, values)
    if rule == "first" or problem.objectives:
        return ranked
    good = in_spec(problem, values)[ranked]
    smallest = smallest_margin(problem, values)[ranked[good]]
    return np.concatenate([ranked[good][np.argsort(-smallest, kind="stable")], ranked[~good]])


def margin(metric: Metric, value: Values) -> Values:
    """How far a metric's values (...,) are within its target, relative to the nearest bound, negative outside.

    In SI units where the bound is 0; infinite where there is no target, minus infinite where there is no value.
    """
    result = np.full(np.shape(value), np.inf)
    for sign, bound in ((1.0, metric.at_least), (-1.0, metric.at_most)):
        if bound is not None:
            result = np.minimum(result, sign * (value - bound) / (abs(bound) or 1.0))
    return np.where(np.isnan(value), -np.inf, result)


def smallest_margin(problem: Problem, values: Values) -> Values:
    """The smallest margin (...,) of a design with these metric values (..., M)."""
    columns = [margin(metric, values[..., m]) for m, metric in enumerate(problem.metrics)]
    return np.asarray(np.min(columns, axis=0))


def order_by_penalty(
    problem: Problem, table: Values, metrics: Sequence[int] | None = None, places: NDArray[np.intp] | None = None
) -> NDArray[np.intp]:
    """The same, for penalties (B, M) and places (B,) that have been computed already."""
    chosen = list(range(len(problem.metrics))) if metrics is None else list(metrics)
    missing = np.isinf(table[:, chosen])
    total = np.where(missing, 0.0, table[:, chosen]) @ _weights(problem)[chosen]
    return np.lexsort((total, missing.sum(axis=1)) if places is None else (places, total, missing.sum(axis=1)))


def places(problem: Problem, values: Values) -> NDArray[np.intp] | None:
    """The place (B,) of every design among those in spec by the objectives; the last one of designs that are not.

    None without objectives.
    """
    if not problem.objectives:
        return None
    rows = np.flatnonzero(in_spec(problem, values))
    found = figures(problem, values[rows])
    layer = np.zeros(len(rows), dtype=np.intp)
    left = np.arange(len(rows)) if found.shape[1] > 1 else np.arange(0)
    while len(left):
        ahead = _undominated(found[left])
        left = left[~ahead]
        layer[left] += 1
    result = np.full(len(values), len(values), dtype=np.intp)
    result[rows[np.lexsort((found[:, 0], layer))]] = np.arange(len(rows))
    return result


def order_by_value(problem: Problem, values: Values, metric: int) -> NDArray[np.intp]:
    """Indices (B,) from best to worst by the value of one metric alone, targets aside; ties keep their order."""
    if problem.metrics[metric].goal:
        return np.argsort(figures(problem, values)[:, problem.objectives.index(metric)], kind="stable")
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


def _undominated(found: Values) -> NDArray[np.bool_]:
    """Which of figures (N, K) no other is lower than in one and as low as in all (N,)."""
    mine, others = found[:, None], found[None]
    beaten = np.all(others <= mine, axis=2) & np.any(others < mine, axis=2)
    return np.asarray(~beaten.any(axis=1))


def _volume(gains: Values) -> float:
    """The volume (Lebesgue measure) of what lies between 0 and points (N, K), slice by slice of the last of the K."""
    gains = gains[(gains > 0).all(axis=1)]
    if gains.shape[1] == 1:
        return float(gains.max(initial=0.0))
    ends = np.unique(gains[:, -1])
    heights = np.diff(ends, prepend=0.0)
    return float(sum(h * _volume(gains[gains[:, -1] >= end, :-1]) for h, end in zip(heights, ends, strict=True)))


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

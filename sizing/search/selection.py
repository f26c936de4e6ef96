"""Which metrics are critical, which design is the reference, and who becomes a parent.

Follows BagNet (Hakhamaneshi et al., ICCAD 2019, section III) as used in Hakhamaneshi et al. (2022). `values` are the
measured population's metrics (B, M), NaN where missing.
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from sizing.task.objectives import order_by_penalty, order_by_value, penalties, places
from sizing.task.problem import Problem

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Selection:
    """One iteration's choice, as rows of the population."""

    critical: tuple[int, ...]
    """Indices of the metrics that have been critical so far, the one that is critical now last."""
    reference: int
    pool_a: Rows
    """Best designs by the critical metrics other than the newest, best first."""
    pool_b: Rows
    """Best designs by the newest critical metric alone, best first."""


def select(
    problem: Problem,
    values: NDArray[np.float64],
    critical: tuple[int, ...],
    *,
    rank: int,
    pool: int,
    rng: Generator,
) -> Selection:
    """Find the critical metric among the best `rank` designs, then the reference and the parents' pools of `pool`.

    Where these designs meet every target, it is an objective, each in turn.
    """
    table, standing = penalties(problem, values), places(problem, values)
    best = order_by_penalty(problem, table, critical or None, standing)[:rank]
    weights = np.array([metric.weight for metric in problem.metrics])
    worst = table[best].max(axis=0) * weights
    newest = int(np.argmax(worst)) if worst.any() else _next_objective(problem, critical)
    others = tuple(metric for metric in critical if metric != newest)
    critical = (*others, newest)
    ranked = order_by_penalty(problem, table, critical, standing)
    size = min(pool, len(values))
    pool_a = (
        order_by_penalty(problem, table, others, standing)[:size] if others else rng.permutation(len(values))[:size]
    )
    pool_b = order_by_value(problem, values, newest)[:size]
    return Selection(critical, int(ranked[min(rank, len(ranked)) - 1]), pool_a, pool_b)


def _next_objective(problem: Problem, critical: tuple[int, ...]) -> int:
    """The objective that has not been critical for longest; the first metric where there are no objectives."""
    return min(problem.objectives, key=lambda m: critical.index(m) if m in critical else -1, default=0)


def draw_parents(pool: Rows, count: int, rng: Generator) -> Rows:
    """Rows (count,) drawn with replacement, with weights that fall linearly from the first of the pool to the last."""
    weights = np.arange(len(pool), 0, -1, dtype=float)
    return rng.choice(pool, count, p=weights / weights.sum())

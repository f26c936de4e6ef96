"""Corners: which one of a design comes next, and what all of them together say of it.

A design is simulated at the nominal corner first. Only one that meets every target there goes on to the active corners,
those that were the worst for other designs, the worst first; and only one that meets every target at these goes on to
all others, which verify it. Most designs fail at once, so that they cost one simulation.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sizing.objectives import in_spec, penalties, violations
from sizing.problem import Problem
from sizing.simulation.simulator import Failed, Measured, Outcome

NOMINAL = 0
LARGEST_PENALTY = 1.0
"""Of a metric, where corners are put in order: one without a value counts as this."""

Order = Literal["nominal-first", "all"]
Outcomes = Mapping[int, Outcome]
"""Of one design, by the corner's place in the problem, in the order in which they were simulated."""


def worst(problem: Problem, outcomes: Outcomes) -> Outcome:
    """Every metric at the corner where it violates its target most; a failure where the design failed at a corner."""
    if len(problem.corners) == 1:
        return outcomes[NOMINAL]
    for corner, outcome in outcomes.items():
        if isinstance(outcome, Failed):
            return replace(outcome, message=f"{problem.corners[corner].name}: {outcome.message}")
    values = _values(outcomes)
    rows = violations(problem, values).argmax(axis=0)
    found = [(list(outcomes)[row], outcomes[list(outcomes)[row]]) for row in rows]
    missing = {
        metric: f"{problem.corners[corner].name}: {outcome.missing[metric]}"
        for metric, (corner, outcome) in enumerate(found)
        if isinstance(outcome, Measured) and metric in outcome.missing
    }
    return Measured(tuple(values[rows, range(values.shape[1])].tolist()), missing)


def next_corners(problem: Problem, order: Order, active: Collection[int], outcomes: Outcomes) -> tuple[int, ...]:
    """The corners at which a design with these outcomes is simulated next; none where it is decided."""
    rest = tuple(corner for corner in range(len(problem.corners)) if corner not in outcomes)
    if order == "all":
        return rest
    if not outcomes:
        return (NOMINAL,)
    if not all(_in_spec(problem, outcome) for outcome in outcomes.values()):
        return ()
    return next(((corner,) for corner in active if corner in rest), rest)


def active_corners(problem: Problem, designs: Sequence[Outcomes]) -> tuple[int, ...]:
    """The corners, but for the nominal one, at which a metric of a design missed its target by most; the worst first.

    A corner is the worse the larger the penalties are there, in the mean over the designs that were simulated there.
    """
    count = np.zeros(len(problem.corners))
    total = np.zeros(len(problem.corners))
    active: set[int] = set()
    for outcomes in designs:
        if len(outcomes) == 1:
            continue
        table = np.array([_penalties(problem, outcome) for outcome in outcomes.values()])
        corners = np.array(list(outcomes))
        count[corners] += 1
        total[corners] += table.sum(axis=1)
        active.update(corners[table.argmax(axis=0)[table.max(axis=0) > 0]].tolist())
    return tuple(sorted(active - {NOMINAL}, key=lambda corner: (-total[corner] / count[corner], corner)))


def _in_spec(problem: Problem, outcome: Outcome) -> bool:
    return isinstance(outcome, Measured) and bool(in_spec(problem, np.array(outcome.values)))


def _penalties(problem: Problem, outcome: Outcome) -> NDArray[np.float64]:
    """Of every metric (M,), at most LARGEST_PENALTY."""
    if isinstance(outcome, Failed):
        return np.full(len(problem.metrics), LARGEST_PENALTY)
    return np.minimum(penalties(problem, np.array(outcome.values)), LARGEST_PENALTY)


def _values(outcomes: Outcomes) -> NDArray[np.float64]:
    """Metric values (C, M)."""
    return np.array([outcome.values for outcome in outcomes.values() if isinstance(outcome, Measured)])

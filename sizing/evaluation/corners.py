"""Corners: which one of a design comes next, and what all of them together say of it.

A design is simulated at the nominal corner first. Only one that meets every target there goes on to the active corners,
those that were the worst for other designs, the worst first; and only one that meets every target at these goes on to
all others, which verify it. Most designs fail at once, so that they cost one simulation.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sizing.simulation.simulator import Failed, Measured, Outcome
from sizing.task.objectives import figures, in_spec, penalties, violations
from sizing.task.problem import Problem

NOMINAL = 0
LARGEST_PENALTY = 1.0
"""Penalty of a metric at most, where corners are put in order; one without a value counts as this."""

Order = Literal["nominal-first", "all"]
Outcomes = Mapping[int, Outcome]
"""Outcomes of one design, by the corner's place in the problem, in the order in which they were simulated."""


def worst(problem: Problem, outcomes: Outcomes) -> Outcome:
    """Every metric at the corner where it violates its target most; a failure where the design failed at a corner.

    An objective that meets its target at all of them is the worst of its values.
    """
    if len(problem.corners) == 1:
        return outcomes[NOMINAL]
    for corner, outcome in outcomes.items():
        if isinstance(outcome, Failed):
            return replace(outcome, message=f"{problem.corners[corner].name}: {outcome.message}")
    values = _values(outcomes)
    rows = worst_rows(problem, values)
    found = [(list(outcomes)[row], outcomes[list(outcomes)[row]]) for row in rows]
    missing = {
        metric: f"{problem.corners[corner].name}: {outcome.missing[metric]}"
        for metric, (corner, outcome) in enumerate(found)
        if isinstance(outcome, Measured) and metric in outcome.missing
    }
    return Measured(tuple(values[rows, range(values.shape[1])].tolist()), missing)


def worst_rows(problem: Problem, values: NDArray[np.float64]) -> NDArray[np.intp]:
    """The row of values (C, M) that counts for every metric (M,): the first without a value, else as `worst` says."""
    table = violations(problem, values)
    for column, objective in zip(figures(problem, values).T, problem.objectives, strict=True):
        if (table[:, objective] <= 0).all():
            table[:, objective] = column
    rows: NDArray[np.intp] = table.argmax(axis=0)
    return rows


def next_corners(problem: Problem, order: Order, active: Collection[int], outcomes: Outcomes) -> tuple[int, ...]:
    """The corners at which a design with these outcomes is simulated next; none where it is decided."""
    rest = tuple(corner for corner in range(len(problem.corners)) if corner not in outcomes)
    if order == "all" or not rest:
        return rest
    if not outcomes:
        return (NOMINAL,)
    if not all(_in_spec(problem, outcome) for outcome in outcomes.values()):
        return ()
    return next(((corner,) for corner in active if corner in rest), rest)


class ActiveCorners:
    """The corners, but for the nominal one, at which a metric of a design missed its target by most.

    Designs are noted one by one, so that a long run does not go through all of them again and again.
    """

    def __init__(self, problem: Problem, designs: Iterable[Outcomes] = ()) -> None:
        self._problem = problem
        self._count = np.zeros(len(problem.corners))
        self._total = np.zeros(len(problem.corners))
        self._active: set[int] = set()
        for outcomes in designs:
            self.note(outcomes)

    def note(self, outcomes: Outcomes) -> None:
        """Take account of one more design; of one corner there is nothing to compare."""
        if len(outcomes) == 1:
            return
        table = np.array([_penalties(self._problem, outcome) for outcome in outcomes.values()])
        corners = np.array(list(outcomes))
        self._count[corners] += 1
        self._total[corners] += table.sum(axis=1)
        self._active.update(corners[table.argmax(axis=0)[table.max(axis=0) > 0]].tolist())

    @property
    def worst_first(self) -> tuple[int, ...]:
        """A corner is the worse the larger penalties are there, in the mean over the designs simulated there."""
        active = self._active - {NOMINAL}
        return tuple(sorted(active, key=lambda corner: (-self._total[corner] / self._count[corner], corner)))


def _in_spec(problem: Problem, outcome: Outcome) -> bool:
    return isinstance(outcome, Measured) and bool(in_spec(problem, np.array(outcome.values)))


def _penalties(problem: Problem, outcome: Outcome) -> NDArray[np.float64]:
    """Penalties of every metric (M,), at most LARGEST_PENALTY."""
    if isinstance(outcome, Failed):
        return np.full(len(problem.metrics), LARGEST_PENALTY)
    return np.minimum(penalties(problem, np.array(outcome.values)), LARGEST_PENALTY)


def _values(outcomes: Outcomes) -> NDArray[np.float64]:
    """Metric values (C, M)."""
    return np.array([outcome.values for outcome in outcomes.values() if isinstance(outcome, Measured)])

"""Designs -> evaluations, each simulated once and counted once, by purpose."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sizing.clock import Clock
from sizing.objectives import completed
from sizing.problem import Design, Problem
from sizing.simulation.simulator import Failed, Measured, Outcome, Simulate

Purpose = Literal["initial", "search", "oracle"]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A design and what its simulation gave; `index` counts the simulations of a run."""

    index: int
    design: Design
    outcome: Outcome

    @property
    def ok(self) -> bool:
        """Whether the design was measured."""
        return isinstance(self.outcome, Measured)


def completed_outcome(problem: Problem, outcome: Outcome) -> Outcome:
    """The outcome with the problem's figures of merit, which are made of what was measured."""
    if isinstance(outcome, Failed) or len(problem.measured) == len(problem.metrics):
        return outcome
    values = completed(problem, np.array(outcome.values))
    first = len(problem.measured)
    missing = {m: reason for m, reason in outcome.missing.items() if m < first}
    lacking = np.flatnonzero(np.isnan(values[first:])) + first
    return replace(
        outcome,
        values=tuple(values.tolist()),
        missing=missing | {int(m): "a metric that it is made of is missing" for m in lacking},
    )


def values_of(evaluations: Sequence[Evaluation]) -> NDArray[np.float64]:
    """Metric values (B, M) of measured designs, NaN where missing; raises ValueError for a failed one."""
    if failed := next((evaluation for evaluation in evaluations if isinstance(evaluation.outcome, Failed)), None):
        raise ValueError(f"design {failed.design} was not measured")
    return np.array([e.outcome.values for e in evaluations if isinstance(e.outcome, Measured)])


def designs_of(evaluations: Sequence[Evaluation]) -> NDArray[np.int64]:
    """Grid indices (B, V)."""
    return np.array([evaluation.design for evaluation in evaluations])


class Evaluator:
    """Simulates designs that this run has not simulated yet, and remembers the others.

    `record` is called once for every new simulation, in the order of the designs asked for. `look` finds operating
    points, which are counted apart.
    """

    def __init__(
        self,
        problem: Problem,
        simulate: Simulate,
        record: Callable[[Evaluation, Purpose], None],
        clock: Clock,
        look: Simulate = lambda jobs: (),
    ) -> None:
        self._problem = problem
        self._simulate = simulate
        self._look = look
        self._record = record
        self._clock = clock
        self._known: dict[Design, Evaluation] = {}
        self._seen: dict[Design, Outcome] = {}

    @property
    def looks(self) -> int:
        """Operating points found so far."""
        return len(self._seen)

    def evaluate(self, designs: Sequence[Design], purpose: Purpose) -> list[Evaluation]:
        """One evaluation per design, in their order."""
        new = [design for design in dict.fromkeys(designs) if design not in self._known]
        with self._clock.activity("simulate"):
            outcomes = self._simulate([self._problem.values(design) for design in new])
            for design, outcome in zip(new, outcomes, strict=True):
                evaluation = Evaluation(len(self._known), design, completed_outcome(self._problem, outcome))
                self._known[design] = evaluation
                self._clock.add("simulator", outcome.seconds)
                self._record(evaluation, purpose)
        return [self._known[design] for design in designs]

    def look(self, designs: Sequence[Design]) -> list[Outcome]:
        """The voltages of each design's operating point (`Task.look`), found once."""
        new = [design for design in dict.fromkeys(designs) if design not in self._seen]
        with self._clock.activity("simulate"):
            self._seen.update(zip(new, self._look([self._problem.values(design) for design in new]), strict=True))
        return [self._seen[design] for design in designs]

"""Designs -> evaluations: each simulated at the corners that decide about it, once, and counted by purpose."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sizing.clock import Clock
from sizing.evaluation.corners import NOMINAL, ActiveCorners, Order, next_corners, worst
from sizing.simulation.simulator import Failed, Measured, Outcome, Simulate
from sizing.task.objectives import completed
from sizing.task.problem import Design, Problem

Purpose = Literal["initial", "search", "oracle"]


@dataclass(frozen=True, slots=True)
class Simulation:
    """One simulation: a design at a corner, and what it gave; `index` counts the simulations of a run."""

    index: int
    design: Design
    outcome: Outcome
    corner: int = NOMINAL


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A design and the worst that its simulations gave; `index` is that of the first of these."""

    index: int
    design: Design
    outcome: Outcome
    several: Mapping[int, Outcome] | None = None
    """What each corner gave, where the problem has several."""

    @property
    def corners(self) -> Mapping[int, Outcome]:
        """What each corner gave, in the order in which they were simulated."""
        return {NOMINAL: self.outcome} if self.several is None else self.several

    @property
    def ok(self) -> bool:
        """Whether the design was measured, at every corner that was simulated."""
        return isinstance(self.outcome, Measured)


def evaluation_of(problem: Problem, simulations: Sequence[Simulation]) -> Evaluation:
    """The evaluation that these simulations of one design, in their order, come to."""
    corners = {simulation.corner: simulation.outcome for simulation in simulations}
    several = corners if len(problem.corners) > 1 else None
    return Evaluation(simulations[0].index, simulations[0].design, worst(problem, corners), several)


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

    `record` is called once for every new simulation, in an order that depends on the designs asked for alone: the
    nominal corner of all of them, then the corner that comes next of those that still can be in spec, and so on. `look`
    finds operating points, which are counted apart.
    """

    def __init__(
        self,
        problem: Problem,
        simulate: Simulate,
        record: Callable[[Simulation, Purpose], None],
        clock: Clock,
        order: Order = "nominal-first",
        look: Simulate = lambda jobs: (),
    ) -> None:
        self._problem = problem
        self._simulate = simulate
        self._look = look
        self._record = record
        self._clock = clock
        self._order = order
        self._known: dict[Design, Evaluation] = {}
        self._count = 0
        self._active = ActiveCorners(problem)
        self._seen: dict[Design, Outcome] = {}

    @property
    def looks(self) -> int:
        """Operating points found so far."""
        return len(self._seen)

    def evaluate(self, designs: Sequence[Design], purpose: Purpose, most: int | None = None) -> list[Evaluation]:
        """One evaluation per design, in their order.

        With `most`, no more simulations than that are made; designs that they did not suffice to decide about are left
        out.
        """
        begun: dict[Design, list[Simulation]] = {design: [] for design in designs if design not in self._known}
        active = self._active.worst_first
        last = None if most is None else self._count + most
        with self._clock.activity("simulate"):
            while wanted := self._wanted(begun, active)[: None if last is None else last - self._count]:
                outcomes = self._simulate([self._problem.job(design, corner) for design, corner in wanted])
                for (design, corner), outcome in zip(wanted, outcomes, strict=True):
                    simulation = Simulation(self._count, design, completed_outcome(self._problem, outcome), corner)
                    self._count += 1
                    begun[design].append(simulation)
                    self._clock.add("simulator", outcome.seconds)
                    self._record(simulation, purpose)
        undecided = {design for design, _ in self._wanted(begun, active)}
        for design, simulations in begun.items():
            if design not in undecided:
                evaluation = evaluation_of(self._problem, simulations)
                self._known[design] = evaluation
                self._active.note(evaluation.corners)
        return [self._known[design] for design in designs if design not in undecided]

    def look(self, designs: Sequence[Design]) -> list[Outcome]:
        """The voltages of each design's operating point at the nominal corner (`Task.look`), found once."""
        new = [design for design in dict.fromkeys(designs) if design not in self._seen]
        with self._clock.activity("simulate"):
            self._seen.update(zip(new, self._look([self._problem.job(design) for design in new]), strict=True))
        return [self._seen[design] for design in designs]

    def _wanted(self, begun: Mapping[Design, Sequence[Simulation]], active: Sequence[int]) -> list[tuple[Design, int]]:
        """The simulations that come next: designs that are not decided about, at corners."""
        return [
            (design, corner)
            for design, simulations in begun.items()
            for corner in next_corners(
                self._problem, self._order, active, {each.corner: each.outcome for each in simulations}
            )
        ]

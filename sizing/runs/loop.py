"""The only loop: ask, simulate, tell, announce, stop."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from sizing.clock import Clock
from sizing.evaluation.evaluator import Evaluation, Evaluator
from sizing.runs.events import Announcer, Decided, Ended, Event, Progress, Proposed, Status
from sizing.runs.standing import Standing
from sizing.search.optimizer import Optimizer
from sizing.task.problem import Problem
from sizing.task.settings import RunSettings

TIMED = ("simulate", "train", "query", "tables", "simulator")
"""Wall-clock time waiting for simulations, training, judging, measuring devices; and inside all simulators together."""


class Recorder(Protocol):
    """Who keeps what happens, and may know what happened before."""

    seconds_before: Mapping[str, float]
    """Times of the run so far, where it is taken up."""

    @property
    def replaying(self) -> bool:
        """Whether the run being taken up has yet to reach the point where it ended."""

    def __call__(self, event: Event) -> None:
        """Keep an event."""


class Elapsed:
    """The times of a run: where it is taken up, they go on from those before once it is past that point.

    A replay takes none. Listens after the recorder, which knows when that is.
    """

    def __init__(self, clock: Clock, recorder: Recorder) -> None:
        self._clock = clock
        self._recorder = recorder
        self._going_on = False

    def __call__(self, event: Event | None = None) -> None:
        """Let the clock run on from the times before, once the run is past the point where it was taken up."""
        if self._going_on or self._recorder.replaying:
            return
        self._going_on = True
        if before := self._recorder.seconds_before:
            counts = {name: int(value) for name, value in before.items() if not name.endswith("_s")}
            self._clock.set(before["wall_s"], {name: before.get(f"{name}_s", 0.0) for name in TIMED}, counts)

    @property
    def wall(self) -> float:
        """Seconds since the run began."""
        return self._clock.wall

    @property
    def of_budget(self) -> float:
        """Seconds that count against a budget."""
        return self._clock.wall if self._going_on else 0.0

    @property
    def times(self) -> Mapping[str, float]:
        """By the names that they have in the summary, and counts of what was done besides the run's own simulations."""
        if not self._going_on:
            return self._recorder.seconds_before
        times = {"wall": self._clock.wall} | {name: self._clock[name] for name in TIMED}
        return {f"{name}_s": round(seconds, 3) for name, seconds in times.items()} | self._clock.counts


class Loop:
    """One run of a search, from its first proposal to the reason to stop.

    The evaluator is the one that the optimizer has, and announces simulations; `given` designs need none.
    """

    def __init__(
        self,
        problem: Problem,
        settings: RunSettings,
        optimizer: Optimizer,
        evaluator: Evaluator,
        announce: Announcer,
        elapsed: Elapsed,
        given: int = 0,
        looks: bool = False,
    ) -> None:
        """`looks` says whether the method looks at operating points."""
        self._settings = settings
        self._optimizer = optimizer
        self._evaluator = evaluator
        self._announce = announce
        self._elapsed = elapsed
        self._standing = Standing(problem, settings, given)
        self._may_look = looks
        self._looks = 0
        self._queries = 0
        self._iteration = 0

    def run(self) -> None:
        """Iterate until there is a reason to stop or Ctrl-C; after any other end the run can be taken up again."""
        self._elapsed()
        status: Status | None = None
        try:
            while status is None:
                status = self._iterate()
        except KeyboardInterrupt:
            status = "interrupted"
        self._announce(Ended(status, self._elapsed.times))

    def _iterate(self) -> Status | None:
        proposal = self._optimizer.ask()
        budget = self._standing.budget
        designs = proposal.designs[:budget]
        if not designs:
            return "exhausted"
        self._announce(Proposed(proposal))
        evaluations = _within(budget, self._evaluator.evaluate(designs, proposal.purpose, budget))
        self._standing.count(evaluations)
        self._optimizer.tell(evaluations)
        self._announce(Decided(tuple(evaluations), proposal.decision, self._new_looks()))
        self._queries += (proposal.decision.judged or 0) if proposal.decision else 0
        if evaluations:
            self._announce(self._progress(self._standing.note(evaluations)))
        return self._standing.reason_to_stop(self._elapsed.of_budget, cut_off=len(evaluations) < len(designs))

    def _new_looks(self) -> int | None:
        """Operating points found since this was last asked; None where the method never looks."""
        before, self._looks = self._looks, self._evaluator.looks
        return self._looks - before if self._may_look else None

    def _progress(self, warning: str) -> Progress:
        standing, best = self._standing, self._standing.best
        self._iteration += 1
        return Progress(
            self._iteration - 1,
            standing.simulated,
            self._queries,
            int(np.sum(best == 0)),
            float(best[0]),
            float(np.mean(best)),
            self._elapsed.wall,
            tuple(map(tuple, standing.front.tolist())),
            warning,
            self._elapsed.times,
        )


def _within(budget: int | None, evaluations: Sequence[Evaluation]) -> list[Evaluation]:
    """The first of these designs, as many as a budget of simulations allows; an oracle may have simulated more."""
    spent = np.cumsum([len(evaluation.corners) for evaluation in evaluations])
    return [each for each, total in zip(evaluations, spent, strict=True) if budget is None or total <= budget]

"""The only loop: ask, simulate, tell, record, stop."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from sizing.clock import Clock
from sizing.evaluation.evaluator import Evaluation, Evaluator, Purpose, Simulation, values_of
from sizing.evaluation.evidence import Before
from sizing.evaluation.failures import FailureWatch
from sizing.report.words import front_words
from sizing.runs.records.writing import RunFolder
from sizing.search.context import Context
from sizing.search.evolution import Streams
from sizing.search.methods import METHODS
from sizing.simulation.simulator import Simulate
from sizing.specfile.load import Spec
from sizing.task.objectives import cost, figures, front

Status = Literal["in spec", "max_sims", "max_seconds", "no progress", "exhausted", "interrupted", "failing"]
"""Why a run ended: enough designs in spec, a budget, patience, no new designs, Ctrl-C, or too many failures."""

TIMED = ("simulate", "train", "query", "simulator")
"""Wall-clock time waiting for simulations, training and judging; and time inside simulators, over all workers."""


@dataclass(frozen=True)
class Progress:
    """A live run, after each iteration."""

    iteration: int
    sims_total: int
    queries: int
    in_spec: int
    best_cost: float
    top_cost: float
    """Mean cost of the best designs, as many as are wanted in spec."""
    seconds: float
    objective: str = ""
    """The best value of the objective among designs in spec, or how many designs are on the front, in words."""
    warning: str = ""
    """What is wrong, if so many simulations fail that something must be."""


Observer = Callable[[Progress], None]


class Loop:
    """One run of a search, from its first proposal to the reason to stop."""

    def __init__(
        self, spec: Spec, simulate: Simulate, look: Simulate, observer: Observer | None, before: Before
    ) -> None:
        self._problem = spec.problem
        self._settings = spec.run
        self._recorder: RunFolder
        self._observer = observer
        self._clock = Clock()
        self._evaluator = Evaluator(self._problem, simulate, self._record, self._clock, spec.run.corners, look)
        circuits = {bench.name: bench.circuit for bench in spec.benches}
        streams = Streams.from_seed(spec.run.seed)
        known = tuple(before.known)
        context = Context(
            self._problem, spec.run, circuits, self._evaluator, streams, self._clock, before.others, known
        )
        self._given = len(known)
        """Designs that need no simulation and take nothing of the budget."""
        self._optimizer = METHODS[spec.run.method].optimizer(context)
        self._costs = np.empty(0)
        self._simulations = 0
        self._front = np.empty((0, len(self._problem.metrics)))
        """Metric values of the best design in spec by the objective, or of all on the front."""
        self._queries = 0
        self._looks = 0
        self._iteration = 0
        self._improved_at = 0
        self._failing = FailureWatch(spec.run.max_failed)
        self._going_on = False
        """Whether the run has passed the point where it was taken up."""
        self._standing = (0, np.inf)
        """Missing metrics and cost of the best designs when they last got better."""

    def run(self, recorder: RunFolder) -> None:
        """Iterate until there is a reason to stop or Ctrl-C, and leave the summary.

        After any other end there is none, and the run can be taken up again.
        """
        self._recorder = recorder
        with recorder:
            self._go_on()
            status: Status | None = None
            try:
                while status is None:
                    status = self._iterate()
            except KeyboardInterrupt:
                status = "interrupted"
            recorder.finish({"status": status, **self._seconds()})

    def _record(self, simulation: Simulation, purpose: Purpose) -> None:
        self._recorder.simulation(simulation, purpose, len(self._problem.corners))
        self._go_on()

    def _go_on(self) -> None:
        """Let the clock run on from the times before, once the run is past the point where it was taken up."""
        if self._going_on or self._recorder.replaying:
            return
        self._going_on = True
        if before := self._recorder.seconds_before:
            self._clock.set(before["wall_s"], {name: before[f"{name}_s"] for name in TIMED})

    def _seconds(self) -> Mapping[str, float]:
        """The run's times, those before it was taken up included; a replay takes none."""
        if not self._going_on:
            return self._recorder.seconds_before
        times = {"wall": self._clock.wall} | {name: self._clock[name] for name in TIMED}
        return {f"{name}_s": round(seconds, 3) for name, seconds in times.items()}

    def _iterate(self) -> Status | None:
        settings = self._settings
        proposal = self._optimizer.ask()
        budget = settings.max_sims + self._given - self._simulations if settings.max_sims else None
        designs = proposal.designs[:budget]
        if not designs:
            return "exhausted"
        evaluations = _within(budget, self._evaluator.evaluate(designs, proposal.purpose, budget))
        self._simulations += sum(len(evaluation.corners) for evaluation in evaluations)
        self._optimizer.tell(evaluations)
        self._recorder.batch(evaluations, proposal.decision, self._new_looks())
        self._queries += (proposal.decision.judged or 0) if proposal.decision else 0
        self._go_on()
        if self._going_on:
            self._recorder.note_seconds(self._seconds())
        if evaluations:
            self._note(evaluations)
        return self._reason_to_stop(cut_off=len(evaluations) < len(designs))

    def _new_looks(self) -> int | None:
        """Operating points found since this was last asked; None where the method never looks."""
        before, self._looks = self._looks, self._evaluator.looks
        return self._looks - before if METHODS[self._settings.method].looks else None

    def _note(self, evaluations: list[Evaluation]) -> None:
        """Bring the costs up to date and tell the observer."""
        costs = np.full(len(evaluations), np.inf)
        if rows := [row for row, evaluation in enumerate(evaluations) if evaluation.ok]:
            costs[rows] = cost(self._problem, values_of([evaluations[row] for row in rows]))
        self._costs = np.concatenate([self._costs, costs])
        further = bool(self._problem.objectives) and self._goes_further([evaluations[row] for row in rows])
        best = np.sort(self._costs)[: self._settings.in_spec]
        measured = best[np.isfinite(best)]
        standing = (int(np.sum(np.isinf(best))), float(np.sum(measured)))
        if standing < self._standing or len(self._costs) <= len(best) or further:
            self._standing, self._improved_at = standing, self._simulations
        self._iteration += 1
        warning = self._failing(evaluations)
        if self._observer:
            simulated = self._simulations - self._given
            counts = (self._iteration - 1, simulated, self._queries, int(np.sum(best == 0)))
            costs_of = (float(best[0]), float(np.mean(best)))
            words = front_words(self._problem, self._front)
            self._observer(Progress(*counts, *costs_of, self._clock.wall, words, warning))

    def _goes_further(self, evaluations: list[Evaluation]) -> bool:
        """Whether one of these joins the front, and none there had the same objectives."""
        if not evaluations:
            return False
        values = np.concatenate([self._front, values_of(evaluations)])
        before = set(map(tuple, figures(self._problem, self._front).tolist()))
        self._front = values[front(self._problem, values)]
        return not before.issuperset(map(tuple, figures(self._problem, self._front).tolist()))

    def _reason_to_stop(self, *, cut_off: bool) -> Status | None:
        settings, total = self._settings, self._simulations
        enough = np.count_nonzero(self._costs == 0) >= settings.in_spec
        if enough and not self._problem.objectives:
            return "in spec"
        if cut_off or (settings.max_sims and total - self._given >= settings.max_sims):
            return "max_sims"
        if settings.max_seconds and self._going_on and self._clock.wall >= settings.max_seconds:
            return "max_seconds"
        if total - self._improved_at >= settings.patience:
            return "no progress"
        if self._failing.hopeless:
            return "failing"
        return None


def _within(budget: int | None, evaluations: Sequence[Evaluation]) -> list[Evaluation]:
    """The first of these designs, as many as a budget of simulations allows; an oracle may have simulated more."""
    spent = np.cumsum([len(evaluation.corners) for evaluation in evaluations])
    return [each for each, total in zip(evaluations, spent, strict=True) if budget is None or total <= budget]

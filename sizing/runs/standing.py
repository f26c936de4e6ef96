"""How a run stands: what its designs cost, whether they still get better, and whether that is a reason to stop."""

from collections.abc import Sequence

import numpy as np

from sizing.evaluation.evaluator import Evaluation, values_of
from sizing.evaluation.failures import FailureWatch
from sizing.runs.events import Status
from sizing.task.objectives import cost, figures, front
from sizing.task.problem import Problem
from sizing.task.settings import RunSettings


class Standing:
    """The costs of a run's designs so far; `given` of them need no simulation and take nothing of the budget."""

    def __init__(self, problem: Problem, settings: RunSettings, given: int) -> None:
        self._problem = problem
        self._settings = settings
        self._given = given
        self._costs = np.empty(0)
        self._simulations = 0
        self._improved_at = 0
        self._best_so_far = (0, np.inf)
        """Missing metrics and cost of the best designs when they last got better."""
        self._failing = FailureWatch(settings.max_failed)
        self.front = np.empty((0, len(problem.metrics)))
        """Metric values of the best design in spec by the objective, or of all on the front."""

    @property
    def budget(self) -> int | None:
        """Simulations that may still be made; None for as many as it takes."""
        return self._settings.max_sims + self._given - self._simulations if self._settings.max_sims else None

    @property
    def simulated(self) -> int:
        """Simulations that the run has made."""
        return self._simulations - self._given

    @property
    def best(self) -> np.ndarray:
        """The lowest costs, as many as designs are wanted in spec, ascending."""
        return np.sort(self._costs)[: self._settings.in_spec]

    def count(self, evaluations: Sequence[Evaluation]) -> None:
        """Take these from the budget."""
        self._simulations += sum(len(evaluation.corners) for evaluation in evaluations)

    def note(self, evaluations: Sequence[Evaluation]) -> str:
        """Take account of designs that have joined the population; a warning, if one is due."""
        costs = np.full(len(evaluations), np.inf)
        measured = [row for row, evaluation in enumerate(evaluations) if evaluation.ok]
        if measured:
            costs[measured] = cost(self._problem, values_of([evaluations[row] for row in measured]))
        self._costs = np.concatenate([self._costs, costs])
        further = bool(self._problem.objectives) and self._goes_further([evaluations[row] for row in measured])
        best = self.best
        finite = best[np.isfinite(best)]
        now = (int(np.sum(np.isinf(best))), float(np.sum(finite)))
        if now < self._best_so_far or len(self._costs) <= len(best) or further:
            self._best_so_far, self._improved_at = now, self._simulations
        return self._failing(evaluations)

    def reason_to_stop(self, seconds: float, *, cut_off: bool) -> Status | None:
        """Why to stop after so many seconds; `cut_off` where the budget did not suffice for the latest designs."""
        settings = self._settings
        enough = np.count_nonzero(self._costs == 0) >= settings.in_spec
        if enough and not self._problem.objectives:
            return "in spec"
        if cut_off or (settings.max_sims and self.simulated >= settings.max_sims):
            return "max_sims"
        if settings.max_seconds and seconds >= settings.max_seconds:
            return "max_seconds"
        if self._simulations - self._improved_at >= settings.patience:
            return "no progress"
        if self._failing.hopeless:
            return "failing"
        return None

    def _goes_further(self, evaluations: Sequence[Evaluation]) -> bool:
        """Whether one of these joins the front, and none there had the same objectives."""
        if not evaluations:
            return False
        values = np.concatenate([self.front, values_of(evaluations)])
        before = set(map(tuple, figures(self._problem, self.front).tolist()))
        self.front = values[front(self._problem, values)]
        return not before.issuperset(map(tuple, figures(self._problem, self.front).tolist()))

"""Discriminators: is a candidate, metric by metric, no worse than a reference design, or does it meet its target?"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sizing.evaluation.evaluator import Evaluation, Evaluator, values_of
from sizing.task.objectives import meets, no_worse
from sizing.task.problem import Problem


class Discriminator(Protocol):
    """Judges candidates so that only promising ones are simulated."""

    counts: bool
    """Whether a judgement counts as a query."""
    chunk: int
    """The most candidates to judge at once."""

    def fit(self, evaluations: Sequence[Evaluation]) -> None:
        """Learn from every measured design so far."""

    def judge(
        self,
        candidates: NDArray[np.int64],
        reference: Evaluation | None = None,
        pending: NDArray[np.int64] | None = None,
    ) -> NDArray[np.float64]:
        """For candidates (B, V) as grid indices, the probability (B, M) that each metric's penalty is at most the
        reference's (objectives.no_worse); without a reference, that it meets its target. An objective has the
        reference's value for a target where the reference meets its own.

        `pending` are designs (P, V) that will be measured before the candidates. Who knows how sure it is of what
        takes them as measured with the values it expects; others may leave them aside.
        """


class AcceptAll:
    """Lets every child pass: plain evolution."""

    counts = False
    chunk = 64

    def __init__(self, problem: Problem) -> None:
        self._metrics = len(problem.metrics)

    def fit(self, evaluations: Sequence[Evaluation]) -> None:
        """Nothing to learn."""

    def judge(
        self,
        candidates: NDArray[np.int64],
        reference: Evaluation | None = None,
        pending: NDArray[np.int64] | None = None,
    ) -> NDArray[np.float64]:
        """Ones (B, M)."""
        return np.ones((len(candidates), self._metrics))


class Oracle:
    """Really simulates a candidate to answer; these simulations are counted apart."""

    counts = True
    chunk = 8  # more would be simulated in vain behind the last accepted one

    def __init__(self, problem: Problem, evaluator: Evaluator) -> None:
        self._problem = problem
        self._evaluator = evaluator

    def fit(self, evaluations: Sequence[Evaluation]) -> None:
        """Nothing to learn."""

    def judge(
        self,
        candidates: NDArray[np.int64],
        reference: Evaluation | None = None,
        pending: NDArray[np.int64] | None = None,
    ) -> NDArray[np.float64]:
        """Zeros and ones (B, M); a candidate that cannot be measured is worse in everything."""
        designs = [tuple(design) for design in candidates.tolist()]
        evaluations = self._evaluator.evaluate(designs, "oracle")
        answers = np.zeros((len(candidates), len(self._problem.metrics)))
        measured = [row for row, evaluation in enumerate(evaluations) if evaluation.ok]
        if measured:
            values = values_of([evaluations[row] for row in measured])
            problem = self._problem
            answers[measured] = (
                no_worse(problem, values, values_of([reference])) if reference else meets(problem, values)
            )
        return answers

"""When so many simulations fail that something must be wrong, and with what."""

from collections import Counter, deque
from collections.abc import Sequence

from sizing.evaluation.evaluator import Evaluation
from sizing.simulation.simulator import Failed, Outcome

LATEST_SIMULATIONS = 50
"""Simulations that a running search is judged by."""


class FailureWatch:
    """Watches what share of the initial designs fails, and afterwards of the latest simulations.

    `most` is the largest share with which a run is sound.
    """

    def __init__(self, most: float) -> None:
        self._most = most
        self._latest: deque[Evaluation] = deque(maxlen=LATEST_SIMULATIONS)
        self.hopeless = False
        """Whether going on would burn the budget: not one initial design, or too few of the latest, were measured."""

    def __call__(self, evaluations: Sequence[Evaluation]) -> str:
        """The warning that is due after another batch, the first being the initial designs; or nothing."""
        initial = not self._latest
        self._latest.extend(evaluations)
        looked_at = evaluations if initial else self._latest
        failed = sum(not evaluation.ok for evaluation in looked_at)
        if failed < self._most * len(looked_at) or not (initial or len(looked_at) == LATEST_SIMULATIONS):
            return ""
        self.hopeless = not initial or failed == len(looked_at)
        return commonest_failure([evaluation.outcome for evaluation in looked_at])


def commonest_failure(outcomes: Sequence[Outcome]) -> str:
    """The commonest reason for failed simulations, with one of their messages; nothing where none failed."""
    failures = [outcome for outcome in outcomes if isinstance(outcome, Failed)]
    if not failures:
        return ""
    reason, count = Counter(failure.reason for failure in failures).most_common(1)[0]
    example = next(failure.message for failure in failures if failure.reason == reason)
    return f"{count} of {len(outcomes)} simulations failed for {reason}: {example}"

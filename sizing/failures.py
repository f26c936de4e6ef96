"""When so many simulations fail that something must be wrong, and with what."""

from collections import Counter
from collections.abc import Sequence

from sizing.evaluation import Evaluation
from sizing.simulation.simulator import Failed, Outcome

SHARE = 0.9
"""Of the initial designs."""
IN_A_ROW = 50


class FailureWatch:
    """Warns where most initial designs fail, and where many have failed one after another, once for each such time."""

    def __init__(self) -> None:
        self._latest: list[Evaluation] = []
        """As long as none of them was measured."""
        self._began = False

    def __call__(self, evaluations: Sequence[Evaluation]) -> str:
        """The warning that is due after another batch, or nothing."""
        before = len(self._latest)
        for evaluation in evaluations:
            if evaluation.ok:
                self._latest.clear()
            else:
                self._latest.append(evaluation)
        if not self._began:
            self._began = True
            failed = sum(not evaluation.ok for evaluation in evaluations)
            return (
                commonest_failure([each.outcome for each in evaluations]) if failed >= SHARE * len(evaluations) else ""
            )
        due = before < IN_A_ROW <= len(self._latest)
        return f"the latest {commonest_failure([each.outcome for each in self._latest])}" if due else ""


def commonest_failure(outcomes: Sequence[Outcome]) -> str:
    """The commonest reason for failed simulations, with one of their messages; nothing where none failed."""
    failures = [outcome for outcome in outcomes if isinstance(outcome, Failed)]
    if not failures:
        return ""
    reason, count = Counter(failure.reason for failure in failures).most_common(1)[0]
    example = next(failure.message for failure in failures if failure.reason == reason)
    return f"{count} of {len(outcomes)} simulations failed for {reason}: {example}"

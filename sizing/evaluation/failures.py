"""What simulations did not give and why, and when so many fail that something must be wrong."""

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import shorten

from sizing.evaluation.evaluator import Evaluation
from sizing.simulation.simulator import Failed, Measured, Outcome

LATEST_SIMULATIONS = 50
"""Simulations that a running search is judged by."""
MOST_REASONS = 3
LONGEST_REASON = 300
"""Characters."""
_NUMBER = re.compile(r"(?<![\w.])[-+]?\d[\w.+-]*")


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


@dataclass(frozen=True)
class Lack:
    """What some simulations did not give."""

    what: str
    """Such as "failed for convergence" or "without phase_margin"."""
    simulations: int
    of: int
    """Simulations that there were."""
    why: str
    """The commonest reasons, those that differ in numbers as one."""

    def __str__(self) -> str:
        return f"{self.simulations} of {self.of} simulations {self.what}: {self.why}"


def lacks(outcomes: Sequence[Outcome], metrics: Sequence[str]) -> list[Lack]:
    """What failed for which reason, the commonest first, then which of the metrics, by name, were missing."""
    missing: list[list[str]] = [[] for _ in metrics]
    for outcome in outcomes:
        for m, reason in outcome.missing.items() if isinstance(outcome, Measured) else ():
            missing[m].append(reason)
    named = zip(metrics, missing, strict=True)
    return _failures(outcomes) + [_lack(f"without {name}", whys, outcomes) for name, whys in named if whys]


def commonest_failure(outcomes: Sequence[Outcome]) -> str:
    """The commonest reason for failed simulations, with their messages; nothing where none failed."""
    return "".join(map(str, _failures(outcomes)[:1]))


def _failures(outcomes: Sequence[Outcome]) -> list[Lack]:
    messages: dict[str, list[str]] = {}
    for outcome in outcomes:
        if isinstance(outcome, Failed):
            messages.setdefault(outcome.reason, []).append(outcome.message)
    commonest = sorted(messages.items(), key=lambda entry: -len(entry[1]))
    return [_lack(f"failed for {reason}", whys, outcomes) for reason, whys in commonest]


def _lack(what: str, whys: Sequence[str], outcomes: Sequence[Outcome]) -> Lack:
    alike: dict[str, list[str]] = {}
    for why in whys:
        alike.setdefault(_NUMBER.sub("", why), []).append(why)
    groups = sorted(alike.values(), key=len, reverse=True)
    counts = [f" ({len(group)})" if len(groups) > 1 else "" for group in groups]
    words = [shorten(group[0], LONGEST_REASON, placeholder=" …") for group in groups]
    shown = [word + count for word, count in zip(words, counts, strict=True)][:MOST_REASONS]
    more = [f"{len(groups) - MOST_REASONS} more"] if len(groups) > MOST_REASONS else []
    return Lack(what, len(whys), len(outcomes), "; ".join(shown + more))

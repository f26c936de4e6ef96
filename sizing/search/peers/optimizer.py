"""Any library's optimizer as a search method: counted alike, started alike, and never the same design twice."""

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sizing.evaluation.evaluator import Evaluation, values_of
from sizing.search.context import Context
from sizing.search.optimizer import Proposal, initial_proposal
from sizing.search.variation import Indices, random_designs
from sizing.task.objectives import figures, violations
from sizing.task.problem import Design, Problem

MISSING_VIOLATION = 2.0
"""Violation of a metric without a value, and the largest that is told: a value twice as bad as its target."""
ATTEMPTS = 10
"""Times in a row that a peer may ask for nothing new before a random design takes its turn."""


@dataclass(frozen=True)
class Answers:
    """What became of designs, as constrained optimizers are told."""

    designs: Indices
    """Grid indices (N, V)."""
    violations: NDArray[np.float64]
    """Violations of every metric's target (N, M), weighted: at most 0 where it is met, and always finite."""
    figures: NDArray[np.float64]
    """The problem's objectives (N, K), to be minimised and always finite; none where it has none."""

    @cached_property
    def cost(self) -> NDArray[np.float64]:
        """The violations above 0, summed (N,)."""
        return np.asarray(np.maximum(self.violations, 0.0).sum(axis=1))

    @cached_property
    def objectives(self) -> NDArray[np.float64]:
        """What to minimise (N, 1 or K): the problem's objectives, the cost where it has none."""
        return self.figures if self.figures.shape[1] else self.cost[:, None]

    def first(self, count: int) -> "Answers":
        """The first of these."""
        return Answers(*(each[:count] for each in astuple(self)))

    def followed_by(self, others: "Answers") -> "Answers":
        """These and others."""
        return Answers(*(np.concatenate(pair) for pair in zip(astuple(self), astuple(others), strict=True)))


class Peer(Protocol):
    """A library's optimizer at work on grid indices."""

    def ask(self, count: int) -> Indices:
        """Designs (N, V), at most `count` of them; they may repeat, and are none where it has no more to offer."""

    def tell(self, answers: Answers) -> None:
        """What became of the designs asked for last, in their order."""


Begin = Callable[[Context, Answers], Peer]
"""Makes a peer from what became of the initial designs."""


class PeerOptimizer:
    """Ask/tell around a peer. It is told again, not simulated again, what it asks for again."""

    def __init__(self, context: Context, begin: Begin) -> None:
        self._context = context
        self._begin = begin
        self._peer: Peer | None = None
        self._asked: Sequence[Design] = ()
        self._known: dict[Design, tuple[NDArray[np.float64], NDArray[np.float64]]] = {}
        """Violations (M,) and figures (K,) of every simulated design."""
        self._worst = np.full(len(context.problem.objectives), -np.inf)
        """The worst figure of each objective so far."""

    def ask(self) -> Proposal:
        """The initial designs of every method first; afterwards what the peer wants to know and nobody does yet."""
        problem, settings = self._context.problem, self._context.settings
        if self._peer is None:
            rng, known = self._context.streams.initial, self._context.known
            proposal = initial_proposal(problem, settings.initial, rng, known)
            self._asked = proposal.designs
            return proposal
        with self._context.clock.activity("train"):
            return Proposal(self._new_designs(self._peer), "search")

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        """Hand the outcomes on to the peer, together with what it asked for and was known already."""
        told = zip(violations_told(self._context.problem, evaluations), self._figures_told(evaluations), strict=True)
        self._known |= {evaluation.design: row for evaluation, row in zip(evaluations, told, strict=True)}
        if not self._asked or not self._known.keys() >= set(self._asked):
            return  # a random design that the peer has not asked for, or the rest of a budget that ends the run
        with self._context.clock.activity("train"):
            if self._peer is None:
                self._peer = self._begin(self._context, self._answers())
            else:
                self._peer.tell(self._answers())

    def _new_designs(self, peer: Peer) -> tuple[Design, ...]:
        if len(self._known) >= self._context.problem.size:
            return ()
        for _ in range(ATTEMPTS):
            self._asked = [tuple(design) for design in peer.ask(self._context.settings.batch).tolist()]
            if new := tuple(design for design in dict.fromkeys(self._asked) if design not in self._known):
                return new
            if not self._asked:
                break
            peer.tell(self._answers())
        self._asked = ()
        return (self._random_design(),)

    def _random_design(self) -> Design:
        """One that nobody knows yet, the peer not asked."""
        # Of one more distinct designs than are known, one is new.
        drawn = random_designs(len(self._known) + 1, self._context.problem.shape, self._context.streams.proposal)
        return next(design for design in map(tuple, drawn.tolist()) if design not in self._known)

    def _answers(self) -> Answers:
        violated, found = zip(*(self._known[design] for design in self._asked), strict=True)
        return Answers(np.array(self._asked), np.array(violated), np.array(found))

    def _figures_told(self, evaluations: Sequence[Evaluation]) -> NDArray[np.float64]:
        """Objectives (N, K); one without a value is the worst of those so far."""
        told = np.full((len(evaluations), len(self._worst)), np.inf)
        if rows := [row for row, evaluation in enumerate(evaluations) if evaluation.ok]:
            told[rows] = figures(self._context.problem, values_of([evaluations[row] for row in rows]))
        found = np.isfinite(told)
        self._worst = np.maximum(self._worst, np.where(found, told, -np.inf).max(axis=0, initial=-np.inf))
        return np.where(found, told, np.where(np.isfinite(self._worst), self._worst, 0.0))


def violations_told(problem: Problem, evaluations: Sequence[Evaluation]) -> NDArray[np.float64]:
    """Weighted violations (N, M), finite: no metric's is larger than that of a missing one.

    A metric without a target is no further on the right side than one can be.
    """
    told = np.full((len(evaluations), len(problem.metrics)), MISSING_VIOLATION)
    if rows := [row for row, evaluation in enumerate(evaluations) if evaluation.ok]:
        found = violations(problem, values_of([evaluations[row] for row in rows]))
        told[rows] = np.where(np.isneginf(found), -1.0, np.minimum(found, MISSING_VIOLATION))
    return told * [metric.weight for metric in problem.metrics]

"""Acceptance: which of many bred candidates are simulated, by what a discriminator says of them.

Two policies over the same parts. `Filter` is the published one: children come in chunks, and each passes with the
probability that it is no worse than a reference design (Hakhamaneshi et al. 2022). `Ranking` breeds a pool of
thousands, improves it on the judgement alone for some generations, and takes the designs that most probably meet every
target. Once designs meet every target, objectives have moving ones: where the filter's reference is in spec its own
values, and several objectives an `Aim`, as the ranking has in any case.
"""

from collections.abc import Iterable, Set
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from deap.base import Toolbox
from numpy.random import Generator
from numpy.typing import NDArray

from sizing.clock import Clock
from sizing.evaluation import Evaluation
from sizing.objectives import order
from sizing.problem import Design, Problem
from sizing.search.aim import Aim, Aims
from sizing.search.discriminator import Discriminator
from sizing.search.optimizer import Decision, Proposal
from sizing.search.selection import Selection
from sizing.search.variation import Indices, random_designs
from sizing.settings import RunSettings

SMALLEST_CHUNK = 16
LEAST_PROBABILITY = 1e-300
"""Stands for anything smaller, where logarithms are summed."""


@dataclass(frozen=True)
class Generation:
    """The measured population, and what was selected in it."""

    population: list[Evaluation]
    designs: Indices
    values: NDArray[np.float64]
    selection: Selection
    seen: Set[Design]
    """Designs that need not be proposed again."""


class Acceptance(Protocol):
    """A policy that proposes the next batch."""

    def propose(self, generation: Generation) -> Proposal:
        """At most the settings' batch of designs that have not been seen, and the decision behind them."""


@dataclass(frozen=True)
class Filter:
    """Children that the discriminator lets pass, in the order they were bred."""

    problem: Problem
    settings: RunSettings
    discriminator: Discriminator
    toolbox: Toolbox
    draws: Generator
    clock: Clock
    aims: Aims

    def propose(self, generation: Generation) -> Proposal:
        """Breed and judge until the batch is full or the settings' most candidates have been bred."""
        search, wanted = self.settings.search, self.settings.batch
        selection = generation.selection
        reference = generation.population[selection.reference]
        aim = self._aim(generation)
        accepted: dict[Design, NDArray[np.float64]] = {}
        bred = judged = let_through = 0
        chunk = min(SMALLEST_CHUNK, self.discriminator.chunk)
        tried = set(generation.seen)
        while len(accepted) < wanted and bred < search.max_candidates:
            children = self.toolbox.breed(generation.designs, selection, chunk)
            bred += len(children)
            if fresh := _fresh(children, tried):
                tried.update(fresh)
                judged += len(fresh)
                probability, passed, regardless = self._judged(np.array(fresh), aim or reference, selection.critical)
                for row in np.flatnonzero(passed | regardless)[: wanted - len(accepted)]:
                    accepted[fresh[row]] = probability[row]
                    let_through += bool(regardless[row] and not passed[row])
            chunk = min(2 * chunk, self.discriminator.chunk, max(1, search.max_candidates - bred))
        decision = Decision(
            _names(self.problem, selection.critical),
            None if aim else reference.index,
            bred,
            judged if self.discriminator.counts else None,
            let_through,
            _rounded(accepted.values()) if self.discriminator.counts else None,
            aim.values(self.problem) if aim else None,
        )
        return Proposal(tuple(accepted), "search", decision)

    def _aim(self, generation: Generation) -> Aim | None:
        """Where several objectives are what is left to improve: no one design is what to compare with."""
        objectives = self.problem.objectives
        if len(objectives) < 2 or generation.selection.critical[-1] not in objectives:
            return None
        return self.aims.next(generation.population, generation.values)

    def _judged(
        self, candidates: Indices, against: Aim | Evaluation, critical: tuple[int, ...]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
        """Probabilities (B, M), whether each candidate passes by them, and whether it passes regardless of them."""
        with self.clock.activity("query"):
            probability = (
                against.judge(self.discriminator, self.problem, candidates)
                if isinstance(against, Aim)
                else self.discriminator.judge(candidates, against)
            )
        draws = self.draws.random((2, len(candidates)))
        passed = draws[0] < probability[:, list(critical)].prod(axis=1)
        return probability, passed, draws[1] < self.settings.search.accept_regardless


@dataclass(frozen=True)
class Ranking:
    """The candidates that most probably meet every target, each chosen as if those before it had been measured."""

    problem: Problem
    settings: RunSettings
    discriminator: Discriminator
    toolbox: Toolbox
    draws: Generator
    clock: Clock
    aims: Aims

    def propose(self, generation: Generation) -> Proposal:
        """Breed a pool from the best designs and at random, let it evolve on the judgement, and take a batch of it."""
        pool_of = self.settings.ranking
        aim = self.aims.next(generation.population, generation.values)
        nearest = () if aim is None else aim.parents
        ranked = dict.fromkeys([*nearest, *order(self.problem, generation.values)])
        best = generation.designs[list(ranked)[: pool_of.parents]]
        drawn = random_designs(pool_of.drawn, self.problem.shape, self.draws)
        tried = set(generation.seen)
        pool = np.empty((0, len(self.problem.variables)), dtype=np.int64)
        promise = np.empty(0)
        bred = np.concatenate([drawn, self.toolbox.wander(best, pool_of.children)])
        count = 0
        for last in reversed(range(pool_of.generations)):
            count += len(bred)
            if fresh := _fresh(bred, tried):
                tried.update(fresh)
                candidates = np.array(fresh)
                pool = np.concatenate([pool, candidates])
                promise = np.concatenate([promise, _promise(self._judge(candidates, aim))])
                kept = np.argsort(-promise, kind="stable")[: pool_of.kept]
                pool, promise = pool[kept], promise[kept]
            if not len(pool):
                break
            if last:
                bred = self.toolbox.wander(pool[: pool_of.elite], pool_of.children // 2)
        chosen, probability = self._batch(pool, aim)
        decision = Decision(
            _names(self.problem, generation.selection.critical),
            None,
            count,
            len(tried) - len(generation.seen),
            0,
            _rounded(probability),
            aim.values(self.problem) if aim else None,
        )
        return Proposal(tuple(map(tuple, pool[chosen].tolist())), "search", decision)

    def _batch(self, pool: Indices, aim: Aim | None) -> tuple[list[int], list[NDArray[np.float64]]]:
        """Rows of the pool to simulate, and the probabilities (M,) by which each was chosen."""
        chosen: list[int] = []
        probability: list[NDArray[np.float64]] = []
        for _ in range(min(self.settings.batch, len(pool))):
            judged = self._judge(pool, aim, pool[chosen])
            promise = _promise(judged)
            promise[chosen] = -np.inf
            chosen.append(int(np.argmax(promise)))
            probability.append(judged[chosen[-1]])
        return chosen, probability

    def _judge(self, candidates: Indices, aim: Aim | None, pending: Indices | None = None) -> NDArray[np.float64]:
        with self.clock.activity("query"):
            if aim:
                return aim.judge(self.discriminator, self.problem, candidates, pending)
            return self.discriminator.judge(candidates, None, pending)


def _fresh(candidates: Indices, tried: Set[Design]) -> list[Design]:
    """The designs among the candidates that have not been tried, each once, in their order."""
    return [design for design in dict.fromkeys(map(tuple, candidates.tolist())) if design not in tried]


def _promise(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """The logarithm (B,) of the probability that every metric is met, the metrics taken as independent."""
    return np.asarray(np.log(np.maximum(probability, LEAST_PROBABILITY)).sum(axis=1))


def _rounded(probability: Iterable[NDArray[np.float64]]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(np.round(row, 4).tolist()) for row in probability)


def _names(problem: Problem, critical: tuple[int, ...]) -> tuple[str, ...]:
    return tuple(problem.metrics[m].name for m in critical)

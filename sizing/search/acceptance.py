"""Acceptance: which of many bred candidates are simulated, by what a discriminator says of them.

Two policies over the same parts. `Filter` is the published one: children come in chunks, and each passes with the
probability that it is no worse than a reference design (Hakhamaneshi et al. 2022). `Ranking` breeds a pool of
thousands, improves it on the judgement alone for some generations, and takes the designs that most probably meet every
target. Once designs meet every target, objectives have moving ones: where the filter's reference is in spec its own
values, and several objectives an `Aim`, as the ranking has in any case.
"""

from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

import numpy as np
from deap.base import Toolbox
from numpy.random import Generator
from numpy.typing import NDArray

from sizing.clock import Clock
from sizing.evaluation.evaluator import Evaluation
from sizing.search.aim import STEPS, Aim, Aims
from sizing.search.discriminator import Discriminator
from sizing.search.optimizer import Decision, Proposal
from sizing.search.selection import Selection
from sizing.search.variation import Indices, random_designs
from sizing.task.objectives import in_spec, order
from sizing.task.problem import Design, Problem
from sizing.task.settings import RunSettings

SMALLEST_CHUNK = 16
LEAST_PROBABILITY = 1e-300
"""Stands for anything smaller, where logarithms are summed."""


Judge = Callable[..., NDArray[np.float64]]
"""The probability (B, M) that candidates (B, V) meet each target, given them and, if any, designs that are pending."""


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
            aim.values if aim else None,
        )
        return Proposal(tuple(accepted), "search", decision)

    def _aim(self, generation: Generation) -> Aim | None:
        """Where several objectives are what is left to improve: no one design is what to compare with."""
        objectives = self.problem.objectives
        if len(objectives) < 2 or generation.selection.critical[-1] not in objectives:
            return None
        aim = self.aims.next(generation.population, generation.values)
        return aim and replace(aim, step=STEPS[0])

    def _judged(
        self, candidates: Indices, against: Aim | Evaluation, critical: tuple[int, ...]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
        """Probabilities (B, M), whether each candidate passes by them, and whether it passes regardless of them."""
        with self.clock.activity("query"):
            probability = (
                against.judge(self.discriminator, candidates)
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
    closer: Discriminator | None = None
    """Who judges the best of the pool again, by a look at the operating point of each, until a design is in spec."""

    def propose(self, generation: Generation) -> Proposal:
        """Breed a pool from the best designs and at random, let it evolve on the judgement, and take a batch of it."""
        pool_of = self.settings.ranking
        aim = self.aims.next(generation.population, generation.values)
        nearest = () if aim is None else aim.parents
        ranked = dict.fromkeys([*nearest, *order(self.problem, generation.values)])
        best = generation.designs[list(ranked)[: pool_of.parents]]
        drawn = random_designs(pool_of.drawn, self.problem.shape, self.draws)
        pool = _Pool(generation.seen, len(self.problem.variables))
        judge: Judge = partial(self._judge, self.discriminator, aim)
        pool.add(np.concatenate([drawn, self.toolbox.wander(best, pool_of.children)]), judge, pool_of.kept)
        for _ in range(pool_of.generations - 1 if len(pool.designs) else 0):
            if aim:
                aim = self._with_best_step(aim, pool)
                judge = partial(self._judge, self.discriminator, aim)
                pool.judge_again(pool_of.kept, judge)
            pool.add(self.toolbox.wander(pool.designs[: pool_of.elite], pool_of.children // 2), judge, pool_of.kept)
        if self.closer and len(pool.designs) and not in_spec(self.problem, generation.values).any():
            judge = self._look_closer(self.closer, pool, generation.population)
        chosen, probability = self._batch(pool, judge)
        decision = Decision(
            _names(self.problem, generation.selection.critical),
            None,
            pool.bred,
            len(pool.tried) - len(generation.seen),
            0,
            _rounded(probability),
            aim.values if aim else None,
        )
        return Proposal(tuple(map(tuple, pool.designs[chosen].tolist())), "search", decision)

    def _look_closer(self, closer: Discriminator, pool: "_Pool", population: Sequence[Evaluation]) -> Judge:
        """Leave in the pool what is promising at a closer look, and descendants of these; the judge is for the rest."""
        pool_of = self.settings.ranking
        with self.clock.activity("train"):
            closer.fit(population)
        judge = partial(self._judge, closer, None)
        pool.judge_again(pool_of.looked_at, judge)
        for _ in range(pool_of.looked_generations):
            bred = self.toolbox.wander(pool.designs[: pool_of.looked_elite], pool_of.looked_children)
            pool.add(bred, judge, pool_of.kept)
        return judge

    def _batch(self, pool: "_Pool", judge: Judge) -> tuple[list[int], list[NDArray[np.float64]]]:
        """Rows of the pool to simulate, and the probabilities (M,) by which each was chosen."""
        chosen: list[int] = []
        probability: list[NDArray[np.float64]] = []
        for _ in range(min(self.settings.batch, len(pool.designs))):
            judged = judge(pool.designs, pool.designs[chosen])
            promise = _promise(judged)
            promise[chosen] = -np.inf
            chosen.append(int(np.argmax(promise)))
            probability.append(judged[chosen[-1]])
        return chosen, probability

    def _with_best_step(self, aim: Aim, pool: "_Pool") -> Aim:
        """The aim with the step of which most can be expected: its length, in each objective, times its probability.

        The expected improvement is at least as much, whichever step.
        """
        aims = [replace(aim, step=step) for step in STEPS]
        some = pool.designs[: self.settings.ranking.elite]
        promised = [_promise(self._judge(self.discriminator, each, some)).max() for each in aims]
        return aims[int(np.argmax(promised + len(aim.rivals) * np.log(STEPS)))]

    def _judge(
        self, discriminator: Discriminator, aim: Aim | None, candidates: Indices, pending: Indices | None = None
    ) -> NDArray[np.float64]:
        with self.clock.activity("query"):
            if aim:
                return aim.judge(discriminator, candidates, pending)
            return discriminator.judge(candidates, None, pending)


class _Pool:
    """Candidates, the most promising first."""

    def __init__(self, seen: Set[Design], variables: int) -> None:
        self.designs = np.empty((0, variables), dtype=np.int64)
        self.tried = set(seen)
        self.bred = 0
        self._promise = np.empty(0)

    def add(self, bred: Indices, judge: Judge, most: int) -> None:
        """Judge what has not been tried of these designs, and keep this many of all."""
        self.bred += len(bred)
        if fresh := _fresh(bred, self.tried):
            self.tried.update(fresh)
            candidates = np.array(fresh)
            self._keep(
                most,
                np.concatenate([self.designs, candidates]),
                np.concatenate([self._promise, _promise(judge(candidates))]),
            )

    def judge_again(self, most: int, judge: Judge) -> None:
        """Put the most promising to another judge, and drop the others."""
        self._keep(most, self.designs[:most], _promise(judge(self.designs[:most])))

    def _keep(self, most: int, designs: Indices, promise: NDArray[np.float64]) -> None:
        kept = np.argsort(-promise, kind="stable")[:most]
        self.designs, self._promise = designs[kept], promise[kept]


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

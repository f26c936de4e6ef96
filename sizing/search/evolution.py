"""The evolutionary loop's step: breed children of good designs, let a discriminator judge them, propose some."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from deap.base import Toolbox
from numpy.random import Generator, SeedSequence, default_rng

from sizing.clock import Clock
from sizing.evaluation.evaluator import Evaluation, designs_of, values_of
from sizing.search.acceptance import Acceptance, Filter, Generation, Ranking
from sizing.search.aim import Aims
from sizing.search.discriminator import Discriminator
from sizing.search.optimizer import Proposal, initial_proposal
from sizing.search.selection import Selection, draw_parents, select
from sizing.search.variation import Indices, blend, differ, mutate, random_designs, swap, wander
from sizing.task.problem import Design, Problem
from sizing.task.settings import RunSettings, SearchSettings


@dataclass(frozen=True)
class Streams:
    """One random stream per purpose, so that a change in one leaves the others alone."""

    initial: Generator
    selection: Generator
    variation: Generator
    acceptance: Generator
    training: Generator
    proposal: Generator
    """The stream of methods that are not evolution."""

    @classmethod
    def from_seed(cls, seed: int) -> "Streams":
        """The streams of a run's seed."""
        return cls(*map(default_rng, SeedSequence(seed).spawn(6)))


class Evolution:
    """Ask/tell evolution with a discriminator; methods differ in the discriminator, and in what they accept by it."""

    def __init__(
        self,
        problem: Problem,
        settings: RunSettings,
        discriminator: Discriminator,
        streams: Streams,
        clock: Clock,
        closer: Discriminator | None = None,
        known: Sequence[Design] = (),
        box: Toolbox | None = None,
    ) -> None:
        """`known` are designs to start from that need no simulation; `box` holds other operators than the usual."""
        self._problem = problem
        self._settings = settings
        self._discriminator = discriminator
        self._streams = streams
        self._known = known
        self._clock = clock
        box = box or toolbox(problem, settings.search, streams.variation)
        self._acceptance: Acceptance = (
            Filter(problem, settings, discriminator, box, streams.acceptance, clock, Aims(problem))
            if settings.search.acceptance == "filter"
            else Ranking(problem, settings, discriminator, box, streams.variation, clock, Aims(problem), closer)
        )
        self._population: list[Evaluation] = []
        self._designs = np.empty((0, len(problem.variables)), dtype=np.int64)
        self._values = np.empty((0, len(problem.metrics)))
        self._seen: set[Design] = set()
        self._critical: tuple[int, ...] = ()

    def ask(self) -> Proposal:
        """Distinct random designs first; afterwards what is accepted of their descendants."""
        if not self._seen:
            return initial_proposal(self._problem, self._settings.initial, self._streams.initial, self._known)
        if len(self._population) < 2:
            designs = random_designs(self._settings.batch, self._problem.shape, self._streams.variation)
            return Proposal(tuple(d for d in map(tuple, designs.tolist()) if d not in self._seen), "search")
        with self._clock.activity("train"):
            self._discriminator.fit(self._population)
        search = self._settings.search
        selection = select(
            self._problem,
            self._values,
            self._critical,
            rank=search.reference_rank,
            pool=search.pool,
            rng=self._streams.selection,
        )
        self._critical = selection.critical
        return self._acceptance.propose(
            Generation(self._population, self._designs, self._values, selection, self._seen)
        )

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        """Measured designs join the population; failed ones are only remembered."""
        self._seen.update(evaluation.design for evaluation in evaluations)
        measured = [evaluation for evaluation in evaluations if evaluation.ok]
        if measured:
            self._population += measured
            self._designs = np.concatenate([self._designs, designs_of(measured)])
            self._values = np.concatenate([self._values, values_of(measured)])


def toolbox(problem: Problem, settings: SearchSettings, rng: Generator) -> Toolbox:
    """The operators by DEAP's names: `mate_blend`, `mate_swap`, `mutate`, `select`, and `breed` that combines them.

    They take and give designs as grid indices, many at once: mate(mothers (N, V), fathers (N, V)) gives two arrays of
    children, mutate(parents (N, V)) one, and select(pool (P,), count), from the rows of a pool with the best first,
    rows (count,). A `mate` that is registered takes the place of both others. `wander` is the other way to have
    children, close to their parents, where acceptance is by ranking.
    """
    box = Toolbox()
    box.register("mate_blend", blend, shape=problem.shape, alpha=settings.blend_alpha, rng=rng)
    box.register("mate_swap", swap, probability=settings.swap, rng=rng)
    box.register("mutate", mutate, shape=problem.shape, probability=settings.mutate, rng=rng)
    box.register("select", draw_parents, rng=rng)
    box.register("breed", _breed, box, settings=settings, rng=rng)
    box.register("wander", wander, shape=problem.shape, rng=rng)
    box.register("differ", differ, shape=problem.shape, rng=rng)
    return box


def deap_operator(
    operator: Callable[..., Any], problem: Problem, rng: Generator, **arguments: Any
) -> Callable[..., Indices | tuple[Indices, ...]]:
    """One of DEAP's own operators for the toolbox, to be registered as `mate` (such as cxTwoPoint) or `mutate`.

    It is called for one pair of parents, or one parent, after the other, as lists of grid indices, with these
    `arguments`; what it gives is rounded to the grid. It draws from Python's global random stream, which is seeded by
    `rng` and is afterwards as it was.
    """

    def for_all(*parents: Indices) -> Indices | tuple[Indices, ...]:
        before = random.getstate()
        random.seed(int(rng.integers(2**62)))
        try:
            bred = [operator(*each, **arguments) for each in zip(*(rows.tolist() for rows in parents), strict=True)]
        finally:
            random.setstate(before)
        rows = [np.array(children, dtype=float).reshape(-1, len(problem.shape)) for children in zip(*bred, strict=True)]
        on_grid = [np.clip(np.rint(each), 0, problem.shape - 1).astype(np.int64) for each in rows] or list(parents)
        return tuple(on_grid) if len(on_grid) > 1 else on_grid[0]

    return for_all


def _breed(
    box: Toolbox, population: Indices, selection: Selection, count: int, settings: SearchSettings, rng: Generator
) -> Indices:
    """About `count` children (B, V) in random order of kinds: two of every crossover, one of every mutation."""
    events = max(1, round(count / (1 + settings.crossover)))
    kind = rng.random((2, events))
    crossed = kind[0] < settings.crossover
    blended = crossed & (kind[1] < settings.blend)
    children, event = [], []
    mates = (box.mate, box.mate) if hasattr(box, "mate") else (box.mate_blend, box.mate_swap)
    for mask, mate in zip((blended, crossed & ~blended), mates, strict=True):
        number = int(mask.sum())
        mothers = population[box.select(selection.pool_a, number)]
        fathers = population[box.select(selection.pool_b, number)]
        children += mate(mothers, fathers)
        event += [np.flatnonzero(mask)] * 2
    mutants = population[box.select(selection.pool_a, int((~crossed).sum()))]
    children.append(box.mutate(mutants))
    event.append(np.flatnonzero(~crossed))
    in_order = np.argsort(np.concatenate(event), kind="stable")
    return np.concatenate(children)[in_order]

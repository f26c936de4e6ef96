"""A search by a judge who knows before the first simulation: it evolves on what is foreseen, and has that confirmed.

The pool descends from random designs by DEAP's operators, by what is foreseen alone. Of it the design with the largest
sure margin is simulated; once designs are in spec, every other one is the furthest from these among those with a good
margin, so that a run ends with designs that differ.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from deap.base import Toolbox
from numpy.typing import NDArray
from pydantic import Field

from sizing.evaluation.evaluator import Evaluation, values_of
from sizing.search.context import Context
from sizing.search.optimizer import Decision, Proposal, initial_proposal
from sizing.search.variation import Indices, random_designs
from sizing.task.objectives import figures, in_spec, smallest_margin
from sizing.task.problem import Design, Problem
from sizing.task.settings import Settings

GOOD_SHARE = 0.5
"""Share of the best sure margin: a design with as much may be simulated for being different."""
SURPRISE_MARGIN = 0.02
"""Margin by which the latest simulation has to be worse than foreseen for the pool to evolve again."""
GENERATIONS_AGAIN = 3
EXTENSION = 5
"""Times the usual generations at most."""
PATIENCE, LEAST_GAIN = 10, 1e-3
"""Generations in which the best has to gain so much of a margin, or of an objective, to be followed by others."""
GOOD_PATIENCE, GOOD_LEAST_GAIN = 3, 1e-2
"""The same once a design in spec is foreseen."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Foreseen:
    """What is expected of designs."""

    margin: Numbers
    """The smallest margin (B,) of each that is as good as sure (`objectives.smallest_margin`)."""
    figures: Numbers
    """Expected objectives (B, K), less being better."""
    probability: Numbers
    """That each metric meets its target (B, M)."""

    def of(self, rows: NDArray[np.intp]) -> "Foreseen":
        """Those of some of these."""
        return Foreseen(self.margin[rows], self.figures[rows], self.probability[rows])


class TablesSettings(Settings):
    """Settings of the method `tables` alone."""

    learned: bool = Field(True, description="whether what simulations differ by from what tables tell is learned")


class Foreseer(Protocol):
    """A judge who tells of designs before anything was simulated, and learns how far to trust what it tells."""

    def fit(self, evaluations: Sequence[Evaluation]) -> None:
        """Learn from the measured designs so far."""

    def foresee(self, candidates: Indices) -> Foreseen:
        """What is expected of candidates (B, V), as grid indices."""


class Foresight:
    """Ask/tell search of designs that are foreseen to have the largest margins, or the best objectives."""

    def __init__(self, context: Context, foreseer: Foreseer, box: Toolbox) -> None:
        self._problem: Problem = context.problem
        self._settings = context.settings
        self._streams = context.streams
        self._clock = context.clock
        self._known = context.known
        self._foreseer = foreseer
        self._box = box
        self._population: list[Evaluation] = []
        self._values = np.empty((0, len(self._problem.metrics)))
        self._seen: set[Design] = set()
        self._pool = np.empty((0, len(self._problem.variables)), dtype=np.int64)
        self._expected: dict[Design, float] = {}
        """The sure margin with which a design was proposed."""
        self._surprised = True
        self._first: Numbers | None = None
        """The best objectives that were foreseen at first."""

    def ask(self) -> Proposal:
        """What is known already and any initial designs first; then those that are foreseen to be best."""
        if not self._seen and (self._settings.initial or self._known or self._problem.has_start):
            return initial_proposal(self._problem, self._settings.initial, self._streams.initial, self._known)
        if self._population:
            with self._clock.activity("train"):
                self._foreseer.fit(self._population)
        pool, foreseen, judged = self._pool, self._foresee(self._pool), len(self._pool)
        if self._surprised or self._promise(pool, foreseen) < 0:
            pool, foreseen, judged = self._evolved(foreseen)
        self._pool = pool
        chosen = self._chosen(pool, foreseen)
        designs = tuple(_tuples(pool[chosen]))
        self._expected.update(zip(designs, foreseen.margin[chosen].tolist(), strict=True))
        probability = tuple(tuple(np.round(row, 4).tolist()) for row in foreseen.probability[chosen])
        return Proposal(designs, "search", Decision((), None, judged, judged, 0, probability))

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        """Measured designs are learned from; where one is worse than was foreseen, the pool is to evolve again."""
        self._seen.update(evaluation.design for evaluation in evaluations)
        measured = [evaluation for evaluation in evaluations if evaluation.ok]
        self._population += measured
        self._surprised = len(measured) < len(evaluations)
        if measured:
            values = values_of(measured)
            self._values = np.concatenate([self._values, values])
            found = smallest_margin(self._problem, values)
            expected = [self._expected.get(evaluation.design, np.inf) for evaluation in measured]
            self._surprised |= bool((found < np.array(expected) - SURPRISE_MARGIN).any())
        self._surprised |= bool(self._problem.objectives)

    def _foresee(self, designs: Indices) -> Foreseen:
        with self._clock.activity("query"):
            return self._foreseer.foresee(designs)

    def _evolved(self, foreseen: Foreseen) -> tuple[Indices, Foreseen, int]:
        """The pool after some generations, what is foreseen of it, and how many designs were judged for that.

        There are more of them, up to so many times, as long as things get better.
        """
        sizes, pool = self._settings.ranking, self._pool
        judged, generations = len(pool), GENERATIONS_AGAIN
        if not len(pool):
            pool = random_designs(sizes.drawn, self._problem.shape, self._streams.variation)
            if self._problem.has_start:
                pool = np.unique(np.vstack([self._problem.start, pool]), axis=0)
            foreseen, judged, generations = self._foresee(pool), len(pool), sizes.generations
        promises = [self._promise(pool, foreseen)]
        while len(promises) <= generations or (len(promises) <= EXTENSION * generations and self._gaining(promises)):
            parents = pool[np.argsort(-self._worth(foreseen), kind="stable")[: sizes.elite]]
            bred = np.unique(self._children(parents), axis=0)
            known = set(_tuples(pool))
            fresh = np.array([each for each in bred.tolist() if tuple(each) not in known], dtype=np.int64)
            if len(fresh):
                judged += len(fresh)
                pool, foreseen = np.concatenate([pool, fresh]), _joined(foreseen, self._foresee(fresh))
                kept = np.argsort(-self._worth(foreseen), kind="stable")[: sizes.kept]
                pool, foreseen = pool[kept], foreseen.of(kept)
            promises.append(self._promise(pool, foreseen))
        return pool, foreseen, judged

    def _gaining(self, promises: Sequence[float]) -> bool:
        """Whether what the best designs are worth, after each generation, still grows."""
        is_good = promises[-1] >= 0 and not self._problem.objectives
        patience, gain = (GOOD_PATIENCE, GOOD_LEAST_GAIN) if is_good else (PATIENCE, LEAST_GAIN)
        return len(promises) <= patience or promises[-1] >= promises[-1 - patience] + gain

    def _worth(self, foreseen: Foreseen) -> Numbers:
        """What designs (B,) are sorted by: the sure margin, and where that is enough, the objectives' distance."""
        if not self._problem.objectives:
            return foreseen.margin
        sure = foreseen.margin >= 0
        return np.where(sure, 1.0 - self._distance(foreseen.figures), np.minimum(foreseen.margin, 0.0) - 1e6)

    def _children(self, parents: Indices) -> Indices:
        """Half of them near their parents, half along the differences of these."""
        count = self._settings.ranking.children
        return np.concatenate([self._box.wander(parents, count // 2), self._box.differ(parents, count - count // 2)])

    def _promise(self, pool: Indices, foreseen: Foreseen) -> float:
        """What the best design is worth that was not simulated yet."""
        new = [row for row, design in enumerate(_tuples(pool)) if design not in self._seen]
        return float(self._worth(foreseen)[new].max(initial=-np.inf))

    def _distance(self, found: Numbers) -> Numbers:
        """How far objectives (B, K) are from the best so far, each in units of it; of several the one that is worst.

        Before there is one, from the best of those that are first foreseen. Each batch weighs several objectives anew,
        so that the front fills.
        """
        good = in_spec(self._problem, self._values)
        if good.any():
            best = figures(self._problem, self._values[good]).min(axis=0)
        else:
            if self._first is None:
                self._first = np.where(np.isfinite(found), found, np.inf).min(axis=0)
            best = self._first
        count = found.shape[1]
        weights = np.ones(count) if count == 1 else self._weights
        scaled = (found - best) / np.where(best == 0, 1.0, np.abs(best))
        return np.asarray(np.where(np.isfinite(scaled), scaled * weights, 1e3).max(axis=1))

    @property
    def _weights(self) -> Numbers:
        """Weights of several objectives, different ones for every number of designs simulated."""
        rng = np.random.default_rng(len(self._seen))
        drawn = rng.dirichlet(np.ones(len(self._problem.objectives)))
        return np.asarray(drawn * len(drawn))

    def _chosen(self, pool: Indices, foreseen: Foreseen) -> list[int]:
        """Rows of the pool to simulate."""
        chosen: list[int] = []
        worth = self._worth(foreseen)
        worth[[row for row, design in enumerate(_tuples(pool)) if design in self._seen]] = -np.inf
        good = [self._population[row].design for row in np.flatnonzero(in_spec(self._problem, self._values))]
        for _ in range(min(self._settings.batch, int(np.isfinite(worth).sum()))):
            best = int(np.argmax(worth))
            if not self._problem.objectives and good and len(good) % 2 and worth[best] > 0:
                best = self._furthest(pool, worth, good)
            chosen.append(best)
            good.append(tuple(pool[best].tolist()))
            worth[best] = -np.inf
        return chosen

    def _furthest(self, pool: Indices, worth: Numbers, good: Sequence[Design]) -> int:
        """The row with a good margin whose design is furthest from those in spec, in shares of the ranges."""
        rows = np.flatnonzero(worth >= GOOD_SHARE * worth.max())
        span = np.maximum(self._problem.shape - 1, 1)
        steps = np.abs(pool[rows, None] - np.array(good)[None]) / span
        return int(rows[np.argmax(steps.mean(axis=2).min(axis=1))])


def _tuples(designs: Indices) -> list[Design]:
    return list(map(tuple, designs.tolist()))


def _joined(one: Foreseen, other: Foreseen) -> Foreseen:
    return Foreseen(
        np.concatenate([one.margin, other.margin]),
        np.concatenate([one.figures, other.figures]),
        np.concatenate([one.probability, other.probability]),
    )

"""What the next designs are to do better than, once there are designs in spec: an objective's moving target.

With one objective it is the best design, and a step beyond it. With several, it is a place on the front: beyond one of
its ends, or in a gap between two neighbours, where a design is wanted that is better in each objective than the one of
them that is worse in it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import cdist

from sizing.evaluation import Evaluation, values_of
from sizing.objectives import figures, front, in_spec
from sizing.problem import Problem
from sizing.search.discriminator import Discriminator
from sizing.search.variation import Indices
from sizing.simulation.simulator import Measured

FIRST_STEP, LARGEST_STEP, SMALLEST_STEP = 0.1, 0.2, 0.001
"""Beyond the best value of an objective, as a share of it."""
INTO_A_GAP = 0.25
"""How far from its ends a design is wanted in a gap, as a share of the gap."""
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Aim:
    """Designs in spec, with the values to reach in place of their own, and what is asked in comparison with each."""

    references: tuple[tuple[Evaluation, tuple[int, ...]], ...]
    """Each with the objectives, by metric, in which it is to be beaten; the others need only meet their targets."""
    parents: NDArray[np.intp]
    """Rows of the designs in spec, the nearest first."""

    def values(self, problem: Problem) -> dict[str, float]:
        """The value to reach of every objective that is aimed at, by name."""
        asked = [(evaluation, m) for evaluation, metrics in self.references for m in metrics]
        return {problem.metrics[m].name: float(values_of([evaluation])[0, m]) for evaluation, m in asked}

    def judge(
        self, discriminator: Discriminator, problem: Problem, candidates: Indices, pending: Indices | None = None
    ) -> Numbers:
        """The probability (B, M) that each metric meets its target, and each objective that is aimed at its value."""
        judged = [discriminator.judge(candidates, reference, pending) for reference, _ in self.references]
        asked = {m for _, metrics in self.references for m in metrics}
        whole = asked.issuperset(problem.objectives)
        result = (judged[0] if whole else discriminator.judge(candidates, None, pending)).copy()
        for answers, (_, metrics) in zip(judged, self.references, strict=True):
            result[:, metrics] = answers[:, metrics]
        return result


class Aims:
    """Chooses an aim for one batch after the other.

    An end of the front counts as a gap as wide as the front. Each time that a place was aimed at, others have to be
    that much smaller to be aimed at before it.
    """

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._tries: Counter[tuple[int, ...]] = Counter()
        self._steps = dict.fromkeys(problem.objectives, FIRST_STEP)
        self._best: dict[int, float] = {}

    def next(self, population: Sequence[Evaluation], values: Numbers) -> Aim | None:
        """What to do better than among these measured designs (N, M); None where none is in spec."""
        rows = np.flatnonzero(in_spec(self._problem, values))
        objectives = self._problem.objectives
        if not objectives or not len(rows):
            return None
        found = figures(self._problem, values[rows])
        if len(objectives) == 1:
            return self._beyond(0, population, rows, found, found)
        on_front = front(self._problem, values)[rows]
        low, high = found[on_front].min(axis=0), found[on_front].max(axis=0)
        places = (found - low) / np.where(high > low, high - low, np.abs(low) + (low == 0))
        key, between = self._widest(population, rows[on_front], places[on_front])
        self._tries[key] += 1
        if len(between) == 1:
            return self._beyond(between[0], population, rows, found, places)
        ends = np.flatnonzero(on_front)[list(between)]
        return self._into(ends, INTO_A_GAP / self._tries[key], population, rows, found, places)

    def _widest(
        self, population: Sequence[Evaluation], rows: NDArray[np.intp], places: Numbers
    ) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """A name for the place to aim at, and the end of the front by objective, or the neighbours with the gap."""
        choices: list[tuple[float, tuple[int, ...], tuple[int, ...]]] = [
            (1.0, (-1, end), (end,)) for end in range(places.shape[1])
        ]
        tree = minimum_spanning_tree(cdist(places, places)).tocoo()
        choices += [
            (float(length), (population[rows[one]].index, population[rows[other]].index), (int(one), int(other)))
            for one, other, length in zip(tree.row, tree.col, tree.data, strict=True)
        ]
        _, key, between = max(choices, key=lambda choice: choice[0] / (1 + self._tries[choice[1]]))
        return key, between

    def _beyond(
        self, end: int, population: Sequence[Evaluation], rows: NDArray[np.intp], found: Numbers, places: Numbers
    ) -> Aim:
        """A step beyond the best design by one objective, longer after a success and shorter after a failure."""
        metric = self._problem.objectives[end]
        nearest = np.argsort(places[:, end], kind="stable")
        best = float(found[nearest[0], end])
        if metric in self._best:
            self._steps[metric] *= 2 if best < self._best[metric] else 0.5
            self._steps[metric] = float(np.clip(self._steps[metric], SMALLEST_STEP, LARGEST_STEP))
        self._best[metric] = best
        wanted = best - self._steps[metric] * (abs(best) or float(found[:, end].std()) or 1.0)
        reference = self._reaching(population[rows[nearest[0]]], {metric: wanted})
        return Aim(((reference, (metric,)),), rows[nearest])

    def _into(
        self,
        ends: NDArray[np.intp],
        depth: float,
        population: Sequence[Evaluation],
        rows: NDArray[np.intp],
        found: Numbers,
        places: Numbers,
    ) -> Aim:
        """Into the gap between two designs on the front."""
        one, other = found[ends]
        wanted = np.maximum(one, other) - depth * np.abs(one - other)
        references = []
        for end, worse in zip(ends, (one >= other, one < other), strict=True):
            asked = {m: float(w) for m, w, its in zip(self._problem.objectives, wanted, worse, strict=True) if its}
            if asked:
                references.append((self._reaching(population[rows[end]], asked), tuple(asked)))
        nearest = np.argsort(cdist(places, places[ends]).sum(axis=1), kind="stable")
        return Aim(tuple(references), rows[nearest])

    def _reaching(self, evaluation: Evaluation, wanted: Mapping[int, float]) -> Evaluation:
        """The evaluation with these figures in place of its own, as far as its metrics' targets allow."""
        values = values_of([evaluation])[0]
        for m, figure in wanted.items():
            metric = self._problem.metrics[m]
            values[m] = np.clip(metric.sign * figure, metric.at_least, metric.at_most)
        return replace(evaluation, outcome=Measured(tuple(values.tolist()), {}))

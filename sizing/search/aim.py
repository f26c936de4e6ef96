"""What the next designs are to do better than, once there are designs in spec: an objective's moving target.

With one objective it is the best design, and a step beyond it. With several, it is a place on the front: beyond one of
its ends, or in a gap between two neighbours, where a design is wanted that is better in each objective than the one of
them that is worse in it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sizing.evaluation.evaluator import Evaluation, values_of
from sizing.search.discriminator import Discriminator
from sizing.search.variation import Indices
from sizing.simulation.simulator import Measured
from sizing.task.objectives import figures, front, in_spec
from sizing.task.problem import Problem

STEPS = (0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32)
"""Beyond an end of the front as shares of its value there, into a gap in units of ten times its width."""
FIRST_STEP = 0.04
GAP_WIDTHS_PER_UNIT = 10.0
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Rival:
    """A design in spec that is to be beaten in one objective."""

    evaluation: Evaluation
    metric: int
    figure: float
    """Its own, less being better."""
    unit: float
    """Unit of the steps beyond it."""


@dataclass(frozen=True)
class Aim:
    """Better than each rival in its objective by a step; in the other objectives only their targets are to be met."""

    problem: Problem
    rivals: tuple[Rival, ...]
    parents: NDArray[np.intp]
    """Rows of the designs in spec, the nearest first."""
    step: float = FIRST_STEP

    @property
    def values(self) -> dict[str, float]:
        """The value to reach in every objective that is aimed at, by name."""
        return {self.problem.metrics[rival.metric].name: self._value(rival) for rival in self.rivals}

    def judge(self, discriminator: Discriminator, candidates: Indices, pending: Indices | None = None) -> Numbers:
        """The probability (B, M) that each metric meets its target, and each objective that is aimed at its value."""
        judged = [discriminator.judge(candidates, self._reference(rival), pending) for rival in self.rivals]
        aimed = {rival.metric for rival in self.rivals}
        alone = len(self.rivals) == 1 and aimed.issuperset(self.problem.objectives)
        result = judged[0] if alone else discriminator.judge(candidates, None, pending).copy()
        for answers, rival in zip(judged, self.rivals, strict=True):
            result[:, rival.metric] = answers[:, rival.metric]
        return result

    def _reference(self, rival: Rival) -> Evaluation:
        """The rival with the value to reach in place of its own."""
        values = values_of([rival.evaluation])[0]
        values[rival.metric] = self._value(rival)
        return replace(rival.evaluation, outcome=Measured(tuple(values.tolist()), {}))

    def _value(self, rival: Rival) -> float:
        metric = self.problem.metrics[rival.metric]
        wanted = metric.sign * (rival.figure - self.step * rival.unit)
        return float(np.clip(wanted, metric.at_least, metric.at_most))


class Aims:
    """Chooses an aim for one batch after the other.

    An end of the front counts as a gap as wide as the front. Each time that a place was aimed at, others have to be
    that much smaller to be aimed at before it.
    """

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._tries: Counter[tuple[int, ...]] = Counter()

    def next(self, population: Sequence[Evaluation], values: Numbers) -> Aim | None:
        """What to do better than among these measured designs (N, M); None where none is in spec."""
        rows = np.flatnonzero(in_spec(self._problem, values))
        if not self._problem.objectives or not len(rows):
            return None
        found = figures(self._problem, values[rows])
        on_front = np.flatnonzero(front(self._problem, values)[rows])
        low, high = found[on_front].min(axis=0), found[on_front].max(axis=0)
        places = (found - low) / np.where(high > low, high - low, np.abs(low) + (low == 0))
        chosen = self._widest([population[row].index for row in rows[on_front]], places[on_front])
        if isinstance(chosen, int):
            nearest = np.argsort(places[:, chosen], kind="stable")
            rivals = [self._beyond(chosen, population[rows[nearest[0]]], found[:, chosen])]
        else:
            ends = on_front[list(chosen)]
            from scipy.spatial.distance import cdist  # here, so that runs without objectives start sooner

            nearest = np.argsort(cdist(places, places[ends]).sum(axis=1), kind="stable")
            one, other = (population[rows[end]] for end in ends)
            rivals = self._between(one, other, *found[ends])
        return Aim(self._problem, tuple(rivals), rows[nearest])

    def _widest(self, names: Sequence[int], places: Numbers) -> int | tuple[int, int]:
        """The end of the front by its objective, or the neighbours on it (by row) with the gap, to aim at next."""
        from scipy.sparse.csgraph import minimum_spanning_tree
        from scipy.spatial.distance import cdist

        ends = range(places.shape[1])
        tree = minimum_spanning_tree(cdist(places, places)).tocoo()
        gaps = [(int(one), int(other)) for one, other in zip(tree.row, tree.col, strict=True)]
        widths = [*(1.0 for _ in ends), *tree.data]
        keys = [*((end,) for end in ends), *((names[one], names[other]) for one, other in gaps)]
        best = int(np.argmax([width / (1 + self._tries[key]) for width, key in zip(widths, keys, strict=True)]))
        self._tries[keys[best]] += 1
        return best if best < len(ends) else gaps[best - len(ends)]

    def _beyond(self, end: int, evaluation: Evaluation, found: Numbers) -> Rival:
        figure = float(found.min())
        return Rival(evaluation, self._problem.objectives[end], figure, abs(figure) or float(found.std()) or 1.0)

    def _between(self, one: Evaluation, other: Evaluation, first: Numbers, second: Numbers) -> list[Rival]:
        rivals = []
        for metric, mine, its in zip(self._problem.objectives, first.tolist(), second.tolist(), strict=True):
            unit, figure = GAP_WIDTHS_PER_UNIT * abs(mine - its), max(mine, its)
            if min(mine, its) > 0:  # it stays so
                unit = min(unit, figure / (2 * STEPS[-1]))
            rivals.append(Rival(one if mine > its else other, metric, figure, unit))
        return rivals

"""The judge that knows transistors: metrics told from device tables, and what simulations say of the difference."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from sizing.evaluation.corners import NOMINAL, ActiveCorners
from sizing.evaluation.evaluator import Evaluation
from sizing.search.foresight import Foreseen
from sizing.simulation.simulator import Measured
from sizing.task.job import Conditions
from sizing.task.objectives import completed, figures, margin
from sizing.task.problem import Metric, Problem
from surrogates.processes.scales import Scale
from surrogates.tables.differences import Differences

Array = NDArray[np.float64]
Tell = Callable[[Mapping[str, Array], Conditions], Array]
"""Metric values (B, M) of designs, from every variable's values (B,), under some conditions; NaN where not told."""

TOLD, UNTOLD = 0.05, 1.0
"""How far a metric is from what is told of it before it was simulated, on its scale; and one from its target of which
nothing is told."""
SURE = 1.0
"""Standard deviations by which a metric may be worse than expected."""
UNTELLING = 0.98
"""Share of designs without a value from which on a metric counts as one that tables do not tell."""
HOPELESS = -10.0
"""The margin of a design of which a metric has no value."""
MISSING = 0.5
"""On a metric's scale: how much worse than told a design counts whose simulation gave no value."""


class TablesJudge:
    """Foresees metrics as what is told plus the difference that simulations have shown, with how sure that is."""

    def __init__(self, problem: Problem, features: Callable[[NDArray[np.int64]], Array], tell: Tell) -> None:
        self._problem = problem
        self._features = features
        self._tell = tell
        self._values = [np.array(variable.values) for variable in problem.variables]
        self._scales: list[Scale] = []
        self._asked: tuple[int, ...] = (NOMINAL,)
        """The corners that have decided about a design so far."""
        self._known: dict[tuple[int, tuple[int, ...]], Array] = {}
        """What is told of a design at a corner."""
        self._untold: NDArray[np.bool_] | None = None
        """Metrics (M,) that tables do not tell."""
        self._differences = Differences(np.full(len(problem.metrics), TOLD))

    def fit(self, evaluations: Sequence[Evaluation]) -> None:
        """Learn from what measured designs gave at each corner that decides."""
        self._asked = (NOMINAL, *ActiveCorners(self._problem, (each.corners for each in evaluations)).worst_first)
        designs = np.array([each.design for each in evaluations])
        features, rows, found = self._features(designs), [], []
        for corner in self._asked:
            told = self._scaled(self._told(designs, corner))
            for row, evaluation in enumerate(evaluations):
                outcome = evaluation.corners.get(corner)
                if isinstance(outcome, Measured):
                    rows.append(row)
                    found.append(self._difference(np.array(outcome.values), told[row]))
        self._differences = Differences(np.where(self._without, UNTOLD, TOLD))
        self._differences.fit(features[rows], np.array(found))

    def foresee(self, candidates: NDArray[np.int64]) -> Foreseen:
        """Of candidates (B, V) as grid indices: at the worst of the corners that decide."""
        if not len(candidates):
            count = len(self._problem.metrics)
            return Foreseen(np.empty(0), np.empty((0, len(self._problem.objectives))), np.empty((0, count)))
        margins, probabilities, objectives = [], [], []
        for corner in self._asked:
            told = self._scaled(self._told(candidates, corner))
            mean, deviation = self._differences.predict(self._features(candidates))
            mean = mean + told
            margins.append(self._margin(mean, deviation))
            probabilities.append(self._probability(mean, deviation))
            objectives.append(figures(self._problem, self._unscaled(mean)))
        return Foreseen(np.min(margins, axis=0), np.max(objectives, axis=0), np.min(probabilities, axis=0))

    @property
    def _without(self) -> NDArray[np.bool_]:
        return np.zeros(len(self._problem.metrics), bool) if self._untold is None else self._untold

    def _told(self, designs: NDArray[np.int64], corner: int) -> Array:
        """What tables tell (B, M) of designs, each told once."""
        keys = [(corner, tuple(design)) for design in designs.tolist()]
        if new := [row for row, key in enumerate(keys) if key not in self._known]:
            values = {
                variable.name: self._values[v][designs[new, v]] for v, variable in enumerate(self._problem.variables)
            }
            told = completed(self._problem, self._tell(values, self._problem.corners[corner].conditions))
            if self._untold is None:
                self._untold = np.isnan(told).mean(axis=0) > UNTELLING
                self._scales = [Scale.of(metric, told[:, m]) for m, metric in enumerate(self._problem.metrics)]
            self._known.update(zip((keys[row] for row in new), told, strict=True))
        return np.array([self._known[key] for key in keys])

    def _scaled(self, told: Array) -> Array:
        """On the metrics' scales; 0, the target, where tables do not tell the metric, NaN where they tell none."""
        columns = [np.where(np.isnan(told[:, m]), np.nan, scale(told[:, m])) for m, scale in enumerate(self._scales)]
        return np.where(self._without, 0.0, np.stack(columns, axis=1))

    def _unscaled(self, scaled: Array) -> Array:
        return np.stack([scale.inverse(scaled[:, m]) for m, scale in enumerate(self._scales)], axis=1)

    def _difference(self, simulated: Array, told: Array) -> Array:
        """Of one design (M,); where a simulation gave no value, as if it had been worse than told."""
        found = np.array([float(scale(simulated[m : m + 1])[0]) for m, scale in enumerate(self._scales)]) - told
        worse = np.array([_worse(metric) for metric in self._problem.metrics])
        return np.where(np.isnan(simulated), MISSING * worse, found)

    def _margin(self, mean: Array, deviation: Array) -> Array:
        """The smallest margin (B,) with each metric worse than expected by what is uncertain of it."""
        ends = [self._unscaled(mean + sign * SURE * deviation) for sign in (-1, 1)]
        columns = [
            np.minimum(*(margin(metric, values[:, m]) for values in ends))
            for m, metric in enumerate(self._problem.metrics)
            if self._differences.seen[m] or not self._without[m]  # of others nothing is known
        ]
        smallest = np.min(columns, axis=0)
        return np.asarray(np.where(np.isnan(mean).any(axis=1), HOPELESS, np.maximum(smallest, HOPELESS)))

    def _probability(self, mean: Array, deviation: Array) -> Array:
        low, high = np.array([scale.targets for scale in self._scales]).T
        return np.asarray(np.nan_to_num(ndtr((high - mean) / deviation) - ndtr((low - mean) / deviation)))


def _worse(metric: Metric) -> float:
    """In which direction a metric gets worse."""
    if metric.goal is not None:
        return metric.sign
    return -1.0 if metric.at_least is not None else 1.0

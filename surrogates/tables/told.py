"""What device tables tell of a design, as numbers that a network reads."""

import numpy as np
from numpy.typing import NDArray

from sizing.task.objectives import completed
from sizing.task.problem import Problem
from surrogates.features import DesignFeatures
from surrogates.processes.scales import FARTHEST_DISTANCE, Scale
from surrogates.tables.judge import Tell

_STEEPNESS = (0.5, 8.0)
"""Steepness of a metric's two numbers: one tells far from near, the other on which side of its target it is."""
_DESIGNS_TO_SCALE_BY = 200


class ToldFeatures:
    """A design's own numbers, and every metric that tables tell of it, by how far it is from its target."""

    def __init__(self, problem: Problem, tell: Tell) -> None:
        self._problem = problem
        self._tell = tell
        self._own = DesignFeatures(problem)
        some = np.random.default_rng(0).integers(0, problem.shape, (_DESIGNS_TO_SCALE_BY, len(problem.shape)))
        told = self._told(some)
        self._scales = [Scale.of(metric, told[:, m]) for m, metric in enumerate(problem.metrics)]
        self.width = self._own.width + len(_STEEPNESS) * len(problem.metrics)

    def __call__(self, designs: NDArray[np.int64]) -> NDArray[np.float32]:
        """Features (B, width) of designs (B, V) given as grid indices."""
        scaled = [
            np.where(np.isnan(told), scale.worse * FARTHEST_DISTANCE, scale(told))  # whatever else is asked about
            for scale, told in zip(self._scales, self._told(designs).T, strict=True)
        ]
        found = [np.tanh(steepness * np.stack(scaled, axis=1)) for steepness in _STEEPNESS]
        return np.concatenate([self._own(designs), *found], axis=1, dtype=np.float32)

    def _told(self, designs: NDArray[np.int64]) -> NDArray[np.float64]:
        conditions = self._problem.corners[0].conditions
        return completed(self._problem, self._tell(self._problem.columns(designs), conditions, integrate=True))

"""Metric values on scales on which they vary smoothly, and where the targets lie on these."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sizing.problem import Metric

Array = NDArray[np.float64]

FARTHEST = 4.0
"""Beyond this distance from the target all values are the same: how bad a useless design is does not matter."""
BEYOND_WORST = 0.3
LOGARITHMIC_UNITS = ("dB", "deg")
"""Of quantities that are logarithms, or angles, already."""


@dataclass(frozen=True)
class Scale:
    """The logarithm of value over target, or the distance to the target in halves of the target."""

    metric: Metric
    logarithmic: bool

    @classmethod
    def of(cls, metric: Metric, values: Array) -> "Scale":
        """Logarithmic where targets and all values (N,) measured so far, NaN where missing, are positive."""
        positive = min(_bounds(metric)) > 0 and not (values <= 0).any()
        return cls(metric, positive and metric.unit not in LOGARITHMIC_UNITS)

    @property
    def targets(self) -> tuple[float, float]:
        """The interval of scaled values that meet the target, infinite where it has no end."""
        low, high = self.metric.at_least, self.metric.at_most
        return (
            -np.inf if low is None else float(self._scaled(low)),
            np.inf if high is None else float(self._scaled(high)),
        )

    def __call__(self, values: Array) -> Array:
        """Scaled values (N,); one that is missing is somewhat worse than the worst that is not."""
        ends = [end for end in self.targets if np.isfinite(end)]
        scaled = np.clip(self._scaled(values), min(ends) - FARTHEST, max(ends) + FARTHEST)
        known = scaled[~np.isnan(scaled)]
        if self.metric.at_least is not None:
            worst = known.min(initial=min(ends)) - BEYOND_WORST
        else:
            worst = known.max(initial=max(ends)) + BEYOND_WORST
        return np.where(np.isnan(scaled), worst, scaled)

    def _scaled(self, values: Array | float) -> Array:
        target = _bounds(self.metric)[0]
        if self.logarithmic:
            return np.asarray(np.log(np.asarray(values) / target))
        return np.asarray(2 * (np.asarray(values) - target) / (abs(target) or 1.0))


def _bounds(metric: Metric) -> list[float]:
    return [bound for bound in (metric.at_least, metric.at_most) if bound is not None]

"""Metric values on scales on which they vary smoothly, and where the targets lie on these."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sizing.task.problem import Metric

Array = NDArray[np.float64]

FARTHEST_DISTANCE = 4.0
"""Beyond this distance from the target all values are the same: how bad a useless design is does not matter."""
BEYOND_WORST = 0.3
LOGARITHMIC_UNITS = ("dB", "deg")
"""Units of quantities that are logarithms, or angles, already."""


@dataclass(frozen=True)
class Scale:
    """The logarithm of value over origin, or the distance to the origin in halves of a unit.

    The origin is the target, and of an objective the best value so far, beyond which nothing is clipped.
    """

    metric: Metric
    logarithmic: bool
    origin: float
    unit: float

    @classmethod
    def of(cls, metric: Metric, values: Array) -> "Scale":
        """Logarithmic where targets and all values (N,) measured so far, NaN where missing, are positive."""
        bounds = _bounds(metric)
        positive = min(bounds, default=1.0) > 0 and not (values <= 0).any()
        logarithmic = positive and metric.unit not in LOGARITHMIC_UNITS
        known = values[~np.isnan(values)]
        if metric.goal is None or not len(known):
            origin = bounds[0] if bounds else 1.0
            return cls(metric, logarithmic, origin, abs(origin) or 1.0)
        origin = float(metric.sign * (metric.sign * known).min())
        unit = abs(bounds[0]) if bounds else float(np.median(np.abs(known - origin)))
        return cls(metric, logarithmic, origin, unit or abs(origin) or 1.0)

    @property
    def targets(self) -> tuple[float, float]:
        """The interval of scaled values that meet the target, infinite where it has no end."""
        low, high = self.metric.at_least, self.metric.at_most
        return (
            -np.inf if low is None else float(self._scaled(low)),
            np.inf if high is None else float(self._scaled(high)),
        )

    @property
    def worse(self) -> float:
        """1 where larger scaled values are worse, -1 where smaller ones are."""
        if self.metric.goal is not None:
            return self.metric.sign
        return -1.0 if self.metric.at_least is not None else 1.0

    def __call__(self, values: Array) -> Array:
        """Scaled values (N,); one that is missing is somewhat worse than the worst that is not."""
        ends = [end for end in (*self.targets, float(self._scaled(self.origin))) if np.isfinite(end)]
        rising, falling = self.metric.goal == "maximize", self.metric.goal == "minimize"
        least, most = min(ends) - FARTHEST_DISTANCE, max(ends) + FARTHEST_DISTANCE
        scaled = np.clip(self._scaled(values), -np.inf if falling else least, np.inf if rising else most)
        known = scaled[~np.isnan(scaled)]
        if self.worse < 0:
            worst = known.min(initial=min(ends)) - BEYOND_WORST
        else:
            worst = known.max(initial=max(ends)) + BEYOND_WORST
        return np.where(np.isnan(scaled), worst, scaled)

    def inverse(self, scaled: Array) -> Array:
        """The values (N,) that lie at these places of the scale."""
        if self.logarithmic:
            return np.asarray(self.origin * np.exp(scaled))
        return np.asarray(self.origin + scaled * self.unit / 2)

    def _scaled(self, values: Array | float) -> Array:
        if self.logarithmic:
            return np.asarray(np.log(np.asarray(values) / self.origin))
        return np.asarray(2 * (np.asarray(values) - self.origin) / self.unit)


def _bounds(metric: Metric) -> list[float]:
    return [bound for bound in (metric.at_least, metric.at_most) if bound is not None]

"""Which of a device's parameters vary from design to design, and at which of their values it is measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
PER_DECADE = {1: (24,), 2: (6, 2)}
"""Measured values a decade of each axis, by the number of axes: of length, then of width."""
PER_DECADE_SMOOTH = 5
"""The same of the single axis of a device that has no bins."""
FEW_VALUES = 4
_AXIS_ORDER = {"l": 0, "w": 1}
_EXACT_ERROR = 1e-6
_CUBIC_NODES = 4


class TooManyParameters(ValueError):
    """More parameters vary on their own than a table has axes."""


@dataclass(frozen=True)
class Geometry:
    """All parameters of a device as affine functions of the few that vary on their own, the axes.

    `nodes` has each axis' measured values in ascending order, `affine` (1 + axes, parameters) the constant and the
    slopes of every parameter.
    """

    axes: tuple[int, ...]
    nodes: tuple[tuple[float, ...], ...]
    affine: tuple[tuple[float, ...], ...]
    is_smooth: bool = False
    """Whether the single axis is interpolated by cubics, through the four values around."""

    @property
    def around(self) -> int:
        """How many measured devices another one is told from."""
        return _CUBIC_NODES if self.is_smooth else 2 ** len(self.axes)

    @property
    def measured(self) -> tuple[tuple[float, ...], ...]:
        """The parameters of every measured device; the last axis is the fastest."""
        combined = list(product(*self.nodes))
        points = np.array(combined).reshape(len(combined), len(self.axes))
        rows = np.hstack([np.ones((len(points), 1)), points]) @ np.array(self.affine)
        for column, axis in enumerate(self.axes):  # to the last bit
            rows[:, axis] = points[:, column]
        return tuple(tuple(float(f"{value:.12g}") for value in row) for row in rows)

    def weights(self, values: Array) -> tuple[NDArray[np.int64], Array, Array]:
        """The measured devices around parameters (M, P): places, and weights for logarithms and for plain values.

        All three are (M, 2 ** axes), or (M, 4) where smooth; values beyond the ends count as the ends.
        """
        if self.is_smooth:
            return _cubic(np.array(self.nodes[0]), values[:, self.axes[0]])
        place: NDArray[np.int64] = np.zeros((len(values), 1), np.int64)
        logarithmic, linear = np.ones((len(values), 1)), np.ones((len(values), 1))
        for axis, nodes in zip(self.axes, self.nodes, strict=True):
            known = np.array(nodes)
            value = np.clip(values[:, axis], known[0], known[-1])
            low = np.clip(np.searchsorted(known, value, side="right") - 1, 0, len(known) - 2)
            plain = (value - known[low]) / (known[low + 1] - known[low])
            log = np.log(value / known[low]) / np.log(known[low + 1] / known[low]) if known[0] > 0 else plain
            place = (place[:, :, None] * len(known) + (low[:, None] + np.array([0, 1]))[:, None, :]).reshape(
                len(values), -1
            )
            logarithmic = _outer(logarithmic, np.stack([1 - log, log], -1))
            linear = _outer(linear, np.stack([1 - plain, plain], -1))
        return place, logarithmic, linear


def geometry(names: Sequence[str], samples: Array, *, is_smooth: bool = False) -> Geometry:
    """The geometry of devices with these parameters, from values (N, P) that they have in many designs.

    What `is_smooth` has no bins.

    Raises TooManyParameters.
    """
    order = sorted(range(len(names)), key=lambda column: _AXIS_ORDER.get(names[column], len(_AXIS_ORDER)))
    axes: list[int] = []
    for column in order:
        fitted, error = _fit(samples, axes, [column])
        if error > _EXACT_ERROR * np.abs(samples[:, column]).max(initial=1e-300):
            axes.append(column)
    if len(axes) > max(PER_DECADE):
        raise TooManyParameters(", ".join(names[axis] for axis in axes))
    fitted, _ = _fit(samples, axes, range(len(names)))
    is_smooth &= len(axes) == 1
    per_decade = (PER_DECADE_SMOOTH,) if is_smooth else PER_DECADE.get(len(axes), ())
    nodes = tuple(_nodes(samples[:, axis], count) for axis, count in zip(axes, per_decade, strict=True))
    is_smooth &= len(nodes[0]) >= _CUBIC_NODES if is_smooth else False
    return Geometry(tuple(axes), nodes, tuple(map(tuple, fitted.tolist())), is_smooth)


def _fit(samples: Array, axes: Sequence[int], columns: Sequence[int]) -> tuple[Array, float]:
    """Affine functions of the axes, (1 + axes, columns), and the largest error of one."""
    scale = np.abs(samples).max(axis=0, initial=1e-300) + 1e-300
    known = np.hstack([np.ones((len(samples), 1)), samples[:, axes] / scale[list(axes)]])
    wanted = samples[:, list(columns)]
    found = np.linalg.lstsq(known, wanted, rcond=1e-9)[0]
    error = np.abs(known @ found - wanted).max(initial=0.0)
    found[1:] /= scale[list(axes), None]
    return found, float(error)


def _nodes(values: Array, per_decade: int) -> tuple[float, ...]:
    """All values where they are few; else the ends and preferred numbers (as 1, 1.5, 2.2, 3.3, …) between."""
    distinct = np.unique(values)
    if len(distinct) <= FEW_VALUES:
        return tuple(distinct.tolist())
    low, high = float(distinct[0]), float(distinct[-1])
    if low <= 0:
        return tuple(np.linspace(low, high, per_decade + 1).tolist())
    exponents = range(int(np.floor(np.log10(low))) * per_decade, int(np.ceil(np.log10(high))) * per_decade + 1)
    series = {float(f"{10 ** (exponent / per_decade):.2g}") for exponent in exponents}
    if (distinct == np.rint(distinct)).all():
        series = {float(np.rint(value)) for value in series}
    apart = 10 ** (0.4 / per_decade)
    return (low, *sorted(value for value in series if low * apart < value < high / apart), high)


def _cubic(nodes: Array, values: Array) -> tuple[NDArray[np.int64], Array, Array]:
    """Places and weights (M, 4) of Lagrange's cubics, in logarithms and plainly; plainly alone from zero on."""
    value = np.clip(values, nodes[0], nodes[-1])
    low = np.clip(np.searchsorted(nodes, value) - _CUBIC_NODES // 2, 0, len(nodes) - _CUBIC_NODES)
    places = low[:, None] + np.arange(_CUBIC_NODES)
    plain = _lagrange(nodes[places], value)
    return places, _lagrange(np.log(nodes[places]), np.log(value)) if nodes[0] > 0 else plain, plain


def _lagrange(at: Array, value: Array) -> Array:
    """The weights (M, K) of values at K places (M, K) in the polynomial through them."""
    others = ~np.eye(at.shape[1], dtype=bool)
    above = np.where(others, value[:, None, None] - at[:, None, :], 1.0).prod(axis=-1)
    found: Array = above / np.where(others, at[:, :, None] - at[:, None, :], 1.0).prod(axis=-1)
    return found


def _outer(left: Array, right: Array) -> Array:
    return (left[:, :, None] * right[:, None, :]).reshape(len(left), -1)

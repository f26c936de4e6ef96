"""Cubic splines on grids of three voltages, for many quantities at once, mixed over measured geometries."""

import numpy as np
from numpy.typing import NDArray

from surrogates.tables.grids import Axis, Grid

Array = NDArray[np.float64]
Places = NDArray[np.int64]
_PADDING = 12
"""Points added at both ends by continuing parabolas, so that what the filter assumes beyond does not matter."""
_CUBIC_FROM = 4
"""Points; with fewer, an axis is interpolated linearly."""
_AT_ONCE = 256_000
"""Coefficients gathered at a time: what fits into a core's cache takes a tenth of the time of what does not."""


class Splines:
    """C quantities over bulk, gate and drain voltages, for each of G geometries; linear beyond the grid's ends."""

    def __init__(self, grid: Grid, values: Array, flat_below: bool = False) -> None:
        """Values (G, bulk, gate, drain, C) to go through; `flat_below` holds them below the drain's grid."""
        self._axes = (grid.bulk, grid.gate, grid.drain)
        self._flat_below = flat_below
        for along, axis in enumerate(self._axes, start=1):
            values = _coefficients(values, along, axis)
        self._sizes = values.shape[1:4]
        self._table = np.ascontiguousarray(values.reshape(-1, values.shape[-1]))
        bulk, gate, drain = (np.arange(_reach(axis)) for axis in self._axes)
        rows = bulk[:, None] * self._sizes[1] + gate
        self._around = (rows[..., None] * self._sizes[2] + drain).ravel()

    @property
    def rows(self) -> int:
        """Values and slopes that there are: with a single bulk voltage, none by that."""
        return 3 if self._sizes[0] == 1 else 4

    def at(self, places: Places, weights: Array, voltages: Array) -> Array:
        """Values and slopes (M, `rows`, C): of each quantity, and by drain, gate and bulk voltage.

        `places` (M, K) are geometries, `weights` (M, K, C) theirs in the mixture, `voltages` (M, 3) of drain, gate and
        bulk.
        """
        return self._mixed(places, weights, voltages, self.rows)

    def values(self, places: Places, weights: Array, voltages: Array) -> Array:
        """The values (M, C) alone."""
        return self._mixed(places, weights, voltages, 1)[:, 0]

    def _mixed(self, places: Places, weights: Array, voltages: Array, rows: int) -> Array:
        found = np.empty((len(places), rows, self._table.shape[1]))
        step = max(1, _AT_ONCE // self._around.size // places.shape[1] // self._table.shape[1])
        for first in range(0, len(places), step):
            part = slice(first, first + step)
            each = self._each(places[part], voltages[part], rows)
            if places.shape[1] == 1:
                found[part] = each[:, 0]
            else:
                np.einsum("mkc,mkrc->mrc", weights[part], each, out=found[part])
        return found

    def _each(self, places: Places, voltages: Array, rows: int) -> Array:
        """Values, or values and slopes, of each geometry (M, K, rows, C)."""
        drain, gate, bulk = voltages.T
        (first_b, wb, sb), (first_g, wg, sg), (first_d, wd, sd) = (
            _basis(axis, at) for axis, at in zip(self._axes, (bulk, gate, drain), strict=True)
        )
        if self._flat_below:
            below = drain < self._axes[2].start
            wd[below], sd[below] = np.array([1.0, 4.0, 1.0, 0.0]) / 6, 0.0
        start = (first_b * self._sizes[1] + first_g) * self._sizes[2] + first_d
        plane = self._sizes[0] * self._sizes[1] * self._sizes[2]
        around = self._table.take((places * plane + start[:, None])[..., None] + self._around, axis=0)
        basis = np.empty((len(places), 1, rows, self._around.size))
        for row, (b, g, d) in enumerate(((wb, wg, wd), (wb, wg, sd), (wb, sg, wd), (sb, wg, wd))[:rows]):
            _product(b, g, d, out=basis[:, 0, row])
        found: Array = basis @ around
        return found


def _basis(axis: Axis, at: Array) -> tuple[Places, Array, Array]:
    """The first coefficient (M,), the weights (M, 1, 2 or 4) of it and the next ones, and their slopes."""
    if axis.count == 1:
        return np.zeros(at.shape, np.int64), np.ones((*at.shape, 1)), np.zeros((*at.shape, 1))
    position = (at - axis.start) / axis.step
    inside = np.fmin(np.fmax(position, 0), axis.count - 1)  # of a design that diverges 0; it is NaN by what is beyond
    first = np.minimum(inside.astype(np.int64), axis.count - 2)
    t = inside - first
    reach = _reach(axis)
    polynomials = _CUBIC if reach == 4 else _LINEAR
    powers = np.empty((*at.shape, reach))
    powers[:, 0] = 1
    for power in range(1, reach):
        np.multiply(powers[:, power - 1], t, out=powers[:, power])
    both = powers @ polynomials
    weights, slopes = both[:, :reach], both[:, reach:]
    beyond = position - inside
    if beyond.any():
        weights += beyond[:, None] * slopes
    slopes /= axis.step
    return first, weights, slopes


_LINEAR = np.array([[1.0, 0.0, -1.0, 1.0], [-1.0, 1.0, 0.0, 0.0]])
"""Powers of the place within a cell (rows) to two weights and their two slopes."""
_CUBIC = np.array([
    [1, 4, 1, 0, -3, 0, 3, 0],
    [-3, 0, 3, 0, 6, -12, 6, 0],
    [3, -6, 3, 0, -3, 9, -9, 3],
    [-1, 3, -3, 1, 0, 0, 0, 0],
]) / 6  # fmt: skip
"""The same to the four weights of a uniform B-spline."""


def _reach(axis: Axis) -> int:
    """How many coefficients the value at a point depends on."""
    return 1 if axis.count == 1 else 2 if axis.count < _CUBIC_FROM else 4


def _product(bulk: Array, gate: Array, drain: Array, out: Array) -> None:
    if bulk.shape[1] == 1:  # the value itself
        np.multiply(gate[:, :, None], drain[:, None, :], out=out.reshape(len(gate), gate.shape[1], -1))
    else:
        plane = gate[:, :, None] * drain[:, None, :]
        np.multiply(
            bulk[:, :, None, None], plane[:, None], out=out.reshape(len(gate), *bulk.shape[1:], *plane.shape[1:])
        )


def _coefficients(values: Array, along: int, axis: Axis) -> Array:
    """The values along one dimension as coefficients of a cubic spline: one more at both ends."""
    if axis.count < _CUBIC_FROM:
        return values
    moved = np.moveaxis(values, along, 0)
    beyond = np.arange(1, _PADDING + 1).reshape(-1, *[1] * (moved.ndim - 1))
    before = _parabola(moved[:3], beyond)[::-1]
    after = _parabola(moved[:-4:-1], beyond)
    padded = np.concatenate([before, moved, after])
    kept = np.linalg.inv(_sampling(len(padded)))[_PADDING - 1 : axis.count + _PADDING + 1]
    return np.moveaxis(np.tensordot(kept, padded, 1), 0, along)


def _sampling(count: int) -> Array:
    """What a uniform cubic spline is at its knots, of its coefficients (count, count); mirrored at both ends."""
    found = np.diag(np.full(count, 4.0)) + np.eye(count, k=1) + np.eye(count, k=-1)
    found[0, 1] = found[-1, -2] = 2.0
    return found / 6


def _parabola(ends: Array, beyond: Places) -> Array:
    """What the parabola through three values, outermost first, is so many steps further out."""
    first = ends[0] - ends[1]
    second = ends[0] - 2 * ends[1] + ends[2]
    found: Array = ends[0] + beyond * first + beyond * (beyond + 1) / 2 * second
    return found

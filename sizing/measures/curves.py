"""Points of sampled curves, for the rows of a batch at once."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Points = NDArray[np.intp]
ROUNDING = 1e-9
"""How far, relatively, the last point of a sweep may be from where it was to end: ngspice adds up steps."""


def segment(end: Points) -> Points:
    """The points end - 1 and end: (2, ...)."""
    return np.array([end - 1, end])


def at_points(values: Array, points: Points) -> Array:
    """The values at each row's points (..., B), of rows (B, N)."""
    picked: Array = values[np.arange(len(values)), points]
    return picked


def spread(values: Array, within: NDArray[np.bool_]) -> Array:
    """Largest less smallest of each row of values (B, N), among those within a mask (B, N): (B,)."""
    largest: Array = np.where(within, values, -np.inf).max(axis=1)
    smallest: Array = np.where(within, values, np.inf).min(axis=1)
    return largest - smallest


def crossing(x: Array, y: Array, level: Array | float) -> Array:
    """Where the lines through two points each, (2, ...), pass the level, a number or (...)."""
    at: Array = x[0] + (x[1] - x[0]) * (level - y[0]) / (y[1] - y[0])
    return at


def interpolate(at: Array, axis: Array, values: Array) -> Array:
    """Values (B, N) along an axis (N,) at places (B, M), or (1, M) that the rows share: (B, M).

    What `np.interp` gives for every row of finite values, to the last bit: constant beyond the ends, and also from an
    axis that begins at -inf, as the logarithm of a sweep from 0 does.
    """
    after = np.clip(np.searchsorted(axis, at, side="right"), 1, axis.size - 1)
    rows = np.arange(len(values))[:, np.newaxis]
    x0, x1 = axis[after - 1], axis[after]
    y0, y1 = values[rows, after - 1], values[rows, after]
    slope = (y1 - y0) / (x1 - x0)
    line = slope * (at - x0) + y0
    line = np.where(np.isnan(line), slope * (at - x1) + y1, line)
    return np.where(at >= x1, y1, np.where(at <= x0, y0, line))

"""Points of sampled curves."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def crossing(axis: Array, values: Array, after: int, level: float) -> float:
    """Where the values pass `level` between points after - 1 and after, linearly."""
    x, y = axis[after - 1 : after + 1], values[after - 1 : after + 1]
    return float(x[0] + (x[1] - x[0]) * (level - y[0]) / (y[1] - y[0]))

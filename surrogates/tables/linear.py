"""Linear equations of many designs at once, of which some may have no solution."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def solved(matrix: NDArray[Any], right: NDArray[Any]) -> NDArray[Any]:
    """The solutions (B, ..., n, k) of B designs' systems (B, ..., n, n); NaN for a design of which one has none."""
    try:
        return np.linalg.solve(matrix, right)
    except np.linalg.LinAlgError:
        if len(matrix) == 1:
            return np.full(np.broadcast_shapes(right.shape, (*matrix.shape[:-1], 1)), np.nan, right.dtype)
        half = len(matrix) // 2
        return np.concatenate([solved(matrix[:half], right[:half]), solved(matrix[half:], right[half:])])

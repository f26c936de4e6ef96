"""Grid indices as points of the unit cube, for optimizers that know nothing but real numbers."""

import numpy as np
from numpy.typing import NDArray

from sizing.search.variation import Indices
from sizing.task.problem import Problem, Variable

Points = NDArray[np.float64]
"""Coordinates (N, V) from 0 to 1."""


class UnitCube:
    """Every value of a variable has a cell of [0, 1], and stands in it by grid index or by its logarithm.

    `scale` is "linear" or "log"; a variable with a value that is not positive is linear in any case.
    """

    def __init__(self, problem: Problem, scale: str) -> None:
        self._centres, self._edges = [], []
        for variable in problem.variables:
            at = positions(variable, scale)
            middles = (at[1:] + at[:-1]) / 2
            width = np.diff(at) if len(at) > 1 else np.ones(1)
            low, high = at[0] - width[0] / 2, at[-1] + width[-1] / 2
            self._centres.append((at - low) / (high - low))
            self._edges.append((middles - low) / (high - low))

    def points(self, designs: Indices) -> Points:
        """The centres of the designs' cells; designs (N, V) are grid indices."""
        columns = [centres[column] for centres, column in zip(self._centres, designs.T, strict=True)]
        return np.stack(columns, axis=1)

    def designs(self, points: Points) -> Indices:
        """Grid indices (N, V) of the cells in which the points lie."""
        columns = [np.searchsorted(edges, column) for edges, column in zip(self._edges, points.T, strict=True)]
        return np.stack(columns, axis=1).astype(np.int64)


def positions(variable: Variable, scale: str) -> NDArray[np.float64]:
    """Where the values stand, ascending: grid indices or logarithms."""
    if is_log(variable, scale):
        return np.log(variable.values)
    return np.arange(len(variable.values), dtype=float)


def is_log(variable: Variable, scale: str) -> bool:
    """Whether a variable is given by logarithm when this scale is wanted."""
    return scale == "log" and variable.values[0] > 0

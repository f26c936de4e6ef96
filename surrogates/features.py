"""Design -> feature vector, for extractors that know nothing of the circuit."""

import numpy as np
import torch
from numpy.typing import NDArray

from sizing.problem import Problem


class DesignFeatures:
    """Every variable's place on its grid and, where it is positive, its logarithm; all scaled to [-1, 1]."""

    def __init__(self, problem: Problem) -> None:
        columns = [_scaled(np.arange(len(variable.values), dtype=float)) for variable in problem.variables]
        self._tables = [torch.from_numpy(column).float() for column in columns]
        self._logarithms = {
            index: torch.from_numpy(_scaled(np.log(variable.values))).float()
            for index, variable in enumerate(problem.variables)
            if variable.values[0] > 0
        }
        self.width = len(self._tables) + len(self._logarithms)

    def __call__(self, designs: NDArray[np.int64]) -> torch.Tensor:
        """Features (B, width) of designs (B, V) given as grid indices."""
        index = torch.from_numpy(np.ascontiguousarray(designs))
        linear = [table[index[:, column]] for column, table in enumerate(self._tables)]
        logarithmic = [table[index[:, column]] for column, table in self._logarithms.items()]
        return torch.stack(linear + logarithmic, dim=1)


def _scaled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    span = values[-1] - values[0]
    return 2 * (values - values[0]) / span - 1 if span else np.zeros_like(values)


class LogarithmicFeatures:
    """Every variable's logarithm scaled to [-1, 1]; one that can be 0 starts a grid step above it, and one that can be
    negative stays linear."""

    def __init__(self, problem: Problem) -> None:
        self._tables = [torch.from_numpy(_scaled(_logarithms(np.array(v.values)))) for v in problem.variables]
        self.width = len(self._tables)

    def __call__(self, designs: NDArray[np.int64]) -> torch.Tensor:
        """Features (B, V) of designs (B, V) given as grid indices."""
        index = torch.from_numpy(np.ascontiguousarray(designs))
        return torch.stack([table[index[:, column]] for column, table in enumerate(self._tables)], dim=1)


def _logarithms(values: NDArray[np.float64]) -> NDArray[np.float64]:
    if values[0] < 0:
        return values
    return np.log(values if values[0] > 0 or len(values) < 2 else values + values[1])

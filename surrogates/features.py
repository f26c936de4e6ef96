"""Design -> feature vector, for extractors that know nothing of the circuit."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sizing.evaluation.evidence import Evidence
from sizing.task.problem import Corner, Problem

CORNERS_APART = 0.3
"""The largest feature of a corner, and its negative the smallest."""
OTHER_CIRCUIT = 0.3
"""The last feature of the run's own circuit, and its negative of another one."""


class DesignFeatures:
    """Every variable's place on its grid and, where it is positive, its logarithm; all scaled to [-1, 1]."""

    def __init__(self, problem: Problem) -> None:
        columns = [_scaled(np.arange(len(variable.values), dtype=float)) for variable in problem.variables]
        self._tables = [column.astype(np.float32) for column in columns]
        self._logarithms = {
            index: _scaled(np.log(variable.values)).astype(np.float32)
            for index, variable in enumerate(problem.variables)
            if variable.values[0] > 0
        }
        self.width = len(self._tables) + len(self._logarithms)

    def __call__(self, designs: NDArray[np.int64]) -> NDArray[np.float32]:
        """Features (B, width) of designs (B, V) given as grid indices."""
        linear = [table[designs[:, column]] for column, table in enumerate(self._tables)]
        logarithmic = [table[designs[:, column]] for column, table in self._logarithms.items()]
        return np.stack(linear + logarithmic, axis=1)


def _scaled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    span = values[-1] - values[0]
    return 2 * (values - values[0]) / span - 1 if span else np.zeros_like(values)


class LogarithmicFeatures:
    """The logarithm of every variable, scaled to [-1, 1] over its range, of designs and of earlier runs' evidence.

    A variable that can be 0 starts a grid step above it, and one that can be negative stays linear. A variable that a
    circuit does not have is at the low end of its range; a last feature tells evidence on other circuits apart.
    """

    def __init__(self, problem: Problem, evidence: Sequence[Evidence] = ()) -> None:
        own = {variable.name: _Axis.over(np.array(variable.values)) for variable in problem.variables}
        foreign = [(name, each.settings[:, v]) for each in evidence for v, name in enumerate(each.variables)]
        others = {name: _Axis.over(np.unique(values)) for name, values in foreign if name not in own}
        self._axes = own | others
        self._apart = [OTHER_CIRCUIT] if any(each.topology != problem.topology for each in evidence) else []
        self._topology = problem.topology
        self._tables = [own[v.name](np.array(v.values)) for v in problem.variables]
        self._rest = np.array([-1.0] * len(others) + self._apart)

    def __call__(self, designs: NDArray[np.int64]) -> NDArray[np.float64]:
        """Features (B, F) of designs (B, V) given as grid indices."""
        columns = [table[designs[:, column]] for column, table in enumerate(self._tables)]
        return np.concatenate([np.stack(columns, axis=1), np.tile(self._rest, (len(designs), 1))], axis=1)

    def of(self, evidence: Evidence) -> NDArray[np.float64]:
        """Features (N, F) of what an earlier run measured."""
        known = dict(zip(evidence.variables, evidence.settings.T, strict=True))
        low = np.full(len(evidence.settings), -1.0)
        columns = [axis(known[name]) if name in known else low for name, axis in self._axes.items()]
        sign = 1.0 if evidence.topology == self._topology else -1.0
        columns += [np.full(len(evidence.settings), sign * apart) for apart in self._apart]
        return np.stack(columns, axis=1)


def corner_features(corners: Sequence[Corner]) -> NDArray[np.float64]:
    """Features (C, K) of corners: a place for every setting that differs between them, close to one another.

    A corner that leaves a setting as the benches have it is in the middle. Processes have no order: each has a place of
    its own, as far from every other as the ends of another setting are.
    """
    conditions = [corner.conditions for corner in corners]
    parameters = [dict(each.parameters) for each in conditions]
    columns = _apart([each.process for each in conditions])
    columns += _ordered([each.temperature for each in conditions])
    for name in dict.fromkeys(name for each in parameters for name in each):
        columns += _ordered([each.get(name) for each in parameters])
    return np.array(columns, dtype=float).reshape(-1, len(corners)).T.copy()


def _ordered(settings: Sequence[float | None]) -> list[NDArray[np.float64]]:
    """A feature (C,) for what corners set to these values, unless it is the same for all."""
    if len(set(settings)) < 2:
        return []
    values = np.array([np.nan if value is None else value for value in settings])
    low, high = np.nanmin(values), np.nanmax(values)
    places = 2 * (values - low) / (high - low) - 1 if high > low else np.ones(len(values))
    return [np.where(np.isnan(values), 0.0, CORNERS_APART * places)]


def _apart(values: Sequence[str | None]) -> list[NDArray[np.float64]]:
    """A feature (C,) for each of these values that is not the only one."""
    distinct = list(dict.fromkeys(values))
    far = 2 * CORNERS_APART / np.sqrt(2)
    return [far * np.array([value == each for value in values]) for each in distinct] if len(distinct) > 1 else []


@dataclass(frozen=True)
class _Axis:
    low: float
    span: float
    offset: float
    logarithmic: bool

    @classmethod
    def over(cls, values: NDArray[np.float64]) -> "_Axis":
        """An axis for these values, ascending."""
        logarithmic = bool(values[0] >= 0 and values[-1] > 0)
        offset = float(values[1]) if logarithmic and values[0] == 0 else 0.0
        ends = np.log(values[[0, -1]] + offset) if logarithmic else values[[0, -1]]
        return cls(float(ends[0]), float(ends[1] - ends[0]) or 1.0, offset, logarithmic)

    def __call__(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Places of values (N,): -1 and 1 at the ends, beyond them outside."""
        if self.logarithmic:
            values = np.log(np.maximum(values + self.offset, np.finfo(float).tiny))
        return 2 * (values - self.low) / self.span - 1

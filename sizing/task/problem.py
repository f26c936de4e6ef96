"""What is searched: variables on grids, metrics with targets, and designs as grid indices. Values only, no I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sizing.task.job import NOMINAL_CONDITIONS, Conditions, Job

Design = tuple[int, ...]
"""The grid index of every variable, in the problem's order."""
Goal = Literal["minimize", "maximize"]


@dataclass(frozen=True)
class Variable:
    """A quantity to choose, and the values it can take, ascending, both ends included."""

    name: str
    values: tuple[float, ...]
    unit: str = ""
    scale: str = "linear"
    start: int | None = None
    """The place of the value to begin with, where there is one."""


@dataclass(frozen=True)
class Metric:
    """A quantity with its target in SI units, or that is an objective, or both."""

    name: str
    unit: str
    at_least: float | None = None
    at_most: float | None = None
    weight: float = 1.0
    goal: Goal | None = None
    """Which way it is to go among the designs that meet every target, where it is an objective."""
    sum_of: tuple[tuple[str, float], ...] = ()
    """The measured metrics that a figure of merit is the sum of, each with its factor in SI units."""

    @property
    def sign(self) -> float:
        """1 where an objective is minimized, -1 where it is maximized."""
        return -1.0 if self.goal == "maximize" else 1.0


@dataclass(frozen=True)
class Corner:
    """Operating conditions that every design has to stand, by name."""

    name: str
    conditions: Conditions = NOMINAL_CONDITIONS


@dataclass(frozen=True)
class Problem:
    """A sizing task as the search sees it."""

    name: str
    topology: str
    variables: tuple[Variable, ...]
    metrics: tuple[Metric, ...]
    """The measured ones first, then figures of merit made of them."""
    corners: tuple[Corner, ...] = (Corner("nominal"),)
    """The first is nominal; a design is in spec that meets every target at all of them."""

    @cached_property
    def objectives(self) -> tuple[int, ...]:
        """The metrics, by their place, that are objectives."""
        return tuple(m for m, metric in enumerate(self.metrics) if metric.goal)

    @cached_property
    def measured(self) -> tuple[Metric, ...]:
        """The metrics that a simulation gives."""
        return tuple(metric for metric in self.metrics if not metric.sum_of)

    @cached_property
    def shape(self) -> NDArray[np.int64]:
        """Number of grid values of every variable (V,)."""
        return np.array([len(variable.values) for variable in self.variables])

    @property
    def size(self) -> int:
        """Number of distinct designs."""
        return prod(len(variable.values) for variable in self.variables)

    @property
    def start(self) -> Design:
        """The design to look at first: of each variable the value to begin with, else the middle of its range."""
        return tuple(len(each.values) // 2 if each.start is None else each.start for each in self.variables)

    @property
    def has_start(self) -> bool:
        """Whether some variable has a value to begin with, so that a search does begin there."""
        return any(variable.start is not None for variable in self.variables)

    def on_grid(self, design: Sequence[int]) -> bool:
        """Whether there is such a design."""
        return len(design) == len(self.variables) and all(
            0 <= index < len(variable.values) for variable, index in zip(self.variables, design, strict=True)
        )

    def values(self, design: Sequence[int]) -> dict[str, float]:
        """The value of every variable by name, in SI units."""
        return {variable.name: variable.values[index] for variable, index in zip(self.variables, design, strict=True)}

    def columns(self, designs: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
        """The values (B,) of every variable by name, of designs (B, V), in SI units."""
        return {
            variable.name: grid[designs[:, column]]
            for column, (variable, grid) in enumerate(zip(self.variables, self._grids, strict=True))
        }

    @cached_property
    def _grids(self) -> tuple[NDArray[np.float64], ...]:
        return tuple(np.array(variable.values) for variable in self.variables)

    def job(self, design: Sequence[int], corner: int = 0) -> Job:
        """What a simulator is given: the value of every variable, and the conditions of a corner."""
        return Job(self.values(design), self.corners[corner].conditions)

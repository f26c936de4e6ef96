"""What is searched: variables on grids, metrics with targets, and designs as grid indices. Values only, no I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import prod

import numpy as np
from numpy.typing import NDArray

Design = tuple[int, ...]
"""The grid index of every variable, in the problem's order."""


@dataclass(frozen=True)
class Variable:
    """A quantity to choose, and the values it can take, ascending, both ends included."""

    name: str
    values: tuple[float, ...]
    unit: str = ""
    scale: str = "linear"


@dataclass(frozen=True)
class Metric:
    """A measured quantity and its target in SI units; at least one of the bounds is set."""

    name: str
    unit: str
    at_least: float | None = None
    at_most: float | None = None
    weight: float = 1.0


@dataclass(frozen=True)
class Corner:
    """An operating condition that every design has to stand: what it sets, by name.

    `temperature` is in degrees Celsius; the others are parameters of the netlist or of stimuli, in SI units. What a
    corner does not set is as the netlist and the benches have it.
    """

    name: str
    settings: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Problem:
    """A sizing task as the search sees it."""

    name: str
    topology: str
    variables: tuple[Variable, ...]
    metrics: tuple[Metric, ...]
    corners: tuple[Corner, ...] = (Corner("nominal"),)
    """The first is nominal; a design is in spec that meets every target at all of them."""

    @cached_property
    def shape(self) -> NDArray[np.int64]:
        """Number of grid values of every variable (V,)."""
        return np.array([len(variable.values) for variable in self.variables])

    @property
    def size(self) -> int:
        """Number of distinct designs."""
        return prod(len(variable.values) for variable in self.variables)

    @property
    def middle(self) -> Design:
        """The design in the middle of every range."""
        return tuple(len(variable.values) // 2 for variable in self.variables)

    def values(self, design: Sequence[int]) -> dict[str, float]:
        """The value of every variable by name, in SI units."""
        return {variable.name: variable.values[index] for variable, index in zip(self.variables, design, strict=True)}

    def job(self, design: Sequence[int], corner: int = 0) -> dict[str, float]:
        """What a simulator is given: the value of every variable, and the settings of a corner."""
        return {**self.values(design), **self.corners[corner].settings}

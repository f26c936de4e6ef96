"""The bias points at which a device is measured."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Axis:
    """Evenly spaced voltages."""

    start: float
    step: float
    count: int

    @property
    def values(self) -> NDArray[np.float64]:
        """All of them, in volts (count,)."""
        return self.start + self.step * np.arange(self.count, dtype=np.float64)

    @property
    def zero(self) -> int:
        """The place of the value nearest to zero."""
        return int(np.argmin(np.abs(self.values)))


ZERO = Axis(0.0, 1.0, 1)
"""For a terminal that a device does not have, or that is tied to its reference."""


@dataclass(frozen=True)
class Grid:
    """Voltages of bulk, gate and drain against the source, as an NMOS counts them.

    A device with two terminals is one of drain and source; one with three has a bulk, too.
    """

    bulk: Axis
    gate: Axis
    drain: Axis

    @property
    def shape(self) -> tuple[int, int, int]:
        """Numbers of bulk, gate and drain voltages."""
        return self.bulk.count, self.gate.count, self.drain.count

    @property
    def tied(self) -> "Grid":
        """The same with the bulk at the source."""
        return replace(self, bulk=ZERO)


LEAST_REACH_VOLTS = 0.2
FINEST_VOLTS = 0.025
"""Volts between drain voltages: near the edge of saturation nothing coarser tells conductances within some percent."""
_MOST_BULK_VOLTS = 0.4
"""Volts between bulk voltages, over which a threshold bends little."""
POINTS_BELOW_ZERO = 2
"""Points below a drain voltage of zero, which hold the slope there."""


@dataclass(frozen=True)
class Grids:
    """Where currents are measured, and where, fewer, capacitances."""

    currents: Grid
    capacitances: Grid

    @property
    def tied(self) -> "Grids":
        """The same with the bulk at the source."""
        return Grids(self.currents.tied, self.capacitances.tied)


def grids(roles: str, reach: float, bulk_moves: bool) -> Grids:
    """The bias points of a device with these terminals ("dgsb", "dsb", "ds") in a circuit of so many volts.

    There are always enough for splines, so that a circuit of millivolts has tables that reach further than it does.
    """
    reach = max(reach, LEAST_REACH_VOLTS)
    fine = FINEST_VOLTS if reach <= 1.3 else 2 * FINEST_VOLTS
    coarse = 4 * fine
    if "g" not in roles:  # conducts both ways
        both, wide = _axis(-reach, reach, fine), _axis(-reach, reach, coarse)
        bulk = _axis(-reach, reach, reach / 2) if "b" in roles else ZERO
        return Grids(Grid(bulk, ZERO, both), Grid(bulk, ZERO, wide))
    below = max(4, int(np.ceil(0.8 * reach / _MOST_BULK_VOLTS - 1e-6)))
    apart = 0.8 * reach / below  # and one beyond zero: further on a junction conducts, and nothing else is seen
    bulk = Axis(-0.8 * reach, apart, below + 2) if "b" in roles and bulk_moves else ZERO
    fewer = _axis(-0.5 * reach, 0.0, 0.5 * reach) if bulk is not ZERO else ZERO
    return Grids(
        Grid(bulk, _axis(-4 * fine, reach, fine), _axis(-POINTS_BELOW_ZERO * FINEST_VOLTS, reach, FINEST_VOLTS)),
        Grid(fewer, _axis(-coarse, reach, coarse), _axis(0.0, reach, coarse)),
    )


def _axis(first: float, last: float, step: float) -> Axis:
    return Axis(first, step, int(np.ceil((last - first) / step - 1e-6)) + 1)

"""What a device does at any bias and geometry: currents, conductances and capacitances from measured points."""

from collections.abc import Hashable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from surrogates.tables import noise
from surrogates.tables.deck import CHANNEL
from surrogates.tables.geometry import Geometry
from surrogates.tables.grids import Grid, Grids
from surrogates.tables.splines import Splines

Array = NDArray[np.float64]
_THERMAL_VOLTS = 0.0259
"""Volts: the scale on which a channel's current saturates in weak inversion."""
_LEAST_AMPERES = 1e-18
"""Amperes, or siemens where a device conducts both ways: less counts as this in logarithms, and the rest as leakage."""
_LARGEST_LOGARITHM = 10.0
_STEEPEST = 50.0
"""1/V, of the logarithm by the gate's voltage: what diffusion allows at -40 °C. The simplest models stop at once."""
_LINEAR_ERROR = 1e-6
"""Of the largest measured value: what bends less is rounding."""


@dataclass(frozen=True)
class Geometries:
    """Devices' places among the measured geometries: (M, K) each, weights for logarithms and for plain values."""

    places: NDArray[np.int64]
    logarithmic: Array
    linear: Array

    def of(self, rows: NDArray[np.int64]) -> "Geometries":
        """Those of some of the devices."""
        return Geometries(self.places[rows], self.logarithmic[rows], self.linear[rows])

    @classmethod
    def of_designs(cls, tables: Sequence[tuple["Geometries", int]]) -> "Geometries":
        """Those of the devices of several tables, design by design, from each table's and how many these are."""
        parts = [
            [each.reshape(-1, count, each.shape[1]) for each in (own.places, own.logarithmic, own.linear)]
            for own, count in tables
        ]
        return cls(*(np.concatenate(each, axis=1).reshape(-1, each[0].shape[2]) for each in zip(*parts, strict=True)))


class Table:
    """One kind of device. All voltages and currents count as an NMOS has them; `polarity` is -1 for its opposite.

    The current from drain to source is interpolated as a logarithm, divided by how far the drain voltage saturates it:
    its slopes are those of the interpolated current itself, so that Newton's method and gains agree. What flows else
    (into the gate, from drain to bulk) is interpolated plainly.
    """

    def __init__(
        self,
        geometry: Geometry,
        grids: Grids,
        measured: Sequence[Mapping[str, NDArray[np.float64]]],
    ) -> None:
        self.polarity = float(measured[0]["polarity"][0])
        self._geometry = geometry
        self._grids = grids
        self._measured = {name: np.stack([each[name] for each in measured]) for name in measured[0]}
        self._lowest = grids.currents.drain.start if grids.currents.gate.count > 1 else None

    @property
    def layout(self) -> Hashable:
        """What tables that are looked up together have in common."""
        return self._grids, tuple(self._measured), self._geometry.around, self.is_linear

    @cached_property
    def is_linear(self) -> bool:
        """Whether no bias changes its conductances and capacitances: a kit's resistors and capacitors, most often."""
        if self._lowest is not None:
            return False
        currents, farads = self._measured["currents"], self._measured["capacitances"]
        zero = self._grids.currents
        bends = [np.ptp(np.diff(currents, axis=along), axis=(1, 2, 3)) for along in (1, 3) if currents.shape[along] > 1]
        bends.append(np.abs(currents[:, zero.bulk.zero, 0, zero.drain.zero]))
        largest = np.abs(currents).max(axis=(1, 2, 3, 4)), np.abs(farads).max(axis=(1, 2, 3, 4, 5))
        return all(
            bool((bend.reshape(len(self), -1).max(axis=1) <= _LINEAR_ERROR * most).all())
            for bend, most in [*((bend, largest[0]) for bend in bends), (np.ptp(farads, axis=(1, 2, 3)), largest[1])]
        )

    @classmethod
    def joined(cls, tables: Sequence["Table"]) -> "Table":
        """Several of one layout as one, which has the places of the first, then those of the next."""
        first = tables[0]
        measured = {name: np.concatenate([each._measured[name] for each in tables]) for name in first._measured}
        return first._with(first._grids, measured) if len(tables) > 1 else first

    def __len__(self) -> int:
        return len(self._measured["currents"])

    @cached_property
    def tied(self) -> "Table":
        """The same for devices whose bulk is tied to their source: with a plane of bias points less to look through."""
        measured = dict(self._measured)
        for name, grid in self._grids_of.items():
            zero = grid.bulk.zero
            measured[name] = measured[name][:, zero : zero + 1]
        return self._with(self._grids.tied, measured)

    def _with(self, grids: Grids, measured: Mapping[str, NDArray[np.float64]]) -> "Table":
        """The same with other measurements, and splines of its own."""
        other = copy(self)
        for name, made in vars(Table).items():
            if isinstance(made, cached_property):
                vars(other).pop(name, None)
        other._grids, other._measured = grids, dict(measured)
        return other

    @property
    def _grids_of(self) -> Mapping[str, Grid]:
        """The bias points of what was measured, by name."""
        own, coarse = self._grids.currents, self._grids.capacitances
        grids = {"currents": own, "channel": own, "capacitances": coarse, "noise": coarse}
        return {name: grids[name] for name in self._measured if name in grids}

    @cached_property
    def _currents(self) -> Splines:
        grid = self._grids.currents
        split = _split(self._measured["currents"], grid, self._lowest)
        return Splines(grid, split, flat_below=self._lowest is not None)

    @cached_property
    def _capacitances(self) -> Splines:
        measured = self._measured["capacitances"]
        return Splines(self._grids.capacitances, measured.reshape(*measured.shape[:4], 9))

    @cached_property
    def _channels(self) -> Splines:
        return Splines(self._grids.currents, self._measured["channel"])

    @cached_property
    def _noise(self) -> Splines:
        found, grid = noise.parts(self._measured["noise"]), self._grids.capacitances
        if grid.drain.start == 0:  # without a voltage there is no flicker noise: as the next voltages tell
            found[..., 0, 0, 1] = 2 * found[..., 1, 0, 1] - found[..., 2, 0, 1]
        return Splines(grid, found.reshape(*found.shape[:4], 6))

    def geometries(self, parameters: Array, first: int = 0) -> Geometries:
        """Where devices with these parameters (M, P) are among the measured ones, which begin with this place."""
        places, logarithmic, linear = self._geometry.weights(parameters)
        return Geometries(first + places, logarithmic, linear)

    def currents(self, geometries: Geometries, voltages: Array) -> tuple[Array, Array]:
        """Currents into drain, gate and bulk (M, 3) at voltages (M, 3) of these, and the slopes (M, 3, 3)."""
        found = self._interpolated(geometries, voltages)
        channel, moved = self._channel(found, voltages)
        current, slopes = found[:, 0, 1:], np.zeros((len(found), 3, 3))
        slopes[:, :, : found.shape[1] - 1] = found[:, 1:, 1:].swapaxes(1, 2)
        current[:, 0] += channel
        slopes[:, 0] += moved
        return current, slopes

    def transistor(self, geometries: Geometries, voltages: Array) -> dict[str, Array]:
        """What ngspice says of transistors (M,) at voltages (M, 3): "id", "gm", "gds", "gmbs" and CHANNEL."""
        channel, slopes = self._channel(self._interpolated(geometries, voltages), voltages)
        gds, gm, gmbs = slopes.T
        weights = np.repeat(geometries.linear[..., None], len(CHANNEL), axis=-1)
        known = self._channels.values(geometries.places, weights, voltages)
        return {"id": channel, "gm": gm, "gds": gds, "gmbs": gmbs, **dict(zip(CHANNEL, known.T, strict=True))}

    def noise(self, geometries: Geometries, voltages: Array, frequencies: Array) -> Array:
        """The densities (M, 2, F) of the noise currents into drain and gate in A²/Hz, at voltages (M, 3)."""
        weights = np.stack([geometries.logarithmic, geometries.logarithmic, geometries.linear] * 2, -1)
        found = self._noise.values(geometries.places, weights, voltages)
        return noise.density(found.reshape(-1, 3), frequencies).reshape(len(found), 2, -1)

    def _interpolated(self, geometries: Geometries, voltages: Array) -> Array:
        weights = np.stack([geometries.logarithmic, *[geometries.linear] * 3], -1)
        return self._currents.at(geometries.places, weights, voltages)

    def _channel(self, found: Array, voltages: Array) -> tuple[Array, Array]:
        """The current from drain to source (M,), and its slopes (M, 3) by drain, gate and bulk voltage."""
        logarithm = found[:, :, 0]
        magnitude = np.exp(np.minimum(logarithm[:, 0], _LARGEST_LOGARITHM))
        saturation, slope = _saturation(voltages[:, 0], self._lowest)
        channel = magnitude * saturation
        slopes = np.zeros((len(found), 3))
        slopes[:, : found.shape[1] - 1] = channel[:, None] * logarithm[:, 1:]
        slopes[:, 0] += magnitude * slope
        return channel, slopes

    def capacitances(self, geometries: Geometries, voltages: Array) -> Array:
        """Farads (M, 3, 3): into drain, gate and bulk, by the slope of each one's voltage."""
        weights = np.repeat(geometries.linear[..., None], 9, axis=-1)
        return self._capacitances.values(geometries.places, weights, voltages).reshape(-1, 3, 3)


def _saturation(drain: Array, lowest: float | None) -> tuple[Array, Array]:
    """What the logarithm's exponential is multiplied with, and its slope; a straight line below the lowest voltage.

    Where a device has no lowest voltage, it conducts both ways.
    """
    if lowest is None:
        return drain, np.ones_like(drain)
    inside = np.maximum(drain, lowest)
    fallen = np.exp(-inside / _THERMAL_VOLTS)
    return 1 - fallen + (drain - inside) * fallen / _THERMAL_VOLTS, fallen / _THERMAL_VOLTS


def _split(currents: Array, grid: Grid, lowest: float | None) -> Array:
    """The logarithm, and what is left for drain, gate and bulk, (..., drain, 4), of currents into d, g, b, s."""
    drain, gate = grid.drain.values, grid.gate.values[:, None]
    zero = int(np.argmin(np.abs(drain)))
    at = np.where(np.arange(len(drain)) == zero, 0.0, drain)
    saturation, _ = _saturation(at, lowest)
    channel = currents[..., zero : zero + 1, 3] - currents[..., 3]
    with np.errstate(all="ignore"):
        logarithm = np.log(np.maximum(channel / saturation, _LEAST_AMPERES))
    around = logarithm[..., [zero - 2, zero - 1, zero + 1, zero + 2]]  # where nothing flows, as its neighbours tell
    logarithm[..., zero] = around @ np.array([-1, 4, 4, -1]) / 6
    from_above = np.maximum.accumulate((logarithm - _STEEPEST * gate)[..., ::-1, :], axis=-2)[..., ::-1, :]
    logarithm = np.maximum(logarithm, from_above + _STEEPEST * gate - 1e-9)
    rest = currents[..., :3].copy()
    rest[..., 0] -= np.exp(logarithm) * saturation
    return np.concatenate([logarithm[..., None], rest], axis=-1)

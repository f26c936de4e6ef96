"""A circuit's equations with the numbers of many designs: matrices of what is linear, and the devices of tables.

Devices of tables that no bias changes are in the matrices too: to look them up at each step costs as much as a
transistor.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Self

import numpy as np
from numpy.typing import NDArray

from sizing.spice.device import Device
from sizing.spice.expression import Value
from surrogates.tables.characterisation import kind_of
from surrogates.tables.network import Network, Stamp, Unmodelled
from surrogates.tables.table import Geometries, Table

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Group:
    """The D devices of one table: their voltages from [u; e], and what their currents add to the balances.

    Both count as an NMOS has them, with the devices' polarities.
    """

    table: Table
    """That of all of them."""
    members: tuple[tuple[Table, tuple[Device, ...]], ...]
    """The tables that it consists of, and the devices of each."""
    voltages: Array
    """(3 D, n + S), the drain, gate and bulk voltage of each."""
    balances: Array
    """(3 D, n + S)"""
    stamps: Array
    """(9 D, (n + S) ** 2), of slopes (D, 3, 3)."""

    @property
    def devices(self) -> tuple[Device, ...]:
        """All D."""
        return tuple(device for _, devices in self.members for device in devices)

    def geometries(self, values: Mapping[str, Value], count: int) -> tuple[Geometries, Array]:
        """Geometries (B D, K) and multiplicities (B, D) of devices in so many designs, by the parameters' values."""
        found, first = [], 0
        for table, devices in self.members:
            names = kind_of(devices[0]).parameters
            columns = [values[f"{device.name} {name}"] for device in devices for name in names]
            parameters = _columns(columns, count).reshape(count * len(devices), len(names))
            found.append((table.geometries(parameters, first), len(devices)))
            first += len(table)
        many = [values.get(f"{device.name} m", 1.0) for device in self.devices]
        return Geometries.of_designs(found), _columns(many, count)


def group(network: Network, table: Table, members: Mapping[Table, Sequence[Device]]) -> Group:
    """The devices of tables in a network that are looked up in one."""
    signed = [table.polarity * network.terminals(device) for table, own in members.items() for device in own]
    incidence = np.stack(signed)
    voltages, balances = incidence @ network.columns, incidence @ network.rows.T
    stamps = np.einsum("dir,djc->dijrc", balances, voltages).reshape(len(signed) * 9, -1)
    flat = (len(signed) * 3, -1)
    devices = tuple((each, tuple(own)) for each, own in members.items())
    return Group(table, devices, voltages.reshape(flat), balances.reshape(flat), stamps)


def _columns(values: Sequence[Value], count: int) -> Array:
    """Numbers or arrays (B,) side by side, (B, C)."""
    found = np.empty((count, len(values)))
    for column, value in enumerate(values):
        found[:, column] = value
    return found


@dataclass(frozen=True)
class Equations:
    """Equations of B designs; all matrices have n + S rows and columns, as the network's balances and [u; e]."""

    network: Network
    conductance: Array
    """(B, n + S, n + S)"""
    capacitance: Array
    groups: tuple[Group, ...]
    geometries: tuple[Geometries, ...]
    """For each group, (B D, K)."""
    multiplicities: tuple[Array, ...]
    """For each group, (B, D)."""

    @classmethod
    def of(cls, network: Network, groups: tuple[Group, ...], values: Mapping[str, Value], count: int) -> Self:
        """Those of so many designs with these values of devices' parameters."""
        placed = [each.geometries(values, count) for each in groups]
        conductance = assembled(network, network.conductances, values, count)
        capacitance = assembled(network, network.capacitances, values, count)
        geometries, multiplicities = tuple(each for each, _ in placed), tuple(each for _, each in placed)
        found = cls(network, conductance, capacitance, groups, geometries, multiplicities)
        rest = np.zeros((count, len(network.columns.T)))
        found._add_flows(rest, np.zeros_like(rest), conductance, linear=True)
        found._add_charges(rest, capacitance, linear=True)
        return found

    def __len__(self) -> int:
        return len(self.conductance)

    def part(self, rows: NDArray[np.int64]) -> Self:
        """The same of some of the designs."""
        kept = []
        for geometries, each in zip(self.geometries, self.multiplicities, strict=True):
            flat = (rows[:, None] * each.shape[1] + np.arange(each.shape[1])).ravel()
            kept.append(geometries.of(flat))
        return replace(
            self,
            conductance=self.conductance[rows],
            capacitance=self.capacitance[rows],
            geometries=tuple(kept),
            multiplicities=tuple(each[rows] for each in self.multiplicities),
        )

    def flows(self, state: Array) -> tuple[Array, Array]:
        """Balances (B, n + S) of what devices and conductances take at [u; e], and their slopes (B, n + S, n + S)."""
        balance = np.matmul(self.conductance, state[..., None])[..., 0]
        slopes = self.conductance.copy()
        self._add_flows(state, balance, slopes, linear=False)
        return balance, slopes

    def _add_flows(self, state: Array, balance: Array, slopes: Array, *, linear: bool) -> None:
        for each, geometries, multiplicity in self._each(linear):
            voltages = state @ each.voltages.T
            current, slope = each.table.currents(geometries, voltages.reshape(-1, 3))
            current *= multiplicity.reshape(-1, 1)
            slope *= multiplicity.reshape(-1, 1, 1)
            balance += current.reshape(len(self), -1) @ each.balances
            slopes += (slope.reshape(len(self), -1) @ each.stamps).reshape(slopes.shape)

    def charges(self, state: Array) -> Array:
        """Capacitances (B, n + S, n + S) of devices and capacitors at [u; e]."""
        found = self.capacitance.copy()
        self._add_charges(state, found, linear=False)
        return found

    def _add_charges(self, state: Array, charges: Array, *, linear: bool) -> None:
        for each, geometries, multiplicity in self._each(linear):
            voltages = state @ each.voltages.T
            farads = each.table.capacitances(geometries, voltages.reshape(-1, 3)) * multiplicity.reshape(-1, 1, 1)
            charges += (farads.reshape(len(self), -1) @ each.stamps).reshape(charges.shape)

    def noise(self, state: Array, frequencies: Array) -> Iterator[tuple[Array, Array]]:
        """Where each noise current of a table's device at [u; e] enters the balances (n + S,), and its density (B, F)
        in A²/Hz."""
        for each, geometries, multiplicity in self._each():
            voltages = state @ each.voltages.T
            density = each.table.noise(geometries, voltages.reshape(-1, 3), frequencies)
            density = density.reshape(*multiplicity.shape, 2, -1) * multiplicity[..., None, None]
            for place, terminal in product(range(len(each.devices)), range(2)):
                yield each.balances[3 * place + terminal], density[:, place, terminal]

    def transistor(self, name: str, state: Array) -> Mapping[str, Array]:
        """What ngspice says of a transistor at [u; e], (B,) each: currents and conductances with its multiplicity."""
        for each, geometries, multiplicity in self._each():
            names = [device.name for device in each.devices]
            if name in names:
                place = names.index(name)
                voltages = state @ each.voltages[3 * place : 3 * place + 3].T
                own = geometries.of(np.arange(len(self)) * len(names) + place)
                found, many = each.table.transistor(own, voltages), multiplicity[:, place]
                found |= {each: found[each] * many for each in ("id", "gm", "gds", "gmbs")}
                return {**found, "m": many, **dict(zip(("vds", "vgs", "vbs"), voltages.T, strict=True))}
        raise Unmodelled(f"{name}: expected a transistor with a table")

    def _each(self, linear: bool | None = None) -> Iterator[tuple[Group, Geometries, Array]]:
        """All groups, or those that are linear, or those that are not."""
        for each in zip(self.groups, self.geometries, self.multiplicities, strict=True):
            if linear in (None, each[0].table.is_linear):
                yield each


def assembled(network: Network, stamps: list[Stamp], values: Mapping[str, Value], designs: int) -> Array:
    """The matrices (designs, n + S, n + S) that these stamps add up to."""
    size = len(network.rows)
    found = np.zeros((designs, size, size))
    for stamp in stamps:
        value = np.asarray(values[stamp.parameter] if stamp.parameter else 1.0)
        if stamp.inverse:
            value = 1 / np.where(value == 0, _SHORT_OHMS, value)
        pattern = np.outer(network.rows @ stamp.row, stamp.column @ network.columns)
        found += stamp.factor * value.reshape(-1, 1, 1) * pattern
    return found


_SHORT_OHMS = 1e-3
"""Ohm, which ngspice takes for a resistor of 0."""

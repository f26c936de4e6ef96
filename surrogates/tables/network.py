"""A circuit's equations: nets joined by voltage sources are one unknown, everything else is added up at the nets.

Of the voltages and branch currents x (N), only the unknowns u (n) are solved for: x = columns [u; e], where e (S) are
the voltages of the sources that join nets. Balances are added up alike: `rows` gives n balances that must be zero, then
the currents through these S sources. Voltage sources so need no equations, and circuits stay small.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sizing.errors import InputError
from sizing.spice.circuit import Circuit
from sizing.spice.device import Device
from sizing.spice.expression import Value, resolve
from sizing.task.bench import transistors

Array = NDArray[np.float64]
ROLES = {"m": "dgsb", "d": "ds"}
"""What the terminals of a device are to a table, by its SPICE letter."""
CALL_ROLES = {2: "ds", 3: "dsb", 4: "dgsb"}
"""Those of a kit's sub-circuit, by their number."""

_QUANTITY = re.compile(r"@(.+)\[(\w+)\]")


class Unmodelled(InputError):
    """What tables cannot tell; the message names the device or analysis."""


class NoSolution(Unmodelled):
    """A circuit without a solution, whatever its devices do."""


@dataclass(frozen=True)
class Stamp:
    """Adds a value, at a row and times a column of the equations: the conductance of a device's parameter, say.

    The value is the parameter's of this name ("r1 r"), inverted where `inverse`, times `factor`; 1 where there is none.
    """

    row: Array
    column: Array
    parameter: str | None = None
    inverse: bool = False
    factor: float = 1.0


@dataclass(frozen=True)
class Source:
    """An independent source; `joins` where its voltage is among e, else it drives the balance `row`."""

    device: Device
    joins: bool
    row: Array


def quantity(circuit: Circuit, vector: str) -> tuple[Device, str] | None:
    """The transistor of a vector such as "@x1.m3[vds]", and what of it; None for another vector."""
    match = _QUANTITY.fullmatch(vector)
    return (transistors(circuit)[match[1]], match[2]) if match else None


class Network:
    """The equations of a circuit without their numbers."""

    def __init__(self, circuit: Circuit) -> None:
        """Raises Unmodelled for a device that no equation is known of."""
        self.circuit = circuit
        sensed = {d.parameters["source"] for d in circuit.devices if d.kind in "fh"}
        branches = [d.name for d in circuit.devices if d.kind in "leh" or (d.kind == "v" and d.name in sensed)]
        self._nets = {net: index for index, net in enumerate(net for net in circuit.nets if net != "0")}
        self._branches = {name: len(self._nets) + index for index, name in enumerate(branches)}
        self.size = len(self._nets) + len(branches)
        self.conductances: list[Stamp] = []
        self.capacitances: list[Stamp] = []
        self.sources: list[Source] = []
        self.tabled: list[Device] = []
        for device in circuit.devices:
            self._add(device)
        joining = [source.device for source in self.sources if source.joins]
        self.rows, self.columns = self._reduced(joining)
        self.unknown = len(self.rows) - len(joining)
        """n, the number of unknowns: nets first, then branches."""
        self.unknown_nets = self.unknown - len(branches)

    @cached_property
    def parameters(self) -> dict[str, str]:
        """Expression texts of all that has a value, by "device parameter"."""
        return {
            f"{device.name} {name}": text
            for device in self.circuit.devices
            for name, text in device.parameters.items()
            if not device.names_device(name) and name not in ("ac", "waveform")
        }

    def resolved(self, values: Mapping[str, Value]) -> Mapping[str, Value]:
        """The values of all `parameters`, and of the circuit's own, where variables have these."""
        return resolve({**self.circuit.parameters, **self.parameters}, values, self.parameters)

    def voltage(self, net: str) -> Array:
        """What the voltage of a net is of [u; e]; raises Unmodelled for a net that is not there."""
        if net == "0":
            return np.zeros(self.columns.shape[1])
        if net not in self._nets:
            raise Unmodelled(f"v({net}): expected a net of the circuit")
        found: Array = self.columns[self._nets[net]]
        return found

    def current(self, source: str) -> tuple[int, bool]:
        """The place of a voltage source's current among the balances or, if the second is true, among the unknowns.

        Raises Unmodelled for what is no voltage source.
        """
        if source in self._branches:
            return self.unknown_nets + self._branches[source] - len(self._nets), True
        joining = [each.device.name for each in self.sources if each.joins]
        if source not in joining:
            raise Unmodelled(f"i({source}): expected a voltage source of the circuit")
        return self.unknown + joining.index(source), False

    def terminals(self, device: Device) -> Array:
        """How currents into drain, gate and bulk of a device, which leave at its source, add to balances (3, N)."""
        nets = dict(zip(roles(device), device.nets, strict=False))
        at_source = self._unit(nets["s"])
        return np.stack([self._unit(nets[role]) - at_source if role in nets else 0 * at_source for role in "dgb"])

    def _unit(self, net: str) -> Array:
        found = np.zeros(self.size)
        if net != "0":
            found[self._nets[net]] = 1.0
        return found

    def _across(self, first: str, second: str) -> Array:
        return self._unit(first) - self._unit(second)

    def _add(self, device: Device) -> None:
        kind, name = device.kind, device.name
        if kind in "mdx" or (kind in "rc" and device.model):
            if kind == "x" and len(device.nets) not in CALL_ROLES:
                raise Unmodelled(f"{name}: a table has two to four terminals, {device.model} {len(device.nets)}")
            self.tabled.append(device)
            return
        if kind not in "rclvieghf" or {"vol", "cur", "value"} & device.parameters.keys():
            raise Unmodelled(f"{name}: device tables know no such device ({kind})")
        across = self._across(*device.nets[:2])
        if kind in "rc" and kind not in device.parameters:
            raise Unmodelled(f"{name}: expected its value, got a model's")
        if kind == "r":
            self.conductances.append(Stamp(across, across, f"{name} r", inverse=True))
        elif kind == "c":
            self.capacitances.append(Stamp(across, across, f"{name} c"))
        elif kind == "i":
            self.sources.append(Source(device, False, across))
        elif kind == "g":
            self.conductances.append(Stamp(across, self._across(*device.nets[2:]), f"{name} gain"))
        elif kind == "f":
            self.conductances.append(Stamp(across, self._branch(device.parameters["source"]), f"{name} gain"))
        elif kind == "v" and name not in self._branches:
            self.sources.append(Source(device, True, np.zeros(self.size)))
        else:
            own = self._branch(name)
            self.conductances += [Stamp(across, own), Stamp(own, across)]
            if kind == "l":
                self.capacitances.append(Stamp(own, own, f"{name} l", factor=-1.0))
            elif kind == "e":
                self.conductances.append(Stamp(own, self._across(*device.nets[2:]), f"{name} gain", factor=-1.0))
            elif kind == "h":
                other = self._branch(device.parameters["source"])
                self.conductances.append(Stamp(own, other, f"{name} gain", factor=-1.0))
            else:
                self.sources.append(Source(device, False, -own))

    def _branch(self, name: str) -> Array:
        if name not in self._branches:
            raise Unmodelled(f"{name}: expected a voltage source whose current controls another")
        found = np.zeros(self.size)
        found[self._branches[name]] = 1.0
        return found

    def _reduced(self, joining: Sequence[Device]) -> tuple[Array, Array]:
        """`rows` and `columns`, from trees of nets that voltage sources join."""
        held: dict[str, tuple[str, Array]] = {}
        """The root of each net's tree, and the net's voltage above it as a sum of sources (S,)."""
        below: list[set[str]] = [set() for _ in joining]
        sign = np.zeros(len(joining))
        for root in ("0", *self._nets):
            if root in held:
                continue
            held[root] = (root, np.zeros(len(joining)))
            paths: dict[str, tuple[int, ...]] = {root: ()}
            pending = [root]
            while pending:
                net = pending.pop()
                for index, source in enumerate(joining):
                    if net not in source.nets or index in paths[net]:
                        continue
                    other = source.nets[1] if source.nets[0] == net else source.nets[0]
                    if other in paths:
                        raise NoSolution(f"{source.name}: closes a loop of voltage sources")
                    sign[index] = 1.0 if other == source.nets[0] else -1.0
                    above = held[net][1].copy()
                    above[index] += sign[index]
                    held[other] = (root, above)
                    paths[other] = (*paths[net], index)
                    pending.append(other)
            for net, path in paths.items():
                for index in path:
                    below[index].add(net)
        roots = [net for net in self._nets if held[net][0] == net]
        unknown = len(roots) + len(self._branches)
        columns = np.zeros((self.size, unknown + len(joining)))
        rows = np.zeros((unknown + len(joining), self.size))
        for net, place in self._nets.items():
            root, above = held[net]
            columns[place, unknown:] = above
            if root != "0":
                columns[place, roots.index(root)] = rows[roots.index(root), place] = 1.0
            for index, nets in enumerate(below):
                if net in nets:
                    rows[unknown + index, place] = -sign[index]
        for index, place in enumerate(self._branches.values()):
            columns[place, len(roots) + index] = rows[len(roots) + index, place] = 1.0
        return rows, columns


def roles(device: Device) -> str:
    """What a device's terminals are to a table: drain, gate, source, bulk."""
    if device.kind == "x":
        return CALL_ROLES[len(device.nets)]
    return ROLES.get(device.kind, "ds")[: len(device.nets)]

"""Circuit -> graph: which devices meet on which nets, and what each device is, as numbers a network can read.

Two netlists of one circuit give the same graph up to the order of devices and nets.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sizing.spice.circuit import Circuit
from sizing.spice.device import Device
from sizing.spice.expression import ExpressionError, resolve
from surrogates.networks.kinds import FEATURES, KIND_NUMBERS, KINDS, DeviceFeatures, GraphError, Values, kind_of

GROUND = "0"


@dataclass(frozen=True)
class Topology:
    """Which device hangs where. `device_nets[d]` has an index into `nets` for every terminal of device d's kind.

    Net 0 is ground, whether a device touches it or not.
    """

    nets: tuple[str, ...]
    devices: tuple[str, ...]
    kinds: tuple[int, ...]
    device_nets: tuple[tuple[int, ...], ...]

    @property
    def terminals(self) -> int:
        """Number of device terminals."""
        return sum(map(len, self.device_nets))

    @property
    def nodes(self) -> int:
        """Number of nodes of the terminal-level graph: nets and terminals."""
        return len(self.nets) + self.terminals

    @property
    def edges(self) -> int:
        """Number of its edges, undirected: between a device's terminals, and from each to its net."""
        return sum(len(nets) * (len(nets) + 1) // 2 for nets in self.device_nets)

    @cached_property
    def fixed_nets(self) -> tuple[int, ...]:
        """Ground and the nets that voltage sources hold at a known distance from it: their voltages are no riddle."""
        source = KIND_NUMBERS["voltage source"]
        held = {0}
        sources = [nets for kind, nets in zip(self.kinds, self.device_nets, strict=True) if kind == source]
        for _ in sources:
            held |= {net for nets in sources if held & set(nets) for net in nets}
        return tuple(sorted(held))

    @cached_property
    def free_nets(self) -> tuple[int, ...]:
        """The other nets."""
        held = set(self.fixed_nets)
        return tuple(net for net in range(len(self.nets)) if net not in held)


class CircuitGraph:
    """A circuit's topology, and its devices' features as functions of parameter values.

    Raises GraphError for a device of a kind that is not in KINDS, or whose value cannot be read.
    """

    def __init__(self, circuit: Circuit) -> None:
        by_name = {device.name: device for device in circuit.devices}
        kinds = tuple(kind_of(device, circuit.models) for device in circuit.devices)
        joined = tuple(
            _terminal_nets(device, kind, by_name) for device, kind in zip(circuit.devices, kinds, strict=True)
        )
        nets = tuple(dict.fromkeys((GROUND, *(net for each in joined for net in each))))
        index = {net: number for number, net in enumerate(nets)}
        self.topology = Topology(
            nets,
            tuple(by_name),
            tuple(KIND_NUMBERS[kind] for kind in kinds),
            tuple(tuple(index[net] for net in each) for each in joined),
        )
        self._features = tuple(
            DeviceFeatures(device, kind, circuit.scale) for device, kind in zip(circuit.devices, kinds, strict=True)
        )
        self._parameters = circuit.parameters
        self._wanted = frozenset().union(*(features.names for features in self._features)) & circuit.parameters.keys()

    def parameters(self, values: Values) -> NDArray[np.float32]:
        """Features (B, D, FEATURES) of every device for top-level parameters given as numbers or arrays (B,).

        Parameters not given have the netlist's values. Raises GraphError for an expression that cannot be evaluated,
        and for arrays of different lengths.
        """
        lengths = {name: np.size(value) for name, value in values.items()}
        count = max(lengths.values(), default=1)
        if odd := {name: length for name, length in lengths.items() if length not in (1, count)}:
            raise GraphError(f"expected numbers or arrays of one length ({count}), got {odd}; give all the same length")
        result = np.zeros((count, len(self._features), FEATURES), dtype=np.float32)
        try:
            known = resolve(self._parameters, dict(values), self._wanted)
        except ExpressionError as error:
            raise GraphError(f".param: {error}") from error
        for number, features in enumerate(self._features):
            result[:, number] = np.stack(np.broadcast_arrays(*features(known), np.zeros(count))[:FEATURES], axis=-1)
        if not np.isfinite(result).all():
            row, number, _ = np.argwhere(~np.isfinite(result))[0]
            raise GraphError(
                f"{self.topology.devices[number]}: expected finite features, got {result[row, number].tolist()} in "
                f"row {row}; correct the values of its parameters"
            )
        return result


def _terminal_nets(device: Device, kind: str, devices: Mapping[str, Device]) -> tuple[str, ...]:
    if kind not in ("cccs", "ccvs"):
        # A kit's resistor has a substrate net too, as a bipolar transistor may have.
        return device.nets[: len(KINDS[KIND_NUMBERS[kind]].terminals)]
    controlling = devices.get(device.parameters["source"])
    if controlling is None or controlling.kind != "v":
        raise GraphError(
            f"{device.name}: expected a voltage source whose current controls it, got "
            f"{device.parameters['source']!r}; name one of the netlist's"
        )
    return device.nets + controlling.nets

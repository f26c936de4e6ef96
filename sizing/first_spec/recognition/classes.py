"""Which class of circuit this is: operational amplifier, regulator, comparator, ring oscillator, or none of these."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import networkx as nx

from sizing.first_spec.recognition.matching import (
    Inverter,
    Match,
    Pair,
    cross_coupled_pairs,
    differential_pairs,
    inverters,
    matches,
)
from sizing.first_spec.recognition.rails import Rails, oriented, rails_of
from sizing.first_spec.recognition.signals import Ports, ports_of, sign_between
from sizing.first_spec.recognition.transistors import Transistor, number, transistors_of
from sizing.spice.circuit import Circuit
from sizing.spice.device import Device


@dataclass(frozen=True)
class OpAmp:
    """A differential pair whose gates are both inputs, and one output."""

    noninverting: str
    inverting: str
    output: str

    def exchanged(self) -> "OpAmp":
        """The same with its inputs exchanged."""
        return replace(self, noninverting=self.inverting, inverting=self.noninverting)


@dataclass(frozen=True)
class Regulator:
    """A pass transistor from a supply to the output, controlled by a differential pair that has a reference."""

    reference: str
    output: str
    pass_device: Transistor
    gain: float
    """Output voltage over reference voltage, by the feedback divider."""


@dataclass(frozen=True)
class Comparator:
    """A differential pair whose output is regenerated, or squared up by inverters."""

    noninverting: str
    inverting: str
    output: str
    clock: str | None

    def exchanged(self) -> "Comparator":
        """The same with its inputs exchanged."""
        return replace(self, noninverting=self.inverting, inverting=self.noninverting)


@dataclass(frozen=True)
class RingOscillator:
    """An odd number of inverters in a circle, in the order of the signal."""

    stages: tuple[Inverter, ...]


CircuitClass = OpAmp | Regulator | Comparator | RingOscillator | None


@dataclass(frozen=True)
class Structure:
    """What was recognised in a circuit."""

    nets: frozenset[str]
    transistors: tuple[Transistor, ...]
    rails: Rails
    ports: Ports
    pairs: tuple[Pair, ...]
    matches: tuple[Match, ...]
    compensation: tuple[Device, ...]
    """Capacitors from a transistor's drain back to its gate, directly or through a resistor."""
    dividers: tuple[tuple[Device, Device], ...]
    """Two resistors in series between an output and a rail whose middle goes to a gate."""
    loads: tuple[Device, ...]
    """Capacitors from the output to a ground; of a regulator also current sources."""
    circuit_class: CircuitClass

    def free_net(self, wanted: str) -> str:
        """A net's name that no device here has."""
        return next(net for net in (wanted, *(f"{wanted}{n}" for n in range(len(self.nets)))) if net not in self.nets)


def recognise(circuit: Circuit, outer: Collection[str], name: str = "") -> Structure:
    """The structure of a flat circuit whose nets `outer` may be connected from outside; `name` may tell its class."""
    found = transistors_of(circuit)
    rails = rails_of(circuit, found, outer)
    transistors = oriented(found, rails)
    pairs = differential_pairs(transistors, rails)
    ports = ports_of(circuit, transistors, rails, outer, pairs)
    dividers = _dividers(circuit, transistors, rails)
    ring = _ring(inverters(transistors))
    kind = _class(circuit, transistors, rails, ports, pairs, ring, dividers, name.lower())
    return Structure(
        frozenset(circuit.nets),
        transistors,
        rails,
        ports,
        pairs,
        matches(transistors, rails, ring),
        _compensation(circuit, transistors),
        dividers,
        _loads(circuit, rails, ports.outputs[:1], "ci" if isinstance(kind, Regulator) else "c"),
        kind,
    )


def _class(
    circuit: Circuit,
    transistors: Sequence[Transistor],
    rails: Rails,
    ports: Ports,
    pairs: Sequence[Pair],
    ring: Sequence[Inverter],
    dividers: Sequence[tuple[Device, Device]],
    name: str,
) -> CircuitClass:
    if ring:
        return RingOscillator(tuple(ring))
    if regulator := _regulator(circuit, transistors, rails, ports, pairs, dividers):
        return regulator
    entered = next((pair for pair in pairs if set(pair.gates) <= set(ports.inputs)), None)
    if entered is None or not ports.outputs:
        return None
    output = ports.outputs[0]
    squared = any(inverter.output == output for inverter in inverters(transistors))
    second, first = sorted(entered.gates, key=lambda gate: sign_between(circuit, transistors, rails, gate, output))
    if cross_coupled_pairs(transistors) or squared or ports.clocks or "comp" in name:
        return Comparator(first, second, output, ports.clocks[0] if ports.clocks else None)
    return OpAmp(first, second, output)


def _ring(found: Sequence[Inverter]) -> tuple[Inverter, ...]:
    """The first circle of an odd number of inverters, three or more."""
    stages = nx.DiGraph()
    stages.add_edges_from((each.input, each.output, {"inverter": each}) for each in found)
    for nets in nx.strongly_connected_components(stages):
        inner = stages.subgraph(nets)
        if len(nets) > 2 and len(nets) % 2 and inner.number_of_edges() == len(nets):
            return tuple(inner.edges[edge]["inverter"] for edge in nx.find_cycle(inner))
    return ()


def _regulator(
    circuit: Circuit,
    transistors: Sequence[Transistor],
    rails: Rails,
    ports: Ports,
    pairs: Sequence[Pair],
    dividers: Sequence[tuple[Device, Device]],
) -> Regulator | None:
    sensed = {upper.nets[0 if upper.nets[1] == middle else 1]: (upper, lower, middle)
              for upper, lower in dividers for middle in set(upper.nets) & set(lower.nets)}  # fmt: skip
    for each in transistors:
        output = each.drain if each.polarity == "p" else each.source
        feed = each.source if each.polarity == "p" else each.drain
        opposed = any(other is not each and output in (other.drain, other.source) for other in transistors)
        if feed not in rails.supplies or output in rails or opposed or each.is_diode:
            continue
        upper, lower, middle = sensed.get(output, (None, None, output))
        for pair in pairs:
            if middle in pair.gates:
                reference = next(gate for gate in pair.gates if gate != middle)
                if reference in ports.inputs:
                    return Regulator(reference, output, each, 1 + _ratio(upper, lower, circuit))
    return None


def _ratio(upper: Device | None, lower: Device | None, circuit: Circuit) -> float:
    """Resistance over resistance; 0 where there is no divider."""
    values = [number(each.parameters.get("r", ""), circuit) for each in (upper, lower) if each is not None]
    return values[0] / values[1] if len(values) == 2 and values[0] is not None and values[1] else 0.0


def _dividers(circuit: Circuit, transistors: Sequence[Transistor], rails: Rails) -> tuple[tuple[Device, Device], ...]:
    gates = {each.gate for each in transistors}
    drains = {net for each in transistors for net in (each.drain, each.source)}
    resistors = [device for device in circuit.devices if device.kind == "r"]
    return tuple(
        (upper, lower)
        for lower in resistors
        for upper in resistors
        for middle in set(upper.nets) & set(lower.nets)
        if upper is not lower
        and middle in gates
        and middle not in rails
        and set(lower.nets) - {middle} <= set(rails.grounds)
        and set(upper.nets) - {middle} <= drains - set(rails.grounds) - set(rails.supplies)
    )


def _compensation(circuit: Circuit, transistors: Sequence[Transistor]) -> tuple[Device, ...]:
    bridged = {frozenset((each.gate, each.drain)) for each in transistors if not each.is_diode}
    through: dict[str, set[str]] = {}
    for device in circuit.devices:
        if device.kind == "r":
            for net, other in (device.nets[:2], device.nets[1::-1]):
                through.setdefault(net, set()).add(other)

    def reaches(net: str) -> set[str]:
        return {net, *through.get(net, ())}

    return tuple(
        device
        for device in circuit.devices
        if device.kind == "c"
        and any(frozenset((a, b)) in bridged for a in reaches(device.nets[0]) for b in reaches(device.nets[1]))
    )


def _loads(circuit: Circuit, rails: Rails, outputs: Sequence[str], kinds: str) -> tuple[Device, ...]:
    return tuple(
        device
        for device in circuit.devices
        if device.kind in kinds and set(device.nets) & set(outputs) and set(device.nets) & set(rails.grounds)
    )

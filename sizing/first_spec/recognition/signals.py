"""What enters a circuit and what leaves it: signal inputs, bias inputs, clocks, outputs, and the sign between them."""

import re
from collections import defaultdict, deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sizing.first_spec.recognition.matching import Pair
from sizing.first_spec.recognition.rails import Rails, is_ground
from sizing.first_spec.recognition.transistors import Transistor
from sizing.spice.circuit import Circuit

_CLOCK = re.compile(r"(n?clk|ck|phi|clock|strobe|latch)\w*|\w+clk")
_BIAS = re.compile(r"(v?b|i?b|v?bias|v?casc?|i?bias|i?ref|v?nb|v?pb)[a-z]{0,2}\d*(bias)?")
_OUTPUT = re.compile(r"(v_?)?o(ut)?(put)?[pn\d+-]?")
_CONTROLS = {"m": "g", "q": "b", "j": "g", "z": "g"}


@dataclass(frozen=True)
class Ports:
    """The nets that a test bench connects to, besides the rails."""

    inputs: tuple[str, ...]
    """Signal inputs: gates and nothing else, the differential pair's if there is one."""
    clocks: tuple[str, ...]
    bias_voltages: tuple[str, ...]
    bias_currents: tuple[tuple[str, str], ...]
    """Nets that nothing feeds, and the polarity of the transistor by which a current goes on to or comes from a rail.

    With a diode-connected transistor, and the sources of a differential pair, where a tail current is to be drawn.
    """
    outputs: tuple[str, ...]
    """The most likely one first."""


def ports_of(
    circuit: Circuit, transistors: Sequence[Transistor], rails: Rails, outer: Collection[str], pairs: Sequence[Pair]
) -> Ports:
    """Sort the nets `outer`, that may be connected from outside, into what they are for."""
    attached = _attachments(circuit)
    diodes = {each.gate: each.polarity for each in transistors if each.is_diode}
    tails = {pair.first.source: _OPPOSITE[pair.first.polarity] for pair in pairs}
    driven = [net for net in outer if net not in rails and attached[net] and attached[net] <= _PASSIVE_TO_DC]
    open_gates = [net for net in driven if "control" in attached[net]]
    clocks = [net for net in open_gates if _CLOCK.fullmatch(net)]
    currents = [
        (net, fed[net])
        for kind, fed in (("diode", diodes), ("source", tails))
        for net in outer
        if net in fed and net not in rails and attached[net] <= {*_PASSIVE_TO_DC, kind}
    ]
    paired = {gate for pair in pairs for gate in pair.gates}
    rest = [net for net in open_gates if net not in clocks and net not in dict(currents)]
    inputs = [net for net in rest if net in paired] or [net for net in rest if not _BIAS.fullmatch(net)]
    taken = {*inputs, *rest, *clocks, *dict(currents)}
    left = [net for net in outer if net not in rails and net not in taken]
    return Ports(
        tuple(inputs),
        tuple(clocks),
        tuple(net for net in rest if net not in inputs),
        tuple(currents),
        tuple(_outputs(left, attached)),
    )


def sign_between(circuit: Circuit, transistors: Sequence[Transistor], rails: Rails, start: str, end: str) -> int:
    """1 where the shortest way from one net to the other keeps the sign of a signal, -1 where it inverts.

    0 where there is no way, or ways of one length disagree. A gate moves its drain the other way and its source with
    it; a source moves its drain with it.
    """
    edges: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for each in transistors:
        edges[each.gate] += [(each.drain, -1), (each.source, 1)]
        edges[each.source] += [(each.drain, 1)]
    for device in circuit.devices:
        if device.kind in "rlv":
            first, second = device.nets[:2]
            edges[first].append((second, 1))
            edges[second].append((first, 1))
    distances = {(start, 1): 0}
    waiting = deque(distances)
    while waiting:
        net, sign = waiting.popleft()
        for other, factor in edges[net]:
            if other not in rails and (other, sign * factor) not in distances:
                distances[other, sign * factor] = distances[net, sign] + 1
                waiting.append((other, sign * factor))
    plus, minus = (distances.get((end, sign), len(distances) + 1) for sign in (1, -1))
    return (minus > plus) - (plus > minus)


_OPPOSITE = {"n": "p", "p": "n"}
_PASSIVE_TO_DC = frozenset({"control", "body", "capacitor", "held"})


def _attachments(circuit: Circuit) -> Mapping[str, set[str]]:
    """What is at every net: control, diode, drain, source, body, capacitor, held (by a source to ground), other."""
    found: dict[str, set[str]] = defaultdict(set)
    for device in circuit.devices:
        nets = dict(zip(device.terminals, device.nets, strict=True))
        for terminal, net in nets.items():
            found[net].add(_attachment(device.kind, terminal, nets))
    return found


def _attachment(kind: str, terminal: str, nets: Mapping[str, str]) -> str:
    if kind in _CONTROLS:
        control = _CONTROLS[kind]
        drain, source = ("c", "e") if kind == "q" else ("d", "s")
        if terminal in (control, drain) and nets[control] == nets[drain]:
            return "diode"
        return {control: "control", drain: "drain", source: "source"}.get(terminal, "body")
    if kind == "c":
        return "capacitor"
    return "held" if kind == "v" and any(map(is_ground, nets.values())) else "other"


def _outputs(nets: Sequence[str], attached: Mapping[str, set[str]]) -> Iterator[str]:
    """Nets that something drives, best first: those called so, then those that drive neither gate nor source."""
    driven = [net for net in nets if attached[net] & {"drain", "source", "other"}]

    def rank(net: str) -> tuple[bool, bool, bool, bool]:
        at = attached[net]
        return not _OUTPUT.fullmatch(net), "control" in at or "diode" in at, "source" in at, "drain" not in at

    return iter(sorted(driven, key=rank))

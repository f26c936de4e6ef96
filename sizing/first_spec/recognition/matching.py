"""Transistors that belong together: differential and cross-coupled pairs, mirrors, inverters, and who matches whom."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from sizing.first_spec.recognition.rails import Rails
from sizing.first_spec.recognition.transistors import Transistor


@dataclass(frozen=True)
class Pair:
    """Two equal transistors: of a differential pair, or cross-coupled."""

    first: Transistor
    second: Transistor

    @property
    def gates(self) -> tuple[str, str]:
        """The nets of the two gates."""
        return self.first.gate, self.second.gate


@dataclass(frozen=True)
class Mirror:
    """Transistors with one gate and one source net; `reference` sets the gate's voltage, if any of them does."""

    reference: Transistor | None
    outputs: tuple[Transistor, ...]

    @property
    def transistors(self) -> tuple[Transistor, ...]:
        """All of them, the reference first."""
        return self.outputs if self.reference is None else (self.reference, *self.outputs)


@dataclass(frozen=True)
class Inverter:
    """An n and a p device with one gate and one drain net, however they are fed."""

    n: Transistor
    p: Transistor

    @property
    def input(self) -> str:
        """The net of both gates."""
        return self.n.gate

    @property
    def output(self) -> str:
        """The net of both drains."""
        return self.n.drain


@dataclass(frozen=True)
class Match:
    """Transistors that share width and length, in the netlist's order, and why, in words of the field."""

    transistors: tuple[Transistor, ...]
    role: str


def differential_pairs(transistors: Sequence[Transistor], rails: Rails) -> tuple[Pair, ...]:
    """Equal transistors with one source net, that is no rail, and gates of their own."""
    return tuple(
        Pair(first, second)
        for first, second in combinations(transistors, 2)
        if first.source == second.source
        and first.source not in rails
        and first.same_size(second)
        and first.gate != second.gate
        and first.drain != second.drain
        and not (first.is_diode or second.is_diode)
        and {first.gate, second.gate} != {first.drain, second.drain}
    )


def cross_coupled_pairs(transistors: Sequence[Transistor]) -> tuple[Pair, ...]:
    """Equal transistors that each have their gate at the other's drain."""
    return tuple(
        Pair(first, second)
        for first, second in combinations(transistors, 2)
        if first.gate == second.drain and second.gate == first.drain and first.same_kind(second) and not first.is_diode
    )


def mirrors(transistors: Sequence[Transistor]) -> tuple[Mirror, ...]:
    """Transistors of one kind with one gate and one source net; the reference has its gate at its own drain.

    Or, as in a wide-swing mirror, at the drain of what stands on it.
    """
    groups: dict[tuple[str, str | None, str, str], list[Transistor]] = defaultdict(list)
    for each in transistors:
        groups[each.polarity, each.device.model, each.gate, each.source].append(each)
    cascodes = {each.source: each.drain for each in transistors if not each.is_diode}
    found = []
    for group in groups.values():
        reference = next((each for each in group if each.is_diode or cascodes.get(each.drain) == each.gate), None)
        if len(group) > 1:
            found.append(Mirror(reference, tuple(each for each in group if each is not reference)))
    return tuple(found)


def inverters(transistors: Sequence[Transistor]) -> tuple[Inverter, ...]:
    """Every n device with the p device that has the same gate and the same drain."""
    by_nets = {(each.gate, each.drain): each for each in transistors if each.polarity == "p"}
    return tuple(
        Inverter(each, by_nets[each.gate, each.drain])
        for each in transistors
        if each.polarity == "n" and not each.is_diode and (each.gate, each.drain) in by_nets
    )


def matches(transistors: Sequence[Transistor], rails: Rails, ring: Sequence[Inverter] = ()) -> tuple[Match, ...]:
    """Every transistor once, with those whose width and length are to stay in proportion to its own.

    Those are differential and cross-coupled pairs, mirrors of one length whatever their widths, transistors of equal
    size on one gate net, such as cascodes, and the equal devices of a ring's stages.
    """
    joined: list[tuple[str, tuple[Transistor, ...]]] = []
    for pair in differential_pairs(transistors, rails):
        joined.append(("differential pair", (pair.first, pair.second)))
    for pair in cross_coupled_pairs(transistors):
        if pair.first.same_size(pair.second):
            joined.append(("cross-coupled pair", (pair.first, pair.second)))
    for mirror in mirrors(transistors):
        role = "current mirror" if mirror.reference else "one gate and one source net"
        joined += ((role, same) for same in _of_one_length(mirror.transistors))
    joined += (("one gate net", (a, b)) for a, b in combinations(transistors, 2) if _cascodes(a, b))
    for polarity in (tuple(each.n for each in ring), tuple(each.p for each in ring)):
        joined += (("stages of the ring", (a, b)) for a, b in combinations(polarity, 2) if a.same_size(b))
    return tuple(_merged(transistors, joined))


def _of_one_length(transistors: Iterable[Transistor]) -> Iterator[tuple[Transistor, ...]]:
    groups: dict[float | None, list[Transistor]] = defaultdict(list)
    for each in transistors:
        groups[dict(each.sizes).get("l")].append(each)
    return (tuple(group) for group in groups.values() if len(group) > 1)


def _cascodes(first: Transistor, second: Transistor) -> bool:
    return first.gate == second.gate and first.source != second.source and first.same_size(second)


def _merged(transistors: Sequence[Transistor], joined: Sequence[tuple[str, tuple[Transistor, ...]]]) -> Iterator[Match]:
    """The connected groups; the first role that a member has is the group's."""
    group_of = {each.name: {each.name} for each in transistors}
    roles: dict[str, str] = {}
    for role, members in joined:
        merged = set().union(*(group_of[each.name] for each in members))
        for name in merged:
            group_of[name] = merged
            roles.setdefault(name, role)
    done: set[str] = set()
    for each in transistors:
        if each.name not in done:
            done |= group_of[each.name]
            yield Match(tuple(t for t in transistors if t.name in group_of[each.name]), roles.get(each.name, ""))

"""Which nets are supplies and grounds: by name, by sources, and by what transistors have there."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sizing.first_spec.recognition.transistors import Transistor, number
from sizing.spice.circuit import Circuit

_SUPPLY = re.compile(r"[adp]?v(dd|cc|pwr|bat|sup|supply|pos|plus)[adhl]?\w{0,3}!?|vpwr!?|vpb!?|v\+|supply")
_GROUND = re.compile(r"[adp]?v(ss|ee|gnd|neg|minus)[adhl]?\w{0,3}!?|[ad]?gnd[ad]?!?|vnb!?|v-|ground")


@dataclass(frozen=True)
class Rails:
    """The nets that feed the circuit; the first of each is the main one. `0` is a ground of every circuit."""

    supplies: tuple[str, ...]
    grounds: tuple[str, ...]
    voltages: Mapping[str, float]
    """What sources in the netlist hold these and other nets at, against ground."""

    def __contains__(self, net: object) -> bool:
        return net in self.supplies or net in self.grounds


def is_ground(net: str) -> bool:
    """Whether a net is ground, or called as grounds are."""
    return net == "0" or _GROUND.fullmatch(net) is not None


def rails_of(circuit: Circuit, transistors: Sequence[Transistor], outer: Collection[str]) -> Rails:
    """The rails among the nets `outer` that may be connected from outside.

    A net is one if it is called so; else if p devices (n devices for a ground) have their source or body there and no
    transistor its drain or gate.
    """
    voltages = _held(circuit)
    named_supplies = [net for net in outer if _SUPPLY.fullmatch(net)]
    named_grounds = [net for net in outer if is_ground(net) and net != "0" and voltages.get(net, 0.0) <= 0]
    # The common source of a pair that is fed by an ideal current source looks like a rail, and is none.
    fed = {net for device in circuit.devices if device.kind == "i" for net in device.nets}
    supplies = _fed_from(transistors, "p", outer, fed if named_supplies else set())
    grounds = _fed_from(transistors, "n", outer, fed)
    # Where a rail is known, another has a source: the output of a follower looks like a rail, too.
    known = "0" in circuit.nets or bool(named_grounds)
    supplies = [net for net in supplies if net in voltages or not named_supplies]
    grounds = [net for net in grounds if net in voltages or not known]
    supplies = [*named_supplies, *(net for net in supplies if net not in (*named_supplies, *named_grounds, "0"))]
    grounds = ["0", *named_grounds, *(net for net in grounds if net not in ("0", *named_grounds, *supplies))]
    return Rails(tuple(supplies), tuple(grounds), voltages)


def oriented(transistors: Sequence[Transistor], rails: Rails) -> tuple[Transistor, ...]:
    """The transistors with sources at their rail: n devices at a ground and p devices at a supply, where they are."""
    own = {"n": rails.grounds, "p": rails.supplies}
    return tuple(
        each.swapped() if each.drain in own[each.polarity] and each.source not in own[each.polarity] else each
        for each in transistors
    )


def _held(circuit: Circuit) -> dict[str, float]:
    """The nets that sources to grounds hold, and their voltages against `0`, those from `0` itself first."""
    found: dict[str, float] = {}
    sources = [device for device in circuit.devices if device.kind == "v" and any(map(is_ground, device.nets))]
    for device in sorted(sources, key=lambda device: "0" not in device.nets):
        value = number(device.parameters.get("dc", "0"), circuit) or 0.0
        net, ground = device.nets
        if ground != "0" and (net == "0" or not is_ground(ground)):
            net, ground, value = ground, net, -value
        if net != "0":
            found.setdefault(net, found.get(ground, 0.0) + value)
    return found


def _fed_from(
    transistors: Sequence[Transistor], polarity: str, outer: Collection[str], excluded: Collection[str]
) -> list[str]:
    inner = {net for each in transistors for net in (each.drain, each.gate)} | set(excluded)
    sources = (net for each in transistors if each.polarity == polarity for net in (each.source, each.body))
    return [net for net in dict.fromkeys(sources) if net in outer and net not in inner]

"""Binned models: of the many models of a transistor, each for a range of W and L, those that a deck needs.

A sub-circuit is copied for each of its calls, with all models in it, so that ngspice takes most of its time for models
that no device has: of a kit's sixty, a deck needs one or two.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sizing.spice.circuit import parse_circuit
from sizing.spice.device import Device
from sizing.spice.expression import ExpressionError, Value, parse_expression, resolve
from sizing.spice.netlist import Line, NetlistError, unwrap
from sizing.units import format_quantity

_BINNED = re.compile(r"\s*\.model\s+(\S+)\.\d+\s", re.IGNORECASE)
_LIMIT = re.compile(r"(?<![\w.])([wl]m(?:in|ax))\s*=\s*([^\s(),]+)", re.IGNORECASE)
_LIMITS = ("wmin", "wmax", "lmin", "lmax")
_SLACK_METRES = 1.01e-9
"""Metres. To ngspice a width within 1 nm of a bin's is one of it; of two such bins it takes the first, so both stay."""


class OutsideBins(ValueError):
    """A device of a width and length for which there is no model; the message says which, and what there is."""


@dataclass(frozen=True)
class _Bin:
    """A model's line, by its place in the deck, and the range that it is for, in metres."""

    line: int
    limits: tuple[float, float, float, float]

    def holds(self, width: float, length: float) -> bool:
        narrowest, widest, shortest, longest = self.limits
        return _between(narrowest, width, widest) and _between(shortest, length, longest)


@dataclass(frozen=True)
class Bins:
    """The bins of a deck by model, and the transistors that take their models from them."""

    by_model: Mapping[str, tuple[_Bin, ...]]
    devices: tuple[Device, ...]
    parameters: Mapping[str, str]
    scale: float

    def unused(self, values: Mapping[str, float]) -> frozenset[int]:
        """The lines, by their place, that can be left out where variables have these values.

        Of width and width of a finger, that which ngspice compares depends on its option `wnflag`: bins of both stay.
        Raises OutsideBins.
        """
        expressions = {
            f"{device.name} {name}": device.parameters[name]
            for device in self.devices
            for name in ("w", "l", "nf")
            if name in device.parameters
        }
        try:
            found = resolve({**self.parameters, **expressions}, values, expressions)
        except ExpressionError:
            return frozenset()
        used: set[int] = set()
        for device in self.devices:
            used.update(self._used(device, found))
        return frozenset(each.line for bins in self.by_model.values() for each in bins) - used

    def _used(self, device: Device, found: Mapping[str, Value]) -> list[int]:
        bins = self.by_model[device.model or ""]
        width, length = (float(found[f"{device.name} {name}"]) * self.scale for name in "wl")
        finger = width / max(float(found.get(f"{device.name} nf", 1.0)), 1.0)
        used = [each.line for each in bins if each.holds(width, length) or each.holds(finger, length)]
        if not used:
            narrowest, widest, shortest, longest = zip(*(each.limits for each in bins), strict=True)
            raise OutsideBins(
                f"{device.name}: expected a W and L that {device.model} has a bin for, got a finger of "
                f"W = {_metres(finger)}, L = {_metres(length)} (its bins: W {_range(min(narrowest), max(widest))}, "
                f"L {_range(min(shortest), max(longest))}); change the ranges of its variables"
            )
        return used


def find_bins(lines: Sequence[Line]) -> Bins | None:
    """The bins of a deck; None where there are none, or it holds what `parse_circuit` does not read.

    Models with a limit that is no number, and those of a device without W and L, are not taken for bins.
    """
    found: defaultdict[str, list[_Bin]] = defaultdict(list)
    others: set[str] = set()
    for index, line in enumerate(lines):
        if match := _BINNED.match(line.text):
            name = match[1].lower()
            if (limits := _limits(line)) is None:
                others.add(name)
            else:
                found[name].append(_Bin(index, limits))
    if not found:
        return None
    try:
        circuit = parse_circuit([without_values(line) for line in lines])
    except NetlistError:
        return None
    users = [device for device in circuit.devices if device.kind == "m"]
    others.update(device.model or "" for device in users if not {"w", "l"} <= device.parameters.keys())
    by_model = {name: tuple(bins) for name, bins in found.items() if name not in others}
    devices = tuple(device for device in users if device.model in by_model)
    return Bins(by_model, devices, circuit.parameters, circuit.scale)


def _limits(line: Line) -> tuple[float, float, float, float] | None:
    written = {match[1].lower(): match[2] for match in _LIMIT.finditer(line.text)}
    try:
        narrowest, widest, shortest, longest = (float(parse_expression(unwrap(written[each]))({})) for each in _LIMITS)
    except (KeyError, ExpressionError):
        return None
    return narrowest, widest, shortest, longest


def without_values(line: Line) -> Line:
    """A model's line with its name and type alone: the rest says nothing of the circuit, and is long."""
    if line.keyword != ".model":
        return line
    return Line(" ".join(line.text.split(maxsplit=3)[:3]), line.file, line.number)


def _between(least: float, value: float, most: float) -> bool:
    return least - _SLACK_METRES <= value <= most + _SLACK_METRES


def _range(least: float, most: float) -> str:
    return f"{_metres(least)} to {_metres(most)}"


def _metres(value: float) -> str:
    return format_quantity(value, "m")

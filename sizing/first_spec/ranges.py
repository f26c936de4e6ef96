"""What a number of a netlist is, and the range that a first spec gives it, with the number in the middle."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from math import ceil, log2

from sizing.units import format_quantity, spice_text

WIDEST_FACTOR = 4.0
"""Ranges go from a quarter to four times what was found, but for widths of transistors whose inversion is known."""
MOST_DOUBLINGS = 3
"""Of a width whose inversion is known, either way."""
LENGTH_FACTORS = (1.0, 1.2, 1.5, 2.0, 3.0)
"""Lengths from a technology's shortest on, in units of it."""
LONGEST_IN_METRES = 1e-2
"""A width or length beyond it is in units of its own, such as micrometres."""


class Kind(Enum):
    """What a number in a device line is; the value is its unit in a spec."""

    WIDTH = "m"
    LENGTH = "m "
    COUNT = ""
    RESISTANCE = "Ohm"
    CAPACITANCE = "F"
    INDUCTANCE = "H"
    CURRENT = "A"


KINDS = {
    ("m", "w"): Kind.WIDTH, ("m", "l"): Kind.LENGTH,
    ("m", "m"): Kind.COUNT, ("m", "nf"): Kind.COUNT, ("m", "mult"): Kind.COUNT,
    ("q", "m"): Kind.COUNT, ("q", "area"): Kind.COUNT,
    ("x", "w"): Kind.WIDTH, ("x", "l"): Kind.LENGTH,
    ("x", "m"): Kind.COUNT, ("x", "nf"): Kind.COUNT, ("x", "mult"): Kind.COUNT,
    ("r", "r"): Kind.RESISTANCE, ("r", "w"): Kind.WIDTH, ("r", "l"): Kind.WIDTH, ("r", "m"): Kind.COUNT,
    ("c", "c"): Kind.CAPACITANCE, ("c", "w"): Kind.WIDTH, ("c", "l"): Kind.WIDTH, ("c", "m"): Kind.COUNT,
    ("l", "l"): Kind.INDUCTANCE, ("i", "dc"): Kind.CURRENT,
}  # fmt: skip
"""By the device's letter and the parameter."""


@dataclass(frozen=True)
class Inversion:
    """How strongly a transistor of a variable's width is inverted as it is."""

    current: float
    """Amperes from drain to source."""
    efficiency: float
    """gm/Id in 1/V."""
    factors: tuple[float, float]
    """What its width may be multiplied with until it is as strongly, or as weakly, inverted as any that one uses."""


@dataclass(frozen=True)
class VariableText:
    """A variable as a spec has it."""

    name: str
    entry: str
    """What stands in braces, such as `from: 1u, to: 16u, points: 17, scale: log, unit: m`."""
    comment: str


def range_entry(kind: Kind, value: float, shortest: float, inversions: Sequence[Inversion] = ()) -> str:
    """The range of a quantity that is `value` now.

    `shortest` is the shortest channel in the netlist, `inversions` those of the transistors that have it for a width.
    """
    if kind is Kind.COUNT and value == int(value):
        return f"from: 1, to: {max(2 * int(value) - 1, 3)}, step: 1"
    unit = kind.value.strip() if value < LONGEST_IN_METRES or kind is Kind.RESISTANCE else ""
    ending = f", unit: {unit}" if unit else ""
    if kind is Kind.LENGTH:
        room = value / shortest
        if room < LENGTH_FACTORS[2]:
            return f"values: [{', '.join(spice_text(value * factor) for factor in LENGTH_FACTORS)}]{ending}"
        return _logarithmic(value, min(room, WIDEST_FACTOR)) + ending
    if kind is Kind.WIDTH and inversions:
        halvings = _doublings(1 / min(each.factors[0] for each in inversions))
        doublings = _doublings(max(each.factors[1] for each in inversions))
        ends = f"from: {spice_text(value / 2**halvings)}, to: {spice_text(value * 2**doublings)}"
        return f"{ends}, points: {4 * (halvings + doublings) + 1}, scale: log{ending}"
    return _logarithmic(value, WIDEST_FACTOR) + ending


def inversion_text(inversions: Sequence[Inversion]) -> str:
    """Currents and gm/Id of transistors as they are, for a comment."""
    if not inversions:
        return ""
    currents = _span([format_quantity(each, "A", digits=2) for each in sorted(each.current for each in inversions)])
    efficiencies = _span([f"{each:.2g}" for each in sorted(each.efficiency for each in inversions)])
    return f"; {currents}, gm/Id {efficiencies} /V"


def _span(ascending: Sequence[str]) -> str:
    return " to ".join(dict.fromkeys((ascending[0], ascending[-1])))


def _doublings(factor: float) -> int:
    """Of a width, until it has changed by this factor; at least one, and no more than one would try."""
    return min(max(ceil(log2(factor)), 1), MOST_DOUBLINGS)


def _logarithmic(value: float, factor: float) -> str:
    points = 2 * (8 if factor >= WIDEST_FACTOR else 4) + 1
    return f"from: {spice_text(value / factor)}, to: {spice_text(value * factor)}, points: {points}, scale: log"

"""A sheet on which a circuit is drawn. It remembers what it draws, so that tests compare the drawing with its netlist.

Places are (x, y), y upwards; a transistor is 2 high. Bulks are not drawn.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

import schemdraw
import schemdraw.elements as elm
from schemdraw.segments import SegmentText

Point = tuple[float, float]
Side = Literal["left", "right", "above", "below"]
LeftOrRight = Literal["left", "right"]

GATE = 1.1
"""From a transistor's drain and source to its gate, along x."""
NET_COLOR = "#1a56a0"
RAIL_WIDTH = 2.6
OUTWARDS: Mapping[Side, Point] = {"left": (-1, 0), "right": (1, 0), "above": (0, 1), "below": (0, -1)}
ALIGNMENTS: Mapping[Side | None, tuple[str, str]] = {
    None: ("center", "center"),
    "left": ("right", "center"),
    "right": ("left", "center"),
    "above": ("center", "bottom"),
    "below": ("center", "top"),
}


@dataclass(frozen=True)
class Transistor:
    """Where the terminals of a drawn transistor are."""

    drain: Point
    gate: Point
    source: Point


@dataclass(frozen=True)
class Drawn:
    """A device on a sheet: what it is drawn as, its size as text, and its terminals in the netlist's order."""

    symbol: str
    size: str
    terminals: tuple[Point, ...]


@dataclass
class Sheet:
    """A drawing and what it says: devices by name, wires, and names of nets at places."""

    drawing: schemdraw.Drawing
    devices: dict[str, Drawn] = field(default_factory=dict)
    wires: list[tuple[Point, Point]] = field(default_factory=list)
    names: list[tuple[str, Point]] = field(default_factory=list)

    def nmos(self, name: str, size: str, x: float, y: float, gate: LeftOrRight = "left") -> Transistor:
        """An NMOS transistor with its drain at (x, y + 1), its source at (x, y - 1)."""
        places = Transistor(drain=(x, y + 1), gate=(x - GATE if gate == "left" else x + GATE, y), source=(x, y - 1))
        return self._transistor(elm.AnalogNFet(offset_gate=False), name, size, places)

    def pmos(self, name: str, size: str, x: float, y: float, gate: LeftOrRight = "left") -> Transistor:
        """A PMOS transistor with its source at (x, y + 1), its drain at (x, y - 1)."""
        places = Transistor(drain=(x, y - 1), gate=(x - GATE if gate == "left" else x + GATE, y), source=(x, y + 1))
        return self._transistor(elm.AnalogPFet(offset_gate=False), name, size, places)

    def resistor(self, name: str, start: Point, end: Point, size: str = "", label: Side = "right") -> None:
        """A resistor from `start` to `end`."""
        self._between(elm.ResistorIEEE(), name, size, start, end, label, 0.5)

    def capacitor(self, name: str, start: Point, end: Point, size: str = "", label: Side = "right") -> None:
        """A capacitor from `start` to `end`."""
        self._between(elm.Capacitor(), name, size, start, end, label, 0.5)

    def current(self, name: str, start: Point, end: Point, size: str) -> None:
        """A source whose current flows from `start` through it to `end`."""
        self._between(elm.SourceI(), name, size, start, end, "right", 0.65)

    def box(self, name: str, what: str, x: float, y: float, pins: Mapping[str, Point]) -> None:
        """A call of a sub-circuit, 2.4 wide and 2 high, with its pins in the netlist's order."""
        self.drawing.add(elm.Rect(corner1=(0, 0), corner2=(2.4, 2)).at((x - 1.2, y - 1)).theta(0))
        self.text(name, (x, y + 0.25))
        self.text(what, (x, y - 0.25), size=11)
        for pin, place in pins.items():
            self.text(pin, (x + 0.8 * (place[0] - x), y + 0.76 * (place[1] - y)), size=9)
        self.devices[name] = Drawn("box", what, tuple(map(snapped, pins.values())))

    def frame(self, title: str, corner: Point, opposite: Point) -> None:
        """A dashed frame around what a sub-circuit holds."""
        size = (opposite[0] - corner[0], opposite[1] - corner[1])
        self.drawing.add(elm.Rect(corner1=(0, 0), corner2=size).at(corner).theta(0).linestyle("--").color("gray"))
        self.text(title, (corner[0] + 0.2, opposite[1] - 0.4), "right", size=11)

    def wire(self, *points: Point) -> None:
        """A wire through these points; two that lie askew are joined first horizontally, then vertically."""
        for start, end in pairwise(points):
            corner = (end[0], start[1])
            for part in ((start, corner), (corner, end)):
                if part[0] != part[1]:
                    self._line(*part)

    def rail(self, net: str, y: float, start: float, end: float) -> None:
        """A supply across the sheet, its name at the left end."""
        self._line((start, y), (end, y), width=RAIL_WIDTH)
        self.net(net, (start, y), "left")
        if net == "0":
            self.ground((end, y))

    def supply(self, net: str, place: Point) -> None:
        """The symbol of a supply, with its name."""
        x, y = place
        self.drawing.add(elm.Line().endpoints(place, (x, y + 0.3)))
        self.drawing.add(elm.Line().endpoints((x - 0.4, y + 0.3), (x + 0.4, y + 0.3)).linewidth(RAIL_WIDTH))
        self.text(net, (x, y + 0.45), "above", size=11, color=NET_COLOR)
        self.names.append((net, snapped(place)))

    def ground(self, place: Point) -> None:
        """The symbol of net 0."""
        self.drawing.add(elm.Ground().at(place).theta(0))
        self.names.append(("0", snapped(place)))

    def pin(self, net: str, place: Point, side: Side) -> None:
        """A port of the circuit, with the name of its net."""
        self.drawing.add(elm.Dot(open=True, radius=0.1).at(place))
        self.net(net, place, side)

    def net(self, net: str, place: Point, side: Side) -> None:
        """The name of the net at this place; all places with the same name are one net."""
        (x, y), (dx, dy) = place, OUTWARDS[side]
        self.text(net, (x + 0.3 * dx, y + (0.25 if dy > 0 else 0.35) * dy), side, color=NET_COLOR)
        self.names.append((net, snapped(place)))

    def text(self, text: str, place: Point, side: Side | None = None, size: int = 13, color: str = "black") -> None:
        """Text beside a place, or centred on it."""
        words = elm.Element().at(place).theta(0)
        words.segments.append(SegmentText((0, 0), text, align=ALIGNMENTS[side], fontsize=size, color=color))
        self.drawing.add(words)

    def svg(self) -> bytes:
        """The picture, with a dot wherever three or more lines meet."""
        terminals = [place for device in self.devices.values() for place in device.terminals]
        for place in sorted({*terminals, *(end for wire in self.wires for end in wire)}):
            arms = sum(1 if place in wire else 2 for wire in self.wires if touches(place, wire))
            if arms + terminals.count(place) > 2:
                self.drawing.add(elm.Dot().at(place))
        return self.drawing.get_imagedata("svg")

    def _line(self, start: Point, end: Point, width: float | None = None) -> None:
        start, end = snapped(start), snapped(end)
        self.wires.append((start, end))
        line = elm.Line().endpoints(start, end)
        self.drawing.add(line.linewidth(width) if width else line)

    def _transistor(self, symbol: elm.Element, name: str, size: str, places: Transistor) -> Transistor:
        (x, y), (gate, _) = places.drain, places.gate
        symbol = symbol.at((x, max(y, places.source[1]))).theta(0).scale(1.2)
        self.drawing.add(symbol.reverse() if gate < x else symbol)
        side: Side = "right" if gate < x else "left"
        self._label(name, size, (x + 0.2 * OUTWARDS[side][0], places.gate[1]), side)
        terminals = snapped(symbol.drain), snapped(symbol.gate), snapped(symbol.source)
        self.devices[name] = Drawn(type(symbol).__name__, size, terminals)
        return places

    def _between(
        self, symbol: elm.Element2Term, name: str, size: str, start: Point, end: Point, label: Side, half: float
    ) -> None:
        self.drawing.add(symbol.endpoints(start, end))
        dx, dy = OUTWARDS[label]
        self._label(name, size, ((start[0] + end[0]) / 2 + half * dx, (start[1] + end[1]) / 2 + half * dy), label)
        self.devices[name] = Drawn(type(symbol).__name__, size or name, (snapped(symbol.start), snapped(symbol.end)))

    def _label(self, name: str, size: str, place: Point, side: Side) -> None:
        x, y = place
        upper, lower = {"above": (0.45, 0.0), "below": (-0.15, -0.6)}.get(side, (0.24, -0.24))
        if not size:
            upper = {"left": 0.0, "right": 0.0, "above": 0.0, "below": -0.15}[side]
        self.text(name, (x, y + upper), side)
        if size:
            self.text(size, (x, y + lower), side, size=11, color="#444")


def snapped(place: Point) -> Point:
    """The place without the rounding of sums, so that what meets in a drawing meets in numbers."""
    return (round(place[0], 3), round(place[1], 3))


def touches(place: Point, wire: tuple[Point, Point]) -> bool:
    """Whether a place lies on a wire, its ends included."""
    (x1, y1), (x2, y2) = wire
    return min(x1, x2) <= place[0] <= max(x1, x2) and min(y1, y2) <= place[1] <= max(y1, y2)


def diode(sheet: Sheet, transistor: Transistor) -> None:
    """Connects a transistor's gate to its drain."""
    sheet.wire(transistor.drain, transistor.gate)

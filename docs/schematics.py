"""Draws the circuits of the shipped specs, docs/schematics/NAME.svg: python docs/schematics.py [NAME…]

Places are (x, y), y upwards; a transistor is 2 high. Bulks are not drawn. A sheet remembers what it draws, so that the
drawing can be compared with its netlist, connection by connection: tests/docs/test_circuits.py.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Literal

import schemdraw
import schemdraw.elements as elm
from schemdraw.segments import SegmentText

Point = tuple[float, float]
Side = Literal["left", "right", "above", "below"]
LeftOrRight = Literal["left", "right"]

FOLDER = Path(__file__).parent / "schematics"
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


def cs_amp(sheet: Sheet) -> None:
    sheet.rail("vdd", 5, -1, 1)
    sheet.resistor("rl", (0, 5), (0, 3))
    m1 = sheet.nmos("m1", "×m1", 0, 1)
    sheet.wire((0, 3), m1.drain)
    sheet.ground(m1.source)
    sheet.wire((-2.2, 1), m1.gate)
    sheet.pin("in", (-2.2, 1), "left")
    sheet.wire((0, 2.5), (1.6, 2.5))
    sheet.pin("out", (1.6, 2.5), "right")


@dataclass(frozen=True)
class FirstStage:
    """A pair with mirror load and a tail from a bias diode: names and sizes of devices, left before right, and nets."""

    load: tuple[tuple[str, str], tuple[str, str]]
    pair: tuple[tuple[str, str], tuple[str, str]]
    tail: tuple[str, str]
    bias: tuple[str, str]
    inputs: tuple[str, str]
    mirror: str
    common: str
    output: str


def first_stage(sheet: Sheet, has: FirstStage) -> None:
    """Between rails at 8.6 and 0: its output ends at (9.8, 5.6), its bias comes to (0, 2) and goes by (2.4, 1)."""
    left, right = sheet.pmos(*has.load[0], 3, 7.6, gate="right"), sheet.pmos(*has.load[1], 7.4, 7.6)
    sheet.wire(left.gate, right.gate)
    diode(sheet, left)
    first, other = sheet.nmos(*has.pair[0], 3, 4.2), sheet.nmos(*has.pair[1], 7.4, 4.2, gate="right")
    sheet.wire(left.drain, first.drain)
    sheet.net(has.mirror, (3, 5.9), "left")
    sheet.wire(right.drain, other.drain)
    sheet.wire((7.4, 5.6), (9.8, 5.6))
    sheet.net(has.output, (8.6, 5.6), "above")
    sheet.wire((1.2, 4.2), first.gate)
    sheet.pin(has.inputs[0], (1.2, 4.2), "left")
    sheet.wire(other.gate, (9.2, 4.2))
    sheet.pin(has.inputs[1], (9.2, 4.2), "right")
    sheet.wire(first.source, other.source)
    sheet.net(has.common, (4.1, 3.2), "below")
    tail, bias = sheet.nmos(*has.tail, 5.2, 1), sheet.nmos(*has.bias, 0, 1, gate="right")
    sheet.wire(tail.drain, (5.2, 3.2))
    diode(sheet, bias)
    sheet.wire(bias.gate, tail.gate)


@dataclass(frozen=True)
class TwoStage:
    """A first stage, the devices of a second one, and the nets that it adds."""

    first: FirstStage
    second: tuple[str, str]
    sink: tuple[str, str]
    output: str
    bias: str
    ground: str


def two_stage(sheet: Sheet, has: TwoStage) -> None:
    """What the two-stage op-amps have in common; their compensation goes from (9.8, 5.6) to (13.8, 5.6)."""
    sheet.rail("vdd", 8.6, -1.2, 14.6)
    sheet.rail(has.ground, 0, -1.2, 14.6)
    first_stage(sheet, has.first)
    second, sink = sheet.pmos(*has.second, 13.8, 7.6), sheet.nmos(*has.sink, 13.8, 1)
    sheet.wire((9.8, 5.6), (9.8, 7.6), second.gate)
    sheet.wire((2.4, 1), (2.4, 2.4), (11.4, 2.4), (11.4, 1), sink.gate)
    sheet.net(has.bias, (9.2, 2.4), "above")
    sheet.wire(second.drain, sink.drain)
    sheet.wire((13.8, 3.8), (15.6, 3.8))
    sheet.pin(has.output, (15.6, 3.8), "right")


BPTM_OP_AMP = TwoStage(
    first=FirstStage(
        load=(("mp1", "×mp1"), ("mp2", "×mp1")),
        pair=(("mn1", "×mn1"), ("mn2", "×mn1")),
        tail=("mn3", "×mn3"),
        bias=("mn4", "×mn4"),
        inputs=("2", "1"),
        mirror="4",
        common="3",
        output="5",
    ),
    second=("mp3", "×mp3"),
    sink=("mn5", "×mn5"),
    output="6",
    bias="7",
    ground="0",
)


def opamp_cc(sheet: Sheet) -> None:
    two_stage(sheet, BPTM_OP_AMP)
    sheet.current("ibias", (0, 8.6), (0, 2), "30 µA")
    sheet.capacitor("cc", (9.8, 5.6), (13.8, 5.6), label="above")


def opamp_cc_rz(sheet: Sheet) -> None:
    two_stage(sheet, BPTM_OP_AMP)
    sheet.current("ibias", (0, 8.6), (0, 2), "30 µA")
    sheet.capacitor("cc", (9.8, 5.6), (11.8, 5.6), label="above")
    sheet.net("8", (11.8, 5.6), "above")
    sheet.resistor("rz", (11.8, 5.6), (13.8, 5.6), label="above")


def sky130_miller(sheet: Sheet) -> None:
    first = FirstStage(
        load=(("x3", "w3/l3 ×m3"), ("x4", "w3/l3 ×m3")),
        pair=(("x1", "w1/l1 ×m1"), ("x2", "w1/l1 ×m1")),
        tail=("x5", "w5/l5 ×m5"),
        bias=("x8", "w5/l5 ×2"),
        inputs=("inn", "inp"),
        mirror="a",
        common="tail",
        output="b",
    )
    two_stage(sheet, TwoStage(first, ("x6", "w3/l3 ×m6"), ("x7", "w5/l5 ×m7"), output="out", bias="ib", ground="vss"))
    sheet.wire((0, 2), (0, 2.8))
    sheet.pin("ib", (0, 2.8), "above")
    sheet.capacitor("xc", (9.8, 5.6), (11.8, 5.6), "wc×wc", label="above")
    sheet.net("z", (11.8, 5.6), "above")
    sheet.resistor("xz", (11.8, 5.6), (13.8, 5.6), "1/lz", label="above")


def tia_two_stage(sheet: Sheet) -> None:
    sheet.rail("vdd", 8.6, 1, 10)
    sheet.resistor("rl", (2, 8.6), (2, 6.2))
    m1 = sheet.nmos("m1", "×m1", 2, 4)
    sheet.wire((2, 6.2), m1.drain)
    sheet.ground(m1.source)
    m2 = sheet.nmos("m2", "×m2", 5.4, 6)
    sheet.wire((2, 6), m2.gate)
    sheet.net("x", (3.2, 6), "above")
    sheet.wire(m2.drain, (5.4, 8.6))
    m3 = sheet.nmos("m3", "×m3", 5.4, 0, gate="right")
    sheet.wire(m2.source, m3.drain)
    sheet.ground(m3.source)
    sheet.wire((5.4, 3.8), (7.2, 3.8))
    sheet.pin("out", (7.2, 3.8), "right")
    m4 = sheet.nmos("m4", "×mb", 9, 0)
    sheet.wire(m3.gate, m4.gate)
    diode(sheet, m4)
    sheet.net("b", (7.2, 0), "below")
    sheet.ground(m4.source)
    sheet.current("ibias", (9, 8.6), (9, 1), "50 µA")
    sheet.wire((-1.2, 4), m1.gate)
    sheet.pin("in", (-1.2, 4), "left")
    sheet.wire((0, 4), (0, 1.8))
    sheet.resistor("rf", (5.4, 1.8), (0, 1.8), label="below")


def tia_three_stage(sheet: Sheet) -> None:
    sheet.rail("vdd", 7.6, 1, 15)
    nodes = ((2.0, "x"), (7.0, "y"), (12.0, "out"))
    for index, (x, node) in enumerate(nodes, start=1):
        stage = sheet.nmos(f"m{index}", f"×m{index}", x, 2)
        sheet.ground(stage.source)
        sheet.resistor(f"r{index}", (x, 7.6), (x, 4.4), label="left")
        sheet.wire((x, 4.4), stage.drain)
        load = sheet.nmos(f"md{index}", f"×md{index}", x + 1.9, 6, gate="right")
        sheet.wire(load.drain, (x + 1.9, 7.6))
        sheet.wire(load.gate, (x + 1.9 + GATE, 7.6))
        sheet.wire((x, 4), load.source)
        if index < len(nodes):
            sheet.wire((x + 1.9, 4), (x + 5 - GATE, 2))
            sheet.net(node, (x + 2.9, 4), "above")
    sheet.wire((13.9, 4), (16.4, 4))
    sheet.pin("out", (16.4, 4), "right")
    sheet.wire((-1.2, 2), (2 - GATE, 2))
    sheet.pin("in", (-1.2, 2), "left")
    sheet.wire((0, 2), (0, -0.6), (0, -2.2))
    sheet.wire((15.2, 4), (15.2, -0.6), (15.2, -2.2))
    sheet.resistor("rf", (15.2, -0.6), (0, -0.6), label="below")
    sheet.capacitor("cf", (15.2, -2.2), (0, -2.2), label="below")


def sky130_folded_cascode(sheet: Sheet) -> None:
    sheet.rail("vdd", 11, 1, 17.6)
    sheet.rail("vss", 0, 1, 17.6)
    x2, x1 = sheet.nmos("x2", "w1/l1 ×m1", 2.6, 4.8), sheet.nmos("x1", "w1/l1 ×m1", 7, 4.8, gate="right")
    sheet.wire((0.9, 4.8), x2.gate)
    sheet.pin("inn", (0.9, 4.8), "left")
    sheet.wire(x1.gate, (8.7, 4.8))
    sheet.pin("inp", (8.7, 4.8), "right")
    sheet.wire(x2.source, x1.source)
    sheet.net("tail", (3.7, 3.8), "below")
    x0 = sheet.nmos("x0", "w9/l9 ×m0", 4.8, 1)
    sheet.wire(x0.drain, (4.8, 3.8))
    sheet.net("ib", x0.gate, "left")

    sources = sheet.pmos("x3", "w3/l3 ×m3", 12.4, 10, gate="right"), sheet.pmos("x4", "w3/l3 ×m3", 16.4, 10)
    cascodes = sheet.pmos("x5", "w5/l5 ×m5", 12.4, 6.3, gate="right"), sheet.pmos("x6", "w5/l5 ×m5", 16.4, 6.3)
    sinks = sheet.nmos("x7", "w7/l7 ×m7", 12.4, 3.5, gate="right"), sheet.nmos("x8", "w7/l7 ×m7", 16.4, 3.5)
    mirror = sheet.nmos("x9", "w9/l9 ×m9", 12.4, 1, gate="right"), sheet.nmos("x10", "w9/l9 ×m9", 16.4, 1)
    for (left, right), net in ((sources, "bp"), (cascodes, "cp"), (sinks, "cn")):
        sheet.wire(left.gate, right.gate)
        sheet.net(net, (13.9, left.gate[1]), "above")
    sheet.wire(mirror[0].gate, mirror[1].gate)
    for side in (0, 1):
        sheet.wire(sources[side].drain, cascodes[side].source)
        sheet.wire(cascodes[side].drain, sinks[side].drain)
        sheet.wire(sinks[side].source, mirror[side].drain)
    sheet.wire((12.4, 7.9), x1.drain)
    sheet.net("fn", (9.4, 7.9), "below")
    sheet.wire((16.4, 8.5), x2.drain)
    sheet.net("fp", (9.4, 8.5), "above")
    sheet.wire((12.4, 4.9), (14.6, 1))
    sheet.net("mir", (12.4, 4.9), "left")
    sheet.net("sn", (12.4, 2.25), "left")
    sheet.net("sp", (16.4, 2.25), "right")
    sheet.wire((16.4, 4.9), (18.6, 4.9))
    sheet.pin("out", (18.6, 4.9), "right")
    folded_cascode_bias(sheet)


def folded_cascode_bias(sheet: Sheet) -> None:
    """Below the amplifier: the mirror, and the diodes that bias sources and cascodes."""
    sheet.rail("vdd", -2, 1, 17.6)
    sheet.rail("vss", -9.4, 1, 17.6)
    x14, x11 = sheet.nmos("x14", "w9/l9 ×2", 4, -8.4, gate="right"), sheet.nmos("x11", "w9/l9 ×2", 7.6, -8.4)
    sheet.wire(x14.gate, x11.gate)
    diode(sheet, x11)
    sheet.wire(x11.drain, (7.6, -6))
    sheet.pin("ib", (7.6, -6), "above")
    x15 = sheet.pmos("x15", "1/lcp", 4, -3, gate="right")
    diode(sheet, x15)
    sheet.wire(x15.drain, x14.drain)
    sheet.net("cp", (4, -5.7), "left")
    x12, x13 = sheet.nmos("x12", "w9/l9 ×2", 11.4, -8.4), sheet.pmos("x13", "w3/l3 ×2", 11.4, -3, gate="right")
    sheet.wire(x11.drain, x12.gate)
    diode(sheet, x13)
    sheet.wire(x13.drain, x12.drain)
    sheet.net("bp", (11.4, -5.7), "right")
    x17, x16 = sheet.nmos("x17", "1/lcn", 15, -8.4), sheet.pmos("x16", "w3/l3 ×2", 15, -3)
    sheet.wire(x13.gate, x16.gate)
    diode(sheet, x17)
    sheet.wire(x16.drain, x17.drain)
    sheet.net("cn", (15, -5.7), "right")


def sky130_nested_miller(sheet: Sheet) -> None:
    sheet.rail("vdd", 11, -1.4, 30.4)
    sheet.rail("vss", 0, -1.4, 30.4)

    x12, x13 = sheet.pmos("x12", "w0/l0 ×2", 0, 10, gate="right"), sheet.pmos("x13", "w0/l0 ×2", 3.6, 10)
    sheet.wire(x12.gate, x13.gate)
    diode(sheet, x12)
    sheet.wire(x12.drain, (0, 7.6))
    sheet.pin("ib", (0, 7.6), "below")
    x14 = sheet.nmos("x14", "w3/l3 ×4", 3.6, 1)
    sheet.wire(x13.drain, x14.drain)
    diode(sheet, x14)
    sheet.net("nb", (3.6, 5), "right")

    x0 = sheet.pmos("x0", "w0/l0 ×m0", 11, 10)
    sheet.net("ib", x0.gate, "left")
    x1, x2 = sheet.pmos("x1", "w1/l1 ×m1", 8.8, 7), sheet.pmos("x2", "w1/l1 ×m1", 13.2, 7, gate="right")
    sheet.wire(x1.source, x2.source)
    sheet.wire(x0.drain, (11, 8))
    sheet.net("tail", (9.9, 8), "above")
    sheet.wire((7.1, 7), x1.gate)
    sheet.pin("inn", (7.1, 7), "left")
    sheet.wire(x2.gate, (14.8, 7))
    sheet.pin("inp", (14.8, 7), "right")
    x3, x4 = sheet.nmos("x3", "w3/l3 ×m3", 8.8, 1, gate="right"), sheet.nmos("x4", "w3/l3 ×m3", 13.2, 1)
    sheet.wire(x3.gate, x4.gate)
    diode(sheet, x3)
    sheet.wire(x1.drain, x3.drain)
    sheet.net("a", (8.8, 4), "left")
    sheet.wire(x2.drain, x4.drain)

    x6, x7 = sheet.nmos("x6", "w6/l3 ×m6", 19, 1), sheet.pmos("x7", "w7/l7 ×m7", 19, 10, gate="right")
    sheet.wire((13.2, 4), (17, 4), (17, 1), x6.gate)
    sheet.net("b", (15, 4), "above")
    diode(sheet, x7)
    sheet.wire(x7.drain, x6.drain)
    sheet.net("c", (19, 5.4), "left")
    x8, x9 = sheet.pmos("x8", "w7/l7 ×m8", 23.4, 10), sheet.nmos("x9", "w3/l3 ×m9", 23.4, 1)
    sheet.wire(x7.gate, x8.gate)
    sheet.wire(x8.drain, x9.drain)
    sheet.net("nb", x9.gate, "left")

    x10, x11 = sheet.nmos("x10", "w10/l10 ×m10", 29.4, 1), sheet.pmos("x11", "w0/l0 ×m11", 29.4, 10)
    sheet.net("ib", x11.gate, "left")
    sheet.wire(x11.drain, x10.drain)
    sheet.wire((23.4, 4), (26.6, 4), (26.6, 1), x10.gate)
    sheet.net("d", (25, 4), "above")
    sheet.capacitor("xc2", (26.6, 4), (29.4, 4), "wc2×wc2", label="above")
    sheet.wire((17, 4), (17, 7), (25, 7))
    sheet.capacitor("xc1", (25, 7), (28.2, 7), "wc1×wc1 ×mc1", label="above")
    sheet.wire((28.2, 7), (29.4, 7))
    sheet.wire((29.4, 5.5), (31.4, 5.5))
    sheet.pin("out", (31.4, 5.5), "right")


def sky130_ldo(sheet: Sheet) -> None:
    sheet.rail("in", 8.6, -1.2, 16)
    sheet.rail("0", 0, -1.2, 16)
    first = FirstStage(
        load=(("x3", "w3/l3 ×m3"), ("x4", "w3/l3 ×m3")),
        pair=(("x1", "w1/l1 ×m1"), ("x2", "w1/l1 ×m1")),
        tail=("x5", "w5/l5 ×m5"),
        bias=("x6", "w5/l5 ×2"),
        inputs=("fb", "ref"),
        mirror="a",
        common="tail",
        output="e",
    )
    first_stage(sheet, first)
    sheet.wire((0, 2), (0, 2.8))
    sheet.pin("ib", (0, 2.8), "above")

    xp = sheet.pmos("xp", "wp/0.15 ×mp", 15, 7.6)
    sheet.wire((9.8, 5.6), (9.8, 7.6), xp.gate)
    sheet.capacitor("xc", (9.8, 5.6), (12.6, 5.6), "wc×wc ×mc", label="above")
    sheet.net("z", (12.6, 5.6), "below")
    sheet.resistor("xz", (12.6, 5.6), (15, 5.6), "2/lz", label="above")
    sheet.wire(xp.drain, (15, 4.4))
    sheet.wire((15, 4.8), (16.6, 4.8))
    sheet.pin("out", (16.6, 4.8), "right")
    sheet.resistor("r1", (15, 4.4), (15, 2.2), label="left")
    sheet.resistor("r2", (15, 2.2), (15, 0), "1.5·r1", label="left")
    sheet.wire((15, 2.2), (16.6, 2.2))
    sheet.pin("tap", (16.6, 2.2), "right")


def sky130_ring(sheet: Sheet) -> None:
    x1, x2 = sheet.nmos("x1", "ws/ls", 0, 1), sheet.pmos("x2", "wt/ls", 0, 8, gate="right")
    sheet.ground(x1.source)
    sheet.supply("vdd", x2.source)
    sheet.wire(x2.drain, x1.drain)
    diode(sheet, x2)
    sheet.wire((-2.6, 1), x1.gate)
    sheet.pin("ctrl", (-2.6, 1), "left")

    places = tuple(zip("abcde", (5.0, 9.4, 13.8, 18.2, 22.6), strict=True))
    for index, (letter, x) in enumerate(places, start=1):
        pins = {"a": (x - 1.2, 4.5), "y": (x + 1.2, 4.5), "bn": (x, 3.5), "bp": (x - 0.6, 5.5), "vdd": (x + 0.6, 5.5)}
        sheet.box(f"x{letter}", "stage", x, 4.5, pins)
        sheet.supply("vdd", pins["vdd"])
        if index < len(places):
            sheet.wire(pins["y"], (x + 3.2, 4.5))
            sheet.net(f"o{index + 1}", (x + 2.2, 4.5), "above")
        sheet.wire((x - 0.6, 8), pins["bp"])
        sheet.wire(pins["bn"], (x, 2.4))
    sheet.wire(x2.gate, (places[-1][1] - 0.6, 8))
    sheet.net("bp", (2.6, 8), "above")
    sheet.wire((-1.8, 1), (-1.8, 2.4))
    sheet.wire((-1.8, 2.4), (places[-1][1], 2.4))

    last = places[-1][1] + 1.2
    x3, x4 = sheet.nmos("x3", "wm/0.15", 27.6, 3), sheet.pmos("x4", "2·wm/0.15", 27.6, 6)
    sheet.wire((last, 4.5), (x3.gate[0], 4.5))
    sheet.wire(x4.gate, x3.gate)
    sheet.net("o1", (25.6, 4.5), "above")
    sheet.wire((24.8, 4.5), (24.8, 0.8), (2.8, 0.8), (2.8, 4.5), (3.8, 4.5))
    sheet.ground(x3.source)
    sheet.supply("vdd", x4.source)
    sheet.wire(x4.drain, x3.drain)
    sheet.wire((27.6, 4.5), (29.8, 4.5))
    sheet.pin("q", (29.8, 4.5), "right")
    stage(sheet, 13.4)


def stage(sheet: Sheet, x: float) -> None:
    """The inverter of the ring, between its starving transistors."""
    sheet.frame("stage", (x - 5, -12.6), (x + 5.4, -0.4))
    xt, xp = sheet.pmos("xt", "wt/ls", x, -3.2), sheet.pmos("xp", "wp/lg", x, -5.4)
    xn, xs = sheet.nmos("xn", "wn/lg", x, -8.6), sheet.nmos("xs", "ws/ls", x, -10.8)
    sheet.supply("vdd", xt.source)
    sheet.ground(xs.source)
    sheet.wire(xt.drain, xp.source)
    sheet.net("t", (x, -4.3), "right")
    sheet.wire(xp.drain, xn.drain)
    sheet.wire(xn.source, xs.drain)
    sheet.net("s", (x, -9.7), "right")
    sheet.wire(xp.gate, xn.gate)
    sheet.wire((x - 3, -7), (x - GATE, -7))
    sheet.pin("a", (x - 3, -7), "left")
    for gate, net in ((xt.gate, "bp"), (xs.gate, "bn")):
        sheet.wire((x - 3, gate[1]), gate)
        sheet.pin(net, (x - 3, gate[1]), "left")
    sheet.wire((x, -7), (x + 4, -7))
    sheet.pin("y", (x + 4, -7), "right")
    sheet.capacitor("cl", (x + 2.4, -7), (x + 2.4, -9))
    sheet.ground((x + 2.4, -9))


CIRCUITS = (
    cs_amp,
    opamp_cc,
    opamp_cc_rz,
    tia_two_stage,
    tia_three_stage,
    sky130_miller,
    sky130_folded_cascode,
    sky130_nested_miller,
    sky130_ldo,
    sky130_ring,
)


def drawn(circuit: Callable[[Sheet], None]) -> Sheet:
    """The sheet of a circuit."""
    schemdraw.use("svg")
    schemdraw.svgconfig.text = "text"
    drawing = schemdraw.Drawing(show=False)
    drawing.config(bgcolor="white", inches_per_unit=0.45, lw=1.6, margin=0.4, unit=1)
    sheet = Sheet(drawing)
    circuit(sheet)
    return sheet


if __name__ == "__main__":
    for circuit in CIRCUITS:
        if circuit.__name__ in sys.argv[1:] or not sys.argv[1:]:
            (FOLDER / f"{circuit.__name__}.svg").write_bytes(drawn(circuit).svg())

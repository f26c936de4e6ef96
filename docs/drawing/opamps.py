"""The op-amps of the shipped specs, drawn."""

from dataclasses import dataclass

from docs.drawing.sheet import Sheet, diode


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

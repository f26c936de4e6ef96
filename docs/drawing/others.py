"""The shipped circuits that are no op-amps, drawn."""

from docs.drawing.opamps import FirstStage, first_stage
from docs.drawing.sheet import GATE, Sheet, diode


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

"""Benches of comparators: how long a decision takes."""

from sizing.first_spec.benches.setup import (
    BenchText,
    MetricText,
    Setup,
    load_capacitor,
    response,
    supply_current,
    transient,
)
from sizing.first_spec.fixture import Fixture
from sizing.first_spec.recognition.classes import Comparator, Structure
from sizing.units import spice_text

OVERDRIVE = 10e-3
LOAD_FARADS = 10e-15
SHARE_BEFORE = 0.1
"""How far the inputs are apart before the step, of the supply voltage."""
SHARE_DECIDED = 0.5
"""How far the output goes when it decides, at least, of the supply voltage."""


def comparator(structure: Structure, fixture: Fixture, kind: Comparator, window: float) -> Setup:
    """Decisions by the clock, or both ways where there is none; `window` is the length of the transients."""
    decided = f"swing: {spice_text(SHARE_DECIDED * fixture.span)}"
    if kind.clock is not None:
        bench = _clocked(structure, fixture, kind, kind.clock, window)
        of_clock = f"measure: delay, of: decision.transient, {response(kind.output, kind.clock)}, {decided}"
        delay = MetricText("delay", of_clock, "at_most", window / 2, "s")
        return Setup("clocked comparator", (bench,), (delay, supply_current("decision", fixture)))
    ways = {"rising": 1, "falling": -1}
    benches = tuple(_stepped(structure, fixture, kind, name, sign, window) for name, sign in ways.items())
    of_input = f"{response(kind.output, kind.noninverting)}, {decided}"
    delays = (f"measure: delay, of: {name}.decision, {of_input}" for name in ways)
    metrics = tuple(
        MetricText(f"delay_{name}", delay, "at_most", window / 2, "s") for name, delay in zip(ways, delays, strict=True)
    )
    return Setup("comparator", benches, (*metrics, supply_current("rising", fixture)))


def _stepped(
    structure: Structure, fixture: Fixture, kind: Comparator, name: str, sign: int, window: float
) -> BenchText:
    stepped, fixed = kind.noninverting, kind.inverting
    level = fixture.level(fixed)
    before, after = spice_text(level - sign * SHARE_BEFORE * fixture.span), spice_text(level + sign * OVERDRIVE)
    step = f"pwl(0 {before} {spice_text(window / 1e4)} {after})"
    return BenchText(
        name,
        "One input passes the other by the overdrive.",
        (
            *fixture.lines,
            f"{fixture.source_at(fixed)} {fixed} 0 dc {spice_text(level)} $ TODO: reference",
            f"{fixture.source_at(stepped)} {stepped} 0 dc {before} {step} $ TODO: overdrive",
            *load_capacitor(structure, fixture, kind.output, LOAD_FARADS),
        ),
        (("bias", "op"), ("decision", transient(window))),
    )


def _clocked(structure: Structure, fixture: Fixture, kind: Comparator, clock: str, window: float) -> BenchText:
    # Outputs mostly rest at the supply before the clock, so the decision is one that makes this output fall.
    above, below = kind.inverting, kind.noninverting
    rest = fixture.level(below)
    low, high = spice_text(fixture.ground_voltage), spice_text(fixture.voltage)
    edge = spice_text(window / 1e5)
    pulse = f"pulse({low} {high} {spice_text(window / 5)} {edge} {edge} {spice_text(window)})"
    return BenchText(
        "decision",
        "The clock rises once, with the inputs a little apart.",
        (
            *fixture.lines,
            f"{fixture.source_at(above)} {above} 0 dc {spice_text(rest + OVERDRIVE)} $ TODO: difference to be told",
            f"{fixture.source_at(below)} {below} 0 dc {spice_text(rest)} $ TODO: common mode",
            f"{fixture.source_at(clock)} {clock} 0 dc {low} {pulse}",
            *load_capacitor(structure, fixture, kind.output, LOAD_FARADS),
        ),
        (("bias", "op"), ("transient", transient(window))),
    )

"""Test benches and metrics for the classes of circuits that are recognised."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sizing.first_spec.fixture import Fixture
from sizing.recognition.classes import CircuitClass, Comparator, OpAmp, Regulator, RingOscillator, Structure
from sizing.units import format_quantity, spice_text

LOAD = 1e-12
OVERDRIVE = 10e-3
LOAD_CURRENT = 1e-3
TRANSIENT = {"trtol": "2e-4"}
WINDOW = 1e-6


@dataclass(frozen=True)
class BenchText:
    """A test bench as a spec has it."""

    name: str
    comment: str
    stimulus: tuple[str, ...]
    analyses: tuple[tuple[str, str], ...]
    precise: bool = False
    """Whether its transients need a small truncation error."""


@dataclass(frozen=True)
class MetricText:
    """A metric as a spec has it, and what its target is: a bound on one side or both, at first a usual value."""

    name: str
    entry: str
    bound: str
    """at_least, at_most, or around for both."""
    usual: float
    unit: str
    follows: bool = True
    """Whether what the circuit has as it is becomes the target."""


@dataclass(frozen=True)
class Setup:
    """The benches and metrics for a circuit."""

    title: str
    benches: tuple[BenchText, ...]
    metrics: tuple[MetricText, ...]


def propose_benches(structure: Structure, fixture: Fixture, kind: CircuitClass, window: float = WINDOW) -> Setup:
    """Benches that measure what matters for a class; `window` is the length of their transients in seconds."""
    if isinstance(kind, OpAmp):
        return _opamp(structure, fixture, kind, window)
    if isinstance(kind, Regulator):
        return _regulator(structure, fixture, kind)
    if isinstance(kind, Comparator):
        return _comparator(structure, fixture, kind, window)
    if isinstance(kind, RingOscillator):
        return _ring(structure, fixture, kind, window)
    return _unknown(structure, fixture)


def alternatives(kind: CircuitClass) -> Iterator[CircuitClass]:
    """The class as recognised, then with its inputs exchanged: which is which may be hard to see in the netlist."""
    yield kind
    if isinstance(kind, OpAmp | Comparator):
        yield replace(kind, noninverting=kind.inverting, inverting=kind.noninverting)


def _opamp(structure: Structure, fixture: Fixture, kind: OpAmp, window: float) -> Setup:
    plus, minus, out = kind.noninverting, kind.inverting, kind.output
    rest = spice_text(fixture.level(plus))
    low, high = (spice_text(fixture.level(plus) + sign * 0.05 * fixture.span) for sign in (-1, 1))
    at, reference = fixture.name("vp"), fixture.name("vn")
    net = _free_net("acn", structure)
    load = tuple(_load(structure, fixture, out))
    return Setup(
        "operational amplifier",
        (
            BenchText(
                "open_loop",
                "Open loop: the huge inductor closes it for DC alone, so that the output rests where it belongs.",
                (
                    *fixture.lines,
                    f"{at} {plus} 0 dc {rest} $ TODO: common mode",
                    f"{reference} {net} 0 dc 0",
                    f"{fixture.name('lfb')} {out} {minus} 1g",
                    f"{fixture.name('cfb')} {minus} {net} 1",
                    *load,
                ),
                (
                    ("bias", "op"),
                    ("differential", f"{{run: ac dec 10 1 10G, excite: {{{at}: 0.5, {reference}: -0.5}}}}"),
                    ("common", f"{{run: ac lin 1 1 1, excite: {{{at}: 1, {reference}: 1}}}}"),
                    ("supply", f"{{run: ac lin 1 1 1, excite: {fixture.source}}}"),
                ),
            ),
            BenchText(
                "follower",
                "The output follows a step at the input.",
                (
                    *fixture.lines,
                    f"{fixture.name('vin')} {plus} 0 dc {low} pwl(0 {low} {spice_text(window / 1e5)} {high}) "
                    "$ TODO: size of the step",
                    f"{fixture.name('vfb')} {minus} {out} dc 0",
                    *load,
                ),
                (("step", _transient(window)),),
                precise=True,
            ),
        ),
        (
            MetricText(
                "gain", f"measure: dc_gain, unit: dB, of: open_loop.differential, output: {out}", "at_least", 40, "dB"
            ),
            MetricText(
                "ugbw",
                f"measure: unity_gain_frequency, of: open_loop.differential, output: {out}",
                "at_least",
                1e6,
                "Hz",
            ),
            MetricText(
                "pm", f"measure: phase_margin, of: open_loop.differential, output: {out}", "at_least", 60, "deg", False
            ),
            _rejection("psrr", "supply", out),
            _rejection("cmrr", "common", out),
            MetricText(
                "tset",
                f"measure: settling_time, of: follower.step, output: {out}, input: {plus}, tolerance: 1 %",
                "at_most",
                window / 2,
                "s",
            ),
            MetricText(
                "slew", f"measure: slew_rate, of: follower.step, output: {out}, input: {plus}", "at_least", 1e6, "V/s"
            ),
            MetricText(
                "offset", f"measure: offset, of: follower.step, output: {out}, input: {plus}", "at_most", 5e-3, "V"
            ),
            _current("open_loop", fixture),
        ),
    )


def _regulator(structure: Structure, fixture: Fixture, kind: Regulator) -> Setup:
    reference = fixture.level(kind.reference, 0.7 * fixture.span / kind.gain)
    load = fixture.name("iload")
    line = (
        f"{fixture.source_at(kind.reference)} {kind.reference} 0 dc {spice_text(reference)} $ TODO: reference voltage"
    )
    capacitor = tuple(_load(structure, fixture, kind.output, 100e-9))
    stimulus = (*fixture.lines, line, *capacitor)
    loaded = (*stimulus, f"{load} {kind.output} 0 dc {spice_text(LOAD_CURRENT)} $ TODO: load current")
    of_output = f"output: {kind.output}"
    return Setup(
        "low-dropout regulator",
        (
            BenchText(
                "loaded",
                f"At full load; the reference makes {format_quantity(reference * kind.gain, 'V')} at the output.",
                loaded,
                (
                    ("bias", "op"),
                    ("from_supply", f"{{run: ac dec 10 1 100Meg, excite: {fixture.source}}}"),
                    ("from_load", f"{{run: ac dec 10 1 100Meg, excite: {load}}}"),
                ),
            ),
            BenchText("idle", "Without load.", stimulus, (("bias", "op"),)),
        ),
        (
            MetricText(
                "vout", f"measure: dc_value, of: loaded.bias, {of_output}", "around", reference * kind.gain, "V"
            ),
            MetricText(
                "vout_idle", f"measure: dc_value, of: idle.bias, {of_output}", "around", reference * kind.gain, "V"
            ),
            MetricText(
                "line_regulation",
                f"measure: gain_at, of: loaded.from_supply, {of_output}, frequency: 1",
                "at_most",
                10e-3,
                "V/V",
            ),
            MetricText(
                "load_regulation",
                f"measure: gain_at, of: loaded.from_load, {of_output}, frequency: 1",
                "at_most",
                1,
                "V/V",
            ),
            MetricText(
                "supply_gain",
                f"measure: gain_at, unit: dB, of: loaded.from_supply, {of_output}, frequency: 10k",
                "at_most",
                -40,
                "dB",
            ),
            MetricText(
                "quiescent_current",
                f"measure: supply_current, of: idle.bias, source: {fixture.source}",
                "at_most",
                100e-6,
                "A",
            ),
        ),
    )


def _comparator(structure: Structure, fixture: Fixture, kind: Comparator, window: float) -> Setup:
    if kind.clock is not None:
        return _clocked(structure, fixture, kind, kind.clock, window)
    stepped, fixed = kind.noninverting, kind.inverting
    level = fixture.level(fixed)
    benches, metrics = [], []
    for name, sign in (("rising", 1), ("falling", -1)):
        before, after = level - sign * 0.1 * fixture.span, level + sign * OVERDRIVE
        step = f"pwl(0 {spice_text(before)} {spice_text(window / 1e4)} {spice_text(after)})"
        benches.append(
            BenchText(
                name,
                f"The input passes the other one, {name}, by {spice_text(OVERDRIVE)} V.",
                (
                    *fixture.lines,
                    f"{fixture.source_at(fixed)} {fixed} 0 dc {spice_text(level)} $ TODO: reference",
                    f"{fixture.source_at(stepped)} {stepped} 0 dc {spice_text(before)} {step} $ TODO: overdrive",
                    *_load(structure, fixture, kind.output, LOAD / 100),
                ),
                (("bias", "op"), ("decision", _transient(window))),
            )
        )
        entry = f"measure: delay, of: {name}.decision, output: {kind.output}, input: {stepped}"
        metrics.append(MetricText(f"delay_{name}", entry, "at_most", window / 2, "s"))
    return Setup("comparator", tuple(benches), (*metrics, _current("rising", fixture)))


def _clocked(structure: Structure, fixture: Fixture, kind: Comparator, clock: str, window: float) -> Setup:
    low, high = spice_text(fixture.ground_voltage), spice_text(fixture.voltage)
    above, below = kind.inverting, kind.noninverting  # outputs rest at the supply, so one is told that falls
    edge, begin = spice_text(window / 1e5), spice_text(window / 5)
    rest = fixture.level(kind.noninverting)
    stimulus = (
        *fixture.lines,
        f"{fixture.source_at(above)} {above} 0 dc {spice_text(rest + OVERDRIVE)} $ TODO: difference to be told",
        f"{fixture.source_at(below)} {below} 0 dc {spice_text(rest)} $ TODO: common mode",
        f"{fixture.source_at(clock)} {clock} 0 dc {low} pulse({low} {high} {begin} {edge} {edge} {spice_text(window)})",
        *_load(structure, fixture, kind.output, LOAD / 100),
    )
    bench = BenchText(
        "decision",
        "The clock rises once, with the inputs a little apart.",
        stimulus,
        (("bias", "op"), ("transient", _transient(window))),
    )
    delay = f"measure: delay, of: decision.transient, output: {kind.output}, input: {clock}"
    metrics = (MetricText("delay", delay, "at_most", window / 2, "s"), _current("decision", fixture))
    return Setup("clocked comparator", (bench,), metrics)


def _ring(structure: Structure, fixture: Fixture, kind: RingOscillator, window: float) -> Setup:
    net = kind.stages[-1].output
    middle = spice_text(fixture.middle)
    period = f"trig v({net}) val={middle} rise=3 targ v({net}) val={middle} rise=4"
    current = f"avg i({fixture.source}) from={spice_text(window / 4)} to={spice_text(window)}"
    bench = BenchText(
        "oscillation",
        "Begins with one net held at ground, so that the ring starts.",
        (*fixture.lines, *_resting_inputs(structure, fixture), f".ic v({net})=0"),
        (
            (
                "transient",
                f"{{run: tran {spice_text(window / 2000)} {spice_text(window)} 0 {spice_text(window / 2000)}, "
                f"meas: {{period: {period}, current: {current}}}}}",
            ),
        ),
    )
    metrics = (
        MetricText(
            "period", "measure: meas, unit: s, of: oscillation.transient, name: period", "at_most", window / 10, "s"
        ),
        MetricText(
            "current", "measure: meas, unit: A, of: oscillation.transient, name: current", "at_least", -1e-3, "A"
        ),
    )
    return Setup("ring oscillator", (bench,), metrics)


def _unknown(structure: Structure, fixture: Fixture) -> Setup:
    bench = BenchText(
        "operating_point",
        "TODO: analyses of your own, see `sizing methods`.",
        (*fixture.lines, *_resting_inputs(structure, fixture)),
        (("bias", "op"),),
    )
    return Setup("circuit of no known class", (bench,), (_current("operating_point", fixture),))


def _resting_inputs(structure: Structure, fixture: Fixture) -> Iterator[str]:
    for net in (*structure.ports.inputs, *structure.ports.clocks):
        known = "as the netlist had it" if net in fixture.held else "TODO: voltage of this input"
        yield f"{fixture.source_at(net)} {net} 0 dc {spice_text(fixture.level(net))} $ {known}"


def _rejection(name: str, analysis: str, output: str) -> MetricText:
    entry = f"measure: gain_ratio, of: open_loop.differential, over: open_loop.{analysis}, output: {output}"
    return MetricText(name, entry, "at_least", 40, "dB")


def _current(bench: str, fixture: Fixture) -> MetricText:
    return MetricText(
        "current", f"measure: supply_current, of: {bench}.bias, source: {fixture.source}", "at_most", 1e-3, "A"
    )


def _load(structure: Structure, fixture: Fixture, output: str, value: float = LOAD) -> Iterator[str]:
    """A load capacitor, unless the netlist has one."""
    if not any(device.kind == "c" for device in structure.loads):
        yield f"{fixture.name('cl')} {output} 0 {spice_text(value)} $ TODO: load"


def _transient(window: float) -> str:
    return f"tran {spice_text(window / 1000)} {spice_text(window)} 0 {spice_text(window / 50)}"


def _free_net(wanted: str, structure: Structure) -> str:
    taken = {net for each in structure.transistors for net in each.device.nets}
    return next(net for net in (wanted, *(f"{wanted}{n}" for n in range(100))) if net not in taken)

"""Benches of an operational amplifier: open loop for gains and rejections, follower for its step."""

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
from sizing.first_spec.recognition.classes import OpAmp, Structure
from sizing.units import spice_text

HALF_STEP_SHARE = 0.05
"""Half of the follower's step, of the supply voltage."""


def opamp(structure: Structure, fixture: Fixture, kind: OpAmp, window: float) -> Setup:
    """Open loop and follower; `window` is the length of the follower's transient."""
    benches = _open_loop(structure, fixture, kind), _follower(structure, fixture, kind, window)
    differential = f"of: open_loop.differential, {response(kind.output)}"
    ratio = f"measure: gain_ratio, of: open_loop.differential, {response(kind.output)}"
    step = f"of: follower.step, {response(kind.output, kind.noninverting)}"
    metrics = (
        MetricText("gain", f"measure: dc_gain, unit: dB, {differential}", "at_least", 40, "dB"),
        MetricText("ugbw", f"measure: unity_gain_frequency, {differential}", "at_least", 1e6, "Hz"),
        MetricText("pm", f"measure: phase_margin, {differential}", "at_least", 60, "deg", follows=False),
        MetricText("psrr", f"{ratio}, over: open_loop.supply", "at_least", 40, "dB"),
        MetricText("cmrr", f"{ratio}, over: open_loop.common", "at_least", 40, "dB"),
        MetricText("tset", f"measure: settling_time, {step}, tolerance: 1 %", "at_most", window / 2, "s"),
        MetricText("slew", f"measure: slew_rate, {step}", "at_least", 1e6, "V/s"),
        MetricText("offset", f"measure: offset, {step}", "at_most", 5e-3, "V"),
        supply_current("open_loop", fixture),
    )
    return Setup("operational amplifier", benches, metrics)


def _open_loop(structure: Structure, fixture: Fixture, kind: OpAmp) -> BenchText:
    plus, minus = fixture.name("vp"), fixture.name("vn")
    grounded = structure.free_net("acn")
    return BenchText(
        "open_loop",
        "The huge inductor closes the loop for DC alone, so that the output rests where it belongs.",
        (
            *fixture.lines,
            f"{plus} {kind.noninverting} 0 dc {spice_text(fixture.level(kind.noninverting))} $ TODO: common mode",
            f"{minus} {grounded} 0 dc 0",
            f"{fixture.name('lfb')} {kind.output} {kind.inverting} 1g",
            f"{fixture.name('cfb')} {kind.inverting} {grounded} 1",
            *load_capacitor(structure, fixture, kind.output),
        ),
        (
            ("bias", "op"),
            ("differential", f"{{run: ac dec 10 1 10G, excite: {{{plus}: 0.5, {minus}: -0.5}}}}"),
            ("common", f"{{run: ac lin 1 1 1, excite: {{{plus}: 1, {minus}: 1}}}}"),
            ("supply", f"{{run: ac lin 1 1 1, excite: {fixture.source}}}"),
        ),
    )


def _follower(structure: Structure, fixture: Fixture, kind: OpAmp, window: float) -> BenchText:
    rest, half = fixture.level(kind.noninverting), HALF_STEP_SHARE * fixture.span
    low, high = spice_text(rest - half), spice_text(rest + half)
    step = f"pwl(0 {low} {spice_text(window / 1e5)} {high})"
    return BenchText(
        "follower",
        "The output follows a step at the input.",
        (
            *fixture.lines,
            f"{fixture.name('vin')} {kind.noninverting} 0 dc {low} {step} $ TODO: size of the step",
            f"{fixture.name('vfb')} {kind.inverting} {kind.output} dc 0",
            *load_capacitor(structure, fixture, kind.output),
        ),
        (("step", transient(window)),),
        precise=True,
    )

"""The bench of a ring oscillator: how fast it runs, on what current."""

from sizing.first_spec.benches.setup import BenchText, MetricText, Setup, resting_inputs
from sizing.first_spec.fixture import Fixture
from sizing.first_spec.scalars import scalar
from sizing.recognition.classes import RingOscillator, Structure
from sizing.units import spice_text


def ring_oscillator(structure: Structure, fixture: Fixture, kind: RingOscillator, window: float) -> Setup:
    """A free run of `window` seconds, begun with one net held at ground so that it starts."""
    net, middle = kind.stages[-1].output, spice_text(fixture.middle)
    period = f"trig v({net}) val={middle} rise=3 targ v({net}) val={middle} rise=4"
    current = f"avg i({fixture.source}) from={spice_text(window / 4)} to={spice_text(window)}"
    step = spice_text(window / 2000)
    run = f"run: tran {step} {spice_text(window)} 0 {step}"
    bench = BenchText(
        "oscillation",
        "One net begins at ground, so that the ring starts.",
        (*fixture.lines, *resting_inputs(structure, fixture), f".ic v({net})=0"),
        (("transient", f"{{{run}, meas: {{period: {scalar(period)}, current: {scalar(current)}}}}}"),),
    )
    result = "of: oscillation.transient"
    metrics = (
        MetricText("period", f"measure: meas, unit: s, {result}, name: period", "at_most", window / 10, "s"),
        MetricText("current", f"measure: meas, unit: A, {result}, name: current", "at_least", -1e-3, "A"),
    )
    return Setup("ring oscillator", (bench,), metrics)

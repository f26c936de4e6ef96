"""The bench of a ring oscillator: how fast it runs, on what current."""

from sizing.first_spec.benches.setup import BenchText, MetricText, Setup, response, resting_inputs
from sizing.first_spec.fixture import Fixture
from sizing.first_spec.recognition.classes import RingOscillator, Structure
from sizing.units import spice_text


def ring_oscillator(structure: Structure, fixture: Fixture, kind: RingOscillator, window: float) -> Setup:
    """A free run of `window` seconds, begun with one net held at ground so that it starts."""
    net, step = kind.stages[-1].output, spice_text(window / 2000)
    bench = BenchText(
        "oscillation",
        "One net begins at ground, so that the ring starts.",
        (*fixture.lines, *resting_inputs(structure, fixture), f".ic v({net})=0"),
        (("transient", f"tran {step} {spice_text(window)} 0 {step}"),),
    )
    of = "of: oscillation.transient"
    frequency = f"measure: oscillation_frequency, {of}, {response(net)}"
    current = f"measure: average_current, {of}, source: {fixture.source}, from: {spice_text(window / 2)}"
    metrics = (
        MetricText("frequency", frequency, "at_least", 10 / window, "Hz"),
        MetricText("current", current, "at_most", 1e-3, "A"),
    )
    return Setup("ring oscillator", (bench,), metrics)

"""Step responses whose times and slopes are known in closed form."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from sizing.measures.catalogue import AnyMeasure
from sizing.measures.measure import Missing
from sizing.measures.waveforms import Waveforms

MEASURES: TypeAdapter[AnyMeasure] = TypeAdapter(AnyMeasure)
TIME = np.linspace(0.0, 1e-6, 20001)
STEP_AT = 0.2e-6
TAU = 20e-9


def measure(name: str, /, **keys: Any) -> AnyMeasure:
    return MEASURES.validate_python({"measure": name, "of": "b.a", **keys})


def transient(output: np.ndarray, input_: np.ndarray | None = None, time: np.ndarray = TIME) -> dict[str, Waveforms]:
    input_ = (time > STEP_AT) * 1.0 if input_ is None else input_
    return {"b.a": Waveforms(time, {"v(out)": output, "v(in)": input_})}


def step(name: str, results: dict[str, Waveforms], **keys: Any) -> float:
    """A measurement of a step response, bounded on both sides, which every measurement allows."""
    return measure(name, output="out", input="in", at_least=-1, at_most=1e30, **keys).value(results)


def after_step(time: np.ndarray = TIME, at: float = STEP_AT) -> np.ndarray:
    return np.maximum(time - at, 0.0)


def exponential(tau: float = TAU, time: np.ndarray = TIME, at: float = STEP_AT) -> np.ndarray:
    return 1 - np.exp(-after_step(time, at) / tau)


def ringing(damping: float, natural: float = 2 * np.pi * 50e6, time: np.ndarray = TIME) -> np.ndarray:
    """The unit-step response of a second-order low pass with this damping ratio below 1."""
    t, damped = after_step(time), natural * np.sqrt(1 - damping**2)
    envelope = np.exp(-damping * natural * t)
    return 1 - envelope * (np.cos(damped * t) + damping * natural / damped * np.sin(damped * t))


@pytest.mark.parametrize("tolerance", [0.001, 0.01, 0.1])
def test_an_exponential_settles_when_its_error_reaches_the_tolerance(tolerance: float):
    settled = step("settling_time", transient(exponential()), tolerance=tolerance)
    assert settled == pytest.approx(TAU * np.log(1 / tolerance), rel=1e-3)


@pytest.mark.parametrize(("damping", "tolerance"), [(0.2, 0.01), (0.5, 0.02), (0.3, 0.1)])
def test_ringing_settles_when_it_leaves_the_band_for_the_last_time(damping: float, tolerance: float):
    natural = 2 * np.pi * 50e6
    damped = natural * np.sqrt(1 - damping**2)
    extremum = 0  # the n-th extremum lies at n pi / damped and is off by exp(-damping natural t)
    while np.exp(-damping * natural * (extremum + 1) * np.pi / damped) > tolerance:
        extremum += 1
    settled = step("settling_time", transient(ringing(damping)), tolerance=tolerance)
    assert extremum * np.pi / damped < settled < (extremum + 1) * np.pi / damped
    fine = np.linspace(0, 0.8e-6, 2_000_001)
    error = np.abs(ringing(damping, time=fine + STEP_AT) - 1)
    assert settled == pytest.approx(fine[np.flatnonzero(error > tolerance)[-1]], rel=2e-3)


def test_settling_is_interpolated_between_coarse_points():
    time = np.array([0.0, 1.0, 2.0, 4.0, 100.0])
    results = transient(np.array([0.0, 0.0, 0.8, 1.0, 1.0]), np.array([0.0, 0.0, 1.0, 1.0, 1.0]), time)
    assert step("settling_time", results, tolerance=0.1) == pytest.approx(2.0)


def test_settling_above_the_target_is_measured_at_the_upper_edge():
    time = np.array([0.0, 1.0, 2.0, 4.0, 100.0])
    results = transient(np.array([0.0, 0.0, 1.5, 1.0, 1.0]), np.array([0.0, 0.0, 1.0, 1.0, 1.0]), time)
    assert step("settling_time", results, tolerance="10 %") == pytest.approx(2.6)


@settings(deadline=None)
@given(
    st.floats(-2, 2),
    st.floats(0.01, 5),
    st.booleans(),
    st.sampled_from([0.0, 0.1e-6, 0.3e-6]),
    st.sampled_from(["settling_time", "slew_rate", "rise_time", "overshoot", "delay"]),
)
def test_level_size_direction_and_moment_of_a_step_do_not_matter(
    level: float, size: float, falls: bool, at: float, name: str
):
    sign = -size if falls else size
    reference = step(name, transient(ringing(0.3)))
    output = level + sign * np.interp(TIME - at + STEP_AT, TIME, ringing(0.3))
    input_ = level / 2 + sign * (at < TIME)
    expected = reference * size if name == "slew_rate" else reference
    assert step(name, transient(output, input_)) == pytest.approx(expected, rel=1e-4)


def test_settling_with_a_gain_is_settling_to_that_multiple_of_the_step():
    inverting = transient(0.6 - 4 * exponential())
    assert step("settling_time", inverting, gain=-4) == pytest.approx(TAU * np.log(100), rel=1e-3)
    with pytest.raises(Missing):
        step("settling_time", inverting)


def test_an_output_that_settles_to_another_value_does_not_settle():
    with pytest.raises(Missing) as caught:
        step("settling_time", transient(0.98 * exponential()))
    assert str(caught.value) == "the output is not within 0.01 of the step for good when the transient ends"
    assert step("settling_time", transient(0.98 * exponential()), tolerance=0.03) > 0


def test_an_output_still_outside_in_the_last_twentieth_has_not_settled():
    output = exponential()
    output[TIME > 0.94e-6] = 1.5
    output[TIME > 0.95e-6] = 1.0
    assert step("settling_time", transient(output)) == pytest.approx(0.75e-6, rel=1e-3)
    output[TIME > 0.97e-6] = 1.5
    output[TIME > 0.98e-6] = 1.0
    with pytest.raises(Missing):
        step("settling_time", transient(output))


def test_an_output_ahead_of_the_input_does_not_settle_to_its_step():
    early = transient(exponential(1e-12, at=0.1e-6))
    with pytest.raises(Missing):
        step("settling_time", early)


def test_the_slew_rate_of_a_ramp_is_its_slope_and_of_an_exponential_is_known():
    ramp = np.clip(after_step() / 100e-9, 0, 1) * 0.5
    assert step("slew_rate", transient(ramp)) == pytest.approx(5e6, rel=1e-6)
    assert step("slew_rate", transient(-ramp)) == pytest.approx(5e6, rel=1e-6)
    assert step("slew_rate", transient(exponential())) == pytest.approx(0.8 / (TAU * np.log(9)), rel=1e-3)


def test_the_rise_time_is_from_a_tenth_to_nine_tenths_of_a_rise_or_fall():
    assert step("rise_time", transient(exponential())) == pytest.approx(TAU * np.log(9), rel=1e-3)
    assert step("rise_time", transient(2 - 3 * exponential())) == pytest.approx(TAU * np.log(9), rel=1e-3)


TRANSITIONS = ["slew_rate", "rise_time", "overshoot", "delay"]


@pytest.mark.parametrize("name", TRANSITIONS)
@pytest.mark.parametrize(
    "output",
    [
        (after_step() / 0.8e-6) ** 2,
        exponential(0.2e-6),  # four time constants
        exponential(4e-6),
        np.interp(TIME, [0, 0.84e-6, 1e-6], [0, 0, 1]),
        np.where(TIME < 0.9e-6, 0.0, 1.0),
        ringing(0.2, 2 * np.pi * 0.63e6),  # of which the transient ends at the first peak
        ringing(0.01),
    ],
)
def test_an_output_that_still_moves_has_no_transition_yet(name: str, output: np.ndarray):
    with pytest.raises(Missing, match=r"^v\(out\) has not settled when the transient ends$"):
        step(name, transient(output))


def test_what_an_unsettled_end_would_add_is_below_two_percent():
    slowest = 0.8e-6 / 6
    assert step("rise_time", transient(exponential(slowest))) == pytest.approx(slowest * np.log(9), rel=0.02)
    assert step("delay", transient(exponential(slowest))) == pytest.approx(slowest * np.log(2), rel=0.02)


@pytest.mark.parametrize("name", ["settling_time", *TRANSITIONS])
def test_before_the_step_is_just_before_it_and_after_a_start_up(name: str):
    start_up = 0.5 * np.exp(-TIME / 10e-9)
    assert step(name, transient(ringing(0.3) + start_up)) == pytest.approx(
        step(name, transient(ringing(0.3))), rel=1e-3
    )


@pytest.mark.parametrize("name", TRANSITIONS)
def test_an_output_that_moves_before_the_step_has_no_transition(name: str):
    with pytest.raises(Missing, match=r"^v\(out\) is not at rest before the step$"):
        step(name, transient(ringing(0.3) + 0.5 * np.exp(-TIME / 0.1e-6)))


@pytest.mark.parametrize("name", ["settling_time", *TRANSITIONS])
def test_an_input_that_starts_up_and_then_steps_is_no_step(name: str):
    start_up = np.interp(TIME, [0, 1e-9, 0.2e-6, 0.201e-6], [0, 0.6, 0.6, 0.62])
    with pytest.raises(Missing, match=r"^v\(in\) moves more than once$"):
        step(name, transient(start_up, start_up))


def test_an_input_may_step_as_slowly_as_it_likes():
    for wave, rise in ((exponential(50e-9), 50e-9 * np.log(9)), (np.clip(after_step() / 0.4e-6, 0, 1), 0.32e-6)):
        assert step("rise_time", transient(wave, wave)) == pytest.approx(rise, rel=1e-2)
    assert step("overshoot", transient(ringing(0.1), ringing(0.1))) > 0.7


@pytest.mark.parametrize("name", TRANSITIONS)
def test_what_is_no_transition_is_missing(name: str):
    blip = 1e-21 * exponential() + 0.3 * (np.abs(TIME - 0.22e-6) < 5e-9)
    with pytest.raises(Missing, match=r"^v\(out\) changes by 1e-21 V, not 0\.1 V: no transition$"):
        step(name, transient(blip))
    with pytest.raises(Missing, match=r"^v\(out\) changes by 1 V, not 1\.5 V: no transition$"):
        step(name, transient(exponential()), swing="1.5 V")
    assert np.isfinite(step(name, transient(1e-3 * exponential()), swing="0.5 mV"))
    with pytest.raises(Missing, match=r"^v\(in\) does not step$"):
        step(name, transient(exponential(), 1e-9 * (TIME > STEP_AT)))


@pytest.mark.parametrize("damping", [0.1, 0.3, 0.6])
def test_the_overshoot_of_a_second_order_response_is_known(damping: float):
    expected = np.exp(-np.pi * damping / np.sqrt(1 - damping**2))
    assert step("overshoot", transient(ringing(damping))) == pytest.approx(expected, abs=1e-3)


def test_an_exponential_has_no_overshoot():
    assert step("overshoot", transient(exponential())) == 0.0


def test_the_delay_is_taken_between_the_halves():
    assert step("delay", transient(exponential())) == pytest.approx(TAU * np.log(2), rel=2e-3)
    shifted = transient(exponential(at=STEP_AT + 50e-9))
    assert step("delay", shifted) == pytest.approx(50e-9 + TAU * np.log(2), rel=2e-3)
    slow_input = transient(exponential(), np.clip(after_step() / 20e-9, 0, 1))
    assert step("delay", slow_input) == pytest.approx(TAU * np.log(2) - 10e-9, rel=2e-2)


def test_an_output_ahead_of_the_input_has_no_delay():
    with pytest.raises(Missing, match=r"^the output is 6\.\d+e-09 s ahead of the input$"):
        step("delay", transient(exponential(), np.clip(after_step() / 40e-9, 0, 1)))


def test_the_delay_from_an_input_that_still_moves_is_missing():
    with pytest.raises(Missing, match=r"^v\(in\) has not settled when the transient ends$"):
        step("delay", transient(exponential(at=0.25e-6), after_step() / 0.8e-6))


@pytest.mark.parametrize("name", ["settling_time", "slew_rate", "rise_time", "overshoot", "delay"])
def test_without_a_step_every_step_measurement_is_missing(name: str):
    with pytest.raises(Missing) as caught:
        step(name, transient(exponential(), np.full(TIME.size, 0.6)))
    assert str(caught.value) == "v(in) does not step"

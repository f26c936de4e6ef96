"""Measurements against waveforms whose metrics are known in closed form."""

from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from sizing.measure import AnyMeasure, Missing, definitions
from sizing.waveforms import Waveforms

MEASURES: TypeAdapter[AnyMeasure] = TypeAdapter(AnyMeasure)
NAMES = [
    "dc_gain", "gain_at", "bandwidth", "unity_gain_frequency", "phase_margin", "gain_margin", "gain_ratio", "dc_value",
    "offset", "supply_current", "power", "settling_time", "slew_rate", "overshoot", "delay", "rms_noise", "meas",
]  # fmt: skip

FREQUENCY = np.geomspace(1.0, 1e10, 1001)
TIME = np.linspace(0.0, 1e-6, 20001)
STEP_AT = 0.2e-6
TAU = 20e-9


def measure(name: str, /, **keys: Any) -> AnyMeasure:
    return MEASURES.validate_python({"measure": name, "of": "b.a", **keys})


def ac(phasor: np.ndarray, frequency: np.ndarray = FREQUENCY) -> dict[str, Waveforms]:
    return {"b.a": Waveforms(frequency, {"v(out)": phasor.astype(complex)})}


def response(name: str, phasor: np.ndarray, along: np.ndarray = FREQUENCY, /, **keys: Any) -> float:
    """A measurement of an AC response, with the target on the side where it makes sense."""
    return measure(name, output="out", at_least=0, **keys).value(ac(phasor, along))


def poles(gain: float, *corners: float, frequency: np.ndarray = FREQUENCY) -> np.ndarray:
    return gain / np.prod([1 + 1j * frequency / corner for corner in corners], axis=0)


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


def test_every_measurement_has_a_definition():
    assert sorted(definitions()) == sorted(NAMES)
    for name, text in definitions().items():
        assert len(text) > 40, name
        assert text.strip().split("\n")[0].endswith("."), name


def test_every_field_of_every_measurement_is_a_key_that_is_not_a_mistake():
    for kind in get_args(get_args(AnyMeasure)[0]):
        assert {"measure", "of", "unit", "at_least", "at_most", "weight"} <= set(kind.model_fields)
        assert set(kind.kinds) <= {"op", "ac", "tran", "dc", "noise"}


@pytest.mark.parametrize("gain", [1e-3, 1.0, 250.0])
def test_dc_gain_is_the_magnitude_at_the_lowest_frequency(gain: float):
    assert response("dc_gain", poles(-gain, 1e3)) == pytest.approx(gain, rel=1e-6)
    assert response("dc_gain", poles(gain, 1e3), unit="dB") == pytest.approx(20 * np.log10(gain), abs=1e-5)


def test_gain_at_is_interpolated_on_logarithmic_axes():
    phasor = poles(100.0, 1e4)
    for frequency in (1.0, 3.3, 1e4, 4.7e6, 1e10):
        expected = 100 / np.hypot(1, frequency / 1e4)
        assert response("gain_at", phasor, frequency=frequency) == pytest.approx(expected, rel=1e-4)
    assert response("gain_at", phasor, frequency="1 MHz", unit="dB") == pytest.approx(0.0, abs=1e-3)


def test_gain_at_between_two_points_of_a_straight_line_is_exact():
    frequency = np.array([1.0, 100.0])
    waveforms = {"b.a": Waveforms(frequency, {"v(out)": np.array([100.0 + 0j, 1.0 + 0j])})}
    assert measure("gain_at", output="out", frequency=10, at_least=1).value(waveforms) == pytest.approx(10.0)


@pytest.mark.parametrize("corner", [200.0, 1e5, 3.3e8])
def test_the_bandwidth_of_a_single_pole_is_the_pole(corner: float):
    assert response("bandwidth", poles(40.0, corner)) == pytest.approx(corner, rel=1e-4)


def test_the_bandwidth_of_two_equal_poles_is_known():
    assert response("bandwidth", poles(40.0, 1e5, 1e5)) == pytest.approx(1e5 * np.sqrt(np.sqrt(2) - 1), rel=1e-4)


@pytest.mark.parametrize(("gain", "corner"), [(100.0, 1e3), (1000.0, 1e4), (1.5, 1e6)])
def test_the_unity_gain_frequency_of_a_single_pole_is_known(gain: float, corner: float):
    expected = corner * np.sqrt(gain**2 - 1)
    assert response("unity_gain_frequency", poles(gain, corner)) == pytest.approx(expected, rel=1e-4)


def test_of_several_crossings_of_one_the_lowest_counts():
    frequency = np.geomspace(1, 1e4, 5)
    assert response("unity_gain_frequency", np.array([10, 0.1, 10, 0.1, 0.01]), frequency) == pytest.approx(10**0.5)


@pytest.mark.parametrize(("gain", "first", "second"), [(1000.0, 1e3, 1e6), (100.0, 1e4, 1e6), (1000.0, 1e3, 5e7)])
def test_the_phase_margin_of_two_poles_is_known(gain: float, first: float, second: float):
    unity = response("unity_gain_frequency", poles(gain, first, second))
    expected = 180 - np.degrees(np.arctan(unity / first) + np.arctan(unity / second))
    assert response("phase_margin", poles(gain, first, second)) == pytest.approx(expected, abs=0.02)


def test_the_phase_is_unwrapped_so_a_margin_can_be_negative():
    corners = (1e4, 1e5, 1e5, 1e5)
    unity = response("unity_gain_frequency", poles(1000.0, *corners))
    expected = 180 - sum(np.degrees(np.arctan(unity / corner)) for corner in corners)
    assert expected < -20
    assert response("phase_margin", poles(1000.0, *corners)) == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize("gain", [2.0, 8.0, 100.0])
def test_the_gain_margin_of_three_equal_poles_is_known(gain: float):
    # Each pole turns by 60 degrees at sqrt(3) times its corner, where each halves the gain.
    assert response("gain_margin", poles(gain, 1e5, 1e5, 1e5)) == pytest.approx(-20 * np.log10(gain / 8), abs=0.01)


def test_a_gain_margin_survives_a_response_of_zero():
    phasor = poles(2.0, 1e5, 1e5, 1e5)
    phasor[-1] = 0
    assert response("gain_margin", phasor) == pytest.approx(20 * np.log10(4), abs=0.01)


@settings(deadline=None)
@given(st.floats(0.01, 100), st.floats(2, 1e4), st.floats(1e2, 1e7))
def test_scaling_a_response_scales_its_gain_and_leaves_its_bandwidth(factor: float, gain: float, corner: float):
    one, other = poles(gain, corner), poles(gain * factor, corner)
    assert response("dc_gain", other) == pytest.approx(factor * response("dc_gain", one))
    assert response("bandwidth", other) == pytest.approx(response("bandwidth", one))


@settings(deadline=None)
@given(st.floats(1.5, 1e5), st.floats(1e2, 1e6), st.floats(1e2, 1e6), st.floats(0.1, 10))
def test_moving_all_poles_moves_every_frequency_and_no_margin(gain: float, first: float, second: float, factor: float):
    one, other = poles(gain, first, second), poles(gain, first * factor, second * factor, frequency=FREQUENCY * factor)
    for name in ("bandwidth", "unity_gain_frequency"):
        moved = response(name, other, FREQUENCY * factor)
        assert moved == pytest.approx(factor * response(name, one), rel=1e-6)
    moved = response("phase_margin", other, FREQUENCY * factor)
    assert moved == pytest.approx(response("phase_margin", one), rel=1e-6, abs=1e-6)


def test_the_gain_ratio_is_the_difference_of_the_gains_in_decibels():
    results = {
        "b.a": Waveforms(np.array([1.0]), {"v(out)": np.array([300 + 400j])}),
        "b.cm": Waveforms(np.array([1.0]), {"v(out)": np.array([-0.05j])}),
    }
    ratio = measure("gain_ratio", output="out", over="b.cm", at_least="50 dB")
    assert ratio.references == ("b.a", "b.cm")
    assert ratio.value(results) == pytest.approx(80.0)


@pytest.mark.parametrize("zero", ["b.a", "b.cm"])
def test_a_gain_ratio_with_a_response_of_zero_is_missing(zero: str):
    results = {name: Waveforms(np.array([1.0]), {"v(out)": np.array([1.0 + 0j])}) for name in ("b.a", "b.cm")}
    results[zero] = Waveforms(np.array([1.0]), {"v(out)": np.array([0j])})
    with pytest.raises(Missing, match=r"^one of the two responses is exactly zero$"):
        measure("gain_ratio", output="out", over="b.cm", at_least=0).value(results)


@pytest.mark.parametrize(
    ("name", "phasor", "keys", "reason"),
    [
        ("dc_gain", np.zeros(1001), {"unit": "dB"}, "the gain is exactly zero, which has no decibels"),
        ("gain_at", poles(9.0, 1e3), {"frequency": 0.5}, "the sweep from 1 to 1e+10 Hz does not reach it"),
        ("gain_at", poles(9.0, 1e3), {"frequency": "20 GHz"}, "the sweep from 1 to 1e+10 Hz does not reach it"),
        ("bandwidth", np.ones(1001), {}, "the gain does not fall to 3 dB below the gain at the start within the sweep"),
        ("bandwidth", np.zeros(1001), {}, "the gain starts at 0, not above 3 dB below the gain at the start"),
        ("unity_gain_frequency", poles(0.5, 1e3), {}, "the gain starts at 0.5, not above 1"),
        ("unity_gain_frequency", np.full(1001, 2.0), {}, "the gain does not fall to 1 within the sweep"),
        ("phase_margin", poles(0.5, 1e3), {}, "the gain starts at 0.5, not above 1"),
        ("phase_margin", np.full(1001, 2.0), {}, "the gain does not fall to 1 within the sweep"),
        ("gain_margin", poles(9.0, 1e3), {}, "the phase does not fall through -180 degrees within the sweep"),
        ("gain_margin", poles(9.0, 1e3, 1e4), {}, "the phase does not fall through -180 degrees within the sweep"),
    ],
)
def test_what_a_response_does_not_have_is_missing_with_the_reason(
    name: str, phasor: np.ndarray, keys: dict[str, Any], reason: str
):
    with pytest.raises(Missing) as caught:
        response(name, phasor, **keys)
    assert str(caught.value) == reason


OPERATING_POINT = {
    "b.a": Waveforms(np.zeros(1), {"v(out)": np.array([0.598]), "v(in)": np.array([0.6]), "i(vdd)": np.array([-2e-4])})
}


def test_operating_point_measurements_read_the_first_value():
    assert measure("dc_value", output="OUT", at_least=0).value(OPERATING_POINT) == 0.598
    assert measure("offset", output="out", input="in", at_most=0).value(OPERATING_POINT) == pytest.approx(2e-3)
    assert measure("supply_current", source="VDD", at_most=0).value(OPERATING_POINT) == 2e-4
    power = measure("power", output="in", source="vdd", at_most=0)
    assert power.vectors == ("v(in)", "i(vdd)")
    assert power.value(OPERATING_POINT) == pytest.approx(0.6 * 2e-4)


def test_at_a_transient_operating_point_measurements_read_the_start():
    results = transient(exponential() + 0.25)
    assert measure("dc_value", output="out", at_least=0).value(results) == 0.25
    assert measure("offset", output="out", input="in", at_most=0).value(results) == 0.25


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
    st.sampled_from(["settling_time", "slew_rate", "overshoot", "delay"]),
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


def test_an_output_ahead_of_the_input_settles_at_once():
    early = transient(exponential(1e-12, at=0.1e-6))
    assert step("settling_time", early) == 0.0


def test_the_slew_rate_of_a_ramp_is_its_slope_and_of_an_exponential_is_known():
    ramp = np.clip(after_step() / 100e-9, 0, 1) * 0.5
    assert step("slew_rate", transient(ramp)) == pytest.approx(5e6, rel=1e-6)
    assert step("slew_rate", transient(-ramp)) == pytest.approx(5e6, rel=1e-6)
    assert step("slew_rate", transient(exponential())) == pytest.approx(0.8 / (TAU * np.log(9)), rel=1e-3)


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
    slow_input = transient(exponential(), np.clip(after_step() / 40e-9, 0, 1))
    assert step("delay", slow_input) == pytest.approx(TAU * np.log(2) - 20e-9, rel=2e-2)


@pytest.mark.parametrize("name", ["settling_time", "slew_rate", "overshoot", "delay"])
def test_without_a_step_every_step_measurement_is_missing(name: str):
    with pytest.raises(Missing) as caught:
        step(name, transient(exponential(), np.full(TIME.size, 0.6)))
    assert str(caught.value) == "v(in) does not step"


@pytest.mark.parametrize("name", ["slew_rate", "overshoot", "delay"])
def test_an_output_that_ends_where_it_began_is_missing(name: str):
    with pytest.raises(Missing) as caught:
        step(name, transient(np.full(TIME.size, 0.6)))
    assert str(caught.value) == "the waveform ends where it began"


def test_noise_is_integrated_in_power():
    density = 2e-9 / np.sqrt(1 + (FREQUENCY / 1e6) ** 2)
    results = {"b.a": Waveforms(FREQUENCY, {"onoise_spectrum": density, "inoise_spectrum": density / 10})}
    expected = 2e-9 * np.sqrt(1e6 * (np.arctan(1e4) - np.arctan(1e-6)))
    assert measure("rms_noise", at_most=1).value(results) == pytest.approx(expected, rel=1e-4)
    assert measure("rms_noise", referred="input", at_most=1).value(results) == pytest.approx(expected / 10, rel=1e-4)


def test_white_noise_adds_up_to_its_density_times_the_root_of_the_band():
    frequency = np.linspace(0.0, 1e6, 7)
    results = {"b.a": Waveforms(frequency, {"onoise_spectrum": np.full(7, 3e-9)})}
    assert measure("rms_noise", at_most=1).value(results) == pytest.approx(3e-9 * 1e3)


def test_meas_reads_ngspices_own_result_by_name_whatever_its_case():
    results = {"b.a": Waveforms(TIME, {}, {"rise": 3e-9})}
    assert measure("meas", name="Rise", unit="s", at_most="5 ns").value(results) == 3e-9
    with pytest.raises(Missing, match=r"^ngspice could not measure fall$"):
        measure("meas", name="fall", unit="s", at_most="5 ns").value(results)


def mistake(name: str, /, **keys: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        measure(name, **keys)
    return "; ".join(str(error["msg"]) for error in caught.value.errors())


def test_targets_are_in_the_metrics_unit():
    metric = measure("settling_time", output="out", input="in", at_most="90 ns", tolerance="1 %")
    assert (metric.at_most, metric.at_least, metric.unit) == (90e-9, None, "s")
    assert measure("dc_gain", output=6, at_least="60 dB", unit="dB").at_least == 60
    assert measure("overshoot", output="o", input="i", at_most="10 %").at_most == 0.1
    assert mistake("settling_time", output="o", input="i", at_most="90 mV") == (
        "Value error, expected seconds, got '90 mV'"
    )


def test_a_mistaken_unit_is_one_mistake_not_two():
    assert mistake("dc_gain", output="o", unit="V", at_least="60 dB") == "Input should be 'V/V' or 'dB'"


@pytest.mark.parametrize("name", ["dc_gain", "bandwidth", "unity_gain_frequency", "phase_margin", "gain_margin"])
def test_where_higher_is_better_a_lone_maximum_is_refused(name: str):
    assert mistake(name, output="o", at_most=3) == (
        "Value error, higher is better here: expected at_least or both bounds, got only at_most"
    )
    assert measure(name, output="o", at_most=3, at_least=1).at_most == 3


@pytest.mark.parametrize("name", ["offset", "settling_time", "overshoot"])
def test_where_lower_is_better_a_lone_minimum_is_refused(name: str):
    assert mistake(name, output="o", input="i", at_least=0.3) == (
        "Value error, lower is better here: expected at_most or both bounds, got only at_least"
    )


def test_a_target_must_be_possible():
    assert mistake("dc_gain", output="o", at_least=3, at_most=2) == (
        "Value error, at_least 3 lies above at_most 2: nothing can meet both"
    )


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"tolerance": 0}, "Input should be greater than 0"),
        ({"tolerance": "100 %"}, "Input should be less than 1"),
        ({"tolerance": [1]}, "Value error, expected a percentage, got [1]"),
        ({"tolerance": None}, "Value error, expected a percentage, got None"),
        ({"gain": 0}, "Value error, expected a gain other than 0, got 0: there is nothing to settle to"),
        ({"gain": float("nan")}, "Input should be a finite number"),
        ({"weight": 0}, "Input should be greater than 0"),
        ({"weight": float("inf")}, "Input should be a finite number"),
        ({"of": "tran"}, r"String should match pattern '^\w+\.\w+$'"),
        ({"output": "v(6)"}, r"String should match pattern '^[^\s()]+$'"),
        ({"kind": 3}, "Extra inputs are not permitted"),
    ],
)
def test_keys_that_would_make_a_measurement_meaningless_are_refused(keys: dict[str, Any], message: str):
    assert mistake("settling_time", **{"output": "o", "input": "i", "at_most": 1, **keys}) == message


def test_a_measurement_names_the_vectors_it_reads():
    def vectors(name: str, /, **keys: Any) -> tuple[str, ...]:
        return measure(name, at_least=0, at_most=1, **keys).vectors

    assert vectors("dc_gain", output=6) == ("v(6)",)
    assert vectors("settling_time", output="Out", input=1) == ("v(out)", "v(1)")
    assert vectors("offset", output="out", input="in") == ("v(out)", "v(in)")
    assert vectors("supply_current", source="Vdd") == ("i(vdd)",)
    assert vectors("rms_noise") == ("onoise_spectrum",)
    assert vectors("rms_noise", referred="input") == ("inoise_spectrum",)
    assert vectors("meas", name="x", unit="") == ()

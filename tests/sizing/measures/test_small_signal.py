"""Responses whose gains, frequencies and margins are known in closed form."""

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
FREQUENCY = np.geomspace(1.0, 1e10, 1001)


def measure(name: str, /, **keys: Any) -> AnyMeasure:
    return MEASURES.validate_python({"measure": name, "of": "b.a", **keys})


def ac(phasor: np.ndarray, frequency: np.ndarray = FREQUENCY) -> dict[str, Waveforms]:
    return {"b.a": Waveforms(frequency, {"v(out)": phasor.astype(complex)})}


def response(name: str, phasor: np.ndarray, along: np.ndarray = FREQUENCY, /, **keys: Any) -> float:
    """A measurement of an AC response, with the target on the side where it makes sense."""
    return measure(name, output="out", at_least=0, **keys).value(ac(phasor, along))


def poles(gain: float, *corners: float, frequency: np.ndarray = FREQUENCY) -> np.ndarray:
    return gain / np.prod([1 + 1j * frequency / corner for corner in corners], axis=0)


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


@pytest.mark.parametrize("name", ["phase_margin", "gain_margin"])
@pytest.mark.parametrize("corners", [(1e3, 3e5, 3e5), (1e-3, 1e6, 1e6), (1e-3, 1e-3, 3e4, 1e6)])
def test_an_inverting_loop_closes_with_one_more_inversion(name: str, corners: tuple[float, ...]):
    phasor = poles(1e3 * 1e3 / min(corners), *corners)
    assert response(name, -phasor) == pytest.approx(response(name, phasor), abs=1e-9)


def test_a_loop_of_two_integrators_starts_at_180_degrees_without_inverting():
    zero, pole = 1e4, 1e6
    phasor = -1e9 / FREQUENCY**2 * (1 + 1j * FREQUENCY / zero) / (1 + 1j * FREQUENCY / pole)
    unity = response("unity_gain_frequency", phasor)
    expected = np.degrees(np.arctan(unity / zero) - np.arctan(unity / pole))
    assert response("phase_margin", phasor) == pytest.approx(expected, abs=0.05)
    assert response("phase_margin", -phasor) == pytest.approx(expected, abs=0.05)


def shaped(gains: list[float], phases: list[float]) -> np.ndarray:
    """A response that goes straight, on logarithmic axes, from each of these to the next."""
    places, along = np.linspace(0, 1, len(gains)), np.linspace(0, 1, FREQUENCY.size)
    gain_db = np.interp(along, places, 20 * np.log10(gains))
    return 10 ** (gain_db / 20) * np.exp(1j * np.radians(np.interp(along, places, phases)))


@pytest.mark.parametrize(
    ("gains", "phases", "expected"),
    [
        ([100, 100, 0.1, 10, 0.1], [0, 0, -60, -150, -240], -15.0),  # falls, rises, falls through 1 at -40, -105, -195
        ([100, 100, 0.1, 10, 0.1], [0, 0, -60, -420, -420], 60.0),  # at -40, -240, -420: passes -180 below 1
        ([100, 100, 0.1, 10, 0.1], [0, 0, -60, -280, -500], -210.0),  # at -40, -170, -390: past -180 and -360 above 1
        ([100, 100, 0.1], [0, 0, 150], 80.0),  # the phase leads by 100 degrees
    ],
)
def test_of_several_unity_gains_the_worst_counts(gains: list[float], phases: list[float], expected: float):
    assert response("phase_margin", shaped(gains, phases)) == pytest.approx(expected, abs=0.5)


def test_a_resonance_above_1_behind_the_first_unity_gain_is_what_the_margins_are_of():
    resonance, quality = 4e6, 10.0
    s = 1j * FREQUENCY / resonance
    phasor = poles(1e4, 100.0) / (1 + s / quality + s**2)
    fine = np.geomspace(3e6, 6e6, 2_000_001)
    s = 1j * fine / resonance
    exact = poles(1e4, 100.0, frequency=fine) / (1 + s / quality + s**2)
    last = np.flatnonzero(np.abs(exact) > 1)[-1]
    phase_margin = 180 + np.degrees(np.unwrap(np.angle(exact)))[last]
    assert phase_margin < -55
    assert response("phase_margin", phasor) == pytest.approx(phase_margin, abs=0.5)
    gain_margin = -20 * np.log10(np.abs(exact[np.argmax(exact.imag > 0)]))
    assert response("gain_margin", phasor) == pytest.approx(gain_margin, abs=0.2)


def test_a_loop_that_less_gain_would_make_unstable_has_a_gain_margin_to_that_side():
    low, zero, high = 1.0, 1e3, 1e6
    frequency = np.geomspace(1e-3, 1e9, 2401)
    phasor = poles(1e9, low, low, low, high, high, frequency=frequency) * (1 + 1j * frequency / zero) ** 2
    phase = np.unwrap(np.angle(phasor))
    passes = np.flatnonzero(np.diff(phase < -np.pi))
    gains_db = 20 * np.log10(np.abs(phasor[passes]))
    assert (gains_db[:2] > 0).all()  # falls and rises through -180 degrees with a gain above 1, and again below
    assert gains_db[2] < 0
    assert response("phase_margin", phasor, frequency) > 20
    assert response("gain_margin", phasor, frequency) == pytest.approx(np.abs(gains_db).min(), abs=0.2)


def test_margins_are_negative_where_the_closed_loop_has_a_pole_in_the_right_half_plane():
    rng, told = np.random.default_rng(3), []
    for _ in range(200):
        corners, zeros = 10 ** rng.uniform(2, 8, 4), 10 ** rng.uniform(4, 8, rng.integers(3)) * rng.choice([-1, 1])
        gain = 10 ** rng.uniform(0.5, 5)
        denominator = np.poly(-corners) / np.prod(corners)
        numerator = gain * np.atleast_1d(np.poly(-zeros)) / np.prod(zeros)
        stable = bool((np.roots(np.polyadd(denominator, numerator)).real < 0).all())
        phasor = np.polyval(numerator, 1j * FREQUENCY) / np.polyval(denominator, 1j * FREQUENCY)
        told.append(stable)
        for name in ("phase_margin", "gain_margin"):
            try:
                margin = response(name, rng.choice([-1, 1]) * phasor)
            except Missing:
                continue
            assert abs(margin) < 0.5 or (margin > 0) == stable, (name, gain, corners, zeros)
    assert 50 < sum(told) < 150


@pytest.mark.parametrize("name", ["phase_margin", "gain_margin"])
def test_a_phase_that_turns_by_more_than_90_degrees_between_points_has_no_margin(name: str):
    coarse = np.geomspace(1.0, 1e10, 101)
    s = 1j * coarse / 4e6
    with pytest.raises(
        Missing, match=r"^the phase turns by more than 90 degrees from one point of the sweep to the next$"
    ):
        response(name, poles(1e4, 100.0, frequency=coarse) / (1 + s / 1e3 + s**2), coarse)


@pytest.mark.parametrize("name", ["phase_margin", "gain_margin"])
def test_a_sweep_whose_start_tells_no_sign_has_no_margin(name: str):
    with pytest.raises(
        Missing, match=r"^whether the loop inverts cannot be told: its phase starts -90 degrees off its slope's$"
    ):
        response(name, poles(-1j * 1e3, 1e3, 1e4, 1e4))


@pytest.mark.parametrize("name", ["bandwidth", "peaking", "unity_gain_frequency", "phase_margin", "gain_margin"])
def test_a_lone_point_has_nothing_that_takes_a_sweep(name: str):
    keys = {"at_most": 1} if name == "peaking" else {"at_least": 0}
    metric = measure(name, output="out", **keys)
    results = {"b.a": Waveforms(np.array([1.0]), {"v(out)": np.array([2.0 + 0j])})}
    if name == "peaking":
        assert metric.value(results) == 0.0
    else:
        with pytest.raises(Missing):
            metric.value(results)


def test_a_gain_that_ends_above_1_again_has_no_phase_margin():
    with pytest.raises(Missing, match=r"^the gain is above 1 again when the sweep ends$"):
        response("phase_margin", shaped([100, 0.1, 10], [0, -60, -60]))


LINEAR = np.linspace(0, 2e4, 11)


def test_a_linear_sweep_from_0_is_of_a_single_pole_before_its_first_step():
    phasor = poles(10.0, 1e3, frequency=LINEAR)
    assert response("dc_gain", phasor, LINEAR) == 10.0
    assert response("bandwidth", phasor, LINEAR) == pytest.approx(1e3)
    for frequency in (0, 50, 700, 2000):
        expected = 10 / np.hypot(1, frequency / 1e3)
        assert response("gain_at", phasor, LINEAR, frequency=frequency) == pytest.approx(expected)
    unity = response("unity_gain_frequency", phasor, LINEAR)
    assert unity == pytest.approx(1e3 * np.sqrt(99), rel=1e-3)
    assert response("phase_margin", phasor, LINEAR) == pytest.approx(180 - np.degrees(np.arctan(unity / 1e3)), abs=0.2)
    assert peaking(phasor, LINEAR) == 0.0


def test_what_a_linear_sweep_from_0_does_not_tell_is_missing():
    with pytest.raises(Missing, match=r"^the gain is 0 at the point before, at 0 Hz$"):
        response("gain_at", 1j * LINEAR, LINEAR, frequency=50)
    assert response("gain_at", 1j * LINEAR, LINEAR, frequency=0) == 0.0
    with pytest.raises(Missing, match=r"^the gain passes 1 before the first frequency above 0 Hz$"):
        response("phase_margin", poles(10.0, 100.0, frequency=LINEAR), LINEAR)


def test_the_last_point_of_a_sweep_belongs_to_it():
    frequency = 20 ** (np.arange(4) / 3)
    frequency[-1] = 19.999999999999993  # where ngspice ends `ac dec 3 1 20`
    assert response("gain_at", poles(1.0, 1e9, frequency=frequency), frequency, frequency=20) == pytest.approx(1.0)


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


def peaking(phasor: np.ndarray, frequency: np.ndarray = FREQUENCY) -> float:
    return measure("peaking", output="out", at_most=1).value(ac(phasor, frequency))


@pytest.mark.parametrize("quality", [0.9, 2.0, 10.0])
def test_the_peaking_of_a_resonance_is_known(quality: float):
    frequency = np.geomspace(1.0, 1e6, 20001)
    s = 1j * frequency / 1e3
    expected = 20 * np.log10(quality / np.sqrt(1 - 1 / (2 * quality) ** 2))
    assert peaking(7 / (1 + s / quality + s**2), frequency) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("offset", [0.93, 1.0, 1.06])
def test_the_peak_of_a_resonance_may_lie_between_points(offset: float):
    frequency, quality = np.geomspace(1.0, 1e6, 61), 4.0  # ten a decade
    s = 1j * frequency / (1e3 * offset)
    expected = 20 * np.log10(quality / np.sqrt(1 - 1 / (2 * quality) ** 2))
    assert peaking(7 / (1 + s / quality + s**2), frequency) == pytest.approx(expected, abs=1e-4)


def test_a_peak_that_the_sweep_does_not_see_is_missing():
    frequency = np.geomspace(1.0, 1e6, 61)
    s = 1j * frequency / 1.12e3
    with pytest.raises(Missing, match=r"^the gain peaks between two points of the sweep, more than 3 dB above them$"):
        peaking(7 / (1 + s / 20 + s**2), frequency)


def test_without_a_resonance_there_is_no_peak_and_what_still_rises_has_none_yet():
    assert peaking(poles(10.0, 1e3, 1e5)) == 0.0
    assert peaking(np.ones(1001)) == 0.0
    with pytest.raises(Missing, match=r"^the gain still rises when the sweep ends$"):
        peaking(1 / poles(10.0, 1e3))
    with pytest.raises(Missing, match=r"^the gain starts at 0$"):
        peaking(np.linspace(0, 1, 1001))


def test_a_response_to_a_current_is_in_ohms():
    assert response("dc_gain", poles(-5e3, 1e6), unit="Ohm") == pytest.approx(5e3)
    assert response("gain_at", poles(-5e3, 1e9), frequency=10, unit="Ohm") == pytest.approx(5e3)

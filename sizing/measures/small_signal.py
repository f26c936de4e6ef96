"""Measurements of the response to a small signal: gains, bandwidths, margins."""

from typing import Annotated, Literal

import numpy as np

from sizing.measures.batch import Reasons
from sizing.measures.curves import ROUNDING, Array, Points, at_points, crossing, interpolate, segment
from sizing.measures.measure import OfOutput, Reference, in_unit
from sizing.measures.waveforms import Results, Vector

_LARGEST_STEP_DEG = 90.0
"""By how much the phase may turn between two points: beyond 180 it would be unwrapped the wrong way."""
_AUDIBLE = 0.01
"""A gain below which no margin depends on the phase; a resonance between two points may rise by as much."""
_LARGEST_RISE_DB = 3.0
"""How far a peak between points may be above them: no further than where the power of a resonance is halved."""
_SURE_OF_SIGN_DEG = 60.0
"""How far a start may be from the phase of its slope, or the opposite one."""


def phase_deg(phasor: Vector) -> Array:
    """Phase in degrees (…, N), unwrapped from the first point."""
    return np.asarray(np.degrees(np.unwrap(np.angle(phasor))))


def loop_phase_deg(frequency: Array, phasor: Vector) -> Array:
    """Phase (B, N) of an open loop that subtracts what it feeds back: an inverting response is inverted.

    A response of minimum phase has 90 degrees for each power of the frequency that its gain goes with (Bode, Network
    Analysis and Feedback Amplifier Design, 1945); what the start has beyond is of inversions, 180 degrees each.
    """
    phase = phase_deg(phasor)
    return phase - 180 * np.round(_beyond_slope_deg(frequency, phasor) / 180)[:, np.newaxis]


class _Response(OfOutput):
    kinds = ("ac",)

    def _gain(self, results: Results) -> tuple[Array, Array]:
        frequency, phasor = self.observed(results)
        return frequency, np.abs(phasor)


class DcGain(_Response):
    """Magnitude of the output at the lowest frequency of the AC sweep, for an excitation of 1. Always exists.

    In Ohm where a current is excited.
    """

    measure: Literal["dc_gain"]
    unit: Literal["V/V", "Ohm", "dB"] = "V/V"

    def compute(self, results: Results, missing: Reasons) -> Array:
        _, gain = self._gain(results)
        return _gain_in(gain[:, 0], self.unit, missing)


class GainAt(_Response):
    """Magnitude of the output at `frequency`, interpolated on log-log axes; from 0 Hz as behind a single pole.

    Missing outside the sweep, and between a magnitude of 0 at 0 Hz and the next point.
    """

    measure: Literal["gain_at"]
    unit: Literal["V/V", "Ohm", "dB"] = "V/V"
    frequency: Annotated[float, in_unit("Hz")]

    def compute(self, results: Results, missing: Reasons) -> Array:
        frequency, gain = self._gain(results)
        reached = frequency[0] * (1 - ROUNDING) <= self.frequency <= frequency[-1] * (1 + ROUNDING)
        missing.where(
            np.full(len(gain), not reached),
            f"the sweep from {frequency[0]:g} to {frequency[-1]:g} Hz does not reach it",
        )
        at = np.array([[self.frequency]])
        if frequency[0] == 0 and self.frequency < frequency[-1] and self.frequency < frequency[1]:
            missing.where((gain[:, 0] == 0) & (self.frequency > 0), "the gain is 0 at the point before, at 0 Hz")
            value = interpolate(at**2, frequency[:2] ** 2, gain[:, :2] ** -2.0) ** -0.5
        else:
            value = np.exp(interpolate(np.log(at), np.log(frequency), np.log(np.maximum(gain, 1e-300))))
        return _gain_in(value[:, 0], self.unit, missing)


class Bandwidth(_Response):
    """Lowest frequency at which the magnitude has fallen by 3 dB (to 1/sqrt 2) from that at the sweep's start.

    Missing where it does not fall that far within the sweep.
    """

    measure: Literal["bandwidth"]
    unit: Literal["Hz"] = "Hz"

    def compute(self, results: Results, missing: Reasons) -> Array:
        frequency, gain = self._gain(results)
        return _falls_to(gain[:, 0] / np.sqrt(2), frequency, gain, "3 dB below the gain at the start", missing)


class Peaking(_Response):
    """How far the largest magnitude lies above that at the lowest frequency, in dB; 0 without a peak.

    Between points a peak is that of a resonance: the parabola of 1/magnitude squared over the frequency squared through
    the largest point and its neighbours. Missing where that is more than 3 dB above the point, where the magnitude is
    largest at the end of the sweep, or exactly zero at its start.
    """

    measure: Literal["peaking"]
    unit: Literal["dB"] = "dB"

    def compute(self, results: Results, missing: Reasons) -> Array:
        frequency, gain = self._gain(results)
        first, last = gain[:, 0], gain[:, -1]
        largest: Array = gain.max(axis=1)
        missing.where(first == 0, "the gain starts at 0")
        missing.where((last == largest) & (largest > first), "the gain still rises when the sweep ends")
        at = gain.argmax(axis=1)
        around = np.clip([at - 1, at, at + 1], 0, frequency.size - 1)
        between_db = -10 * np.log10(_vertex(frequency[around] ** 2, (at_points(gain, around) / largest) ** -2.0))
        between_db = np.where(largest > first, between_db, 0.0)
        missing.where(
            ~(between_db <= _LARGEST_RISE_DB),
            "the gain peaks between two points of the sweep, more than 3 dB above them",
        )
        return np.asarray(20 * np.log10(largest / first) + between_db)


class UnityGainFrequency(_Response):
    """Lowest frequency at which the magnitude falls through 1. Missing where it starts below 1 or never falls to it."""

    measure: Literal["unity_gain_frequency"]
    unit: Literal["Hz"] = "Hz"

    def compute(self, results: Results, missing: Reasons) -> Array:
        frequency, gain = self._gain(results)
        return _falls_to(np.ones(len(gain)), frequency, gain, "1", missing)


class PhaseMargin(_Response):
    """How far the phase of an open loop is from -180 degrees where its gain passes 1; of several, the smallest counts.

    By Nyquist's criterion, for a loop that is stable as long as it is open: negative where it is unstable when closed.
    The response is that of negative feedback; one that inverts closes with one more inversion. Whether it inverts is
    told by the start of the sweep: the phase there beyond 90 degrees for each power of the frequency. Where the gain
    rises above 1 again, phases count from the multiple of 360 degrees nearest to there. Missing where the gain does not
    start above 1 and end below it, where the start tells no sign, and where the phase turns by more than 90 degrees
    from one point to the next with a gain above 0.01.
    """

    measure: Literal["phase_margin"]
    unit: Literal["deg"] = "deg"

    def compute(self, results: Results, missing: Reasons) -> Array:
        frequency, phasor = self.observed(results)
        gain = np.abs(phasor)
        _falls_to(np.ones(len(gain)), frequency, gain, "1", missing)
        missing.where(gain[:, -1] > 1, "the gain is above 1 again when the sweep ends")
        phase = _phase_of_loop(frequency, phasor, missing)
        rows, begins = np.nonzero(np.diff(gain > 1, axis=1))
        unity = _passes(np.ones(len(rows)), frequency, gain[rows], segment(begins + 1))
        passed = interpolate(np.log(unity)[:, np.newaxis], np.log(frequency), phase[rows])[:, 0]
        missing.where(
            np.bincount(rows, (begins == 0) & (frequency[0] == 0), len(gain)) > 0,
            "the gain passes 1 before the first frequency above 0 Hz",
        )
        falls = gain[rows, begins] > 1
        turns = np.where(falls, 0.0, np.round(passed / 360))
        turns[1:] += np.where(falls[1:] & (rows[1:] == rows[:-1]), turns[:-1], 0.0)
        return _smallest(180.0 - np.abs(passed - 360 * turns), rows, len(gain))


class GainMargin(_Response):
    """How far the gain of an open loop lies below 1, in dB, where its phase passes -180 degrees.

    Of several such frequencies the one with a gain nearest to 1 counts, to either side: what less gain would make
    unstable has a margin too. Where the closed loop is unstable, it is the one with the largest gain, and negative.
    Sign, stability and steps of the phase are those of `phase_margin`. Missing where the phase does not fall that far.
    """

    measure: Literal["gain_margin"]
    unit: Literal["dB"] = "dB"

    def compute(self, results: Results, missing: Reasons) -> Array:
        frequency, phasor = self.observed(results)
        phase, along = _phase_of_loop(frequency, phasor, missing), np.log(frequency)
        turns = np.floor((phase + 180.0) / 360.0)
        rows, begins = np.nonzero(np.diff(turns, axis=1))
        ends = segment(begins + 1)
        passed = at_points(turns[rows], ends)
        at = crossing(along[ends], at_points(phase[rows], ends), 360.0 * passed.max(axis=0) - 180.0)
        gain_db = 20 * np.log10(np.maximum(np.abs(phasor), 1e-300))
        margin = -interpolate(at[:, np.newaxis], along, gain_db[rows])[:, 0]
        encircled = np.where(gain_db[:, 0] > 0, turns[:, 0], 0.0)
        np.add.at(encircled, rows, np.where(margin < 0, passed[1] - passed[0], 0.0))
        smallest = _smallest(np.where(encircled[rows] == 0, np.abs(margin), margin), rows, len(phase))
        missing.where(np.isinf(smallest), "the phase does not fall through -180 degrees within the sweep")
        return smallest


class GainRatio(_Response):
    """Ratio of two gains to the same output at the lowest frequency, in dB: rejection of supply or common mode.

    `of` is the wanted response, `over` the unwanted one. Missing where the unwanted response is exactly zero.
    """

    measure: Literal["gain_ratio"]
    unit: Literal["dB"] = "dB"
    over: Reference

    @property
    def references(self) -> tuple[str, ...]:
        return (self.of, self.over)

    def compute(self, results: Results, missing: Reasons) -> Array:
        first = (results[name].vectors[f"v({self.output})"][:, 0] for name in self.references)
        # hypot is what abs of one number is; abs of an array may differ in the last bit
        wanted, unwanted = (np.hypot(phasor.real, phasor.imag) for phasor in first)
        missing.where((wanted == 0) | (unwanted == 0), "one of the two responses is exactly zero")
        return 20 * np.log10(wanted / unwanted)


def _gain_in(gain: Array, unit: str, missing: Reasons) -> Array:
    if unit != "dB":
        return gain
    missing.where(gain == 0, "the gain is exactly zero, which has no decibels")
    return 20 * np.log10(gain)


def _beyond_slope_deg(frequency: Array, phasor: Vector) -> Array:
    """Phase (B,) at the start beyond that of a response of minimum phase with the slope there."""
    gain, second = np.abs(phasor), min(1, frequency.size - 1)
    with np.errstate(divide="ignore", invalid="ignore"):  # a sweep from 0 Hz, a gain of 0
        slope = np.log(gain[:, second] / gain[:, 0]) / np.log(frequency[second] / frequency[0])
    return np.asarray(np.degrees(np.angle(phasor[:, 0])) - 90 * slope)


def _phase_of_loop(frequency: Array, phasor: Vector, missing: Reasons) -> Array:
    """The phase of the loop, where the sweep tells it."""
    phase, gain = loop_phase_deg(frequency, phasor), np.abs(phasor)
    beyond = _beyond_slope_deg(frequency, phasor)
    missing.where(
        np.abs(beyond - 180 * np.round(beyond / 180)) > _SURE_OF_SIGN_DEG,
        lambda row: (
            f"whether the loop inverts cannot be told: its phase starts {beyond[row]:.0f} degrees off its slope's"
        ),
    )
    steps = np.where(np.maximum(gain[:, 1:], gain[:, :-1]) > _AUDIBLE, np.abs(np.diff(phase)), 0.0)
    missing.where(
        steps.max(axis=1, initial=0) > _LARGEST_STEP_DEG,
        f"the phase turns by more than {_LARGEST_STEP_DEG:g} degrees from one point of the sweep to the next",
    )
    return phase


def _vertex(x: Array, y: Array) -> Array:
    """The extreme value of the parabolas through three points each, (3, B); the middle one where they are straight."""
    left, right = np.diff(y, axis=0) / np.diff(x, axis=0)
    curvature = (right - left) / (x[2] - x[0])
    at = (x[0] + x[1] - left / curvature) / 2
    value: Array = y[0] + left * (at - x[0]) + curvature * (at - x[0]) * (at - x[1])
    return np.where(curvature == 0, y[1], value)


def _smallest(values: Array, rows: Points, count: int) -> Array:
    """The smallest of the values (K,) of each of `count` rows; infinite for a row without any."""
    smallest = np.full(count, np.inf)
    np.minimum.at(smallest, rows, values)
    return smallest


def _falls_to(level: Array, frequency: Array, gain: Array, what: str, missing: Reasons) -> Array:
    """Lowest frequency at which the gain (B, N) falls to `level` (B,)."""
    missing.where(gain[:, 0] <= level, lambda row: f"the gain starts at {gain[row, 0]:.3g}, not above {what}")
    below = (gain <= level[:, np.newaxis]).argmax(axis=1)
    missing.where(below == 0, f"the gain does not fall to {what} within the sweep")
    return _passes(level, frequency, gain, segment(below))


def _passes(level: Array, frequency: Array, gain: Array, ends: Points) -> Array:
    """The frequencies at which gains (B, N) pass `level` (B,) between two points (2, B).

    On a straight line on log-log axes; from 0 Hz as behind a single pole.
    """
    hertz, gains = frequency[ends], np.maximum(at_points(gain, ends), 1e-300)
    at = np.exp(crossing(np.log(hertz), np.log(gains), np.log(level)))
    return np.where(hertz[0] > 0, at, np.sqrt(crossing(hertz**2, gains**-2, level**-2)))

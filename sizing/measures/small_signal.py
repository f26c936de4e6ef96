"""Measurements of the response to a small signal: gains, bandwidths, margins."""

from typing import Annotated, Literal

import numpy as np

from sizing.measures.batch import Reasons
from sizing.measures.curves import Array, at_points, crossing, interpolate, segment
from sizing.measures.measure import OfOutput, Reference, in_unit
from sizing.measures.waveforms import Results, Vector


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
    better = "higher"
    unit: Literal["V/V", "Ohm", "dB"] = "V/V"

    def compute(self, results: Results, missing: Reasons) -> Array:
        _, gain = self._gain(results)
        return _gain_in(gain[:, 0], self.unit, missing)


class GainAt(_Response):
    """Magnitude of the output at `frequency`, interpolated on log-log axes. Missing outside the sweep."""

    measure: Literal["gain_at"]
    better = "either"
    unit: Literal["V/V", "Ohm", "dB"] = "V/V"
    frequency: Annotated[float, in_unit("Hz")]

    def compute(self, results: Results, missing: Reasons) -> Array:
        frequency, gain = self._gain(results)
        missing.where(
            np.full(len(gain), not frequency[0] <= self.frequency <= frequency[-1]),
            f"the sweep from {frequency[0]:g} to {frequency[-1]:g} Hz does not reach it",
        )
        log_gain = interpolate(np.log([[self.frequency]]), np.log(frequency), np.log(np.maximum(gain, 1e-300)))
        return _gain_in(np.exp(log_gain[:, 0]), self.unit, missing)


class Bandwidth(_Response):
    """Lowest frequency at which the magnitude has fallen by 3 dB (to 1/sqrt 2) from that at the sweep's start.

    Missing where it does not fall that far within the sweep.
    """

    measure: Literal["bandwidth"]
    better = "higher"
    unit: Literal["Hz"] = "Hz"

    def compute(self, results: Results, missing: Reasons) -> Array:
        frequency, gain = self._gain(results)
        return _falls_to(gain[:, 0] / np.sqrt(2), frequency, gain, "3 dB below the gain at the start", missing)


class Peaking(_Response):
    """How far the largest magnitude lies above that at the lowest frequency, in dB; 0 without a peak.

    Missing where the magnitude is largest at the end of the sweep, or exactly zero at its start.
    """

    measure: Literal["peaking"]
    better = "lower"
    unit: Literal["dB"] = "dB"

    def compute(self, results: Results, missing: Reasons) -> Array:
        _, gain = self._gain(results)
        first, last = gain[:, 0], gain[:, -1]
        largest: Array = gain.max(axis=1)
        missing.where(first == 0, "the gain starts at 0")
        missing.where((last == largest) & (largest > first), "the gain still rises when the sweep ends")
        return 20 * np.log10(largest / first)


class UnityGainFrequency(_Response):
    """Lowest frequency at which the magnitude falls through 1. Missing where it starts below 1 or never falls to it."""

    measure: Literal["unity_gain_frequency"]
    better = "higher"
    unit: Literal["Hz"] = "Hz"

    def compute(self, results: Results, missing: Reasons) -> Array:
        frequency, gain = self._gain(results)
        return _falls_to(np.ones(len(gain)), frequency, gain, "1", missing)


class PhaseMargin(_Response):
    """180 degrees plus the phase at the unity-gain frequency, unwrapped from the start of the sweep.

    Missing where there is no unity-gain frequency.
    """

    measure: Literal["phase_margin"]
    better = "higher"
    unit: Literal["deg"] = "deg"

    def compute(self, results: Results, missing: Reasons) -> Array:
        frequency, phasor = self.observed(results)
        unity = _falls_to(np.ones(len(phasor)), frequency, np.abs(phasor), "1", missing)
        return 180.0 + interpolate(np.log(unity)[:, np.newaxis], np.log(frequency), _phase_deg(phasor))[:, 0]


class GainMargin(_Response):
    """How far the magnitude lies below 1, in dB, where the unwrapped phase first falls through -180 degrees.

    Missing where the phase does not fall that far within the sweep.
    """

    measure: Literal["gain_margin"]
    better = "higher"
    unit: Literal["dB"] = "dB"

    def compute(self, results: Results, missing: Reasons) -> Array:
        frequency, phasor = self.observed(results)
        phase, along = _phase_deg(phasor), np.log(frequency)
        below = (phase <= -180.0).argmax(axis=1)
        missing.where(below == 0, "the phase does not fall through -180 degrees within the sweep")
        ends = segment(below)
        at = crossing(along[ends], at_points(phase, ends), -180.0)
        gain_db = 20 * np.log10(np.maximum(np.abs(phasor), 1e-300))
        return -interpolate(at[:, np.newaxis], along, gain_db)[:, 0]


class GainRatio(_Response):
    """Ratio of two gains to the same output at the lowest frequency, in dB: rejection of supply or common mode.

    `of` is the wanted response, `over` the unwanted one. Missing where the unwanted response is exactly zero.
    """

    measure: Literal["gain_ratio"]
    better = "higher"
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


def _phase_deg(phasor: Vector) -> Array:
    return np.asarray(np.degrees(np.unwrap(np.angle(phasor))))


def _falls_to(level: Array, frequency: Array, gain: Array, what: str, missing: Reasons) -> Array:
    """Lowest frequency at which the gain (B, N) falls to `level` (B,), interpolated on log-log axes."""
    missing.where(gain[:, 0] <= level, lambda row: f"the gain starts at {gain[row, 0]:.3g}, not above {what}")
    below = (gain <= level[:, np.newaxis]).argmax(axis=1)
    missing.where(below == 0, f"the gain does not fall to {what} within the sweep")
    ends = segment(below)
    log_gain = np.log(np.maximum(at_points(gain, ends), 1e-300))
    return np.exp(crossing(np.log(frequency)[ends], log_gain, np.log(level)))

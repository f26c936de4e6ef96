"""Measurements of the response to a small signal: gains, bandwidths, margins."""

from typing import Annotated, Literal

import numpy as np

from sizing.measures.curves import Array, crossing
from sizing.measures.measure import Missing, OfOutput, Reference, in_unit
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

    def value(self, results: Results) -> float:
        _, gain = self._gain(results)
        return _gain_in(gain[0], self.unit)


class GainAt(_Response):
    """Magnitude of the output at `frequency`, interpolated on log-log axes. Missing outside the sweep."""

    measure: Literal["gain_at"]
    better = "either"
    unit: Literal["V/V", "Ohm", "dB"] = "V/V"
    frequency: Annotated[float, in_unit("Hz")]

    def value(self, results: Results) -> float:
        frequency, gain = self._gain(results)
        if not frequency[0] <= self.frequency <= frequency[-1]:
            raise Missing(f"the sweep from {frequency[0]:g} to {frequency[-1]:g} Hz does not reach it")
        log_gain = np.interp(np.log(self.frequency), np.log(frequency), np.log(np.maximum(gain, 1e-300)))
        return _gain_in(float(np.exp(log_gain)), self.unit)


class Bandwidth(_Response):
    """Lowest frequency at which the magnitude has fallen by 3 dB (to 1/sqrt 2) from that at the sweep's start.

    Missing where it does not fall that far within the sweep.
    """

    measure: Literal["bandwidth"]
    better = "higher"
    unit: Literal["Hz"] = "Hz"

    def value(self, results: Results) -> float:
        frequency, gain = self._gain(results)
        return _falls_to(gain[0] / np.sqrt(2), frequency, gain, "3 dB below the gain at the start")


class Peaking(_Response):
    """How far the largest magnitude lies above that at the lowest frequency, in dB; 0 without a peak.

    Missing where the magnitude is largest at the end of the sweep, or exactly zero at its start.
    """

    measure: Literal["peaking"]
    better = "lower"
    unit: Literal["dB"] = "dB"

    def value(self, results: Results) -> float:
        _, gain = self._gain(results)
        if gain[0] == 0:
            raise Missing("the gain starts at 0")
        if gain[-1] == gain.max() > gain[0]:
            raise Missing("the gain still rises when the sweep ends")
        return float(20 * np.log10(gain.max() / gain[0]))


class UnityGainFrequency(_Response):
    """Lowest frequency at which the magnitude falls through 1. Missing where it starts below 1 or never falls to it."""

    measure: Literal["unity_gain_frequency"]
    better = "higher"
    unit: Literal["Hz"] = "Hz"

    def value(self, results: Results) -> float:
        frequency, gain = self._gain(results)
        return _falls_to(1.0, frequency, gain, "1")


class PhaseMargin(_Response):
    """180 degrees plus the phase at the unity-gain frequency, unwrapped from the start of the sweep.

    Missing where there is no unity-gain frequency.
    """

    measure: Literal["phase_margin"]
    better = "higher"
    unit: Literal["deg"] = "deg"

    def value(self, results: Results) -> float:
        frequency, phasor = self.observed(results)
        unity = _falls_to(1.0, frequency, np.abs(phasor), "1")
        return 180.0 + float(np.interp(np.log(unity), np.log(frequency), _phase_deg(phasor)))


class GainMargin(_Response):
    """How far the magnitude lies below 1, in dB, where the unwrapped phase first falls through -180 degrees.

    Missing where the phase does not fall that far within the sweep.
    """

    measure: Literal["gain_margin"]
    better = "higher"
    unit: Literal["dB"] = "dB"

    def value(self, results: Results) -> float:
        frequency, phasor = self.observed(results)
        phase = _phase_deg(phasor)
        below = np.flatnonzero(phase <= -180.0)
        if below.size == 0 or below[0] == 0:
            raise Missing("the phase does not fall through -180 degrees within the sweep")
        at = crossing(np.log(frequency), phase, int(below[0]), -180.0)
        return -float(np.interp(at, np.log(frequency), 20 * np.log10(np.maximum(np.abs(phasor), 1e-300))))


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

    def value(self, results: Results) -> float:
        wanted, unwanted = (abs(results[name].vectors[f"v({self.output})"][0]) for name in self.references)
        if wanted == 0 or unwanted == 0:
            raise Missing("one of the two responses is exactly zero")
        return float(20 * np.log10(wanted / unwanted))


def _gain_in(gain: float, unit: str) -> float:
    if unit != "dB":
        return float(gain)
    if gain == 0:
        raise Missing("the gain is exactly zero, which has no decibels")
    return float(20 * np.log10(gain))


def _phase_deg(phasor: Vector) -> Array:
    return np.asarray(np.degrees(np.unwrap(np.angle(phasor))))


def _falls_to(level: float, frequency: Array, gain: Array, what: str) -> float:
    """Lowest frequency at which the gain falls to `level`, interpolated on log-log axes."""
    if gain[0] <= level:
        raise Missing(f"the gain starts at {gain[0]:.3g}, not above {what}")
    below = np.flatnonzero(gain <= level)
    if below.size == 0:
        raise Missing(f"the gain does not fall to {what} within the sweep")
    log_gain = np.log(np.maximum(gain, 1e-300))
    return float(np.exp(crossing(np.log(frequency), log_gain, int(below[0]), np.log(level))))

"""Measurements of what goes on by itself."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from sizing.measures.curves import crossing
from sizing.measures.measure import Missing, OfOutput, in_unit
from sizing.measures.waveforms import Results

_STEADY_SWING = 0.1
"""How much the swing may change from the first of the periods looked at to the last."""


class OscillationFrequency(OfOutput):
    """Frequency of the last `periods` whole periods of the output, which rises through the middle of its swing in each.

    The middle is that of the second half of the transient. Missing where there are fewer periods in that half, where
    the output swings by less than `swing` or no longer does in the end, and where it has not settled: periods differ by
    more than `tolerance`, or the swing changes by more than 10 % from the first to the last.
    """

    measure: Literal["oscillation_frequency"]
    better = "either"
    kinds = ("tran",)
    unit: Literal["Hz"] = "Hz"
    periods: int = Field(5, ge=2, le=1000)
    swing: Annotated[float, in_unit("V"), Field(gt=0)] = 0.01
    tolerance: Annotated[float, in_unit("%"), Field(gt=0, lt=1)] = 0.01

    def value(self, results: Results) -> float:
        time, wave = self.observed(results)
        later = time >= (time[0] + time[-1]) / 2
        time, wave = time[later], np.real(wave[later])
        if np.ptp(wave) < self.swing:
            raise Missing(f"the output swings by {np.ptp(wave):.3g} V, not {self.swing:g} V: it does not oscillate")
        middle = (wave.max() + wave.min()) / 2
        rises = np.flatnonzero((wave[:-1] < middle) & (wave[1:] >= middle)) + 1
        if rises.size <= self.periods:
            raise Missing(f"{max(rises.size - 1, 0)} periods in the second half of the transient, not {self.periods}")
        rises = rises[-self.periods - 1 :]
        at = np.array([crossing(time, wave, int(after), middle) for after in rises])
        lengths = np.diff(at)
        if time[-1] - at[-1] > 1.5 * lengths.mean():
            raise Missing("the output has stopped oscillating when the transient ends")
        if np.ptp(lengths) > self.tolerance * lengths.mean():
            raise Missing(f"periods from {lengths.min():.3g} to {lengths.max():.3g} s have not settled")
        first, last = (np.ptp(wave[rises[index] : rises[index + 1]]) for index in (0, -2))
        if abs(last - first) > _STEADY_SWING * max(first, last):
            raise Missing(f"the swing has not settled: {first:.3g} V, {last:.3g} V later")
        return float(1 / lengths.mean())

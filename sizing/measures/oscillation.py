"""Measurements of what goes on by itself."""

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from sizing.measures.batch import Reasons
from sizing.measures.curves import Array, Points, at_points, crossing, segment
from sizing.measures.measure import OfOutput, in_unit
from sizing.measures.waveforms import Results

_STEADY_SWING = 0.05
"""How much the swing may change from the third quarter of the transient to the last."""
_ALIKE = 0.1
"""How far the highest voltages of periods may lie apart, and the lowest, of the swing."""


class OscillationFrequency(OfOutput):
    """Frequency of the last `periods` whole periods of the output, which rises through the middle of its swing in each.

    The middle is that of the second half of the transient. Missing where there are fewer periods in that half, where
    the output swings by less than `swing` or no longer does in the end, where it has not settled: periods differ by
    more than `tolerance`, or the swing by more than 5 % between the last two quarters of the transient; and where the
    highest or lowest voltages of periods differ by more than 10 % of the swing, as with a strong harmonic.
    """

    measure: Literal["oscillation_frequency"]
    kinds = ("tran",)
    unit: Literal["Hz"] = "Hz"
    periods: int = Field(5, ge=2, le=1000)
    swing: Annotated[float, in_unit("V"), Field(gt=0)] = 0.01
    tolerance: Annotated[float, in_unit("%"), Field(gt=0, lt=1)] = 0.01

    def compute(self, results: Results, missing: Reasons) -> Array:
        time, wave = self.observed(results)
        begin = int(np.argmax(time >= (time[0] + time[-1]) / 2))
        time, wave = time[begin:], np.real(wave)[:, begin:]
        largest, smallest = wave.max(axis=1), wave.min(axis=1)
        swing = largest - smallest
        missing.where(
            swing < self.swing,
            lambda row: f"the output swings by {swing[row]:.3g} V, not {self.swing:g} V: it does not oscillate",
        )
        middle = (largest + smallest) / 2
        rising = (wave[:, :-1] < middle[:, np.newaxis]) & (wave[:, 1:] >= middle[:, np.newaxis])
        periods = rising.sum(axis=1) - 1
        missing.where(
            periods < self.periods,
            lambda row: f"{max(periods[row], 0)} periods in the second half of the transient, not {self.periods}",
        )
        rises = _last_of_each(rising, self.periods + 1) + 1
        ends = segment(rises)
        at = crossing(time[ends], at_points(wave, ends), middle)
        lengths = np.diff(at, axis=0)
        mean: Array = lengths.mean(axis=0)
        missing.where(time[-1] - at[-1] > 1.5 * mean, "the output has stopped oscillating when the transient ends")
        missing.where(
            np.ptp(lengths, axis=0) > self.tolerance * mean,
            lambda row: f"periods from {lengths[:, row].min():.3g} to {lengths[:, row].max():.3g} s have not settled",
        )
        early = time < (time[0] + time[-1]) / 2
        first, last = (np.ptp(wave[:, part], axis=1) for part in (early, ~early))
        missing.where(
            np.abs(last - first) > _STEADY_SWING * np.maximum(first, last),
            lambda row: f"the swing has not settled: {first[row]:.3g} V, {last[row]:.3g} V later",
        )
        missing.where(
            np.maximum(*(np.ptp(ends, axis=0) for ends in _extremes(wave, rises))) > _ALIKE * swing,
            f"periods are not alike: their highest or lowest voltages differ by more than {_ALIKE:.0%} of the swing",
        )
        return 1 / mean


def _extremes(wave: Array, begins: Points) -> tuple[Array, Array]:
    """Highest and lowest voltages (count - 1, B) of rows (B, N) from each of these points (count, B) to the next."""
    flat = (begins + np.arange(len(wave)) * wave.shape[1]).ravel(order="F")
    highest, lowest = (
        extreme.reduceat(wave.ravel(), flat).reshape(begins.shape, order="F")[:-1]
        for extreme in (np.maximum, np.minimum)
    )
    return highest, lowest


def _last_of_each(mask: NDArray[np.bool_], count: int) -> Points:
    """The last `count` places of a mask (B, N) in each row (count, B); some places or other where a row has fewer."""
    places = np.append(np.nonzero(mask)[1], -1)
    ends = np.cumsum(mask.sum(axis=1))
    picked: Points = places.take(ends + np.arange(-count, 0)[:, np.newaxis], mode="clip")
    return picked

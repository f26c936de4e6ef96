"""Measurements of the response to a step in time."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field, field_validator

from sizing.measures.curves import Array, crossing
from sizing.measures.measure import Missing, Net, OfOutput, in_unit, pair
from sizing.measures.waveforms import Results


class _StepResponse(OfOutput):
    kinds = ("tran",)
    input: Net = Field(description="the net that carries the step")

    @property
    def vectors(self) -> tuple[str, ...]:
        return (f"v({self.output})", f"v({self.input})")

    def _step(self, results: Results) -> tuple[Array, Array, Array]:
        """Time since the step began, output and input, all (N,)."""
        output, input_ = pair(results[self.of], self.vectors)
        swing = input_[-1] - input_[0]
        if swing == 0:
            raise Missing(f"v({self.input}) does not step")
        time = results[self.of].axis
        began = int(np.flatnonzero(np.abs(input_ - input_[0]) > 1e-3 * abs(swing))[0]) - 1
        return time - time[began], output, input_


class SettlingTime(_StepResponse):
    """Time from the start of the input's step until the output stays within `tolerance` of its target.

    The target is the output before the step plus `gain` times the input's step; the band is `tolerance` of that change
    to either side. Crossings are interpolated linearly. Missing where the output is still outside in the last 5 % of
    the transient: too late to tell whether it has settled.
    """

    measure: Literal["settling_time"]
    better = "lower"
    unit: Literal["s"] = "s"
    tolerance: Annotated[float, in_unit("%"), Field(gt=0, lt=1)] = 0.01
    gain: float = 1.0

    @field_validator("gain")
    @classmethod
    def _responds(cls, gain: float) -> float:
        if gain == 0:
            raise ValueError("expected a gain other than 0, got 0: there is nothing to settle to")
        return gain

    def value(self, results: Results) -> float:
        time, output, input_ = self._step(results)
        response = (output - output[0]) / (self.gain * (input_[-1] - input_[0]))
        outside = np.flatnonzero(np.abs(response - 1.0) > self.tolerance)
        if outside.size == 0:
            return 0.0
        last = int(outside[-1])
        if time[last] > 0.95 * time[-1]:
            raise Missing(f"the output is not within {self.tolerance:.3g} of the step for good when the transient ends")
        edge = 1.0 + np.copysign(self.tolerance, response[last] - 1.0)
        return max(0.0, crossing(time, response, last + 1, edge))


class SlewRate(_StepResponse):
    """Mean slope of the output between 10 % and 90 % of its change from the first to the last point.

    Missing where the output does not move.
    """

    measure: Literal["slew_rate"]
    better = "higher"
    unit: Literal["V/s"] = "V/s"

    def value(self, results: Results) -> float:
        time, output, _ = self._step(results)
        rise = _reaches(time, output, 0.9) - _reaches(time, output, 0.1)
        return float(0.8 * abs(output[-1] - output[0]) / rise)


class RiseTime(_StepResponse):
    """Time that the output takes from 10 % to 90 % of its change from the first to the last point, rising or falling.

    Missing where the output does not move, and where it moves by more than 5 % of its change in the last 5 % of the
    transient: what it changes by then depends on where the transient ends.
    """

    measure: Literal["rise_time"]
    better = "lower"
    unit: Literal["s"] = "s"

    def value(self, results: Results) -> float:
        time, output, _ = self._step(results)
        if np.ptp(_relative(output)[time > 0.95 * time[-1]]) > 0.05:
            raise Missing("the output still moves when the transient ends")
        return _reaches(time, output, 0.9) - _reaches(time, output, 0.1)


class Overshoot(_StepResponse):
    """How far the output passes its last value, as a fraction of its change from the first to the last point.

    0 without overshoot; missing where the output does not move.
    """

    measure: Literal["overshoot"]
    better = "lower"
    unit: Literal["%"] = "%"

    def value(self, results: Results) -> float:
        _, output, _ = self._step(results)
        return max(0.0, float(np.max(_relative(output))) - 1.0)


class Delay(_StepResponse):
    """Time from the input's passing half of its change to the output's passing half of its own.

    Missing where one of the two does not move.
    """

    measure: Literal["delay"]
    better = "either"
    unit: Literal["s"] = "s"

    def value(self, results: Results) -> float:
        time, output, input_ = self._step(results)
        return _reaches(time, output, 0.5) - _reaches(time, input_, 0.5)


def _relative(wave: Array) -> Array:
    change = wave[-1] - wave[0]
    if change == 0:
        raise Missing("the waveform ends where it began")
    relative: Array = (wave - wave[0]) / change
    return relative


def _reaches(time: Array, wave: Array, fraction: float) -> float:
    """When the wave first reaches `fraction` of its change from the first to the last point."""
    relative = _relative(wave)
    return crossing(time, relative, int(np.flatnonzero(relative >= fraction)[0]), fraction)

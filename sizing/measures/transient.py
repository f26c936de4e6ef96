"""Measurements of the response to a step in time."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field, field_validator

from sizing.measures.batch import Reasons
from sizing.measures.curves import Array, at_points, crossing, segment, spread
from sizing.measures.measure import Net, OfOutput, in_unit, pair
from sizing.measures.waveforms import Results


class _StepResponse(OfOutput):
    kinds = ("tran",)
    input: Net = Field(description="the net that carries the step")

    @property
    def vectors(self) -> tuple[str, ...]:
        return (f"v({self.output})", f"v({self.input})")

    def _step(self, results: Results, missing: Reasons) -> tuple[Array, Array, Array, Array]:
        """Time (N,), when the step begins (B,), output and input, both (B, N)."""
        time = results[self.of].axis
        output, input_ = pair(results[self.of], self.vectors)
        swing = input_[:, -1] - input_[:, 0]
        began = (np.abs(input_ - input_[:, :1]) > 1e-3 * np.abs(swing)[:, np.newaxis]).argmax(axis=1) - 1
        missing.where((swing == 0) | (began < 0), f"v({self.input}) does not step")
        return time, time[began], output, input_


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

    def compute(self, results: Results, missing: Reasons) -> Array:
        time, start, output, input_ = self._step(results, missing)
        response = (output - output[:, :1]) / (self.gain * (input_[:, -1:] - input_[:, :1]))
        inside = np.abs(response - 1.0) <= self.tolerance
        points = inside.shape[1]
        last = points - 1 - inside[:, ::-1].argmin(axis=1)
        settled = inside.all(axis=1)
        missing.where(
            ~settled & (time[last] - start > 0.95 * (time[-1] - start)),
            f"the output is not within {self.tolerance:.3g} of the step for good when the transient ends",
        )
        edge = 1.0 + np.copysign(self.tolerance, at_points(response, last) - 1.0)
        ends = segment(np.minimum(last + 1, points - 1))
        left = crossing(time[ends] - start, at_points(response, ends), edge)
        return np.where(settled, 0.0, np.maximum(0.0, left))


class SlewRate(_StepResponse):
    """Mean slope of the output between 10 % and 90 % of its change from the first to the last point.

    Missing where the output does not move.
    """

    measure: Literal["slew_rate"]
    better = "higher"
    unit: Literal["V/s"] = "V/s"

    def compute(self, results: Results, missing: Reasons) -> Array:
        time, start, output, _ = self._step(results, missing)
        relative = _relative(output, missing)
        rise = _reaches(time, start, relative, 0.9) - _reaches(time, start, relative, 0.1)
        return 0.8 * np.abs(output[:, -1] - output[:, 0]) / rise


class RiseTime(_StepResponse):
    """Time that the output takes from 10 % to 90 % of its change from the first to the last point, rising or falling.

    Missing where the output does not move, and where it moves by more than 5 % of its change in the last 5 % of the
    transient: what it changes by then depends on where the transient ends.
    """

    measure: Literal["rise_time"]
    better = "lower"
    unit: Literal["s"] = "s"

    def compute(self, results: Results, missing: Reasons) -> Array:
        time, start, output, _ = self._step(results, missing)
        relative = _relative(output, missing)
        late = time - start[:, np.newaxis] > 0.95 * (time[-1] - start)[:, np.newaxis]
        missing.where(spread(relative, late) > 0.05, "the output still moves when the transient ends")
        return _reaches(time, start, relative, 0.9) - _reaches(time, start, relative, 0.1)


class Overshoot(_StepResponse):
    """How far the output passes its last value, as a fraction of its change from the first to the last point.

    0 without overshoot; missing where the output does not move.
    """

    measure: Literal["overshoot"]
    better = "lower"
    unit: Literal["%"] = "%"

    def compute(self, results: Results, missing: Reasons) -> Array:
        _, _, output, _ = self._step(results, missing)
        peak: Array = _relative(output, missing).max(axis=1)
        return np.maximum(0.0, peak - 1.0)


class Delay(_StepResponse):
    """Time from the input's passing half of its change to the output's passing half of its own.

    Missing where one of the two does not move.
    """

    measure: Literal["delay"]
    better = "either"
    unit: Literal["s"] = "s"

    def compute(self, results: Results, missing: Reasons) -> Array:
        time, start, output, input_ = self._step(results, missing)
        output, input_ = _relative(output, missing), _relative(input_, missing)
        return _reaches(time, start, output, 0.5) - _reaches(time, start, input_, 0.5)


def _relative(wave: Array, missing: Reasons) -> Array:
    """The wave (B, N) from 0 at the first point to 1 at the last."""
    change = wave[:, -1:] - wave[:, :1]
    missing.where(change[:, 0] == 0, "the waveform ends where it began")
    return (wave - wave[:, :1]) / change


def _reaches(time: Array, start: Array, relative: Array, fraction: float) -> Array:
    """How long after `start` (B,) a relative wave (B, N) first reaches that fraction: (B,)."""
    ends = segment((relative >= fraction).argmax(axis=1))
    return crossing(time[ends] - start, at_points(relative, ends), fraction)

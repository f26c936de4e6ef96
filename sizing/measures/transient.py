"""Measurements of the response to a step in time."""

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from sizing.measures.batch import Reasons
from sizing.measures.curves import Array, Points, at_points, crossing, segment, spread
from sizing.measures.measure import Net, OfOutput, in_unit, pair
from sizing.measures.waveforms import Results

_LEAST_STEP = 1e-6
"""Volts that an input steps by at least: ngspice's own tolerance of voltages (vntol)."""
_SHARE_OF_INPUT = 0.1
"""The share of the input's step by which an output steps at least, where the spec gives no `swing`."""
_SETTLED_SHARE = 0.01
"""How much of its change a settled waveform still moves by."""
_SETTLED_PART = 0.25
"""The last part of the time before or after the step in which it moves by no more: no peak of what rings is as long."""


class _StepResponse(OfOutput):
    kinds = ("tran",)
    input: Net = Field(description="the net that carries the step")

    @property
    def vectors(self) -> tuple[str, ...]:
        return (f"v({self.output})", f"v({self.input})")

    def _step(self, results: Results, missing: Reasons) -> tuple[Array, Points, Array, Array]:
        """Time (N,), the last point before the step (B,), output and input, both (B, N)."""
        output, input_ = pair(results[self.of], self.vectors)
        swing = input_[:, -1] - input_[:, 0]
        before = (np.abs(input_ - input_[:, :1]) > 1e-3 * np.abs(swing)[:, np.newaxis]).argmax(axis=1) - 1
        missing.where((np.abs(swing) < _LEAST_STEP) | (before < 0), f"v({self.input}) does not step")
        time = results[self.of].axis
        missing.where(_rests_between(time, before, input_), f"v({self.input}) moves more than once")
        return time, before, output, input_


class _Transition(_StepResponse):
    """A measurement of how the output goes from its value just before the step to its last one."""

    swing: Annotated[float, in_unit("V"), Field(gt=0)] | None = Field(
        None, description="how far the output goes at least; by default a tenth of the input's step"
    )

    def _relative(self, results: Results, missing: Reasons) -> tuple[Array, Points, Array, Array]:
        """Time (N,), last point before the step (B,), output from 0 there to 1 at the end (B, N), its change (B,)."""
        time, before, output, input_ = self._step(results, missing)
        change = output[:, -1] - at_points(output, before)
        least = np.abs(input_[:, -1] - input_[:, 0]) * _SHARE_OF_INPUT
        if self.swing is not None:
            least = np.full(len(change), self.swing)
        missing.where(
            np.abs(change) < least,
            lambda row: f"v({self.output}) changes by {abs(change[row]):.3g} V, not {least[row]:.3g} V: no transition",
        )
        return time, before, _settled(self.output, time, before, output, missing), change


class SettlingTime(_StepResponse):
    """Time from the start of the input's step until the output stays within `tolerance` of its target.

    The target is the output just before the step plus `gain` times the input's step; the band is `tolerance` of that
    change to either side. Crossings are interpolated linearly. Missing where the output is still outside in the last
    5 % of the transient: too late to tell whether it has settled.
    """

    measure: Literal["settling_time"]
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
        time, before, output, input_ = self._step(results, missing)
        start, rest = time[before], at_points(output, before)[:, np.newaxis]
        response = (output - rest) / (self.gain * (input_[:, -1:] - input_[:, :1]))
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


class SlewRate(_Transition):
    """Mean slope of the output between 10 % and 90 % of its change from just before the step to the last point.

    Missing where the output goes by less than `swing`, and where it moves by more than 1 % of its change in the last
    quarter of the time before the step or after it.
    """

    measure: Literal["slew_rate"]
    unit: Literal["V/s"] = "V/s"

    def compute(self, results: Results, missing: Reasons) -> Array:
        time, before, relative, change = self._relative(results, missing)
        rise = _reaches(time, before, relative, 0.9) - _reaches(time, before, relative, 0.1)
        return 0.8 * np.abs(change) / rise


class RiseTime(_Transition):
    """Time that the output takes from 10 % to 90 % of its change from just before the step to the last point.

    Rising or falling. Missing where the output goes by less than `swing`, and where it moves by more than 1 % of its
    change in the last quarter of the time before the step or after it: its change would depend on where that ends.
    """

    measure: Literal["rise_time"]
    unit: Literal["s"] = "s"

    def compute(self, results: Results, missing: Reasons) -> Array:
        time, before, relative, _ = self._relative(results, missing)
        return _reaches(time, before, relative, 0.9) - _reaches(time, before, relative, 0.1)


class Overshoot(_Transition):
    """How far the output passes its last value, as a fraction of its change from just before the step.

    0 without overshoot. Missing where the output goes by less than `swing`, and where it moves by more than 1 % of its
    change in the last quarter of the time before the step or after it.
    """

    measure: Literal["overshoot"]
    unit: Literal["%"] = "%"

    def compute(self, results: Results, missing: Reasons) -> Array:
        _, _, relative, _ = self._relative(results, missing)
        peak: Array = relative.max(axis=1)
        return np.maximum(0.0, peak - 1.0)


class Delay(_Transition):
    """Time from the input's passing half of its change to the output's passing half of its own.

    Missing where the output goes by less than `swing`, where one of the two moves by more than 1 % of its change in the
    last quarter of the time before the step or after it, and where the output is ahead of the input.
    """

    measure: Literal["delay"]
    unit: Literal["s"] = "s"

    def compute(self, results: Results, missing: Reasons) -> Array:
        time, before, relative, _ = self._relative(results, missing)
        input_ = _settled(self.input, time, before, self._step(results, missing)[3], missing)
        delay = _reaches(time, before, relative, 0.5) - _reaches(time, before, input_, 0.5)
        missing.where(delay < 0, lambda row: f"the output is {-delay[row]:.3g} s ahead of the input")
        return delay


def _rests_between(time: Array, before: Points, wave: Array) -> NDArray[np.bool_]:
    """Whether a wave (B, N) hardly moves for most of the time from before the step until it is near its last value."""
    change, points = wave[:, -1] - at_points(wave, before), np.arange(time.size)
    near = np.abs(wave - wave[:, -1:]) <= _SETTLED_SHARE * np.abs(change)[:, np.newaxis]
    after = time.size - near[:, ::-1].argmin(axis=1)
    lasts = (time[after.clip(max=time.size - 1)] - time[before])[:, np.newaxis]
    within = (points[:-1] >= before[:, np.newaxis]) & (points[1:] <= after[:, np.newaxis])
    slow = np.abs(np.diff(wave)) * lasts < _SETTLED_SHARE * np.abs(change)[:, np.newaxis] * np.diff(time)
    return np.asarray(np.where(within & slow, np.diff(time), 0.0).sum(axis=1) > lasts[:, 0] / 2)


def _settled(net: str, time: Array, before: Points, wave: Array, missing: Reasons) -> Array:
    """The wave (B, N) from 0 until just before the step to 1 at the last point, where it has come to rest."""
    start, rest = time[before][:, np.newaxis], at_points(wave, before)[:, np.newaxis]
    relative, until = (wave - rest) / (wave[:, -1:] - rest), np.append(time[1:], time[-1])
    reached = np.arange(time.size) <= before[:, np.newaxis]
    early = reached & (time - time[0] >= (1 - _SETTLED_PART) * (start - time[0]))
    late = until - start > (1 - _SETTLED_PART) * (time[-1] - start)
    missing.where(spread(relative, early) > _SETTLED_SHARE, f"v({net}) is not at rest before the step")
    missing.where(spread(relative, late) > _SETTLED_SHARE, f"v({net}) has not settled when the transient ends")
    return np.where(reached, 0.0, relative)


def _reaches(time: Array, before: Points, relative: Array, fraction: float) -> Array:
    """How long after the point before the step (B,) a relative wave (B, N) first reaches that fraction: (B,)."""
    ends = segment((relative >= fraction).argmax(axis=1))
    return crossing(time[ends] - time[before], at_points(relative, ends), fraction)

"""Measurements of what is drawn from a source over time."""

from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from sizing.measures.batch import Reasons
from sizing.measures.curves import ROUNDING, Array, interpolate
from sizing.measures.measure import Net, Vectorized, in_unit, pair
from sizing.measures.waveforms import Results

_Moment = Annotated[float, in_unit("s"), Field(ge=0)]


class _Average(Vectorized):
    kinds = ("tran",)
    source: Net = Field(description="the voltage source whose current is averaged")
    from_: _Moment = Field(0.0, alias="from", description="where the average begins, such as after the start-up")
    to: _Moment | None = Field(None, description="where it ends; by default with the transient")

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if self.to is not None and self.to <= self.from_:
            raise ValueError(f"expected `to` after `from`, got from {self.from_:g} to {self.to:g} s")
        return self

    def _mean(self, time: Array, wave: Array, missing: Reasons) -> Array:
        """Magnitude of the integral of straight lines between the points (B, N), by the time from `from` to `to`."""
        last = time[-1] if self.to is None else self.to
        missing.where(
            np.full(len(wave), not time[0] <= self.from_ < last <= time[-1] * (1 + ROUNDING)),
            f"the transient, {time[0]:g} to {time[-1]:g} s, does not hold {self.from_:g} to {last:g} s",
        )
        inside = (time > self.from_) & (time < last)
        moments = np.concatenate([[self.from_], time[inside], [last]])
        integral: Array = np.trapezoid(interpolate(moments[np.newaxis], time, wave), moments)
        return np.abs(integral / (last - self.from_))


class AverageCurrent(_Average):
    """Magnitude of the mean current through a voltage source over a transient, or its part between `from` and `to`.

    Missing where the transient does not hold that part.
    """

    measure: Literal["average_current"]
    unit: Literal["A"] = "A"

    @property
    def vectors(self) -> tuple[str, ...]:
        return (f"i({self.source})",)

    def compute(self, results: Results, missing: Reasons) -> Array:
        waveforms = results[self.of]
        return self._mean(waveforms.axis, np.real(waveforms.vectors[self.vectors[0]]), missing)


class AveragePower(_Average):
    """Magnitude of the mean power of a voltage source: of its current times the voltage of the net it feeds, `output`.

    Over a transient, or its part between `from` and `to`; missing where the transient does not hold that part.
    """

    measure: Literal["average_power"]
    unit: Literal["W"] = "W"
    output: Net

    @property
    def vectors(self) -> tuple[str, ...]:
        return (f"v({self.output})", f"i({self.source})")

    def compute(self, results: Results, missing: Reasons) -> Array:
        voltage, current = pair(results[self.of], self.vectors)
        return self._mean(results[self.of].axis, voltage * current, missing)

"""Measurements: waveforms of a bench -> the value of a metric, or why there is none.

Each class is one `measure:` name of a spec file; its fields are the keys the spec may give, its docstring is the
definition. A measurement that finds nothing to measure raises Missing with the reason, never a stand-in value.
"""

from abc import abstractmethod
from typing import Annotated, ClassVar, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from sizing.units import parse_quantity
from sizing.waveforms import Results, Vector, Waveforms

Array = NDArray[np.float64]


class Missing(Exception):
    """The quantity does not exist in these waveforms; the message says why."""


def _in(unit: str) -> BeforeValidator:
    return BeforeValidator(lambda value: float(parse_quantity(value, unit)), json_schema_input_type=str | float)


Net = Annotated[
    str,
    Field(pattern=r"^[^\s()]+$"),
    BeforeValidator(lambda net: str(net).lower(), json_schema_input_type=str | int),
]
"""A net's name; ngspice ignores its case, and YAML reads a net called 6 as a number."""

Reference = Annotated[str, Field(pattern=r"^\w+\.\w+$", description="bench.analysis, as named under `benches`")]


class Measure(BaseModel):
    """What every metric has: where it is measured, its unit and its target."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    kinds: ClassVar[tuple[str, ...]]
    """The analyses it can be read from."""
    better: ClassVar[Literal["higher", "lower", "either"]]
    """The side on which a lone target makes sense."""

    unit: str
    of: Reference
    at_least: float | None = None
    at_most: float | None = None
    weight: float = Field(1.0, gt=0, description="factor of this metric's penalty in the cost")

    @field_validator("at_least", "at_most", mode="before", json_schema_input_type=str | float | None)
    @classmethod
    def _target(cls, bound: str | float | None, info: ValidationInfo) -> float | None:
        if bound is None or "unit" not in info.data:  # a mistaken unit has been reported
            return None
        return float(parse_quantity(bound, info.data["unit"]))

    @model_validator(mode="after")
    def _target_makes_sense(self) -> Self:
        if self.at_least is None and self.at_most is None:
            return self
        wrong = {"higher": self.at_least is None and "at_most", "lower": self.at_most is None and "at_least"}
        if given := wrong.get(self.better):
            expected = "at_least" if given == "at_most" else "at_most"
            raise ValueError(f"{self.better} is better here: expected {expected} or both bounds, got only {given}")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(f"at_least {self.at_least:g} lies above at_most {self.at_most:g}: nothing can meet both")
        return self

    @property
    def references(self) -> tuple[str, ...]:
        """Every "bench.analysis" it reads."""
        return (self.of,)

    @property
    @abstractmethod
    def vectors(self) -> tuple[str, ...]:
        """The vectors it reads from each of them."""

    @abstractmethod
    def value(self, results: Results) -> float:
        """The metric in `unit`; raises Missing with the reason where it does not exist."""


class _OfOutput(Measure):
    output: Net = Field(description="the net that is observed")

    @property
    def vectors(self) -> tuple[str, ...]:
        return (f"v({self.output})",)

    def _observed(self, results: Results) -> tuple[Array, Vector]:
        waveforms = results[self.of]
        return waveforms.axis, waveforms.vectors[f"v({self.output})"]


class _Response(_OfOutput):
    kinds = ("ac",)

    def _gain(self, results: Results) -> tuple[Array, Array]:
        frequency, phasor = self._observed(results)
        return frequency, np.abs(phasor)


class DcGain(_Response):
    """Magnitude of the output at the lowest frequency of the AC sweep, for an excitation of 1. Always exists."""

    measure: Literal["dc_gain"]
    better = "higher"
    unit: Literal["V/V", "dB"] = "V/V"

    def value(self, results: Results) -> float:
        _, gain = self._gain(results)
        return _in_unit(gain[0], self.unit)


class GainAt(_Response):
    """Magnitude of the output at `frequency`, interpolated on log-log axes. Missing outside the sweep."""

    measure: Literal["gain_at"]
    better = "either"
    unit: Literal["V/V", "dB"] = "V/V"
    frequency: Annotated[float, _in("Hz")]

    def value(self, results: Results) -> float:
        frequency, gain = self._gain(results)
        if not frequency[0] <= self.frequency <= frequency[-1]:
            raise Missing(f"the sweep from {frequency[0]:g} to {frequency[-1]:g} Hz does not reach it")
        log_gain = np.interp(np.log(self.frequency), np.log(frequency), np.log(np.maximum(gain, 1e-300)))
        return _in_unit(float(np.exp(log_gain)), self.unit)


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
        frequency, phasor = self._observed(results)
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
        frequency, phasor = self._observed(results)
        phase = _phase_deg(phasor)
        below = np.flatnonzero(phase <= -180.0)
        if below.size == 0 or below[0] == 0:
            raise Missing("the phase does not fall through -180 degrees within the sweep")
        at = _crossing(np.log(frequency), phase, int(below[0]), -180.0)
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


class DcValue(_OfOutput):
    """Voltage of a net at the operating point, or at the start of a transient. Always exists."""

    measure: Literal["dc_value"]
    better = "either"
    kinds = ("op", "tran")
    unit: Literal["V"] = "V"

    def value(self, results: Results) -> float:
        return float(self._observed(results)[1][0])


class Offset(_OfOutput):
    """Distance of the output from the input at the operating point, or before the step of a transient."""

    measure: Literal["offset"]
    better = "lower"
    kinds = ("op", "tran")
    unit: Literal["V"] = "V"
    input: Net

    @property
    def vectors(self) -> tuple[str, ...]:
        return (f"v({self.output})", f"v({self.input})")

    def value(self, results: Results) -> float:
        output, input_ = _pair(results[self.of], self.vectors)
        return float(abs(output[0] - input_[0]))


class SupplyCurrent(Measure):
    """Magnitude of the current through a voltage source at the operating point, or at the start of a transient."""

    measure: Literal["supply_current"]
    better = "lower"
    kinds = ("op", "tran")
    unit: Literal["A"] = "A"
    source: Net = Field(description="the voltage source whose current is measured")

    @property
    def vectors(self) -> tuple[str, ...]:
        return (f"i({self.source})",)

    def value(self, results: Results) -> float:
        return float(abs(results[self.of].vectors[f"i({self.source})"][0]))


class Power(_OfOutput):
    """Magnitude of the DC power of a voltage source: its current times the voltage of the net it feeds, `output`."""

    measure: Literal["power"]
    better = "lower"
    kinds = ("op", "tran")
    unit: Literal["W"] = "W"
    source: Net

    @property
    def vectors(self) -> tuple[str, ...]:
        return (f"v({self.output})", f"i({self.source})")

    def value(self, results: Results) -> float:
        voltage, current = _pair(results[self.of], self.vectors)
        return float(abs(voltage[0] * current[0]))


class _StepResponse(_OfOutput):
    kinds = ("tran",)
    input: Net = Field(description="the net that carries the step")

    @property
    def vectors(self) -> tuple[str, ...]:
        return (f"v({self.output})", f"v({self.input})")

    def _step(self, results: Results) -> tuple[Array, Array, Array]:
        """Time since the step began, output and input, all (N,)."""
        output, input_ = _pair(results[self.of], self.vectors)
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
    tolerance: Annotated[float, _in("%"), Field(gt=0, lt=1)] = 0.01
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
        return max(0.0, _crossing(time, response, last + 1, edge))


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


class RmsNoise(Measure):
    """Root of the noise density squared and integrated over the sweep of a noise analysis (trapezoids).

    `referred` to the output, or to the input source the analysis names.
    """

    measure: Literal["rms_noise"]
    better = "lower"
    kinds = ("noise",)
    unit: Literal["V"] = "V"
    referred: Literal["output", "input"] = "output"

    @property
    def vectors(self) -> tuple[str, ...]:
        return ("onoise_spectrum" if self.referred == "output" else "inoise_spectrum",)

    def value(self, results: Results) -> float:
        waveforms = results[self.of]
        density = np.real(waveforms.vectors[self.vectors[0]])
        return float(np.sqrt(np.trapezoid(density**2, waveforms.axis)))


class Meas(Measure):
    """The result of an ngspice `.meas` that the analysis lists under `meas`, by its name; in whatever unit you state.

    Missing where ngspice says that the measurement failed.
    """

    measure: Literal["meas"]
    better = "either"
    kinds = ("ac", "tran", "dc", "noise")
    unit: Literal["V", "A", "W", "Hz", "s", "F", "H", "m", "Ohm", "V/V", "V/s", "dB", "deg", "%", ""]
    name: Annotated[str, Field(pattern=r"^\w+$"), BeforeValidator(lambda name: str(name).lower())]

    @property
    def vectors(self) -> tuple[str, ...]:
        return ()

    def value(self, results: Results) -> float:
        if self.name not in results[self.of].meas:
            raise Missing(f"ngspice could not measure {self.name}")
        return results[self.of].meas[self.name]


AnyMeasure = Annotated[
    DcGain | GainAt | Bandwidth | UnityGainFrequency | PhaseMargin | GainMargin | GainRatio | DcValue | Offset
    | SupplyCurrent | Power | SettlingTime | SlewRate | Overshoot | Delay | RmsNoise | Meas,
    Field(discriminator="measure"),
]  # fmt: skip


def definitions() -> dict[str, str]:
    """What every measurement's name means."""
    kinds = get_args(get_args(AnyMeasure)[0])
    return {get_args(kind.model_fields["measure"].annotation)[0]: str(kind.__doc__) for kind in kinds}


def _in_unit(gain: float, unit: str) -> float:
    if unit == "V/V":
        return float(gain)
    if gain == 0:
        raise Missing("the gain is exactly zero, which has no decibels")
    return float(20 * np.log10(gain))


def _phase_deg(phasor: Vector) -> Array:
    return np.asarray(np.degrees(np.unwrap(np.angle(phasor))))


def _pair(waveforms: Waveforms, vectors: tuple[str, ...]) -> tuple[Array, Array]:
    first, second = (np.real(waveforms.vectors[name]) for name in vectors)
    return first, second


def _falls_to(level: float, frequency: Array, gain: Array, what: str) -> float:
    """Lowest frequency at which the gain falls to `level`, interpolated on log-log axes."""
    if gain[0] <= level:
        raise Missing(f"the gain starts at {gain[0]:.3g}, not above {what}")
    below = np.flatnonzero(gain <= level)
    if below.size == 0:
        raise Missing(f"the gain does not fall to {what} within the sweep")
    log_gain = np.log(np.maximum(gain, 1e-300))
    return float(np.exp(_crossing(np.log(frequency), log_gain, int(below[0]), np.log(level))))


def _crossing(axis: Array, values: Array, after: int, level: float) -> float:
    """Where the values pass `level` between points after - 1 and after, linearly."""
    x, y = axis[after - 1 : after + 1], values[after - 1 : after + 1]
    return float(x[0] + (x[1] - x[0]) * (level - y[0]) / (y[1] - y[0]))


def _relative(wave: Array) -> Array:
    change = wave[-1] - wave[0]
    if change == 0:
        raise Missing("the waveform ends where it began")
    relative: Array = (wave - wave[0]) / change
    return relative


def _reaches(time: Array, wave: Array, fraction: float) -> float:
    """When the wave first reaches `fraction` of its change from the first to the last point."""
    relative = _relative(wave)
    return _crossing(time, relative, int(np.flatnonzero(relative >= fraction)[0]), fraction)

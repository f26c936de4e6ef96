"""Measurements of the operating point: voltages, currents, power."""

from typing import Literal

from pydantic import Field

from sizing.measures.measure import Measure, Net, OfOutput, pair
from sizing.measures.waveforms import Results


class DcValue(OfOutput):
    """Voltage of a net at the operating point, or at the start of a transient. Always exists."""

    measure: Literal["dc_value"]
    better = "either"
    kinds = ("op", "tran")
    unit: Literal["V"] = "V"

    def value(self, results: Results) -> float:
        return float(self.observed(results)[1][0])


class Offset(OfOutput):
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
        output, input_ = pair(results[self.of], self.vectors)
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


class Power(OfOutput):
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
        voltage, current = pair(results[self.of], self.vectors)
        return float(abs(voltage[0] * current[0]))

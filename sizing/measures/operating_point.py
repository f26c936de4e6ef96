"""Measurements of the operating point: voltages, currents, power."""

from typing import Literal

import numpy as np
from pydantic import Field

from sizing.measures.batch import Reasons
from sizing.measures.curves import Array
from sizing.measures.measure import Net, OfOutput, Vectorized, pair
from sizing.measures.waveforms import Results


class DcValue(OfOutput):
    """Voltage of a net at the operating point, or at the start of a transient. Always exists."""

    measure: Literal["dc_value"]
    kinds = ("op", "tran")
    unit: Literal["V"] = "V"

    def compute(self, results: Results, missing: Reasons) -> Array:
        return np.real(self.observed(results)[1])[:, 0]


class Offset(OfOutput):
    """Distance of the output from the input at the operating point, or before the step of a transient."""

    measure: Literal["offset"]
    kinds = ("op", "tran")
    unit: Literal["V"] = "V"
    input: Net

    @property
    def vectors(self) -> tuple[str, ...]:
        return (f"v({self.output})", f"v({self.input})")

    def compute(self, results: Results, missing: Reasons) -> Array:
        output, input_ = pair(results[self.of], self.vectors)
        return np.abs(output[:, 0] - input_[:, 0])


class SupplyCurrent(Vectorized):
    """Magnitude of the current through a voltage source at the operating point, or at the start of a transient."""

    measure: Literal["supply_current"]
    kinds = ("op", "tran")
    unit: Literal["A"] = "A"
    source: Net = Field(description="the voltage source whose current is measured")

    @property
    def vectors(self) -> tuple[str, ...]:
        return (f"i({self.source})",)

    def compute(self, results: Results, missing: Reasons) -> Array:
        return np.abs(results[self.of].vectors[f"i({self.source})"][:, 0])


class Power(OfOutput):
    """Magnitude of the DC power of a voltage source: its current times the voltage of the net it feeds, `output`."""

    measure: Literal["power"]
    kinds = ("op", "tran")
    unit: Literal["W"] = "W"
    source: Net

    @property
    def vectors(self) -> tuple[str, ...]:
        return (f"v({self.output})", f"i({self.source})")

    def compute(self, results: Results, missing: Reasons) -> Array:
        voltage, current = pair(results[self.of], self.vectors)
        return np.abs(voltage[:, 0] * current[:, 0])

"""Measurements of single MOS transistors at the operating point: regions, densities, small-signal parameters.

Voltages, currents and thresholds count as an NMOS states them, also those of a PMOS: all are positive in one that
conducts. The magnitudes are the simulator's own, of its device model.
"""

from abc import abstractmethod
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from sizing.measures.batch import Reasons
from sizing.measures.curves import Array
from sizing.measures.measure import Vectorized
from sizing.measures.waveforms import Results

Device = Annotated[
    str,
    Field(pattern=r"^[\w.]+$"),
    BeforeValidator(lambda name: str(name).lower(), json_schema_input_type=str),
]


def _listed(devices: Any) -> Any:
    if devices == []:
        raise ValueError("expected at least one transistor, got none")
    return [devices] if isinstance(devices, str) else devices


Devices = Annotated[
    tuple[Device, ...],
    Field(
        description="transistors by their path in the netlist, such as `m1` and `x1.m3`, or calls of sub-circuits with "
        "one transistor inside; a single name needs no list",
    ),
    BeforeValidator(_listed, json_schema_input_type=Device | Annotated[list[Device], Field(min_length=1)]),
]


def vector(device: str, quantity: str) -> str:
    """The name of a quantity of a device in waveforms."""
    return f"@{device}[{quantity}]"


class _OfTransistors(Vectorized):
    kinds = ("op",)
    devices: Devices

    @model_validator(mode="after")
    def _one_bound_for_several(self) -> Self:
        if len(self.devices) > 1 and self.at_least is not None and self.at_most is not None:
            raise ValueError("expected one device for two bounds, got several, of which only the worst is measured: "
                             "give each bound a metric")  # fmt: skip
        return self

    @property
    @abstractmethod
    def quantities(self) -> tuple[str, ...]:
        """What is read of each device."""

    @property
    def vectors(self) -> tuple[str, ...]:
        return tuple(vector(device, quantity) for device in self.devices for quantity in self.quantities)

    def compute(self, results: Results, missing: Reasons) -> Array:
        vectors = results[self.of].vectors
        each = [
            self.of_one(device, missing, *(np.real(vectors[vector(device, name)])[:, 0] for name in self.quantities))
            for device in self.devices
        ]
        worst = each[0]
        for other in each[1:]:
            worst = np.where(other > worst if self.at_least is None else other < worst, other, worst)
        return worst

    @abstractmethod
    def of_one(self, device: str, missing: Reasons, *quantities: Array) -> Array:
        """The value for one device (B,), of quantities (B,)."""


class Saturation(_OfTransistors):
    """How far |vds| lies above |vdsat| at the operating point: the smallest of the devices, the largest for `at_most`.

    Above 0 where all are saturated. A transistor that is off counts as saturated too: ask for its overdrive as well.
    """

    measure: Literal["saturation"]
    unit: Literal["V"] = "V"

    @property
    def quantities(self) -> tuple[str, ...]:
        return ("vds", "vdsat")

    def of_one(self, device: str, missing: Reasons, *quantities: Array) -> Array:
        vds, vdsat = quantities
        return np.abs(vds) - np.abs(vdsat)


class Overdrive(_OfTransistors):
    """Gate-source voltage above the threshold at the operating point, negative below it.

    Of several devices the smallest where `at_least` is given, else the largest.
    """

    measure: Literal["overdrive"]
    unit: Literal["V"] = "V"

    @property
    def quantities(self) -> tuple[str, ...]:
        return ("vgs", "vth", "vdsat")

    def of_one(self, device: str, missing: Reasons, *quantities: Array) -> Array:
        vgs, vth, vdsat = quantities
        return vgs - _as_nmos(vth, vdsat)


class CurrentDensity(_OfTransistors):
    """Magnitude of the drain current by total gate width (width times multiplicity) at the operating point.

    Of several devices the smallest where `at_least` is given, else the largest. 1 A/m is 1 uA/um.
    """

    measure: Literal["current_density"]
    unit: Literal["A/m"] = "A/m"

    @property
    def quantities(self) -> tuple[str, ...]:
        return ("id", "w", "m")

    def of_one(self, device: str, missing: Reasons, *quantities: Array) -> Array:
        current, width, multiplicity = quantities
        return np.abs(current) / (width * multiplicity)


class GmOverId(_OfTransistors):
    """Transconductance by drain current at the operating point: about 5 S/A in strong inversion, up to 28 in weak.

    Of several devices the smallest where `at_least` is given, else the largest. Missing without a current.
    """

    measure: Literal["gm_over_id"]
    unit: Literal["S/A"] = "S/A"

    @property
    def quantities(self) -> tuple[str, ...]:
        return ("gm", "id")

    def of_one(self, device: str, missing: Reasons, *quantities: Array) -> Array:
        gm, current = quantities
        missing.where(current == 0, f"{device} carries no current")
        return np.abs(gm / current)


class OperatingPoint(_OfTransistors):
    """One quantity of a transistor at the operating point: id, gm, gds, gmbs, vgs, vds, vbs, vth or vdsat.

    As ngspice gives it, with the multiplicity; its unit follows from the quantity. Of several devices the smallest
    where `at_least` is given, else the largest.
    """

    measure: Literal["operating_point"]
    unit: Literal["A", "V", "S"]
    quantity: Literal["id", "gm", "gds", "gmbs", "vgs", "vds", "vbs", "vth", "vdsat"]

    @model_validator(mode="before")
    @classmethod
    def _with_unit(cls, entry: Any) -> Any:
        if isinstance(entry, dict) and "unit" not in entry:
            return entry | {"unit": _unit(entry.get("quantity"))}
        return entry

    @model_validator(mode="after")
    def _in_its_unit(self) -> Self:
        if self.unit != _unit(self.quantity):
            raise ValueError(f"unit: expected {_unit(self.quantity)} for {self.quantity}, got {self.unit}")
        return self

    @property
    def quantities(self) -> tuple[str, ...]:
        return (self.quantity, "vdsat") if self.quantity == "vth" else (self.quantity,)

    def of_one(self, device: str, missing: Reasons, *quantities: Array) -> Array:
        if self.quantity in ("vth", "vdsat"):
            return _as_nmos(quantities[0], quantities[-1])
        return quantities[0]


def _unit(quantity: Any) -> str:
    return {"id": "A", "gm": "S", "gds": "S", "gmbs": "S"}.get(str(quantity), "V")


def _as_nmos(voltage: Array, vdsat: Array) -> Array:
    """A threshold or vdsat, which the simplest models, unlike all other voltages, state with a PMOS's sign."""
    return voltage * np.copysign(1.0, vdsat)

"""The transistors of a circuit with what recognition asks of them: polarity, terminals, sizes as numbers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sizing.spice.circuit import Circuit
from sizing.spice.device import Device
from sizing.spice.expression import ExpressionError, parse_expression, resolve

POLARITIES = {
    "nmos": "n", "pmos": "p", "nsoi": "n", "psoi": "p", "vdmosn": "n", "vdmosp": "p", "npn": "n", "pnp": "p",
    "lpnp": "p", "njf": "n", "pjf": "p", "nmf": "n", "pmf": "p", "nhfet": "n", "phfet": "p",
}  # fmt: skip
"""Polarities of the types of models; what else there is, is no transistor."""
_TERMINALS = {"m": "dgsb", "q": "cbes", "j": "dgs", "z": "dgs"}
_SIZES = ("w", "l", "area")


@dataclass(frozen=True)
class Transistor:
    """A transistor of either technology; drain, gate and source are a bipolar one's collector, base and emitter."""

    device: Device
    polarity: str
    drain: str
    gate: str
    source: str
    body: str
    sizes: tuple[tuple[str, float], ...]
    """Width and length, or area: those that are given and have a value."""

    @property
    def name(self) -> str:
        """The device's path in the flat circuit."""
        return self.device.name

    @property
    def is_diode(self) -> bool:
        """Whether gate and drain are one net."""
        return self.gate == self.drain

    def swapped(self) -> "Transistor":
        """The same with source and drain exchanged: which is which is the netlist's choice."""
        return replace(self, drain=self.source, source=self.drain)

    def same_kind(self, other: "Transistor") -> bool:
        """Whether the two are of one polarity and model."""
        return (self.polarity, self.device.model) == (other.polarity, other.device.model)

    def same_size(self, other: "Transistor") -> bool:
        """Whether the two are of one kind, width and length; multiplicities may differ."""
        return self.same_kind(other) and self.sizes == other.sizes


def transistors_of(circuit: Circuit) -> tuple[Transistor, ...]:
    """All transistors of a flat circuit whose models have a known polarity, in its order."""
    found = (_transistor(device, circuit) for device in circuit.devices)
    return tuple(transistor for transistor in found if transistor is not None)


def model_type(model: str, models: Mapping[str, str]) -> str | None:
    """The type of a model (`nmos`, …) by its name; of a binned one (`nch.1`, `nch.2`) by the name without the bin."""
    bins = (kind for name, kind in models.items() if re.fullmatch(rf"{re.escape(model)}\.\d+", name))
    return models.get(model) or next(bins, None)


def number(text: str, circuit: Circuit) -> float | None:
    """The value of an expression with the circuit's parameters as the netlist gives them; None where it has none."""
    try:
        names = parse_expression(text).names
        value = parse_expression(text)(resolve(circuit.parameters, {}, names))
    except ExpressionError:
        return None
    return float(value)


def _transistor(device: Device, circuit: Circuit) -> Transistor | None:
    if device.kind not in _TERMINALS:
        return None
    polarity = POLARITIES.get(model_type(device.model or "", circuit.models) or "")
    if polarity is None:
        return None
    nets = dict(zip(_TERMINALS[device.kind], device.nets, strict=False))
    drain, gate, source = (nets[terminal] for terminal in _TERMINALS[device.kind][:3])
    body = nets.get("b", source)
    values = ((name, number(device.parameters[name], circuit)) for name in _SIZES if name in device.parameters)
    sizes = tuple((name, value) for name, value in values if value is not None)
    return Transistor(device, polarity, drain, gate, source, body, sizes)

"""What a network is told of a device: its kind, and two physical features; what varies over decades is logarithmic.

Nothing is scaled here: a network's normalisation is learned from data and kept with its weights.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from sizing.errors import InputError
from sizing.spice.device import Device
from sizing.spice.expression import ExpressionError, Value, parse_expression
from sizing.spice.netlist import unwrap

SCHEMA = 1
"""Changes whenever a kind or the meaning of a feature does; checkpoints name the one they were trained with."""
FEATURES = 2

Values = Mapping[str, Value]


class GraphError(InputError):
    """A circuit that cannot be made into a graph; the message says which device, and why."""


@dataclass(frozen=True)
class Kind:
    """A kind of device: its terminals, and what its two features are."""

    name: str
    terminals: tuple[str, ...]
    features: tuple[str, str]
    symmetric: bool = False
    """Whether exchanging its terminals changes nothing."""


_TRANSISTOR = ("lg W·m/L", "lg L")
_SOURCE = ("DC value", "AC magnitude")
_CONTROLLED = (("p", "n", "cp", "cn"), ("signed lg of gain", "-"))

KINDS = (
    Kind("nmos", ("d", "g", "s", "b"), _TRANSISTOR),
    Kind("pmos", ("d", "g", "s", "b"), _TRANSISTOR),
    Kind("resistor", ("1", "1"), ("lg R", "-"), symmetric=True),
    Kind("capacitor", ("1", "1"), ("lg C", "-"), symmetric=True),
    Kind("inductor", ("1", "1"), ("lg L", "-"), symmetric=True),
    Kind("voltage source", ("p", "n"), _SOURCE),
    Kind("current source", ("p", "n"), ("signed lg of DC value / 1 nA", "AC magnitude")),
    Kind("diode", ("p", "n"), ("lg area", "-")),
    Kind("npn", ("c", "b", "e"), ("lg area", "-")),
    Kind("pnp", ("c", "b", "e"), ("lg area", "-")),
    Kind("njf", ("d", "g", "s"), ("lg area", "-")),
    Kind("pjf", ("d", "g", "s"), ("lg area", "-")),
    Kind("vcvs", *_CONTROLLED),
    Kind("cccs", *_CONTROLLED),
    Kind("vccs", *_CONTROLLED),
    Kind("ccvs", *_CONTROLLED),
)
"""Every kind a graph knows; a kind's place in this table is its number."""

KIND_NUMBERS = {kind.name: number for number, kind in enumerate(KINDS)}
TERMINAL_NUMBERS = {
    pair: number
    for number, pair in enumerate(dict.fromkeys((kind.name, name) for kind in KINDS for name in kind.terminals))
}
"""By (kind, terminal). A symmetric kind's terminals share one: it cannot matter which way round it is written."""

_BY_LETTER = {
    "r": "resistor",
    "c": "capacitor",
    "l": "inductor",
    "v": "voltage source",
    "i": "current source",
    "d": "diode",
    "e": "vcvs",
    "f": "cccs",
    "g": "vccs",
    "h": "ccvs",
}
_BY_MODEL_TYPE: Mapping[str, tuple[str, ...]] = {"m": ("nmos", "pmos"), "q": ("npn", "pnp"), "j": ("njf", "pjf")}
# Sub-circuits of process kits that stand for one device: sky130_fd_pr__nfet_01v8, sg13_lv_pmos, cap_mim_2f0_m4m5
_BY_KIT_NAME = (
    (re.compile(r"nfet|nmos|_nch|^nch"), "nmos"),
    (re.compile(r"pfet|pmos|_pch|^pch"), "pmos"),
    (re.compile(r"npn"), "npn"),
    (re.compile(r"pnp"), "pnp"),
    (re.compile(r"(^|_)(cap|cmim|mim|vpp)"), "capacitor"),
    (re.compile(r"(^|_)(res|rhigh|rppd|rsil)"), "resistor"),
    (re.compile(r"(^|_)(diode|dio)"), "diode"),
)


def kind_of(device: Device, models: Mapping[str, str]) -> str:
    """The name of a device's kind; `models` has the types of models by name. Raises GraphError for others."""
    if device.kind in _BY_LETTER:
        return _BY_LETTER[device.kind]
    if device.kind in _BY_MODEL_TYPE:
        return _model_type(device, models)
    if device.kind == "x":
        found = next((kind for pattern, kind in _BY_KIT_NAME if pattern.search(device.model or "")), None)
        if found and len(device.nets) >= len(KINDS[KIND_NUMBERS[found]].terminals):
            return found
        raise GraphError(
            f"{device.name}: expected a sub-circuit that stands for one known device, got {device.model!r} with "
            f"{len(device.nets)} nets; include its definition instead of leaving it opaque"
        )
    known = ", ".join(kind.name for kind in KINDS)
    raise GraphError(
        f"{device.name}: expected a device that graphs know ({known}), got one of kind {device.kind!r}; replace it"
    )


def _model_type(device: Device, models: Mapping[str, str]) -> str:
    name, expected = device.model or "", _BY_MODEL_TYPE[device.kind]
    # A binned model is known by its bins: nmos.1, nmos.2, …
    found = models.get(name) or next((kind for model, kind in models.items() if model.startswith(f"{name}.")), None)
    if found not in expected:
        came = f"it of type {found}" if found else "none"
        raise GraphError(
            f"{device.name}: expected the .model {name!r} of type {' or '.join(expected)}, got {came}; include it"
        )
    return found


class DeviceFeatures:
    """The two features of one device as a function of parameter values.

    `scale` is what widths and lengths are multiplied by; a kit's sub-circuit without one, whose W and L cannot be in
    metres, takes micrometres.
    """

    def __init__(self, device: Device, kind: str, scale: float = 1.0) -> None:
        wanted, self._read = _READERS[kind]
        texts = {name: text for name, text in device.parameters.items() if name in wanted}
        if kind in _GAIN_UNITS and "gain" not in texts:
            raise GraphError(
                f"{device.name}: expected a gain, got a behavioural source, which graphs do not know; make it linear"
            )
        if kind in _PASSIVES and _PASSIVES[kind] not in texts and not {"w", "l"} <= texts.keys():
            raise GraphError(
                f"{device.name}: expected a value, or w and l, got {', '.join(texts) or 'neither'}; "
                f"write {_PASSIVES[kind]}=value"
            )
        if "ac" in texts and (with_phase := _WITH_PHASE.match(texts["ac"])):
            texts["ac"] = with_phase["magnitude"]
        if "waveform" in texts:
            texts.setdefault("dc", _at_time_zero(texts["waveform"]))
            del texts["waveform"]
        try:
            self._expressions = {name: parse_expression(unwrap(text)) for name, text in texts.items()}
        except ExpressionError as error:
            raise GraphError(f"{device.name}: {error}") from error
        self._device = device
        self._scaled = {"w", "l"} & texts.keys() if kind != "inductor" else frozenset[str]()
        self._scale = scale
        self.names = frozenset().union(*(expression.names for expression in self._expressions.values()))

    def __call__(self, values: Values) -> tuple[Value, Value]:
        """The features where parameters have these values, numbers or arrays (B,); raises GraphError."""
        try:
            found = {name: expression(values) for name, expression in self._expressions.items()}
        except ExpressionError as error:
            raise GraphError(f"{self._device.name}: {error}") from error
        for name in self._scaled:
            found[name] = np.multiply(found[name], self._scale)
            if self._device.kind == "x":
                found[name] = np.where(
                    np.abs(found[name]) > _LONGEST_METRES, np.multiply(found[name], 1e-6), found[name]
                )
        return self._read(found)


def _at_time_zero(waveform: str) -> str:
    """What a source gives in the operating point when only its waveform is known: the value that it begins with."""
    shape, _, rest = waveform.removesuffix(")").partition("(")
    place = {"pwl": 1, "pulse": 0, "sin": 0, "exp": 0, "sffm": 0}.get(shape)
    words = _WORD.findall(rest)
    return "0" if place is None or len(words) <= place else words[place]


_WORD = re.compile(r"\{[^{}]*\}|'[^']*'|[^\s,()]+")
_WITH_PHASE = re.compile(r"(?P<magnitude>\{[^{}]*\}|'[^']*'|[+-]?[\d.]\S*)[\s,]+(?:\{[^{}]*\}|'[^']*'|[+-]?[\d.]\S*)$")

Read = Callable[[Values], tuple[Value, Value]]
_LEAST_MAGNITUDE = 1e-30
_LONGEST_METRES = 1e-3  # kits take W and L in µm: what would be longer than a millimetre is meant so
_BSIM_DEFAULT_METRES = 5e-6
_SHORT_OHMS = 1e-3  # what ngspice makes of a resistor of 0 ohm
# Of a drawn passive the value is in the kit's models; a typical process gives about the right decade.
_OHM_PER_SQUARE = 300.0
_FARAD_PER_SQUARE_METRE = 1e-3
_PASSIVES = {"resistor": "r", "capacitor": "c", "inductor": "l"}
_GAIN_UNITS = {"vcvs": 1e-3, "cccs": 1e-3, "vccs": 1e-9, "ccvs": 1.0}


def _logarithm(value: Value) -> Value:
    return np.log10(np.maximum(np.abs(value), _LEAST_MAGNITUDE))


def _signed(value: Value, unit: float) -> Value:
    return np.multiply(np.sign(value), np.log10(1 + np.abs(value) / unit))


def _transistor(found: Values) -> tuple[Value, Value]:
    width, length = found.get("w", _BSIM_DEFAULT_METRES), found.get("l", _BSIM_DEFAULT_METRES)
    return _logarithm(width) + _logarithm(_multiplicity(found)) - _logarithm(length), _logarithm(length)


def _resistor(found: Values) -> tuple[Value, Value]:
    value = found["r"] if "r" in found else _OHM_PER_SQUARE * np.divide(found["l"], found["w"])
    return _logarithm(np.where(np.equal(value, 0), _SHORT_OHMS, value)) - _logarithm(_multiplicity(found)), 0.0


def _capacitor(found: Values) -> tuple[Value, Value]:
    value = found["c"] if "c" in found else _FARAD_PER_SQUARE_METRE * np.multiply(found["l"], found["w"])
    return _logarithm(value) + _logarithm(_multiplicity(found)), 0.0


def _inductor(found: Values) -> tuple[Value, Value]:
    return _logarithm(found["l"]) - _logarithm(_multiplicity(found)), 0.0


def _junction(found: Values) -> tuple[Value, Value]:
    return _logarithm(found.get("area", 1.0)) + _logarithm(_multiplicity(found)), 0.0


def _voltage_source(found: Values) -> tuple[Value, Value]:
    return found.get("dc", 0.0), found.get("ac", 0.0)


def _current_source(found: Values) -> tuple[Value, Value]:
    count = _multiplicity(found)
    return _signed(found.get("dc", 0.0) * count, 1e-9), found.get("ac", 0.0) * count


def _gain(unit: float) -> Read:
    return lambda found: (_signed(found["gain"] * _multiplicity(found), unit), 0.0)


def _multiplicity(found: Values) -> Value:
    # Where a kit's sub-circuit has both, m counts the copies, and mult tells the scatter of its parameters of them.
    return found.get("m", found.get("mult", 1.0))


_READERS: Mapping[str, tuple[frozenset[str], Read]] = {
    **dict.fromkeys(("nmos", "pmos"), (frozenset({"w", "l", "m", "mult"}), _transistor)),
    "resistor": (frozenset({"r", "w", "l", "m", "mult"}), _resistor),
    "capacitor": (frozenset({"c", "w", "l", "m", "mult"}), _capacitor),
    "inductor": (frozenset({"l", "m"}), _inductor),
    "voltage source": (frozenset({"dc", "ac", "waveform"}), _voltage_source),
    "current source": (frozenset({"dc", "ac", "waveform", "m"}), _current_source),
    **dict.fromkeys(("diode", "npn", "pnp", "njf", "pjf"), (frozenset({"area", "m"}), _junction)),
    **{kind: (frozenset({"gain", "m"}), _gain(unit)) for kind, unit in _GAIN_UNITS.items()},
}
"""By kind: the parameters that its features come from, and how."""

"""A transistor by itself over length and bias: what designers size from, measured, and in files that others read.

The layout is that of the look-up tables of B. Murmann and P. Jespers (Systematic Design of Analog CMOS Circuits, 2017)
and of pygmid, which reads them: quantities (L, VGS, VDS, VSB) by names such as "ID" and "GM", lengths and the width in
micrometres, and all voltages and currents as an NMOS has them.
"""

import io
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sizing.errors import InputError
from sizing.spice.circuit import scale_of
from sizing.spice.kits import subcircuits
from sizing.spice.netlist import Line
from surrogates.tables.characterisation import Kind, Plan, Tables
from surrogates.tables.deck import Unit, reached
from surrogates.tables.geometry import Geometry
from surrogates.tables.grids import FINEST_VOLTS, LEAST_REACH_VOLTS, Axis, grids

Array = NDArray[np.float64]
QUANTITIES = ("ID", "VT", "GM", "GMB", "GDS", "CGG", "CGS", "CSG", "CGD", "CDG", "CGB", "CDD", "CSS")
"""Amperes, volts, siemens and farads."""
AXES = ("L", "VGS", "VDS", "VSB")
_MICRO = 1e-6
_ROLES = "dgsb"
_AT_ONCE = 20_000


@dataclass(frozen=True)
class Lookup:
    """One transistor of one width."""

    name: str
    width: float
    """Metres."""
    axes: Mapping[str, Array]
    """Values of AXES, ascending, in metres and volts."""
    quantities: Mapping[str, Array]
    """(L, VGS, VDS, VSB), by name."""
    info: str = ""

    def at(self, vds: float, vsb: float) -> dict[str, Array]:
        """What is (L, VGS) at a drain and bulk voltage; raises InputError outside those that there are."""
        found = {}
        for axis, voltage in (("VDS", vds), ("VSB", vsb)):
            low, high = self.axes[axis][[0, -1]]
            if not low <= voltage <= high:
                raise InputError(f"{self.name}: expected a {axis} from {low:g} to {high:g} V, got {voltage:g}")
        for name, values in self.quantities.items():
            found[name] = _interpolated(self.axes["VSB"], _interpolated(self.axes["VDS"], values, vds), vsb)
        return found

    def by_inversion(self, gm_over_id: Sequence[float], vds: float, vsb: float = 0.0) -> dict[str, Array]:
        """What designers look up, (L, K) for each of K values of gm/Id in 1/V; NaN where a length does not reach it.

        "VGS" in volts, "ID/W" in A/m, "fT" in Hz, and the self-gain "GM/GDS".
        """
        own = figures_of(self, self.at(vds, vsb))
        wanted, count = np.asarray(gm_over_id, dtype=float), len(self.axes["L"])
        found = {name: np.full((count, len(wanted)), np.nan) for name in own if name != "GM/ID"}
        for length in range(count):
            first, rising = falling_from(own["GM/ID"][length])
            inside = (wanted >= rising[0]) & (wanted <= rising[-1])
            for name, values in found.items():
                along = np.interp(wanted, rising, own[name][length, first:][::-1])
                values[length] = np.where(inside, along, np.nan)
        return found

    def as_fields(self) -> dict[str, Any]:
        """The fields of a file, as pygmid names them."""
        axes = {**self.axes, "L": self.axes["L"] / _MICRO}
        return {"INFO": self.info, "W": self.width / _MICRO, "NFING": 1, **axes, **self.quantities}


def falling_from(efficiency: Array) -> tuple[int, Array]:
    """Where gm/Id (N,) over the gate's voltage is largest, and from there on, the last first, never rising again."""
    first = int(np.argmax(np.nan_to_num(efficiency, nan=-np.inf)))
    return first, np.minimum.accumulate(efficiency[first:])[::-1]


def figures_of(lookup: Lookup, at: Mapping[str, Array]) -> dict[str, Array]:
    """GM/ID in 1/V, VGS in volts, ID/W in A/m, fT in Hz and GM/GDS, (L, VGS) each, of `lookup.at`."""
    with np.errstate(all="ignore"):
        return {
            "GM/ID": at["GM"] / at["ID"],
            "VGS": np.broadcast_to(lookup.axes["VGS"], at["ID"].shape),
            "ID/W": at["ID"] / lookup.width,
            "fT": at["GM"] / (2 * np.pi * at["CGG"]),
            "GM/GDS": at["GM"] / at["GDS"],
        }


def measured(
    lines: Sequence[Line],
    model: str,
    *,
    lengths: Sequence[float],
    width: float,
    supply: float,
    temperature: float | None = None,
    tables: Tables | None = None,
) -> Lookup:
    """A transistor of these models, by real ngspice: a `.model`, or a kit's sub-circuit of four terminals.

    `lengths` and `width` are in metres, `supply` is the highest of all voltages, `temperature` in degrees Celsius. What
    was measured before is not measured again. Raises Unmeasurable, and InputError for a supply that is too low.
    """
    if supply < LEAST_REACH_VOLTS:
        raise InputError(f"supply: expected {LEAST_REACH_VOLTS} V or more, got {supply:g} V")
    letter = "x" if model in subcircuits(lines) else "m"
    definitions = reached(lines, letter, model)
    scale = scale_of(definitions)
    wide, long = width / scale, tuple(sorted(float(f"{each / scale:.9g}") for each in set(lengths)))
    if len(long) > 1:
        shape = Geometry((0,), (long,), ((0.0, wide), (1.0, 0.0)))
    else:
        shape = Geometry((), (), ((long[0], wide),))
    unit = Unit(letter, model, _ROLES, ("l", "w"), definitions, temperature)
    kind = Kind(letter, model, _ROLES, unit.parameters)
    plan = Plan(kind, unit, shape, grids(_ROLES, supply, bulk_moves=True), supply, ("bias", "channel"))
    table = (tables or Tables()).of([plan])[kind]
    bulk, voltages = plan.grids.currents.bulk, Axis(0.0, FINEST_VOLTS, round(supply / FINEST_VOLTS) + 1).values
    axes = {
        "L": np.array(long) * scale,
        "VGS": voltages,
        "VDS": voltages,
        "VSB": np.abs(bulk.values[: bulk.zero + 1])[::-1],
    }
    points = np.stack([each.ravel() for each in np.meshgrid(*axes.values(), indexing="ij")], axis=1)
    found = {name: np.empty(len(points)) for name in QUANTITIES}
    for first in range(0, len(points), _AT_ONCE):
        part = slice(first, first + _AT_ONCE)
        length, gate, drain, source = points[part].T
        geometries = table.geometries(np.stack([length / scale, np.full(len(length), wide)], axis=1))
        bias = np.stack([drain, gate, -source], axis=1)
        told = _conductances(table.transistor(geometries, bias)) | _capacitances(table.capacitances(geometries, bias))
        for name, values in told.items():
            found[name][part] = values
    shaped = tuple(len(each) for each in axes.values())
    info = f"{model}, W = {width / _MICRO:g} um, ngspice" + ("" if temperature is None else f", {temperature:g} °C")
    return Lookup(model, width, axes, {name: values.reshape(shaped) for name, values in found.items()}, info)


def _conductances(found: Mapping[str, Array]) -> dict[str, Array]:
    names = {"ID": "id", "VT": "vth", "GM": "gm", "GMB": "gmbs", "GDS": "gds"}
    return {name: found[own] for name, own in names.items()}


def _capacitances(farads: Array) -> dict[str, Array]:
    """What flows into one terminal when another moves, as "CGD", from (M, 3, 3) of drain, gate and bulk."""
    d, g, b = 0, 1, 2
    return {
        "CGG": farads[:, g, g],
        "CGD": -farads[:, g, d],
        "CDG": -farads[:, d, g],
        "CGB": -farads[:, g, b],
        "CGS": farads[:, g].sum(axis=1),  # all rows and columns add up to zero, with the source
        "CSG": farads[:, :, g].sum(axis=1),
        "CDD": farads[:, d, d],
        "CSS": farads.sum(axis=(1, 2)),
    }


def write_lookup(lookup: Lookup, path: Path) -> None:
    """A file that pygmid loads: `.mat` or `.pkl`, by its suffix."""
    if path.suffix == ".mat":
        from scipy.io import savemat

        savemat(path, {_identifier(lookup.name): lookup.as_fields()})
    else:
        path.write_bytes(pickle.dumps(lookup.as_fields()))


def read_lookup(path: Path) -> Lookup:
    """A table that somebody brings, `.mat` or `.pkl` in this layout; raises InputError where it is another.

    Of a pickle nothing is read but numbers, text and NumPy's arrays of them.
    """
    name = path.stem
    wanted = ("W", *AXES, *QUANTITIES)
    try:
        if path.suffix == ".mat":
            from scipy.io import loadmat

            held = loadmat(path)
            key = next(key for key in held if not key.startswith("__"))
            name, struct = _identifier(key), held[key][0][0]
            fields = {key.upper(): np.squeeze(struct[key]) for key in struct.dtype.names}
        else:
            fields = dict(_Plain(io.BytesIO(path.read_bytes())).load())
        numbers = {each: np.atleast_1d(np.asarray(fields[each], dtype=float)) for each in wanted if each in fields}
    except Exception as error:  # what foreign bytes may raise is anybody's guess
        raise InputError(f"{path}: expected a table as pygmid reads it, got what cannot be read ({error})") from None
    if missing := [each for each in wanted if each not in numbers]:
        raise InputError(f"{path}: expected a table as pygmid reads it, got none of {', '.join(missing)}")
    for axis in AXES:
        if not (np.diff(numbers[axis]) > 0).all() or not np.isfinite(numbers[axis]).all():
            raise InputError(f"{path}: expected ascending values of {axis}, got {np.ravel(numbers[axis])[:5]}")
    shape = tuple(len(numbers[axis]) for axis in AXES)
    wrong = [each for each in QUANTITIES if numbers[each].size != np.prod(shape)]
    if wrong:
        raise InputError(
            f"{path}: expected {shape} values (L, VGS, VDS, VSB), got {numbers[wrong[0]].shape} of {wrong[0]}"
        )
    if not numbers["W"][0] > 0 or not (numbers["ID"] > 0).any():
        raise InputError(f"{path}: expected a W and currents above 0, got W = {numbers['W'][0]:g} and none such")
    axes = {axis: numbers[axis] * (_MICRO if axis == "L" else 1.0) for axis in AXES}
    quantities = {each: numbers[each].reshape(shape) for each in QUANTITIES}
    return Lookup(name, float(numbers["W"][0]) * _MICRO, axes, quantities, str(fields.get("INFO", "")))


class _Plain(pickle.Unpickler):
    """Knows nothing but arrays: a pickle is a program otherwise."""

    def find_class(self, module: str, name: str) -> Any:
        """NumPy's array, type and number; raises UnpicklingError for everything else."""
        known = {"ndarray", "dtype", "scalar", "_reconstruct", "_frombuffer"}
        if module.split(".")[0] == "numpy" and name in known:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"it holds {module}.{name}")


def _interpolated(axis: Array, values: Array, at: float) -> Array:
    """Values along the third dimension, at a place between those of the axis."""
    if len(axis) == 1:
        return values[:, :, 0]
    after = int(np.clip(np.searchsorted(axis, at), 1, len(axis) - 1))
    share = (at - axis[after - 1]) / (axis[after] - axis[after - 1])
    found: Array = values[:, :, after - 1] * (1 - share) + values[:, :, after] * share
    return found


def _identifier(name: str) -> str:
    return "".join(each if each.isalnum() else "_" for each in name)

"""Decks that bias a device, and ngspice on them."""

import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import product
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sizing.errors import InputError
from sizing.simulation.dialect import transistor_name
from sizing.simulation.messages import version_in
from sizing.simulation.ngspice_batch import program_path
from sizing.spice.bins import OutsideBins, find_bins
from sizing.spice.circuit import Circuit
from sizing.spice.device import Device
from sizing.spice.kits import library_of
from sizing.spice.netlist import Line
from sizing.task.bench import Bench
from sizing.task.job import Conditions, Job
from surrogates.tables.grids import Axis, Grid, Grids
from surrogates.tables.noise import FREQUENCIES

Array = NDArray[np.float64]
Vectors = NDArray[Any]
"""Real or complex."""
TERMINALS = "dgbs"
"""Terminals of a measured device, in the order of its currents."""
CHANNEL = ("vth", "vdsat", "w")
"""What is read of a transistor's channel."""
Part = Literal["bias", "channel", "noise"]
"""What is measured of a device for some purpose."""
FREQUENCY_HERTZ = 1e6
"""Hz, at which capacitances are the imaginary part of what flows."""
_OPTIONS = ".options gmin=1e-15 abstol=1e-15 reltol=1e-6"
_KEPT = (".model", ".param", ".para", ".parameter", ".func", ".option", ".options", ".global")
_RAW = "measured.raw"
_BINARY, _COUNTS = b"Binary:\n", (b"No. Variables:", b"No. Points:")
_TIMEOUT_SECONDS = 300.0


class Unmeasurable(InputError):
    """A device that ngspice cannot bias; the message names it."""


@dataclass(frozen=True)
class Unit:
    """One device on its own: its call, the definitions that the call reaches, and its temperature.

    `roles` names its terminals in the order of the call, `parameters` what the call sets, without `m`.
    """

    letter: str
    model: str
    roles: str
    parameters: tuple[str, ...]
    definitions: tuple[Line, ...]
    temperature: float | None = None

    def instance(self, name: str, nets: Mapping[str, str]) -> str:
        """The netlist line of a copy of it."""
        assigned = " ".join(f"{each}={{unit_{each}}}" for each in self.parameters)
        return f"{self.letter}{name} {' '.join(nets[role] for role in self.roles)} {self.model} {assigned}"

    def head(self, values: Sequence[float]) -> str:
        """The deck without devices, for these values of the parameters: of bins only those that it needs."""
        found = {f"unit_{name}": value for name, value in zip(self.parameters, values, strict=True)}
        job = Job(found, Conditions(self.temperature))
        try:
            return self._bench.deck(job).replace(self._own.text + "\n", "").removesuffix(".end\n") + _OPTIONS + "\n"
        except OutsideBins as error:
            raise Unmeasurable(str(error)) from None

    @cached_property
    def _own(self) -> Line:
        return Line(self.instance("unit", {role: role for role in TERMINALS}), "unit device", 1)

    @cached_property
    def _bench(self) -> Bench:
        given = Line(".param " + " ".join(f"unit_{name}=1" for name in self.parameters), "unit device", 1)
        lines = (*self.definitions, *((given,) if self.parameters else ()), self._own)
        return Bench("unit device", lines, Circuit((), {}, frozenset(), {}), (), find_bins(lines))


@dataclass(frozen=True)
class UnitDevice:
    """A unit with values of its parameters."""

    unit: Unit
    values: tuple[float, ...]

    @property
    def roles(self) -> str:
        """Its terminals."""
        return self.unit.roles

    @property
    def model(self) -> str:
        """Its model's name, for messages."""
        return self.unit.model

    def instance(self, name: str, nets: Mapping[str, str]) -> str:
        """The netlist line of a copy of it."""
        return self.unit.instance(name, nets)

    @cached_property
    def head(self) -> str:
        """The deck without devices."""
        return self.unit.head(self.values)


def reached(lines: Sequence[Line], letter: str, model: str) -> tuple[Line, ...]:
    """The definitions and options among a bench's lines that a device of this model makes use of."""
    depth = 0
    kept = []
    for line in lines:
        depth += line.keyword == ".subckt"
        if depth or line.keyword in _KEPT:
            kept.append(line)
        depth -= line.keyword == ".ends"
    return library_of(kept).reached([Line(f"{letter}unit {model}", "unit device", 1)])


@lru_cache(maxsize=1)
def ngspice_version() -> str:
    """Which ngspice measures; raises SimulatorMissing where there is none."""
    said = subprocess.run([program_path(), "-v"], capture_output=True, text=True, check=True).stdout
    return version_in(said.splitlines())


def polarity(device: UnitDevice, reach: float) -> int:
    """1 for a device that conducts with gate and drain above the source, -1 for one that does below (PMOS, PNP).

    At the source, since the drain's junction to the bulk conducts the wrong way round.
    """
    if "g" not in device.roles:
        return 1
    lines = [device.instance("x", {role: role for role in TERMINALS})]
    lines += [f"v{role} {role} 0 dc 0" for role in TERMINALS]
    commands = []
    for sign in (1, -1):
        commands += [f"alter v{role} dc={sign * reach / 2:g}" for role in "gd"] + ["op", f"write {_RAW} i(vs)"]
    above, below = (abs(plot[-1, 0]) for plot in _plots(device, lines, commands, 2))
    return 1 if above >= below else -1


def currents(device: UnitDevice, sign: int, grid: Grid) -> Array:
    """Currents into the terminals (bulk, gate, drain voltages, 4) in amperes, as an NMOS counts them."""
    return -sign * _swept(device, sign, grid, [f"i(v{role})" for role in TERMINALS])


def channel(device: UnitDevice, sign: int, grid: Grid) -> Array:
    """A transistor's CHANNEL quantities (bulk, gate, drain voltages, 3), as ngspice gives them."""
    name = transistor_name(Device(f"{device.unit.letter}x", device.unit.letter, (), (), device.model, {}))
    try:
        return _swept(device, sign, grid, [f"@{name}[{quantity}]" for quantity in CHANNEL])
    except Unmeasurable:  # as the simplest models call the threshold
        return _swept(device, sign, grid, [f"@{name}[{quantity.replace('vth', 'von')}]" for quantity in CHANNEL])


def _swept(device: UnitDevice, sign: int, grid: Grid, kept: Sequence[str]) -> Array:
    """Vectors (bulk, gate, drain voltages, K) of a device over a grid."""
    lines = [device.instance("x", {role: role for role in TERMINALS}), "vs s 0 dc 0"]
    lines += [f"v{role} {role} 0 dc 0" for role in "dgb"]
    commands = [f"save {' '.join(kept)}"]
    for voltage in grid.bulk.values:
        commands += [
            f"alter vb dc={sign * voltage:.9g}",
            f"dc vd {_sweep(grid.drain, sign)} vg {_sweep(grid.gate, sign)}",
        ]
        commands += [f"write {_RAW} {' '.join(kept)}"]
    planes = _plots(device, lines, commands, grid.bulk.count)
    _, gates, drains = grid.shape
    if any(plane.shape != (len(kept) + 1, gates * drains) for plane in planes):
        raise Unmeasurable(f"{device.model}: ngspice did not reach every bias point")
    return np.moveaxis(np.real(np.array(planes))[:, 1:].reshape(*grid.shape[:1], len(kept), gates, drains), 1, -1)


def _sweep(axis: Axis, sign: int) -> str:
    """First and last voltage, beyond the axis by half a step, and step, as a dc command has them."""
    return " ".join(
        f"{sign * each:.9g}" for each in (axis.start, axis.start + axis.step * (axis.count - 0.5), axis.step)
    )


def capacitances(device: UnitDevice, sign: int, grid: Grid) -> Array:
    """What flows into drain, gate and bulk by the slope of each one's voltage (bulk, gate, drain voltages, 3, 3), in F.

    Of three copies each has another terminal excited, so that one analysis a bias point tells all. (A copy for each
    point instead takes three times as long, most of it to copy a kit's sub-circuit.)
    """
    lines = [f"vat{role} at{role} 0 dc 0" for role in "dgb"]
    for own in "dgb":
        lines.append(device.instance(f"x{own}", {"s": "0"} | {role: f"{role}{own}" for role in "dgb"}))
        lines += [f"v{role}{own} {role}{own} at{role} dc 0 ac {int(role == own)}" for role in "dgb"]
    kept = " ".join(f"i(v{role}{own})" for role in "dgb" for own in "dgb")
    analysis = [f"ac lin 1 {FREQUENCY_HERTZ:g} {FREQUENCY_HERTZ:g}", f"write {_RAW} {kept}", "destroy all"]
    points = _plots(device, lines, _at_each(grid, sign, analysis), int(np.prod(grid.shape)))
    return -np.imag(np.array(points)[:, 1:, 0]).reshape(*grid.shape, 3, 3) / (2 * np.pi * FREQUENCY_HERTZ)


def noise(device: UnitDevice, sign: int, grid: Grid) -> Array:
    """Densities of the noise currents of drain and gate (bulk, gate, drain voltages, 2, 3) in A²/Hz, at FREQUENCIES."""
    lines = [device.instance("x", {"s": "0"} | {role: role for role in "dgb"})]
    lines += [f"vat{role} {role} 0 dc 0 ac 1" for role in "dgb"]
    lines += [f"h{role} noise{role} 0 vat{role} 1" for role in "dg"]
    first, second, last = FREQUENCIES
    analysis = []
    for role in "dg":
        analysis += [f"noise v(noise{role}) vat{role} dec 1 {first:g} {last:g}", "setplot previous"]
        analysis += [f"write {_RAW} onoise_spectrum", "destroy all"]
    points = _plots(device, lines, _at_each(grid, sign, analysis), 2 * int(np.prod(grid.shape)))
    decades = round(np.log10(second / first))
    return np.real(np.array(points)[:, 1, ::decades]).reshape(*grid.shape, 2, 3) ** 2


def _at_each(grid: Grid, sign: int, analysis: Sequence[str]) -> list[str]:
    """Commands that run an analysis at each bias point."""
    commands = []
    at: tuple[float, ...] = ()
    for point in product(grid.bulk.values, grid.gate.values, grid.drain.values):
        moved = [role for role, new, old in zip("bgd", point, at or (np.nan,) * 3, strict=True) if new != old]
        commands += [f"alter vat{role} dc={sign * point['bgd'.index(role)]:.9g}" for role in moved]
        commands += analysis
        at = point
    return commands


def measure(device: UnitDevice, part: Part, sign: int, grids: Grids) -> dict[str, Array]:
    """What a table needs of one geometry for some purpose, by name; raises Unmeasurable."""
    match part:
        case "bias":
            return {
                "polarity": np.array([float(sign)]),
                "currents": currents(device, sign, grids.currents),
                "capacitances": capacitances(device, sign, grids.capacitances),
            }
        case "channel":
            return {"channel": channel(device, sign, grids.currents)}
        case "noise":
            return {"noise": noise(device, sign, grids.capacitances)}


def _plots(device: UnitDevice, lines: Sequence[str], commands: Sequence[str], count: int) -> list[Vectors]:
    """The plots, (vectors, points) each, that the commands write one after the other; raises Unmeasurable."""
    control = [".control", "set filetype=binary", "set appendwrite", *commands, ".endc", ".end", ""]
    with tempfile.TemporaryDirectory(prefix="sizing-table-") as folder:
        place = Path(folder)
        (place / ".spiceinit").write_text("set num_threads=1\n", encoding="utf-8")
        (place / "deck.cir").write_text(device.head + "\n".join([*lines, *control]), encoding="utf-8")
        try:
            ended = subprocess.run(
                [program_path(), "-b", "deck.cir"],
                stdin=subprocess.DEVNULL, capture_output=True, cwd=place, timeout=_TIMEOUT_SECONDS,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise Unmeasurable(f"{device.model}: ngspice took more than {_TIMEOUT_SECONDS:g} s to bias it") from None
        written = place / _RAW
        found = _read(written.read_bytes()) if written.exists() else []
    if len(found) != count:
        words = b"; ".join(line for line in ended.stderr.splitlines() if b"rror" in line)[:300]
        raise Unmeasurable(f"{device.model}: ngspice cannot bias it ({words.decode(errors='replace') or 'no result'})")
    return found


def _read(raw: bytes) -> list[Vectors]:
    """The plots of a binary raw file, (vectors, points) each, to which one after the other was appended."""
    found: list[Vectors] = []
    at = 0
    while (binary := raw.find(_BINARY, at)) >= 0:
        head = raw[at:binary]
        vectors, points = (int(head.partition(name)[2].split(maxsplit=1)[0]) for name in _COUNTS)
        kind = np.dtype(np.complex128 if b"Flags: complex" in head else np.float64)
        at = binary + len(_BINARY)
        if len(raw) < at + vectors * points * kind.itemsize:
            break
        found.append(np.frombuffer(raw, kind, vectors * points, at).reshape(points, vectors).T)
        at += vectors * points * kind.itemsize
    return found

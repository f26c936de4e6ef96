"""Decks that bias a device, and ngspice on them."""

import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sizing.errors import InputError
from sizing.simulation.messages import version_in
from sizing.simulation.ngspice_batch import program_path, read_raw
from sizing.spice.bins import OutsideBins, find_bins
from sizing.spice.circuit import Circuit
from sizing.spice.kits import library_of
from sizing.spice.netlist import Line
from sizing.task.bench import Bench
from sizing.task.job import Conditions, Job
from surrogates.tables.grids import Axis, Grid, Grids

TERMINALS = "dgbs"
"""Of a measured device, in the order of its currents."""
FREQUENCY = 1e6
"""Hz, at which capacitances are the imaginary part of what flows."""
_OPTIONS = ".options gmin=1e-15 abstol=1e-15 reltol=1e-6"
_KEPT = (".model", ".param", ".para", ".parameter", ".func", ".option", ".options", ".temp", ".global")
_RAW = "measured.raw"
_TIMEOUT = 300.0


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
    """Of a bench's lines, the definitions and options that a device of this model makes use of."""
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
        commands += [f"alter v{role} dc={sign * reach / 2:g}" for role in "gd"] + ["op", f"write {sign}{_RAW} i(vs)"]
    above, below = (abs(found["i(vs)"][0]) for found in _run(device, lines, commands, [f"1{_RAW}", f"-1{_RAW}"]))
    return 1 if above >= below else -1


def currents(device: UnitDevice, sign: int, grid: Grid) -> NDArray[np.float64]:
    """Currents into the terminals (bulk, gate, drain voltages, 4) in amperes, as an NMOS counts them."""
    lines = [device.instance("x", {role: role for role in TERMINALS}), "vs s 0 dc 0"]
    lines += [f"v{role} {role} 0 dc 0" for role in "dgb"]
    kept = " ".join(f"i(v{role})" for role in TERMINALS)
    sweep = f"vd {_swept(grid.drain, sign)} vg {_swept(grid.gate, sign)}"
    commands, files = [], []
    for index, voltage in enumerate(grid.bulk.values):
        files.append(f"{index}{_RAW}")
        commands += [f"alter vb dc={sign * voltage:.9g}", f"dc {sweep}", f"write {files[-1]} {kept}"]
    planes = _run(device, lines, commands, files)
    shape = grid.shape[1:]
    found = [[plane[f"i(v{role})"] for role in TERMINALS] for plane in planes]
    if any(vector.size != shape[0] * shape[1] for plane in found for vector in plane):
        raise Unmeasurable(f"{device.model}: ngspice did not reach every bias point")
    return -sign * np.moveaxis(np.real(np.array(found)).reshape(len(planes), 4, *shape), 1, -1)


def _swept(axis: Axis, sign: int) -> str:
    """First and last voltage, beyond the axis by half a step, and step, as a dc command has them."""
    return " ".join(
        f"{sign * each:.9g}" for each in (axis.start, axis.start + axis.step * (axis.count - 0.5), axis.step)
    )


def capacitances(device: UnitDevice, sign: int, grid: Grid) -> NDArray[np.float64]:
    """What flows into drain, gate and bulk by the slope of each one's voltage (bulk, gate, drain voltages, 3, 3), in F.

    Many copies stand in one deck, each at a bias point with sources of its own: nets in common would fill the matrix.
    """
    lines = []
    points = np.stack(np.meshgrid(grid.bulk.values, grid.gate.values, grid.drain.values, indexing="ij"), -1)
    for index, (bulk, gate, drain) in enumerate(points.reshape(-1, 3)):
        lines.append(device.instance(f"x{index}", {"s": "0"} | {role: f"{role}{index}" for role in "dgb"}))
        for role, voltage in zip("dgb", (drain, gate, bulk), strict=True):
            lines.append(f"v{role}{index} {role}{index} 0 dc {sign * voltage:.9g}")
    count = int(np.prod(grid.shape))
    commands, files = [], []
    for role in "dgb":
        files.append(f"{role}{_RAW}")
        commands += [f"alter v{role}{index} acmag=1" for index in range(count)]
        commands += [f"ac lin 1 {FREQUENCY:g} {FREQUENCY:g}", f"write {files[-1]} all"]
        commands += [f"alter v{role}{index} acmag=0" for index in range(count)]
    runs = _run(device, lines, commands, files)
    found = [[[run[f"i(v{role}{index})"][0] for index in range(count)] for role in "dgb"] for run in runs]
    return -np.imag(np.array(found)).T.reshape(*grid.shape, 3, 3) / (2 * np.pi * FREQUENCY)


def measure(device: UnitDevice, reach: float, grids: Grids) -> dict[str, NDArray[np.float64]]:
    """Everything that a table needs of one geometry, by name; raises Unmeasurable."""
    sign = polarity(device, reach)
    return {
        "polarity": np.array([float(sign)]),
        "currents": currents(device, sign, grids.currents),
        "capacitances": capacitances(device, sign, grids.capacitances),
    }


def _run(
    device: UnitDevice, lines: Sequence[str], commands: Sequence[str], files: Sequence[str]
) -> list[dict[str, NDArray[np.complex128] | NDArray[np.float64]]]:
    """The vectors of every raw file that the commands write; raises Unmeasurable."""
    control = [".control", "set filetype=binary", *commands, ".endc", ".end", ""]
    with tempfile.TemporaryDirectory(prefix="sizing-table-") as folder:
        place = Path(folder)
        (place / ".spiceinit").write_text("set num_threads=1\n", encoding="utf-8")
        (place / "deck.cir").write_text(device.head + "\n".join([*lines, *control]), encoding="utf-8")
        try:
            ended = subprocess.run(
                [program_path(), "-b", "deck.cir"],
                stdin=subprocess.DEVNULL, capture_output=True, cwd=place, timeout=_TIMEOUT,
            )  # fmt: skip
            found = [read_raw(place / name) for name in files]
        except subprocess.TimeoutExpired:
            raise Unmeasurable(f"{device.model}: ngspice took more than {_TIMEOUT:g} s to bias it") from None
    if not all(title for title, _ in found):
        words = b"; ".join(line for line in ended.stderr.splitlines() if b"rror" in line)[:300]
        raise Unmeasurable(f"{device.model}: ngspice cannot bias it ({words.decode(errors='replace') or 'no result'})")
    return [vectors for _, vectors in found]

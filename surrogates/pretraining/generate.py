"""Makes data sets: draws parameter values, solves for operating points, keeps the valid ones; interrupted, goes on."""

import hashlib
import json
import platform
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.random import Generator, default_rng
from numpy.typing import NDArray

from sizing.bench import Analysis, Bench, Task
from sizing.circuit import parse_circuit
from sizing.measure import AnyMeasure, DcGain, DcValue
from sizing.netlist import read_text
from sizing.problem import Problem
from sizing.simulation.pool import SimulationPool, default_workers
from sizing.simulation.simulator import Measured
from surrogates.files import write_whole
from surrogates.graph import GROUND, Topology
from surrogates.kinds import KIND_NUMBERS
from surrogates.pretraining import circuits
from surrogates.pretraining.circuits import Circuit
from surrogates.pretraining.dataset import (
    DatasetError,
    Manifest,
    Samples,
    graph_of,
    packed,
    read_manifest,
    write_circuit,
    write_manifest,
)
from surrogates.pretraining.resistive import chunk_rows, solve

ROWS_PER_PART = 2000
SECONDS_PER_POINT = 20.0
OUTSIDE = 10.0
"""A voltage this many times all sources together (or 1 V) is no operating point, whatever the simulator says."""

Observer = Callable[[int, int], None]
"""Told rows done and rows wanted."""


@dataclass(frozen=True)
class Recipe:
    """A named data set: its circuits, each with the number of operating points to draw."""

    description: str
    circuits: Callable[[Path], Sequence[tuple[Circuit, int]]]


DATASETS: Mapping[str, Recipe] = {
    "ladder": Recipe(
        "resistor ladders of 2 to 10 branches, solved exactly; 20 000",
        lambda _: [(circuits.ladder(n), 20_000 // 9 + (n - 2 < 20_000 % 9)) for n in range(2, 11)],
    ),
    "ladder_test": Recipe(
        "longer ladders for tests without further training: 12, 16, 32, 128 branches, 1 000 each, and 512, 100",
        lambda _: [(circuits.ladder(n), 100 if n == 512 else 1000) for n in (12, 16, 32, 128, 512)],
    ),
    "resistors": Recipe(
        "the three few-shot resistor circuits; 2 000 each",
        lambda _: [(make(), 2000) for make in (circuits.series_pair, circuits.parallel_pair, circuits.loaded_divider)],
    ),
    "output_resistance": Recipe(
        "ladders of 10 branches with the output resistance at the last node; 2 000",
        lambda _: [(circuits.ladder(10, output_resistance=True), 2000)],
    ),
    "opamp": Recipe(
        "operating points of the two-stage op-amp from ngspice; 126 000", lambda m: [(circuits.opamp(m), 126_000)]
    ),
    "opamp_voltage_biased": Recipe(
        "the op-amp with voltage-biased loads from ngspice, with its gain; 11 000",
        lambda m: [(circuits.voltage_biased_opamp(m), 11_000)],
    ),
}


def generate(
    name: str,
    wanted: Sequence[tuple[Circuit, int]],
    folder: Path,
    *,
    seed: int = 0,
    workers: int | None = None,
    observer: Observer | None = None,
) -> Manifest:
    """Draw and solve, part by part; the same call takes up what an interrupted one left. A finished set is kept.

    Raises DatasetError where the folder holds something else, SimulationError where ngspice refuses a netlist.
    """
    plan = _plan(name, wanted, seed)
    if (folder / "manifest.json").exists():
        manifest = read_manifest(folder)
        if manifest.plan != _digest(plan):
            raise DatasetError(f"{folder}: expected {name} of seed {seed}, got another data set; choose another --out")
        return manifest
    _take_up(folder, plan)
    total = sum(rows for _, rows in wanted)
    done, entries = 0, []
    for number, (circuit, rows) in enumerate(wanted):
        parts: list[_Part] = []
        variables: tuple[str, ...] = ()
        with _Solver(circuit, workers) as solved:
            for index in range(-(-rows // ROWS_PER_PART)):
                count = min(ROWS_PER_PART, rows - index * ROWS_PER_PART)
                path = folder / f".{circuit.name}-{index:05d}.npz"
                sample = circuit.draw(default_rng([seed, number, index]), count)
                variables = tuple(sample)
                if not path.exists():
                    _write_part(path, solved(sample))
                parts.append(_read_part(path))
                done += count
                if observer:
                    observer(done, total)
        entries.append(write_circuit(folder, *_joined(circuit, variables, parts)))
    manifest = Manifest(name, seed, _digest(plan), _versions(), tuple(entries))
    write_manifest(folder, manifest)
    for leftover in (*folder.glob(".*-?????.npz"), folder / ".plan.json"):
        leftover.unlink()
    return manifest


def circuit_of(problem: Problem, bench: Bench) -> Circuit:
    """A user's circuit as a source of operating points: designs uniform on the problem's grid, one bench's stimulus."""

    def draw(rng: Generator, count: int) -> circuits.Sample:
        return {
            each.name: np.array(each.values)[rng.integers(len(each.values), size=count)] for each in problem.variables
        }

    netlist = "".join(f"{line.text}\n" for line in bench.lines)
    grids = {each.name: each.values for each in problem.variables}
    return Circuit(re.sub(r"[^\w.-]", "_", problem.name), netlist, draw, exact=False, grids=grids)


@dataclass(frozen=True)
class _Part:
    """Drawn values (n, V); voltages (n, N) and targets (n,), NaN where it failed; and why, by reason."""

    values: NDArray[np.float64]
    voltages: NDArray[np.float64]
    targets: Mapping[str, NDArray[np.float64]]
    failed: Mapping[str, int] = field(default_factory=dict)


class _Solver:
    """Operating points of one circuit, exactly or from ngspice."""

    def __init__(self, circuit: Circuit, workers: int | None) -> None:
        self._circuit = circuit
        self._graph = graph_of(circuit.netlist, circuit.name)
        self._workers = workers or default_workers()
        self._pool: SimulationPool | None = None

    def __enter__(self) -> "_Solver":
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool:
            self._pool.close()

    def __call__(self, sample: circuits.Sample) -> _Part:
        values = np.stack(list(sample.values()), axis=1)
        return self._exact(sample, values) if self._circuit.exact else self._simulated(sample, values)

    def _exact(self, sample: circuits.Sample, values: NDArray[np.float64]) -> _Part:
        # A data set keeps float32: solve what it will hold.
        parameters = self._graph.parameters(
            {name: each.astype(np.float32).astype(float) for name, each in sample.items()}
        )
        topology, output = self._graph.topology, self._circuit.output
        rows = chunk_rows(topology)
        solved = [solve(topology, parameters[at : at + rows], output) for at in range(0, len(values), rows)]
        voltages = np.concatenate([each for each, _ in solved])
        seen = [each for _, each in solved if each is not None]
        return _Part(values, voltages, {"output_resistance": np.concatenate(seen)} if seen else {})

    def _simulated(self, sample: circuits.Sample, values: NDArray[np.float64]) -> _Part:
        topology, gain = self._graph.topology, self._circuit.output is not None
        if self._pool is None:
            self._pool = SimulationPool(_task(self._circuit, topology, tuple(sample)), self._workers, SECONDS_PER_POINT)
            self._pool.load({name: float(each[0]) for name, each in sample.items()})
        jobs = [dict(zip(sample, row, strict=True)) for row in values.astype(np.float32).astype(float).tolist()]
        limit = OUTSIDE * np.maximum(1.0, _source_voltage(topology, self._graph.parameters(dict(sample))))
        wanted = len(topology.nets) - 1 + gain
        found = np.full((len(values), wanted), np.nan)
        failed: Counter[str] = Counter()
        for row, outcome in enumerate(self._pool.stream(jobs)):
            if not isinstance(outcome, Measured):
                failed[outcome.reason] += 1
            elif outcome.missing:
                failed["not measured"] += 1
            elif np.abs(outcome.values[: len(topology.nets) - 1]).max() > limit[row]:
                failed["outside what its sources allow"] += 1
            else:
                found[row] = outcome.values
        voltages = np.zeros((len(values), len(topology.nets)))
        voltages[:, 1:] = found[:, : len(topology.nets) - 1]
        return _Part(values, voltages, {"gain": found[:, -1]} if gain else {}, failed)


def _task(circuit: Circuit, topology: Topology, variables: tuple[str, ...]) -> Task:
    lines = read_text(circuit.netlist, f"{circuit.name}.cir", Path())
    analyses = [Analysis("op", "op")]
    measures: list[AnyMeasure] = [
        DcValue(measure="dc_value", of="bench.op", output=net, at_least=0) for net in topology.nets if net != GROUND
    ]
    if circuit.output:
        analyses.append(Analysis("ac", "ac lin 1 1 1"))
        measures.append(DcGain(measure="dc_gain", of="bench.ac", output=circuit.output, at_least=0))
    return Task((Bench("bench", lines, parse_circuit(lines), tuple(analyses)),), tuple(measures), variables)


def _source_voltage(topology: Topology, parameters: NDArray[np.float32]) -> NDArray[np.float64]:
    """Voltage (n,) of all sources of a circuit one upon the other."""
    sources = np.array(topology.kinds) == KIND_NUMBERS["voltage source"]
    return np.asarray(np.abs(parameters[:, sources, 0]).sum(axis=1), dtype=np.float64)


def _plan(name: str, wanted: Sequence[tuple[Circuit, int]], seed: int) -> dict[str, object]:
    """What decides the contents of a data set."""
    circuits_wanted = [
        [circuit.name, circuit.netlist, rows, *([_digest(circuit.grids)] if circuit.grids else [])]
        for circuit, rows in wanted
    ]
    return {"name": name, "seed": seed, "circuits": circuits_wanted}


def _digest(plan: object) -> str:
    return hashlib.sha256(json.dumps(plan).encode()).hexdigest()


def _take_up(folder: Path, plan: dict[str, object]) -> None:
    """Begin in a new or empty folder, or go on where this very plan was begun."""
    path = folder / ".plan.json"
    if path.exists():
        try:
            begun = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            begun = None
        if begun != plan:
            raise DatasetError(
                f"{folder}: expected the data set begun there, got another; finish it, or choose another --out"
            )
        return
    if folder.exists() and any(folder.iterdir()):
        raise DatasetError(f"{folder}: expected a new or empty folder, got one with other files; choose another --out")
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(plan).encode())


def _write_part(path: Path, part: _Part) -> None:
    arrays = packed(
        values=part.values.astype(np.float32),
        voltages=part.voltages.astype(np.float32),
        reasons=np.array(list(part.failed), dtype=np.str_),
        counts=np.array(list(part.failed.values()), dtype=np.int64),
        **{f"target_{name}": target.astype(np.float32) for name, target in part.targets.items()},
    )
    write_whole(path, arrays)


def _read_part(path: Path) -> _Part:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            names = [name for name in arrays.files if name.startswith("target_")]
            targets = {name.removeprefix("target_"): arrays[name] for name in names}
            failed = dict(zip(arrays["reasons"].tolist(), arrays["counts"].tolist(), strict=True))
            return _Part(arrays["values"], arrays["voltages"], targets, failed)
    except (KeyError, ValueError, EOFError, BadZipFile) as error:
        raise DatasetError(
            f"{path}: damaged ({error}); remove it, and the same command makes this part of the data set again"
        ) from None


def _joined(circuit: Circuit, variables: tuple[str, ...], parts: Sequence[_Part]) -> tuple[Samples, Counter[str]]:
    """All parts' valid rows as samples, and how many others there were, by reason."""
    values = np.concatenate([part.values for part in parts])
    voltages = np.concatenate([part.voltages for part in parts])
    targets = {name: np.concatenate([part.targets[name] for part in parts]) for name in parts[0].targets}
    failed: Counter[str] = Counter()
    for part in parts:
        failed.update(part.failed)
    good = np.isfinite(voltages).all(axis=1)
    for target in targets.values():
        good &= np.isfinite(target)
    if not good.any():
        raise DatasetError(
            f"{circuit.name}: expected some operating points, but all {len(good)} failed: {dict(failed)}"
        )
    kept = {name: target[good] for name, target in targets.items()}
    return Samples(circuit.name, circuit.netlist, variables, values[good], voltages[good], kept), failed


def _versions() -> dict[str, str]:
    return {
        "python": platform.python_version(),
        **{name: version(name) for name in ("circuit-sizing", "numpy", "PySpice")},
    }

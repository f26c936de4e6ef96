"""Makes data sets: draws parameter values, solves for operating points, keeps the valid ones; interrupted, goes on."""

import hashlib
import json
import platform
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.random import Generator, default_rng

from sizing.files import claim, only_writer
from sizing.task.bench import Bench
from sizing.task.problem import Problem
from surrogates.pretraining.circuits import Sample, SampledCircuit
from surrogates.pretraining.dataset import (
    CircuitEntry,
    DatasetError,
    Manifest,
    read_manifest,
    write_circuit,
    write_manifest,
)
from surrogates.pretraining.operating_points import Part, Solver
from surrogates.pretraining.parts import joined, part_path, read_part, remove_leftovers, write_part

ROWS_PER_PART = 2000
_PLAN = ".plan.json"

Observer = Callable[[int, int], None]
"""Told rows done and rows wanted."""
Wanted = Sequence[tuple[SampledCircuit, int]]
"""Circuits, each with the number of operating points to draw."""


def generate(
    name: str,
    wanted: Wanted,
    folder: Path,
    *,
    seed: int = 0,
    workers: int | None = None,
    observer: Observer | None = None,
) -> Manifest:
    """Draw and solve, part by part; the same call takes up what an interrupted one left. A finished set is kept.

    Raises DatasetError where the folder holds something else, InputError where another process writes there, GraphError
    for a circuit that is no graph, SimulationError where ngspice refuses a netlist. Netlists are refused before the
    folder is begun, so that the corrected one can have it.
    """
    plan = _plan(name, wanted, seed)
    if (finished := _finished(folder, plan)) is not None:
        return finished
    with _solvers(folder, wanted, seed, workers) as solvers, only_writer(folder, "data set"):
        if (finished := _finished(folder, plan)) is not None:  # by a process that ended just now
            return finished
        claim(folder, _PLAN, plan, "data set")
        total, done = sum(rows for _, rows in wanted), 0
        entries: list[CircuitEntry] = []
        for number, ((circuit, rows), solver) in enumerate(zip(wanted, solvers, strict=True)):
            parts: list[Part] = []
            variables: tuple[str, ...] = ()
            with solver as solved:
                for index in range(-(-rows // ROWS_PER_PART)):
                    path = part_path(folder, circuit, index)
                    sample = _drawn(circuit, rows, seed, number, index)
                    variables = tuple(sample)
                    if not path.exists():
                        write_part(path, solved(sample))
                    parts.append(read_part(path))
                    done += len(parts[-1].values)
                    if observer:
                        observer(done, total)
            entries.append(write_circuit(folder, *joined(circuit, variables, parts)))
        manifest = Manifest(name, seed, _digest(plan), _versions(), tuple(entries))
        write_manifest(folder, manifest)
        remove_leftovers(folder)
    return manifest


def circuit_of(problem: Problem, bench: Bench) -> SampledCircuit:
    """A user's circuit as a source of operating points: designs uniform on the problem's grid, one bench's stimulus."""

    def draw(rng: Generator, count: int) -> Sample:
        return {
            each.name: np.array(each.values)[rng.integers(len(each.values), size=count)] for each in problem.variables
        }

    netlist = "".join(f"{line.text}\n" for line in bench.lines)
    grids = {each.name: each.values for each in problem.variables}
    return SampledCircuit(re.sub(r"[^\w.-]", "_", problem.name), netlist, draw, exact=False, grids=grids)


@contextmanager
def _solvers(folder: Path, wanted: Wanted, seed: int, workers: int | None) -> Iterator[list[Solver]]:
    """A solver of each circuit; those of a folder not yet begun have been tried on the first values."""
    with ExitStack() as opened:
        solvers = [opened.enter_context(Solver(circuit, workers)) for circuit, _ in wanted]
        if not (folder / _PLAN).exists():
            for number, ((circuit, rows), solver) in enumerate(zip(wanted, solvers, strict=True)):
                solver.check(_drawn(circuit, rows, seed, number, 0))
        yield solvers


def _drawn(circuit: SampledCircuit, rows: int, seed: int, number: int, index: int) -> Sample:
    """Values of one part of the data set's circuit of that number; every part has a stream of its own."""
    return circuit.draw(default_rng([seed, number, index]), min(ROWS_PER_PART, rows - index * ROWS_PER_PART))


def _plan(name: str, wanted: Wanted, seed: int) -> dict[str, object]:
    """What decides the contents of a data set."""
    circuits_wanted = [
        [circuit.name, circuit.netlist, rows, *([_digest(circuit.grids)] if circuit.grids else [])]
        for circuit, rows in wanted
    ]
    return {"name": name, "seed": seed, "circuits": circuits_wanted}


def _digest(plan: object) -> str:
    return hashlib.sha256(json.dumps(plan).encode()).hexdigest()


def _finished(folder: Path, plan: dict[str, object]) -> Manifest | None:
    """The manifest, where this very data set is done: a kill may have left parts of it."""
    if not (folder / "manifest.json").exists():
        return None
    manifest = read_manifest(folder)
    if manifest.plan != _digest(plan):
        raise DatasetError(
            f"{folder}: expected {plan['name']} of seed {plan['seed']}, got another data set; choose another --out"
        )
    remove_leftovers(folder)
    return manifest


def _versions() -> dict[str, str]:
    return {
        "python": platform.python_version(),
        **{name: version(name) for name in ("circuit-sizing", "numpy", "PySpice")},
    }

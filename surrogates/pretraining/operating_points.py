"""Operating points of sampled circuits: solved exactly, or by ngspice; what is none is left out, with the reason."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from sizing.measures.catalogue import AnyMeasure
from sizing.measures.operating_point import DcValue
from sizing.measures.small_signal import DcGain
from sizing.simulation.pool import SimulationPool, default_workers
from sizing.simulation.simulations import in_order
from sizing.simulation.simulator import Measured
from sizing.spice.circuit import parse_circuit
from sizing.spice.netlist import read_text
from sizing.task.bench import Analysis, Bench, Task
from sizing.task.job import Job
from surrogates.networks.graph import GROUND, Topology
from surrogates.networks.kinds import KIND_NUMBERS
from surrogates.pretraining.circuits import Sample, SampledCircuit
from surrogates.pretraining.dataset import graph_of
from surrogates.pretraining.resistive import chunk_rows, solve

SECONDS_PER_POINT = 20.0
OUTSIDE_FACTOR = 10.0
"""Where all sources are voltage sources, a voltage beyond this many times all of them together (or 1 V, if that is
more) is no operating point, whatever the simulator says. What a current source drives may be high for good reason."""


@dataclass(frozen=True)
class Part:
    """Drawn values (n, V); voltages (n, N) and targets (n,), NaN where it failed; and why, by reason."""

    values: NDArray[np.float64]
    voltages: NDArray[np.float64]
    targets: Mapping[str, NDArray[np.float64]]
    failed: Mapping[str, int] = field(default_factory=dict)


class Solver:
    """Operating points of one circuit, exactly or from ngspice. Raises GraphError for a circuit that is no graph."""

    def __init__(self, circuit: SampledCircuit, workers: int | None) -> None:
        self._circuit = circuit
        self._graph = graph_of(circuit.netlist, circuit.name)
        self._workers = workers or default_workers()
        self._pool: SimulationPool | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool:
            self._pool.close()
            self._pool = None

    def check(self, sample: Sample) -> None:
        """Raise GraphError or SimulationError where values cannot be evaluated or ngspice refuses the netlist."""
        self._graph.parameters(dict(sample))
        if not self._circuit.exact:
            self._loaded(sample)

    def __call__(self, sample: Sample) -> Part:
        """Solve for drawn values."""
        values = np.stack(list(sample.values()), axis=1)
        return self._exact(sample, values) if self._circuit.exact else self._simulated(sample, values)

    def _exact(self, sample: Sample, values: NDArray[np.float64]) -> Part:
        # A data set keeps float32: solve what it will hold.
        parameters = self._graph.parameters(
            {name: each.astype(np.float32).astype(float) for name, each in sample.items()}
        )
        topology, output = self._graph.topology, self._circuit.output
        rows = chunk_rows(topology)
        solved = [solve(topology, parameters[at : at + rows], output) for at in range(0, len(values), rows)]
        voltages = np.concatenate([each for each, _ in solved])
        seen = [each for _, each in solved if each is not None]
        return Part(values, voltages, {"output_resistance": np.concatenate(seen)} if seen else {})

    def _simulated(self, sample: Sample, values: NDArray[np.float64]) -> Part:
        topology, gain = self._graph.topology, self._circuit.output is not None
        pool = self._loaded(sample)
        jobs = [Job(dict(zip(sample, row, strict=True))) for row in values.astype(np.float32).astype(float).tolist()]
        limit = _limit(topology, self._graph.parameters(dict(sample)))
        wanted = len(topology.nets) - 1 + gain
        found = np.full((len(values), wanted), np.nan)
        failed: Counter[str] = Counter()
        for row, outcome in enumerate(in_order(pool, jobs)):
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
        return Part(values, voltages, {"gain": found[:, -1]} if gain else {}, failed)

    def _loaded(self, sample: Sample) -> SimulationPool:
        """Workers, once ngspice has accepted the netlist."""
        if self._pool is None:
            task = _task(self._circuit, self._graph.topology, tuple(sample))
            self._pool = SimulationPool(task, self._workers, SECONDS_PER_POINT)
            self._pool.load(Job({name: float(each[0]) for name, each in sample.items()}))
        return self._pool


def _task(circuit: SampledCircuit, topology: Topology, variables: tuple[str, ...]) -> Task:
    lines = read_text(circuit.netlist, f"{circuit.name}.cir", Path())
    analyses = [Analysis("op", "op")]
    measures: list[AnyMeasure] = [
        DcValue(measure="dc_value", of="bench.op", output=net, at_least=0) for net in topology.nets if net != GROUND
    ]
    if circuit.output:
        analyses.append(Analysis("ac", "ac lin 1 1 1"))
        measures.append(DcGain(measure="dc_gain", of="bench.ac", output=circuit.output, at_least=0))
    return Task((Bench("bench", lines, parse_circuit(lines), tuple(analyses)),), tuple(measures), variables)


def _limit(topology: Topology, parameters: NDArray[np.float32]) -> NDArray[np.float64]:
    """The highest voltage (n,) that is taken for an operating point, from device features (n, D, FEATURES)."""
    if KIND_NUMBERS["current source"] in topology.kinds:
        return np.full(len(parameters), np.inf)
    sources = np.array(topology.kinds) == KIND_NUMBERS["voltage source"]
    together = np.abs(parameters[:, sources, 0]).sum(axis=1)
    return np.asarray(OUTSIDE_FACTOR * np.maximum(1.0, together), dtype=np.float64)

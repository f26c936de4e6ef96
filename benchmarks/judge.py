"""Candidates judged a second, by the fully connected judge and by the shipped graph network.

    python benchmarks/judge.py

Rates with breeding are of what feeds the simulator. Ratios are to judging the same candidates one at a time: as the
judge would itself, and, for the graph network, the way the reference implementation does it, a graph object for every
candidate, collated by torch-geometric, through its network (DeepGEN of 15 layers).
"""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch_geometric.data import Batch

from sizing.clock import Clock
from sizing.evaluation.evaluator import Evaluation
from sizing.search.context import Context
from sizing.search.discriminator import Discriminator
from sizing.search.evolution import Streams, toolbox
from sizing.search.methods import DISCRIMINATORS
from sizing.search.selection import select
from sizing.simulation.pool import default_workers
from sizing.simulation.simulator import Measured
from sizing.specfile.load import load_spec
from sizing.task.settings import RunSettings, SearchSettings
from surrogates.networks.backbones.message_passing import MessagePassing, TerminalGraph
from surrogates.networks.graph import CircuitGraph

SPEC = Path(__file__).parent.parent / "specs" / "opamp_cc.yaml"


def main() -> None:
    spec = load_spec(SPEC)
    problem = spec.problem
    rng = np.random.default_rng(0)
    values = rng.random((100, len(problem.metrics)))
    designs = rng.integers(0, problem.shape, (100, len(problem.shape)))
    population = [
        Evaluation(i, tuple(design), Measured(tuple(row), {}))
        for i, (design, row) in enumerate(zip(designs.tolist(), values.tolist(), strict=True))
    ]
    circuits = {bench.name: bench.circuit for bench in spec.benches}
    selection = select(problem, values, (), rank=20, pool=100, rng=rng)
    box = toolbox(problem, SearchSettings(), rng)
    print(f"{SPEC.stem}, {len(problem.metrics)} metrics, {default_workers()} cores")
    for method in ("fc", "gnn-finetuned"):
        judge = DISCRIMINATORS[method](Context(problem, RunSettings(), circuits, None, Streams.from_seed(0), Clock()))
        judge.fit(population)
        measure(method, judge, population[0], lambda count: box.breed(designs, selection, count))
    one_by_one = rate(collated(spec, designs))
    report("DeepGEN, collated, one at a time", one_by_one, one_by_one)
    candidates = box.breed(designs, selection, judge.chunk)
    report("gnn-finetuned beside it", rate(lambda: len(judge.judge(candidates, population[0]))), one_by_one)


def measure(method: str, judge: Discriminator, reference: Evaluation, breed) -> None:
    candidates = breed(judge.chunk)
    single = rate(lambda: sum(len(judge.judge(candidates[i : i + 1], reference)) for i in range(20)))
    report(f"{method}, one at a time", single, single)
    report(f"{method}, {judge.chunk} at a time", rate(lambda: len(judge.judge(candidates, reference))), single)
    report(f"{method}, bred and judged", rate(lambda: len(judge.judge(breed(judge.chunk), reference))), single)


def collated(spec, candidates) -> Callable[[], int]:
    """Judging's costly part the other way: one graph object at a time."""
    graph = CircuitGraph(spec.benches[0].circuit)
    network = MessagePassing("deepgen").eval()
    terminals = TerminalGraph(graph.topology)

    def work() -> int:
        for design in candidates[:10]:
            parameters = torch.from_numpy(graph.parameters(spec.problem.values(design)))
            batch = Batch.from_data_list([terminals.data(parameters[0], network.normalisation)])
            with torch.inference_mode():
                network.embed(batch.x, batch.edge_index)
        return 10

    return work


def rate(work: Callable[[], int], seconds: float = 3.0) -> float:
    """Candidates a second over about this time."""
    work()
    began, done = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        done += work()
    return done / (time.perf_counter() - began)


def report(name: str, value: float, single: float) -> None:
    print(f"{name:<34} {value:12.0f} candidates/s   ratio {value / single:7.1f}")


if __name__ == "__main__":
    main()

"""How well each extractor's judge answers, after learning from few simulated designs; apart from any search.

    python benchmarks/judge_quality.py [--spec specs/opamp_cc_rz.yaml] [--designs 100] [--splits 5] [--out table.csv]

Random designs are simulated once. For every split a judge is fitted on `--designs` of them, ten times in a row as in a
run, and asked of the others whether they are no worse than the design of rank 20 among those it has seen. Reported by
metric: the share of right answers, and the area under the ROC curve, which does not reward always saying no.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from sizing.clock import Clock
from sizing.evaluation.evaluator import Evaluation, values_of
from sizing.search.context import Context
from sizing.search.evolution import Streams
from sizing.search.methods import DISCRIMINATORS
from sizing.simulation.pool import SimulationPool, default_workers
from sizing.specfile.load import load_spec
from sizing.task.objectives import no_worse, order
from sizing.task.settings import RunSettings

METHODS_COMPARED = ("fc", "gnn-random", "gnn-frozen", "gnn-finetuned")
OTHERS = 500
FITS = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spec", type=Path, default=Path("specs/opamp_cc_rz.yaml"))
    parser.add_argument("--designs", type=int, default=100)
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--out", type=Path, default=None)
    given = parser.parse_args()
    spec = load_spec(given.spec)
    problem = spec.problem
    rows = []
    for split in range(given.splits):
        rng = np.random.default_rng(1000 + split)
        designs = rng.integers(0, problem.shape, (given.designs + OTHERS, len(problem.shape))).tolist()
        with SimulationPool(spec.task, default_workers(), spec.run.timeout) as pool:
            outcomes = pool.run([problem.job(design) for design in designs])
        measured = [Evaluation(i, tuple(d), o) for i, (d, o) in enumerate(zip(designs, outcomes, strict=True))]
        measured = [evaluation for evaluation in measured if evaluation.ok]
        known, asked = measured[: given.designs], measured[given.designs :]
        reference = known[order(problem, values_of(known))[19]]
        truth = no_worse(problem, values_of(asked), values_of([reference]))
        for method in METHODS_COMPARED:
            circuits = {bench.name: bench.circuit for bench in spec.benches}
            context = Context(problem, RunSettings(), circuits, None, Streams.from_seed(split), Clock())
            judge = DISCRIMINATORS[method](context)
            for _ in range(FITS):
                judge.fit(known)
            answer = judge.judge(np.array([evaluation.design for evaluation in asked]), reference)
            for m, metric in enumerate(problem.metrics):
                right = float(np.mean((answer[:, m] > 0.5) == truth[:, m]))
                rows.append((spec.problem.name, method, split, metric.name, right, area(answer[:, m], truth[:, m])))
    found = pd.DataFrame(rows, columns=["spec", "method", "split", "metric", "right", "area"])
    if given.out:
        found.to_csv(given.out, index=False)
    for column in ("right", "area"):
        table = found.pivot_table(index="method", columns="metric", values=column, sort=False)
        table["mean"] = table.mean(axis=1)
        by_split = found.groupby(["method", "split"])[column].mean().groupby("method").sem()
        print(column, table.round(3).assign(se=by_split.round(4)).to_string(), sep="\n")


def area(score, truth) -> float:
    """Area under the ROC curve: how often a candidate that passes scores above one that does not."""
    if truth.all() or not truth.any():
        return float("nan")
    ranks = pd.Series(score).rank().to_numpy()
    passed = truth.sum()
    return float((ranks[truth].sum() - passed * (passed + 1) / 2) / (passed * (len(truth) - passed)))


if __name__ == "__main__":
    main()

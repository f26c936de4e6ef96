"""Settling times as the spec simulates them, beside a transient in steps of 100 ps, on random designs.

    python benchmarks/settling.py [--designs 300] [--spec specs/opamp_cc.yaml]

Prints the largest error, how often the two disagree on whether a design settles, and the ratio of simulation times.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from sizing.simulation.pool import SimulationPool, default_workers
from sizing.simulation.simulator import Measured, Outcome
from sizing.specfile.load import Spec, load_spec
from sizing.task.bench import Bench
from sizing.task.job import Job

SPEC = Path(__file__).parent.parent / "specs" / "opamp_cc.yaml"
SEED = 2022


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--designs", type=int, default=300)
    parser.add_argument("--spec", type=Path, default=SPEC)
    arguments = parser.parse_args()
    spec = load_spec(arguments.spec)
    follower = next(bench for bench in spec.benches if bench.name == "follower")
    rng = np.random.default_rng(SEED)
    jobs = [
        spec.problem.job(d) for d in rng.integers(0, spec.problem.shape, (arguments.designs, len(spec.problem.shape)))
    ]
    ours, reference = (simulate(spec, bench, jobs) for bench in (follower, in_fine_steps(follower)))
    times = np.array([[value(outcome) for outcome in outcomes] for outcomes in (ours, reference)])
    settled = np.isfinite(times).all(axis=0)
    error = np.abs(times[0] / times[1] - 1)[settled]
    seconds = [sum(outcome.seconds for outcome in outcomes) for outcomes in (ours, reference)]
    print(f"{arguments.designs} random designs of {arguments.spec.stem}, {settled.sum()} settle in both")
    print(
        f"error: median {np.median(error):.2%}, 99th percentile {np.quantile(error, 0.99):.2%}, max {error.max():.2%}"
    )
    print(f"above 1 %: {(error > 0.01).sum()}; settles in one only: {(np.isfinite(times).sum(axis=0) == 1).sum()}")
    per_design = [1e3 * total / arguments.designs for total in seconds]
    print(f"simulation: {per_design[0]:.1f} ms a design, in fine steps {per_design[1]:.1f} ms: "
          f"{seconds[1] / seconds[0]:.1f} times as long")  # fmt: skip


def simulate(spec: Spec, bench: Bench, jobs: list[Job]) -> list[Outcome]:
    measures = tuple(measure for measure in spec.measures if measure.measure == "settling_time")
    task = replace(spec.task, benches=(bench,), measures=measures)
    with SimulationPool(task, default_workers(), 60) as pool:
        return pool.run(jobs)


def in_fine_steps(bench: Bench) -> Bench:
    """The same bench with ngspice's default truncation error and a step of 100 ps."""
    analyses = tuple(replace(analysis, command="tran 100p 1u") for analysis in bench.analyses)
    lines = tuple(replace(line, text=line.text.replace("trtol=0.0002", "")) for line in bench.lines)
    return replace(bench, analyses=analyses, lines=lines)


def value(outcome: Outcome) -> float:
    if not isinstance(outcome, Measured):
        raise SystemExit(f"a design failed: {outcome}")
    return outcome.values[0]


if __name__ == "__main__":
    main()

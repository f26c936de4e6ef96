"""Candidates judged a second by the learned judge, alone and with the breeding that feeds it; on one core.

    python benchmarks/judge.py [--chunk 4096]

The ratio is to judging the same candidates one at a time, in the same run.
"""

import argparse
import time
from pathlib import Path

import numpy as np

from sizing.evaluation import Evaluation
from sizing.search.evolution import toolbox
from sizing.search.selection import select
from sizing.settings import JudgeSettings, SearchSettings
from sizing.simulation.simulator import Measured
from sizing.spec.load import load_spec
from surrogates.discriminator import LearnedDiscriminator

SPEC = Path(__file__).parent.parent / "specs" / "opamp_cc.yaml"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chunk", type=int, default=4096)
    chunk = parser.parse_args().chunk
    problem = load_spec(SPEC).problem
    rng = np.random.default_rng(0)
    values = rng.random((100, len(problem.metrics)))
    designs = rng.integers(0, problem.shape, (100, len(problem.shape)))
    population = [
        Evaluation(i, tuple(design), Measured(tuple(row), {}))
        for i, (design, row) in enumerate(zip(designs.tolist(), values.tolist(), strict=True))
    ]
    judge = LearnedDiscriminator(problem, JudgeSettings(), rng)
    judge.fit(population)
    selection = select(problem, values, (), rank=20, pool=100, rng=rng)
    box = toolbox(problem, SearchSettings(), rng)
    candidates = box.breed(designs, selection, chunk)
    batched = rate(lambda: len(judge.judge(candidates, population[0])))
    fed = rate(lambda: len(judge.judge(box.breed(designs, selection, chunk), population[0])))
    single = rate(lambda: sum(len(judge.judge(candidates[i : i + 1], population[0])) for i in range(100)))
    print(f"chunks of {chunk}, {SPEC.stem}, {len(problem.metrics)} metrics, one core")
    for name, value in (("judged in batches", batched), ("bred and judged", fed), ("judged one at a time", single)):
        print(f"{name:<22} {value:12.0f} candidates/s   ratio {value / single:7.1f}")


def rate(work, seconds: float = 2.0) -> float:
    """Candidates a second over about this time."""
    work()
    began, done = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        done += work()
    return done / (time.perf_counter() - began)


if __name__ == "__main__":
    main()

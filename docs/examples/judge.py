"""A judge of one's own in the evolutionary loop: a vote of the nearest designs. python docs/examples/judge.py SPEC"""

import sys

import numpy as np
from pydantic import Field

import sizing


class Vote(sizing.Settings):
    k: int = Field(5, ge=1, description="designs that vote")


class Nearest:
    counts = True  # as queries
    chunk = 256

    def __init__(self, context: sizing.Context) -> None:
        self.problem, self.k = context.problem, context.own.k

    def fit(self, evaluations: list[sizing.Evaluation]) -> None:
        self.designs = sizing.designs_of(evaluations) / self.problem.shape
        self.values = sizing.values_of(evaluations)

    def judge(self, candidates, reference=None, pending=None) -> np.ndarray:
        distances = np.linalg.norm(candidates[:, None] / self.problem.shape - self.designs, axis=2)
        nearest = np.argsort(distances, axis=1)[:, : self.k]
        if reference is None:
            good = sizing.meets(self.problem, self.values)
        else:
            good = sizing.no_worse(self.problem, self.values, sizing.values_of([reference]))
        return good[nearest].mean(axis=1) * 0.9 + 0.05  # never sure


METHOD = sizing.Method("a vote of the nearest designs", sizing.evolution(Nearest), own=Vote)

if __name__ == "__main__":
    result = sizing.run(sys.argv[1], method=METHOD, own={"k": 3})
    print(result.status, result.table["sims_total"][0])

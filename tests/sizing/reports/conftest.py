"""Runs with known numbers: one variable, and one metric that wants at least 1, so that cost is what is missing to 1."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sizing.evaluation.evaluator import Simulation
from sizing.runs.records.reading import Batch, RunRecord
from sizing.simulation.simulator import Failed, Measured
from sizing.task.problem import Metric, Problem, Variable

NAN = float("nan")
MakeRun = Callable[..., RunRecord]


@pytest.fixture(scope="session")
def make_run() -> MakeRun:
    """A run that was asked for two designs in spec and simulated these values in order; None failed, NaN has none.

    The first design is the initial one; `judgement` is of the others, against the evaluation `reference`.
    """

    def make(
        values: list[float | None],
        method: str = "evo",
        seed: int = 0,
        *,
        spec: str = "amp",
        queries: int | None = None,
        judgement: list[float] | None = None,
        reference: int | None = 0,
        message: str = "no convergence",
        **changes: Any,
    ) -> RunRecord:
        problem = Problem(spec, "amp", (Variable("w", (1e-6, 2e-6), "m"),), (Metric("gain", "V/V", at_least=1.0),))
        outcomes = [
            Failed("convergence", message)
            if value is None
            else Measured((value,), {0: message} if value != value else {})
            for value in values
        ]
        count = len(values)
        manifest = {
            "method": method, "seed": seed, "run": {"method": method, "in_spec": 2, "initial": 1, "max_sims": 9},
            "created": "2026-05-01T10:00:00+00:00", "host": "bench", "platform": "Linux", "versions": {"ngspice": "39"},
            "command": ["sizing", "run", f"{spec}.yaml"], "checkpoint": None,
        }  # fmt: skip
        decision = {"critical": ["gain"], "reference": reference, "bred": 7, "judged": queries, "regardless": 0}
        if judgement is not None:
            decision["judgement"] = [[each] for each in judgement]
        summary = {"status": "in spec", "wall_s": 2.0, "simulate_s": 1.0, "train_s": 0.5, "query_s": 0.25}
        record = RunRecord(
            Path(f"runs/{spec}-{method}-s{seed}"), manifest, problem,
            tuple(Simulation(index, (index % 2,), outcome) for index, outcome in enumerate(outcomes)),
            tuple("initial" if index == 0 else "search" for index in range(count)),
            (Batch((0,)), Batch(tuple(range(1, count)), decision)) if count else (), summary,
        )  # fmt: skip
        return replace(record, **changes)

    return make

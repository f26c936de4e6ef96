"""Sensitivities: correlations that other variables do not feign, and elasticities of known functions."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sizing.evaluation.evaluator import Simulation
from sizing.reports.sensitivity import correlations, elasticities, partial_rank_correlations
from sizing.runs.records.inspection import Inspection, Step
from sizing.runs.records.reading import Batch, RunRecord
from sizing.simulation.simulator import Failed, Measured
from sizing.task.problem import Metric, Problem, Variable

GRID = tuple(float(value) for value in range(100, 200))
PROBLEM = Problem(
    "amp", "amp", (Variable("x", GRID), Variable("y", GRID)),
    (Metric("square", "V", at_least=100.0**2), Metric("inverse", "V", at_most=1.0)),
)  # fmt: skip


def values(x: float, y: float) -> tuple[float, float]:
    return x**2, -1 / y


def record_of(designs: list[tuple[int, int]]) -> RunRecord:
    found = tuple(
        Simulation(number, design, Measured(values(*(GRID[place] for place in design)), {}))
        for number, design in enumerate(designs)
    )
    return RunRecord(Path("run"), {}, PROBLEM, found, ("initial",) * len(found), (Batch(tuple(range(len(found)))),), {})


def test_a_variable_that_moves_with_another_gets_no_credit():
    random = np.random.default_rng(1)
    x = random.normal(size=300)
    follower = x + 0.3 * random.normal(size=300)
    answer = np.exp(x) + 0.2 * random.normal(size=300)
    found = partial_rank_correlations(np.column_stack([x, follower]), answer)
    assert found[0] > 0.6
    assert abs(found[1]) < 0.15


def test_ranks_alone_count_and_what_does_not_vary_has_no_correlation():
    random = np.random.default_rng(2)
    settings = np.column_stack([random.normal(size=(50, 2)), np.ones(50)])
    answer = settings[:, 0] - settings[:, 1]
    found = partial_rank_correlations(settings, answer)
    assert np.array_equal(found[:2], partial_rank_correlations(settings, np.exp(answer))[:2])
    assert found[0] > 0.9
    assert found[1] < -0.9
    assert np.isnan(found[2])
    assert np.isnan(partial_rank_correlations(settings, np.ones(50))).all()


def test_intervals_hold_nothing_where_nothing_is():
    """Of many variables without an effect, about one in twenty should look sure."""
    random = np.random.default_rng(3)
    record = record_of([(int(a), int(b)) for a, b in random.integers(0, 100, (60, 2))])
    sure = []
    for _ in range(100):
        outcomes = (Measured(tuple(random.normal(size=2)), {}) for _ in record.simulations)
        found = tuple(replace(each, outcome=o) for each, o in zip(record.simulations, outcomes, strict=True))
        told = correlations(replace(record, simulations=found))
        assert np.all((told.low < told.value) & (told.value < told.high))
        sure.append(told.sure)
    assert 0.02 < np.mean(sure) < 0.09
    real = correlations(record)
    assert real.sure.tolist() == [[True, False], [False, True]]
    assert real.value[0, 0] == pytest.approx(1)


def test_too_few_designs_tell_nothing():
    found = correlations(record_of([(1, 2), (3, 1), (5, 9), (2, 8), (7, 4), (6, 6)]))
    assert np.isnan(found.value).all()
    assert not found.sure.any()


def step(variable: int, direction: int, design: tuple[int, int]) -> Step:
    place = list(design)
    place[variable] += direction
    return Step(variable, direction, Measured(values(*(GRID[each] for each in place)), {}))


def test_elasticities_are_the_exponents_of_a_power_law():
    here = (50, 50)
    steps = tuple(step(variable, way, here) for variable in (0, 1) for way in (-1, 1))
    found = elasticities(record_of([here]), Inspection(here, "", {}, {}, None, steps))
    assert found.value[0, 0] == pytest.approx(2)
    assert found.value[1, 1] == pytest.approx(1, rel=1e-3)  # the metric is negative and rises with the variable
    assert found.value[0, 1] == found.value[1, 0] == 0
    assert not found.one_sided.any()
    assert not np.any(found.misses_up | found.misses_down)


def test_one_side_counts_alone_at_an_end_and_where_the_other_failed():
    here = (0, 50)
    steps = (step(0, 1, here), Step(1, -1, Failed("convergence", "no")), step(1, 1, here))
    found = elasticities(record_of([here]), Inspection(here, "", {}, {}, None, steps))
    assert found.value[0, 0] == pytest.approx(2.01)
    assert found.one_sided.all()
    assert found.misses_down.tolist() == [[False, False], [True, True]]
    assert not found.misses_up.any()
    none = elasticities(record_of([here]), Inspection(here, "", {}, {}, None, ()))
    assert np.isnan(none.value).all()


def test_a_step_that_misses_a_target_is_marked():
    here = (0, 50)
    low = Step(1, -1, Measured((100.0**2 - 1, -1.0), {}))
    found = elasticities(record_of([here]), Inspection(here, "", {}, {}, None, (low,)))
    assert found.misses_down.tolist() == [[False, False], [True, False]]

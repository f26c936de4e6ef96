"""Aims: which designs in spec are to be beaten, in what, and by how much."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from sizing.evaluation.evaluator import Evaluation
from sizing.search.aim import FIRST_STEP, STEPS, Aim, Aims
from sizing.search.discriminator import Oracle
from sizing.simulation.simulator import Measured
from sizing.task.problem import Metric, Problem, Variable

LINE = (Variable("x", tuple(map(float, range(100)))),)
POWER = Metric("power", "W", at_most=9.0, goal="minimize")
OFFSET = Metric("offset", "V", at_most=9.0, goal="minimize")
PHASE = Metric("pm", "deg", at_least=60.0)
ONE = Problem("p", "t", LINE, (POWER, PHASE))
TWO = Problem("p", "t", LINE, (POWER, OFFSET, PHASE))
FRONT = ((1.0, 8.0, 70.0), (2.0, 7.0, 70.0), (7.0, 1.0, 70.0), (0.1, 0.1, 10.0), (8.0, 8.0, 70.0))
"""Three designs on the front with a narrow gap and a wide one, one that is not in spec, and one that is beaten."""


def aims(problem: Problem, rows: Sequence[tuple[float, ...]], count: int) -> list[Aim]:
    chooser = Aims(problem)
    population = [Evaluation(n, (n,), Measured(row, {})) for n, row in enumerate(rows)]
    found = [chooser.next(population, np.array(rows)) for _ in range(count)]
    return [aim for aim in found if aim]


def rivals(aim: Aim) -> tuple[int, ...]:
    return tuple(sorted(rival.evaluation.index for rival in aim.rivals))


def test_there_is_no_aim_before_a_design_is_in_spec_nor_without_objectives():
    assert aims(ONE, [(1.0, 50.0), (10.0, 70.0)], 1) == []
    assert aims(Problem("p", "t", LINE, (PHASE,)), [(70.0,)], 1) == []


@pytest.mark.parametrize(("goal", "sign", "best"), [("minimize", -1, 2.0), ("maximize", 1, 4.0)])
def test_one_objective_aims_a_step_beyond_the_best_in_spec(goal: str, sign: int, best: float):
    problem = Problem("p", "t", LINE, (Metric("power", "W", goal=goal), PHASE))
    (aim,) = aims(problem, [(4.0, 70.0), (2.0, 70.0), (1.0, 30.0), (5.0, 30.0)], 1)
    assert aim.values == {"power": pytest.approx(best * (1 + sign * FIRST_STEP))}
    assert replace(aim, step=STEPS[-1]).values == {"power": pytest.approx(best * (1 + sign * STEPS[-1]))}
    assert aim.parents.tolist() == ([1, 0] if goal == "minimize" else [0, 1])


def test_an_aim_stays_within_the_metrics_own_targets():
    problem = Problem("p", "t", LINE, (Metric("level", "V", at_least=1.0, at_most=3.0, goal="minimize"),))
    (aim,) = aims(problem, [(1.001,)], 1)
    assert aim.values == {"level": 1.0}


def test_several_objectives_aim_at_the_ends_of_the_front_and_into_its_gaps_the_widest_first():
    first = aims(TWO, FRONT, 3)
    assert {tuple(aim.values) for aim in first} == {("power",), ("offset",), ("power", "offset")}
    gap = next(aim for aim in first if len(aim.values) == 2)
    assert rivals(gap) == (1, 2)
    assert set(gap.parents[:2].tolist()) == {1, 2}
    for step in STEPS:
        reached = replace(gap, step=step).values
        assert 0 < reached["power"] < 7.0
        assert 0 < reached["offset"] < 7.0


def test_a_place_that_gives_nothing_is_left_for_others_in_time():
    assert {rivals(aim) for aim in aims(TWO, FRONT, 25)} == {(0,), (2,), (0, 1), (1, 2)}


def test_a_lone_design_in_spec_is_both_ends():
    assert {(rivals(aim), *aim.values) for aim in aims(TWO, FRONT[:1], 4)} == {((0,), "power"), ((0,), "offset")}


def test_each_objective_is_judged_against_its_own_rival_and_the_rest_against_targets():
    outcomes = {10: (3.0, 3.0, 65.0), 11: (3.0, 8.5, 65.0), 12: (8.0, 3.0, 65.0), 13: (3.0, 3.0, 50.0)}

    class Known:
        def evaluate(self, designs: Sequence[tuple[int]], purpose: str) -> list[Evaluation]:
            return [Evaluation(d[0], d, Measured(outcomes[d[0]], {})) for d in designs]

    oracle = Oracle(TWO, Known())  # type: ignore[arg-type]
    candidates = np.array([[design] for design in outcomes])
    gap = next(aim for aim in aims(TWO, FRONT, 3) if len(aim.values) == 2)
    np.testing.assert_array_equal(gap.judge(oracle, candidates), [[1, 1, 1], [1, 0, 1], [0, 1, 1], [1, 1, 0]])
    end = next(aim for aim in aims(TWO, FRONT, 3) if tuple(aim.values) == ("offset",))
    np.testing.assert_array_equal(end.judge(oracle, candidates), [[1, 0, 1]] * 3 + [[1, 0, 0]])

"""Aims: which designs in spec are to be beaten, in what, and by how much."""

import numpy as np
from numpy.typing import NDArray

from sizing.evaluation import Evaluation
from sizing.problem import Metric, Problem, Variable
from sizing.search.aim import FIRST_STEP, SMALLEST_STEP, Aims
from sizing.search.discriminator import Oracle
from sizing.simulation.simulator import Measured

LINE = (Variable("x", tuple(map(float, range(100)))),)
POWER = Metric("power", "W", at_most=9.0, goal="minimize")
OFFSET = Metric("offset", "V", at_most=9.0, goal="minimize")
PHASE = Metric("pm", "deg", at_least=60.0)
ONE = Problem("p", "t", LINE, (POWER, PHASE))
TWO = Problem("p", "t", LINE, (POWER, OFFSET, PHASE))


def population(*rows: tuple[float, ...]) -> tuple[list[Evaluation], NDArray[np.float64]]:
    return [Evaluation(n, (n,), Measured(row, {})) for n, row in enumerate(rows)], np.array(rows)


def test_there_is_no_aim_before_a_design_is_in_spec():
    assert Aims(ONE).next(*population((1.0, 50.0), (10.0, 70.0))) is None
    assert Aims(Problem("p", "t", LINE, (PHASE,))).next(*population((70.0,))) is None


def test_one_objective_aims_beyond_the_best_in_spec_with_steps_that_grow_with_success_and_shrink_without():
    aims = Aims(ONE)
    first = aims.next(*population((4.0, 70.0), (2.0, 70.0), (1.0, 30.0)))
    assert first is not None
    assert first.values(ONE) == {"power": 2 * (1 - FIRST_STEP)}
    assert [first.references[0][0].index, *first.parents] == [1, 1, 0]
    again = aims.next(*population((4.0, 70.0), (2.0, 70.0)))
    better = aims.next(*population((4.0, 70.0), (1.5, 70.0)))
    assert again is not None
    assert better is not None
    assert again.values(ONE) == {"power": 2 * (1 - FIRST_STEP / 2)}
    assert better.values(ONE) == {"power": 1.5 * (1 - FIRST_STEP)}
    for _ in range(20):
        last = aims.next(*population((4.0, 70.0), (1.5, 70.0)))
    assert last is not None
    assert last.values(ONE) == {"power": 1.5 * (1 - SMALLEST_STEP)}


def test_several_objectives_aim_at_the_ends_of_the_front_and_into_its_gaps_the_widest_first():
    aims = Aims(TWO)
    known = population((1.0, 8.0, 70.0), (2.0, 7.0, 70.0), (7.0, 1.0, 70.0), (0.1, 0.1, 10.0), (8.0, 8.0, 70.0))
    found = [aims.next(*known) for _ in range(4)]
    aimed = [set(aim.values(TWO)) for aim in found if aim]
    assert aimed[:3].count({"power", "offset"}) == 1
    assert {"power"} in aimed[:3]
    assert {"offset"} in aimed[:3]
    gap = next(aim for aim in found if aim and len(aim.values(TWO)) == 2)
    assert 2.0 < gap.values(TWO)["power"] < 7.0
    assert 1.0 < gap.values(TWO)["offset"] < 7.0
    assert {reference.index for reference, _ in gap.references} == {1, 2}
    assert set(gap.parents[:2].tolist()) == {1, 2}


def test_a_place_that_gives_nothing_is_left_for_others_in_time():
    aims = Aims(TWO)
    known = population((1.0, 8.0, 70.0), (2.0, 6.0, 70.0), (7.0, 1.0, 70.0))
    found = [aims.next(*known) for _ in range(12)]
    places = {tuple(sorted(reference.index for reference, _ in aim.references)) for aim in found if aim}
    assert places == {(0, 1), (1, 2), (0,), (2,)}


def test_the_answers_are_each_of_its_own_reference():
    aims = Aims(TWO)
    known = population((1.0, 8.0, 70.0), (2.0, 6.0, 70.0), (7.0, 1.0, 70.0))
    gap = next(aim for aim in (aims.next(*known) for _ in range(9)) if aim and len(aim.values(TWO)) == 2)
    outcomes = {10: (3.0, 3.0, 65.0), 11: (3.0, 8.5, 65.0), 12: (8.0, 3.0, 65.0), 13: (3.0, 3.0, 50.0)}

    class Known:
        def evaluate(self, designs: list[tuple[int]], purpose: str) -> list[Evaluation]:
            return [Evaluation(d[0], d, Measured(outcomes[d[0]], {})) for d in designs]

    oracle = Oracle(TWO, Known())  # type: ignore[arg-type]
    judged = gap.judge(oracle, TWO, np.array([[design] for design in outcomes]))
    np.testing.assert_array_equal(judged, [[1, 1, 1], [1, 0, 1], [0, 1, 1], [1, 1, 0]])

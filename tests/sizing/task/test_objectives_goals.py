"""Objectives among designs in spec: order, front, hypervolume, and what "no worse" and "better" mean of them."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymoo.indicators.hv import HV

from sizing.task.objectives import better, completed, figures, front, hypervolume, in_spec, no_worse, order, penalties
from sizing.task.problem import Metric, Problem, Variable

NAN = float("nan")
LINE = (Variable("x", (0.0, 1.0)),)
CURRENT = Metric("current", "A", at_most=2.0, goal="minimize")
GAIN = Metric("gain", "V/V", at_least=3.0, goal="maximize")
PHASE = Metric("pm", "deg", at_least=60.0)
ONE = Problem("p", "t", LINE, (CURRENT, PHASE))
TWO = Problem("p", "t", LINE, (CURRENT, GAIN, PHASE))
FREE = Problem("p", "t", LINE, (Metric("area", "m2", goal="minimize"), PHASE))


def test_designs_in_spec_come_in_the_order_of_the_objective_and_the_others_by_penalty_behind_them():
    values = np.array([[1.5, 70], [0.1, 30], [1.0, 61], [0.2, 45], [2.0, 60], [NAN, 70]])
    assert order(ONE, values).tolist() == [2, 0, 4, 3, 1, 5]
    assert order(ONE, values, [1]).tolist() == [2, 0, 4, 5, 3, 1]


def test_an_objective_without_target_costs_nothing_but_must_exist():
    values = np.array([[5.0, 70], [1e9, 70], [NAN, 70]])
    np.testing.assert_array_equal(penalties(FREE, values), [[0, 0], [0, 0], [np.inf, 0]])
    assert in_spec(FREE, values).tolist() == [True, True, False]
    assert order(FREE, values).tolist() == [0, 1, 2]


def test_the_front_is_what_none_in_spec_beats():
    values = np.array([[1.0, 4, 70], [1.5, 5, 70], [1.5, 4, 70], [0.5, 9, 50], [1.0, 4, 60], [0.9, 3, 70]])
    assert front(TWO, values).tolist() == [True, True, False, False, True, True]
    assert order(TWO, values).tolist() == [5, 0, 4, 1, 2, 3]


points = st.lists(st.tuples(st.floats(0.1, 2.5), st.floats(2.5, 9.0)), min_size=1, max_size=12)


@given(points)
def test_the_hypervolume_is_that_of_others_in_units_of_the_targets(found: list[tuple[float, float]]):
    values = np.array([[current, gain, 70.0] for current, gain in found])
    scaled = np.array([[current / 2, -gain / 3] for current, gain, _ in values])
    assert hypervolume(TWO, values) == pytest.approx(HV(np.array([1.0, -1.0]))(scaled), abs=1e-9)


def test_three_objectives_have_a_volume_too_and_without_a_target_there_is_none():
    three = Problem("p", "t", LINE, (CURRENT, GAIN, Metric("offset", "V", at_most=1.0, goal="minimize")))
    rng = np.random.default_rng(0)
    values = np.column_stack([rng.uniform(0, 2, 30), rng.uniform(3, 9, 30), rng.uniform(0, 1, 30)])
    expected = HV(np.array([1.0, -1.0, 1.0]))(values / [2, -3, 1])
    assert hypervolume(three, values) == pytest.approx(expected)
    assert hypervolume(FREE, np.array([[5.0, 70.0]])) is None


@given(points)
def test_one_more_design_never_takes_from_the_hypervolume(found: list[tuple[float, float]]):
    values = np.array([[current, gain, 70.0] for current, gain in found])
    volumes = [hypervolume(TWO, values[:count]) for count in range(1, len(values) + 1)]
    assert all(later >= earlier - 1e-12 for earlier, later in pairwise(volumes))


def test_no_worse_than_a_reference_in_spec_is_as_good_an_objective():
    reference = np.array([[1.0, 4.0, 70.0]])
    values = np.array([[1.0, 4.0, 61.0], [1.1, 4.1, 59.0], [0.9, 3.5, 90.0], [NAN, NAN, NAN]])
    np.testing.assert_array_equal(
        no_worse(TWO, values, reference), [[True, True, True], [False, True, False], [True, False, True], [False] * 3]
    )


def test_no_worse_than_a_reference_that_misses_the_target_is_a_smaller_penalty():
    reference = np.array([[4.0, 2.0, 70.0]])
    values = np.array([[3.0, 2.5, 70.0], [0.5, 9.0, 70.0], [5.0, 1.0, 70.0]])
    np.testing.assert_array_equal(no_worse(TWO, values, reference)[:, :2], [[True, True], [True, True], [False, False]])


def test_better_tells_objectives_apart_that_meet_their_target():
    values, others = np.array([[1.0, 4.0, 70.0], [3.0, 2.0, 70.0]]), np.array([[1.5, 5.0, 65.0], [1.9, 3.1, 70.0]])
    np.testing.assert_array_equal(better(TWO, values, others), [[True, False, True], [False, False, False]])
    window = Problem("p", "t", LINE, (Metric("level", "V", at_least=1.0, at_most=2.0, goal="minimize"),))
    assert better(window, np.array([[1.1]]), np.array([[1.2]])).all()
    assert not better(window, np.array([[0.9]]), np.array([[1.2]])).any()


def test_figures_of_merit_are_made_of_what_was_measured():
    merit = Metric("merit", "", goal="maximize", sum_of=(("current", -0.5), ("gain", 1 / 3)))
    problem = Problem("p", "t", LINE, (CURRENT, GAIN, merit))
    whole = completed(problem, np.array([[1.0, 6.0], [NAN, 6.0]]))
    np.testing.assert_allclose(whole, [[1.0, 6.0, 1.5], [NAN, 6.0, NAN]])
    np.testing.assert_array_equal(completed(problem, whole), whole)
    np.testing.assert_allclose(figures(problem, whole)[0], [1.0, -6.0, -1.5])
    assert problem.measured == (CURRENT, GAIN)

"""Penalty, cost, rank, "meets" and "better": the one definition for every method and report."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sizing.task.objectives import better, cost, in_spec, meets, no_worse, order, order_by_value, penalties, violations
from sizing.task.problem import Metric, Problem, Variable

NAN = float("nan")


def problem(*metrics: Metric) -> Problem:
    return Problem("p", "t", (Variable("x", (0.0, 1.0)),), metrics)


def bounded(*bounds: tuple[float | None, float | None], weights: tuple[float, ...] = ()) -> Problem:
    """A problem with one metric for every (at_least, at_most)."""
    weights = weights or (1.0,) * len(bounds)
    return problem(*(Metric(f"m{i}", "", *bound, weight=weights[i]) for i, bound in enumerate(bounds)))


GAIN = bounded((300.0, None))
CURRENT = bounded((None, 0.2e-3))
WINDOW = bounded((2.0, 4.0))


def penalty(task: Problem, value: float) -> float:
    return float(penalties(task, np.array([value]))[0])


@pytest.mark.parametrize(("value", "expected"), [(300, 0), (500, 0), (150, 0.5), (0, 1), (-300, 2), (299, 1 / 300)])
def test_below_a_minimum_the_penalty_is_the_distance_in_units_of_the_target(value: float, expected: float):
    assert penalty(GAIN, value) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("value", "expected"), [(0.2e-3, 0), (0.1e-3, 0), (0, 0), (-1, 0), (0.4e-3, 0.5), (0.25e-3, 0.2), (1e6, 1)]
)
def test_above_a_maximum_the_penalty_is_the_distance_in_units_of_the_value(value: float, expected: float):
    assert penalty(CURRENT, value) == pytest.approx(expected)


@pytest.mark.parametrize(("value", "expected"), [(2, 0), (3, 0), (4, 0), (1, 0.5), (0, 1), (8, 0.5), (5, 0.2)])
def test_a_window_is_penalised_on_both_sides(value: float, expected: float):
    assert penalty(WINDOW, value) == pytest.approx(expected)


@pytest.mark.parametrize("bounds", [(0.3, None), (None, 0.3), (0.3, 0.3), (-0.3, None), (None, -0.3), (0.0, 0.0)])
def test_the_penalty_is_exactly_zero_at_the_target_and_positive_one_float_beyond(
    bounds: tuple[float | None, float | None],
):
    task = bounded(bounds)
    at_least, at_most = bounds
    if at_least is not None:
        assert penalty(task, at_least) == 0.0
        assert penalty(task, float(np.nextafter(at_least, -np.inf))) > 0.0
    if at_most is not None:
        assert penalty(task, at_most) == 0.0
        assert penalty(task, float(np.nextafter(at_most, np.inf))) > 0.0


@pytest.mark.parametrize(
    ("task", "value", "expected"),
    [
        (GAIN, 600, -0.5),
        (GAIN, 300, 0),
        (GAIN, 150, 0.5),
        (CURRENT, 1e-4, -0.5),
        (CURRENT, 4e-4, 0.5),
        (WINDOW, 3, -0.25),
    ],
)
def test_a_violation_is_the_penalty_and_below_zero_the_margin(task: Problem, value: float, expected: float):
    assert float(violations(task, np.array([value]))[0]) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("bounds", "value", "expected"),
    [
        ((0.0, None), -0.25, 0.25),
        ((0.0, None), 0.0, 0),
        ((None, 0.0), 0.25, 0.25),
        ((None, 0.0), 0.0, 0),
        ((None, 0.0), -1.0, 0),
        ((None, -40.0), -40.0, 0),
        ((None, -40.0), -50.0, 0),
        ((None, -40.0), -20.0, 0.5),
        ((None, -40.0), 0.0, 1),
        ((None, -40.0), 40.0, 2),
        ((-40.0, None), -60.0, 0.5),
        ((-2.0, -1.0), 0.0, 1),
        ((-2.0, -1.0), -3.0, 0.5),
    ],
)
def test_targets_of_zero_and_below_have_penalties_that_grow_with_the_distance(
    bounds: tuple[float | None, float | None], value: float, expected: float
):
    assert penalty(bounded(bounds), value) == pytest.approx(expected)


def test_cost_is_the_weighted_sum_of_penalties():
    task = bounded((300.0, None), (None, 2.0), weights=(1.0, 3.0))
    values = np.array([[150.0, 4.0], [300.0, 4.0], [150.0, 1.0], [300.0, 2.0]])
    np.testing.assert_allclose(penalties(task, values), [[0.5, 0.5], [0, 0.5], [0.5, 0], [0, 0]])
    np.testing.assert_allclose(cost(task, values), [2.0, 1.5, 0.5, 0.0])
    assert cost(task, values[0]).shape == ()
    assert cost(task, values[0]) == pytest.approx(2.0)


def test_meets_is_asked_of_every_metric_and_in_spec_of_all():
    task = bounded((1.0, None), (None, 1.0))
    values = np.array([[1.0, 1.0], [2.0, 2.0], [0.0, 2.0], [NAN, 0.0]])
    np.testing.assert_array_equal(meets(task, values), [[True, True], [True, False], [False, False], [False, True]])
    np.testing.assert_array_equal(in_spec(task, values), [True, False, False, False])


def test_a_missing_value_is_infinitely_penalised_and_meets_nothing():
    for task in (GAIN, CURRENT, WINDOW):
        assert penalty(task, NAN) == np.inf
        assert cost(task, np.array([NAN])) == np.inf
        assert not meets(task, np.array([NAN]))[0]


@pytest.mark.parametrize("task", [GAIN, CURRENT, WINDOW])
@pytest.mark.parametrize("value", [-1e30, 0.0, 3.0, 1e30])
def test_a_missing_value_ranks_below_every_measured_one(task: Problem, value: float):
    measured, missing = np.array([value]), np.array([NAN])
    assert better(task, measured, missing)[0]
    assert not better(task, missing, measured)[0]
    assert no_worse(task, measured, missing)[0]
    assert not no_worse(task, missing, measured)[0]
    assert order(task, np.array([[NAN], [value]])).tolist() == [1, 0]
    assert order_by_value(task, np.array([[NAN], [value]]), 0).tolist() == [1, 0]


@pytest.mark.parametrize("task", [GAIN, CURRENT, WINDOW])
def test_of_two_missing_values_neither_is_better_and_each_is_no_worse(task: Problem):
    missing = np.array([NAN])
    assert not better(task, missing, missing)[0]
    assert no_worse(task, missing, missing)[0]


def test_better_looks_beyond_the_target():
    assert better(GAIN, np.array([500.0]), np.array([400.0]))[0]
    assert better(CURRENT, np.array([1e-6]), np.array([2e-6]))[0]
    assert not better(CURRENT, np.array([2e-6]), np.array([1e-6]))[0]


def test_within_a_window_no_value_is_better_than_another():
    assert not better(WINDOW, np.array([3.0]), np.array([2.5]))[0]
    assert better(WINDOW, np.array([2.5]), np.array([5.0]))[0]
    assert better(WINDOW, np.array([5.0]), np.array([1.0]))[0]  # a fifth of the value beats half of the target


def test_no_worse_is_satisfied_by_meeting_the_target():
    assert no_worse(GAIN, np.array([301.0]), np.array([999.0]))[0]
    assert not no_worse(GAIN, np.array([299.0]), np.array([301.0]))[0]
    assert no_worse(GAIN, np.array([200.0]), np.array([200.0]))[0]
    assert no_worse(GAIN, np.array([201.0]), np.array([200.0]))[0]
    assert not no_worse(GAIN, np.array([199.0]), np.array([200.0]))[0]


def test_better_and_no_worse_compare_a_batch_with_one_reference():
    task = bounded((1.0, None), (None, 1.0))
    values, reference = np.array([[0.5, 2.0], [2.0, 0.5]]), np.array([[0.7, 1.5]])
    np.testing.assert_array_equal(better(task, values, reference), [[False, False], [True, True]])
    np.testing.assert_array_equal(no_worse(task, values, reference), [[False, False], [True, True]])


def test_order_is_by_cost_and_ties_keep_their_order():
    task = bounded((1.0, None), (None, 1.0))
    values = np.array([[0.5, 1.0], [1.0, 1.0], [0.5, 0.0], [9.0, 0.0], [0.5, 2.0], [0.4, 1.0]])
    assert order(task, values).tolist() == [1, 3, 0, 2, 5, 4]


def test_order_counts_missing_metrics_before_it_looks_at_penalties():
    task = bounded((1.0, None), (1.0, None), (1.0, None))
    values = np.array([[NAN, NAN, 1.0], [NAN, 1.0, -50.0], [-50.0, -50.0, -50.0], [1.0, NAN, 0.0]])
    assert order(task, values).tolist() == [2, 3, 1, 0]


def test_order_may_look_at_some_metrics_only_and_weighs_them():
    task = bounded((1.0, None), (1.0, None), (1.0, None), weights=(1.0, 5.0, 1.0))
    values = np.array([[NAN, 0.9, 0.0], [1.0, 0.5, 1.0], [0.0, 1.0, -1.0]])
    assert order(task, values, [1]).tolist() == [2, 0, 1]
    assert order(task, values, (1, 2)).tolist() == [0, 2, 1]
    assert order(task, values, [2]).tolist() == [1, 0, 2]


def test_order_by_value_ignores_the_target_and_other_metrics():
    task = bounded((1.0, None), (None, 1.0), (2.0, 4.0))
    values = np.array([[2.0, 5.0, 9.0], [7.0, NAN, 3.0], [7.0, 0.1, 2.0], [NAN, 0.2, 1.0]])
    assert order_by_value(task, values, 0).tolist() == [1, 2, 0, 3]
    assert order_by_value(task, values, 1).tolist() == [2, 3, 0, 1]
    assert order_by_value(task, values, 2).tolist() == [1, 2, 3, 0]


halves = st.integers(-40, 40).map(lambda n: n / 2)
some_bounds = st.one_of(
    st.tuples(halves, st.none()),
    st.tuples(st.none(), halves),
    st.tuples(halves, halves).map(lambda pair: (min(pair), max(pair))),
)
measured_values = st.integers(-400, 400).map(lambda n: n / 4)
any_values = measured_values | st.just(NAN)


@st.composite
def tasks_and_values(draw: st.DrawFn, rows: int) -> tuple[Problem, np.ndarray]:
    bounds = draw(st.lists(some_bounds, min_size=1, max_size=4))
    weights = draw(st.lists(st.sampled_from([0.5, 1.0, 3.0]), min_size=len(bounds), max_size=len(bounds)))
    row = st.lists(any_values, min_size=len(bounds), max_size=len(bounds))
    values = draw(st.lists(row, min_size=rows, max_size=rows))
    return bounded(*bounds, weights=tuple(weights)), np.array(values)


@given(tasks_and_values(2))
def test_better_is_antisymmetric_and_never_of_itself(drawn: tuple[Problem, np.ndarray]):
    task, (first, second) = drawn
    assert not (better(task, first, second) & better(task, second, first)).any()
    assert not better(task, first, first).any()


@given(tasks_and_values(3))
def test_better_is_transitive(drawn: tuple[Problem, np.ndarray]):
    task, (first, second, third) = drawn
    chained = better(task, first, second) & better(task, second, third)
    assert (better(task, first, third) | ~chained).all()


@given(tasks_and_values(2))
def test_no_worse_is_meeting_the_target_or_being_as_good(drawn: tuple[Problem, np.ndarray]):
    task, (value, reference) = drawn
    assert no_worse(task, value, value).all()
    as_good = ~better(task, reference, value)
    np.testing.assert_array_equal(no_worse(task, value, reference), meets(task, value) | as_good)


@given(tasks_and_values(1))
def test_a_design_is_in_spec_when_and_only_when_it_costs_nothing(drawn: tuple[Problem, np.ndarray]):
    task, values = drawn
    np.testing.assert_array_equal(in_spec(task, values), cost(task, values) == 0.0)
    for value, metric, met in zip(values[0], task.metrics, meets(task, values)[0], strict=True):
        low = -np.inf if metric.at_least is None else metric.at_least
        high = np.inf if metric.at_most is None else metric.at_most
        assert met == (low <= value <= high)


@given(tasks_and_values(2))
def test_penalties_are_not_negative_and_infinite_only_where_missing(drawn: tuple[Problem, np.ndarray]):
    task, values = drawn
    table = penalties(task, values)
    assert (table >= 0).all()
    np.testing.assert_array_equal(np.isinf(table), np.isnan(values))


@given(some_bounds, measured_values, measured_values)
def test_a_value_further_outside_never_costs_less(
    bounds: tuple[float | None, float | None], first: float, second: float
):
    task = bounded(bounds)
    low, high = min(first, second), max(first, second)
    if bounds[1] is None or high <= bounds[1]:
        assert penalty(task, low) >= penalty(task, high)
    if bounds[0] is None or low >= bounds[0]:
        assert penalty(task, high) >= penalty(task, low)


@pytest.mark.slow
@given(tasks_and_values(8))
def test_order_sorts_by_missing_metrics_and_cost_and_keeps_every_row(drawn: tuple[Problem, np.ndarray]):
    task, values = drawn
    ranked = order(task, values)
    assert sorted(ranked.tolist()) == list(range(8))
    weights = np.array([metric.weight for metric in task.metrics])
    table = np.where(np.isnan(values), 0.0, penalties(task, values)) @ weights
    keys = [(int(np.isnan(values[row]).sum()), table[row], int(row)) for row in ranked]
    assert keys == sorted(keys)
    measured = [row for row in ranked if not np.isnan(values[row]).any()]
    assert ranked[: len(measured)].tolist() == [int(row) for row in measured]

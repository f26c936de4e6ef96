"""Critical metric, reference and parents on populations small enough to rank by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng

from sizing.search.selection import Selection, draw_parents, select
from sizing.task.objectives import order, penalties
from sizing.task.problem import Metric, Problem, Variable

NAN = float("nan")


def problem(*metrics: Metric) -> Problem:
    return Problem("p", "t", (Variable("x", (0.0, 1.0)),), metrics)


def at_least(name: str, target: float = 100.0, weight: float = 1.0) -> Metric:
    return Metric(name, "", at_least=target, weight=weight)


TWO = problem(at_least("a"), at_least("b"))
# Penalties (a, b): (0.5, 0.1)  (0.4, 0)  (0, 0.6)  (0.1, 0.2)  (0.9, 0.9)
POPULATION = np.array([[50.0, 90.0], [60.0, 100.0], [150.0, 40.0], [90.0, 80.0], [10.0, 10.0]])


def selected(
    task: Problem, values: np.ndarray, critical: tuple[int, ...] = (), rank: int = 3, pool: int = 100, seed: int = 0
) -> Selection:
    return select(task, values, critical, rank=rank, pool=pool, rng=default_rng(seed))


def test_at_first_the_population_is_ranked_by_cost():
    # The best three by cost are rows 3, 1, then 0 (0.6) before 2 (0.6): worst a 0.5, worst b 0.2.
    assert order(TWO, POPULATION).tolist() == [3, 1, 0, 2, 4]
    assert selected(TWO, POPULATION).critical == (0,)


def test_the_metric_with_the_largest_worst_penalty_of_the_best_becomes_critical():
    assert selected(TWO, POPULATION, rank=1).critical == (1,)  # row 3 alone: 0.1 against 0.2
    assert selected(TWO, POPULATION, rank=2).critical == (0,)  # rows 3 and 1: 0.4 against 0.2
    assert selected(TWO, POPULATION, rank=4).critical == (1,)  # rows 3, 1, 0, 2: 0.5 against 0.6


def test_later_it_is_ranked_by_the_metrics_that_have_been_critical():
    # By a alone: rows 2, 3, 1, 0, 4. Among the best three, b is worst with 0.6.
    chosen = selected(TWO, POPULATION, critical=(0,))
    assert chosen.critical == (0, 1)


def test_a_metric_that_is_critical_again_moves_to_the_end():
    three = problem(at_least("a"), at_least("b"), at_least("c"))
    values = np.array([[50.0, 100.0, 100.0], [50.0, 90.0, 90.0]])
    assert selected(three, values, critical=(0, 2)).critical == (2, 0)
    assert selected(three, values, critical=(0, 2, 1)).critical == (2, 1, 0)


def test_the_reference_has_the_rank_by_all_critical_metrics():
    # By a: rows 2, 3, 1, 0, 4.
    assert selected(TWO, POPULATION, rank=3).reference == 1
    # By a and b: rows 3, 1, 0, 2, 4.
    assert selected(TWO, POPULATION, critical=(0,), rank=3).reference == 0
    assert selected(TWO, POPULATION, critical=(0,), rank=4).reference == 2


def test_in_a_population_smaller_than_the_rank_the_reference_is_its_last():
    assert selected(TWO, POPULATION, critical=(0, 1), rank=20).reference == 4
    assert selected(TWO, POPULATION[:1], rank=20).reference == 0


def test_pool_a_is_random_while_only_one_metric_has_been_critical():
    pools = [selected(TWO, POPULATION, seed=seed).pool_a for seed in range(30)]
    assert all(sorted(pool.tolist()) == [0, 1, 2, 3, 4] for pool in pools)
    assert len({tuple(pool.tolist()) for pool in pools}) > 10


def test_pool_a_is_the_best_by_the_critical_metrics_without_the_newest():
    chosen = selected(TWO, POPULATION, critical=(0,), pool=4)
    assert chosen.critical == (0, 1)
    assert chosen.pool_a.tolist() == [2, 3, 1, 0]  # by a
    assert chosen.pool_b.tolist() == [1, 0, 3, 2]  # by b


def test_pool_a_leaves_the_newest_out_when_it_has_been_critical_before():
    values = np.array([[10.0, 100.0], [60.0, 90.0], [50.0, 80.0]])
    chosen = selected(TWO, values, critical=(0, 1), rank=2)
    assert chosen.critical == (1, 0)
    assert chosen.pool_a.tolist() == [0, 1, 2]  # by b
    assert chosen.pool_b.tolist() == [1, 2, 0]  # by a


def test_pool_b_goes_by_value_beyond_the_target():
    values = np.array([[50.0, 100.0], [120.0, 0.0], [300.0, 0.0], [110.0, 0.0]])
    chosen = selected(problem(at_least("a"), at_least("b", 1e-9)), values, rank=1)
    assert chosen.critical == (0,)
    assert chosen.pool_b.tolist() == [2, 1, 3, 0]


def test_of_a_maximum_the_smallest_value_is_the_best():
    task = problem(Metric("i", "A", at_most=1.0))
    chosen = selected(task, np.array([[3.0], [0.5], [2.0], [NAN], [0.1]]), rank=4)
    assert chosen.pool_b.tolist() == [4, 1, 2, 0, 3]
    assert chosen.reference == 0


def test_pools_hold_no_more_than_they_may_and_no_more_than_there_is():
    for pool, size in ((2, 2), (5, 5), (100, 5)):
        chosen = selected(TWO, POPULATION, critical=(0,), pool=pool)
        assert (len(chosen.pool_a), len(chosen.pool_b)) == (size, size)


def test_a_metric_missing_among_the_best_is_the_most_critical():
    values = np.array([[50.0, 100.0], [50.0, NAN], [NAN, 100.0]])
    assert selected(TWO, values[:2], rank=2).critical == (1,)
    assert selected(TWO, values[:2], rank=1).critical == (0,)


def test_weights_make_a_metric_critical_earlier():
    assert selected(TWO, POPULATION, rank=2).critical == (0,)
    heavy = problem(at_least("a"), at_least("b", weight=10.0))
    assert selected(heavy, POPULATION, rank=2).critical == (1,)


def test_ties_go_to_the_first_row_and_the_first_metric():
    values = np.full((6, 2), 50.0)
    chosen = selected(TWO, values, critical=(1,), rank=2)
    assert chosen.critical == (1, 0)
    assert chosen.reference == 1
    assert chosen.pool_a.tolist() == chosen.pool_b.tolist() == [0, 1, 2, 3, 4, 5]


values_of = st.integers(1, 40).flatmap(
    lambda rows: st.lists(
        st.lists(st.integers(0, 200).map(float) | st.just(NAN), min_size=3, max_size=3), min_size=rows, max_size=rows
    )
)


@given(values_of, st.permutations([0, 1, 2]), st.integers(0, 3), st.integers(1, 25), st.integers(2, 30))
@pytest.mark.slow
def test_whatever_the_population_the_choice_is_consistent(
    rows: list[list[float]], some: list[int], known: int, rank: int, pool: int
):
    task = problem(at_least("a"), Metric("b", "", at_most=50.0), Metric("c", "", 80.0, 120.0))
    values, critical = np.array(rows), tuple(some[:known])
    chosen = selected(task, values, critical, rank, pool)
    newest = chosen.critical[-1]
    assert set(chosen.critical) == {*critical, newest}
    assert len(set(chosen.critical)) == len(chosen.critical)
    best = order(task, values, critical or None)[:rank]
    worst = penalties(task, values[best]).max(axis=0)
    assert worst[newest] == worst.max()
    ranked = order(task, values, chosen.critical).tolist()
    assert ranked.index(chosen.reference) == min(rank, len(rows)) - 1
    for rows_of_pool in (chosen.pool_a, chosen.pool_b):
        assert len(set(rows_of_pool.tolist())) == min(pool, len(rows))
        assert set(rows_of_pool.tolist()) <= set(range(len(rows)))


def test_parents_are_drawn_with_linearly_falling_weights():
    pool = np.array([7, 3, 9, 1])
    drawn = draw_parents(pool, 40_000, default_rng(0))
    share = [(drawn == row).mean() for row in pool]
    np.testing.assert_allclose(share, [0.4, 0.3, 0.2, 0.1], atol=0.01)


@pytest.mark.parametrize("count", [0, 1, 7])
def test_as_many_parents_are_drawn_as_asked_for_from_the_pool_alone(count: int):
    drawn = draw_parents(np.array([5, 2]), count, default_rng(1))
    assert drawn.shape == (count,)
    assert set(drawn.tolist()) <= {5, 2}
    np.testing.assert_array_equal(drawn, draw_parents(np.array([5, 2]), count, default_rng(1)))


def test_a_pool_of_one_gives_that_one():
    assert draw_parents(np.array([4]), 3, default_rng(0)).tolist() == [4, 4, 4]

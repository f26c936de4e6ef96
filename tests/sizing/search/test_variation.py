"""Variation on grid indices: children lie on the grid, every value can be reached, the generator decides alone."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import Generator, default_rng

from sizing.search.variation import CROSSED_SHARE, Indices, blend, mutate, random_designs, swap, wander

SHAPE = np.array([99, 20, 1, 2])
Operator = Callable[[Indices, Indices, Generator], Indices]
OPERATORS: dict[str, Operator] = {
    "blend": lambda mothers, fathers, rng: np.concatenate(blend(mothers, fathers, SHAPE, 0.5, rng)),
    "swap": lambda mothers, fathers, rng: np.concatenate(swap(mothers, fathers, 0.5, rng)),
    "mutate": lambda mothers, fathers, rng: mutate(mothers, SHAPE, 0.5, rng),
    "wander": lambda mothers, fathers, rng: wander(mothers, len(mothers), SHAPE, rng),
    "random": lambda mothers, fathers, rng: random_designs(len(mothers), SHAPE, rng),
}


def parents(count: int, seed: int) -> tuple[Indices, Indices]:
    rng = default_rng(seed)
    return rng.integers(0, SHAPE, (count, 4)), rng.integers(0, SHAPE, (count, 4))


@pytest.fixture(params=OPERATORS)
def operator(request: pytest.FixtureRequest) -> Operator:
    return OPERATORS[request.param]


@pytest.mark.parametrize("seed", range(5))
def test_children_are_integers_on_the_grid(operator: Operator, seed: int):
    children = operator(*parents(300, seed), default_rng(seed))
    assert children.dtype == np.int64
    assert children.shape[1:] == (4,)
    assert (children >= 0).all()
    assert (children < SHAPE).all()


def test_the_same_generator_state_gives_the_same_children(operator: Operator):
    one, other = (operator(*parents(50, 0), default_rng(9)) for _ in range(2))
    np.testing.assert_array_equal(one, other)
    assert (operator(*parents(50, 0), default_rng(10)) != one).any()


def test_no_draw_comes_from_numpys_global_state(operator: Operator):
    before = repr(np.random.get_state())  # noqa: NPY002 - what must stay untouched
    operator(*parents(50, 0), default_rng(9))
    assert repr(np.random.get_state()) == before  # noqa: NPY002


def test_parents_are_left_as_they_are(operator: Operator):
    mothers, fathers = parents(50, 0)
    operator(mothers, fathers, default_rng(9))
    for parent, copy in zip((mothers, fathers), parents(50, 0), strict=True):
        np.testing.assert_array_equal(parent, copy)


@pytest.mark.parametrize("name", ["blend", "mutate", "wander", "random"])
def test_both_ends_of_every_range_are_reached(name: str):
    children = OPERATORS[name](*parents(2000, 3), default_rng(4))
    np.testing.assert_array_equal(children.min(axis=0), np.zeros(4))
    np.testing.assert_array_equal(children.max(axis=0), SHAPE - 1)


@given(st.integers(0, 98), st.integers(0, 10**6))
def test_a_blend_of_equal_parents_stays_within_one_step(gene: int, seed: int):
    equal = np.full((40, 1), gene)
    for children in blend(equal, equal, np.array([99]), 0.5, default_rng(seed)):
        assert (np.abs(children - gene) <= 1).all()


@given(st.integers(0, 98), st.integers(0, 98), st.floats(0, 2), st.integers(0, 10**6))
def test_a_blend_leaves_the_interval_by_at_most_alpha_of_it(mother: int, father: int, alpha: float, seed: int):
    mothers, fathers = np.full((40, 1), mother), np.full((40, 1), father)
    reach = alpha * abs(mother - father) + 1
    for children in blend(mothers, fathers, np.array([99]), alpha, default_rng(seed)):
        assert (children >= min(mother, father) - reach).all()
        assert (children <= max(mother, father) + reach).all()


def test_of_a_blends_two_children_one_is_rounded_down_and_one_up():
    mothers, fathers = np.full((5000, 1), 30), np.full((5000, 1), 61)
    first, second = blend(mothers, fathers, np.array([99]), 0.5, default_rng(0))
    # The unrounded children are mirror images: they sum to the parents' sum.
    assert set((first + second - 91).ravel().tolist()) <= {0, 1}
    assert first.mean() == pytest.approx(45.5 - 0.5, abs=0.8)
    assert second.mean() == pytest.approx(45.5 + 0.5, abs=0.8)


def test_a_blend_spreads_evenly_over_the_widened_interval():
    mothers, fathers = np.full((40_000, 1), 40), np.full((40_000, 1), 60)
    first, _ = blend(mothers, fathers, np.array([99]), 0.5, default_rng(1))
    counts = np.bincount(first.ravel(), minlength=99)[30:70]
    assert counts.sum() == 40_000
    np.testing.assert_allclose(counts, 1000, rtol=0.2)


def test_a_swap_moves_genes_between_the_parents_only():
    mothers, fathers = parents(4000, 5)
    first, second = swap(mothers, fathers, 0.3, default_rng(2))
    moved = first != mothers
    np.testing.assert_array_equal(np.where(moved, fathers, mothers), first)
    np.testing.assert_array_equal(first + second, mothers + fathers)
    differ = mothers != fathers
    assert moved[differ].mean() == pytest.approx(0.3, abs=0.02)


@pytest.mark.parametrize(("probability", "expected"), [(0.0, 0), (1.0, 1)])
def test_a_swap_of_no_and_of_every_gene(probability: float, expected: int):
    pair = parents(20, 6)
    first, second = swap(*pair, probability, default_rng(0))
    np.testing.assert_array_equal(first, pair[expected])
    np.testing.assert_array_equal(second, pair[1 - expected])


def test_a_mutant_keeps_half_of_its_genes_and_draws_the_others_evenly():
    mutants = mutate(np.zeros((20_000, 1), dtype=np.int64), np.array([10]), 0.5, default_rng(3)).ravel()
    assert (mutants == 0).mean() == pytest.approx(0.5 + 0.05, abs=0.01)
    np.testing.assert_allclose(np.bincount(mutants)[1:], 1000, rtol=0.15)


def test_without_probability_a_mutant_is_its_parent():
    mothers, _ = parents(20, 7)
    np.testing.assert_array_equal(mutate(mothers, SHAPE, 0.0, default_rng(0)), mothers)


@pytest.mark.parametrize(("count", "shape"), [(100, (99,) * 7), (20, (3, 7)), (6, (2, 3)), (1, (1,)), (50, (10, 10))])
def test_random_designs_are_distinct_and_as_many_as_asked_for(count: int, shape: tuple[int, ...]):
    designs = random_designs(count, np.array(shape), default_rng(0))
    assert designs.shape == (count, len(shape))
    assert len(np.unique(designs, axis=0)) == count


@pytest.mark.parametrize("count", [6, 7, 1000])
def test_all_of_a_small_grid_is_given_when_more_is_asked_for(count: int):
    designs = random_designs(count, np.array([2, 3]), default_rng(0))
    assert sorted(map(tuple, designs.tolist())) == [(a, b) for a in range(2) for b in range(3)]


def test_grids_too_large_for_an_integer_are_no_problem():
    designs = random_designs(5, np.full(20, 99_999), default_rng(0))
    assert designs.shape == (5, 20)


@pytest.mark.parametrize("shape", [(4, 4), (40, 50)])
def test_random_designs_are_uniform(shape: tuple[int, int]):
    rng = default_rng(8)
    first = np.concatenate([random_designs(4, np.array(shape), rng) for _ in range(2500)])[:, 0]
    np.testing.assert_allclose(np.bincount(first, minlength=shape[0]) / 10_000, 1 / shape[0], rtol=0.3)


def test_wandering_children_stay_near_a_parent():
    children = wander(np.array([[500, 500]]), 20_000, np.array([1001, 1001]), default_rng(0))
    steps = np.abs(children - 500)
    still = (steps == 0).mean()
    assert still == pytest.approx(1 - np.mean([0.2, 0.4, 0.8]), abs=0.03)
    assert np.median(steps[steps > 0]) < 100  # a tenth of the range
    assert (steps > 300).mean() > 0.005  # the largest steps have a deviation of 0.3 of it


def test_the_genes_of_a_wandering_child_come_from_one_parent_or_from_two():
    family = np.array([[100] * 6, [900] * 6])
    children = wander(family, 5000, np.full(6, 1001), default_rng(1))
    from_first = (np.abs(children - 100) < np.abs(children - 900)).mean(axis=1)
    assert (from_first == 0).mean() > 0.2
    assert (from_first == 1).mean() > 0.2
    assert ((from_first > 0) & (from_first < 1)).mean() > 0.15


@pytest.mark.parametrize("count", [0, 1, 7])
def test_as_many_children_wander_as_asked_for(count: int):
    assert wander(np.array([[3, 3]]), count, np.array([9, 9]), default_rng(0)).shape == (count, 2)


def test_of_children_that_wander_as_many_as_said_have_genes_of_two_parents():
    shape, parents = np.full(200, 1001), np.repeat([[400], [600]], 200, axis=1)
    children = wander(parents, 4000, shape, default_rng(0))
    both = [((children == gene).mean(axis=1) > 0.05) for gene in (400, 600)]
    # half of the pairs are one parent twice
    assert (both[0] & both[1]).mean() == pytest.approx(CROSSED_SHARE / 2, abs=0.03)

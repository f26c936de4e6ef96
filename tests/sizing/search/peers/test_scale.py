"""Designs as points of the unit cube, and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sizing.search.peers.scale import UnitCube
from sizing.task.problem import Metric, Problem, Variable

GRIDS = st.lists(st.floats(1e-9, 1e3), min_size=1, max_size=30, unique_by=lambda value: float(f"{value:.6g}")).map(
    sorted
)


def cube(scale: str, *grids: list[float]) -> UnitCube:
    variables = tuple(Variable(f"v{i}", tuple(grid)) for i, grid in enumerate(grids))
    return UnitCube(Problem("p", "p", variables, (Metric("m", "V", at_least=1.0),)), scale)


@given(st.lists(GRIDS, min_size=1, max_size=3), st.sampled_from(["linear", "log"]), st.randoms(use_true_random=False))
def test_a_design_comes_back_from_the_point_that_it_stands_at(grids: list[list[float]], scale: str, random):
    designs = np.array([[random.randrange(len(grid)) for grid in grids] for _ in range(5)])
    points = cube(scale, *grids).points(designs)
    assert ((points > 0) & (points < 1)).all()
    np.testing.assert_array_equal(cube(scale, *grids).designs(points), designs)


def test_the_whole_cube_is_covered_its_corners_included():
    both = cube("log", [1.0, 2.0, 4.0], [0.0, 1.0])
    np.testing.assert_array_equal(both.designs(np.array([[0.0, 0.0], [1.0, 1.0]])), [[0, 0], [2, 1]])


def test_linear_gives_every_index_the_same_share_and_log_every_octave():
    octaves = [float(value) for value in range(1, 65)]
    uniform = np.linspace(0, 1, 100_001)[:, None]
    shares = np.bincount(cube("linear", octaves).designs(uniform)[:, 0]) / len(uniform)
    np.testing.assert_allclose(shares, 1 / 64, atol=1e-4)
    values = np.array(octaves)[cube("log", octaves).designs(uniform)[:, 0]]
    inner = [np.mean((values > 2**k) & (values <= 2 ** (k + 1))) for k in range(2, 5)]
    assert inner == pytest.approx([inner[0]] * 3, rel=0.15)


def test_a_variable_that_can_be_0_is_linear_on_any_scale():
    design = np.array([[3]])
    grid = [0.0, 50.0, 100.0, 150.0, 200.0]
    assert cube("log", grid).points(design) == cube("linear", grid).points(design) == pytest.approx(0.7)

"""Modes of many designs at once, of which some have none."""

import numpy as np
import pytest

from surrogates.tables.linear import solved
from surrogates.tables.modes import modes

CONDUCTANCE = np.array([[2e-3, -1e-3], [-1e-3, 3e-3]])
CAPACITANCE = np.array([[1e-12, 0.0], [0.0, 2e-12]])
OUTPUT = np.eye(2)
FREQUENCIES = np.array([1e3, 1e9])
TIMES = np.array([0.0, 1e-9])


def of(rows: list[tuple[np.ndarray, np.ndarray]]):
    return modes(np.stack([g for g, _ in rows]), np.stack([c for _, c in rows]), 1e9)


@pytest.mark.parametrize(
    "broken",
    [
        (np.full((2, 2), np.nan), CAPACITANCE),
        (np.full((2, 2), np.inf), CAPACITANCE),
        (CONDUCTANCE, np.full((2, 2), np.nan)),
        (np.zeros((2, 2)), np.zeros((2, 2))),
    ],
    ids=["conductance nan", "conductance inf", "capacitance nan", "singular"],
)
def test_a_design_without_modes_is_nan_and_harms_no_other(broken):
    sound = (CONDUCTANCE, CAPACITANCE)
    alone, beside = of([sound]), of([broken, sound])
    for responds in (
        lambda of: of.response(*np.ones((2, len(of.mu), 2)), OUTPUT, FREQUENCIES),
        lambda of: of.adjoint(OUTPUT[0], FREQUENCIES),
        lambda of: of.decay(np.ones((len(of.mu), 2)), OUTPUT, np.tile(TIMES, (len(of.mu), 1))),
    ):
        known, found = responds(alone), responds(beside)
        assert np.array_equal(found[1], known[0])
        assert np.isnan(found[0]).all()


def test_a_system_without_a_solution_is_nan_and_harms_no_other():
    found = solved(np.stack([np.zeros((2, 2)), np.eye(2)]), np.ones((2, 2, 1)))
    assert np.isnan(found[0]).all()
    assert (found[1] == 1).all()

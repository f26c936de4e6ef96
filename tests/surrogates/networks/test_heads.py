"""Heads and features: symmetry by construction, shapes, what the features see."""

from collections.abc import Mapping

import numpy as np
import pytest
import torch

from sizing.task.job import Conditions
from sizing.task.problem import Metric, Problem, Variable
from surrogates.features import DesignFeatures
from surrogates.networks.heads import EMBEDDING, AttentionReadout, Comparison, MeanReadout, MeetsTarget
from surrogates.tables.told import ToldFeatures


def test_a_better_than_b_and_b_better_than_a_add_up_to_one():
    head = Comparison(5)
    a, b = torch.randn(40, EMBEDDING), torch.randn(40, EMBEDDING)
    total = torch.sigmoid(head(a, b)) + torch.sigmoid(head(b, a))
    torch.testing.assert_close(total, torch.ones(40, 5), atol=1e-6, rtol=0)


def test_no_design_is_better_than_itself():
    a = torch.randn(7, EMBEDDING)
    torch.testing.assert_close(torch.sigmoid(Comparison(3)(a, a)), torch.full((7, 3), 0.5))


def test_one_reference_is_compared_with_every_candidate():
    head = Comparison(3)
    a, b = torch.randn(9, EMBEDDING), torch.randn(1, EMBEDDING)
    torch.testing.assert_close(head(a, b), head(a, b.expand(9, EMBEDDING)))


def test_a_batch_is_compared_each_with_each():
    head = Comparison(3)
    a = torch.randn(6, EMBEDDING)
    odds = head(a[:, None], a[None])
    assert odds.shape == (6, 6, 3)
    torch.testing.assert_close(odds[2, 4], head(a[2:3], a[4:5])[0])


@pytest.mark.parametrize("readout", [AttentionReadout, MeanReadout])
def test_a_readout_does_not_depend_on_the_order_of_the_tokens(readout: type[torch.nn.Module]):
    torch.manual_seed(1)
    module, tokens = readout(12, 0.0), 3 * torch.randn(5, 9, 12)
    assert module(tokens).shape == (5, EMBEDDING)
    torch.testing.assert_close(module(tokens), module(tokens[:, torch.randperm(9)]), atol=1e-5, rtol=1e-5)


def test_attention_sees_what_the_mean_does_not():
    torch.manual_seed(1)
    tokens = torch.randn(1, 4, 12)
    change = torch.randn(1, 4, 12)
    other = tokens + change - change.mean(dim=1)  # another circuit of the same mean
    attention, mean = AttentionReadout(12, 0.0), MeanReadout(12, 0.0)
    torch.testing.assert_close(mean(tokens), mean(other), atol=1e-5, rtol=1e-5)
    assert (attention(tokens) - attention(other)).abs().max() > 1e-3


def test_the_meets_head_gives_log_odds_per_metric():
    assert MeetsTarget(4)(torch.randn(9, EMBEDDING)).shape == (9, 4)


@pytest.fixture
def problem() -> Problem:
    variables = (
        Variable("m", (1.0, 10.0, 100.0)),
        Variable("r", (0.0, 50.0, 100.0), "Ohm"),
        Variable("fixed", (3.0,)),
    )
    return Problem("p", "t", variables, (Metric("gain", "V/V", at_least=1.0),))


def test_features_are_places_on_the_grid_and_logarithms_where_there_are_any(problem: Problem):
    features = DesignFeatures(problem)
    assert features.width == 5
    rows = features(np.array([[0, 0, 0], [1, 2, 0], [2, 1, 0]]))
    expected = [[-1, -1, 0, -1, 0], [0, 1, 0, 0, 0], [1, 0, 0, 1, 0]]
    assert rows.dtype == np.float32
    np.testing.assert_allclose(rows, expected, atol=1e-6)


def test_what_tables_tell_is_read_far_and_near_of_each_target(problem: Problem):
    def tell(designs: Mapping[str, np.ndarray], conditions: Conditions, *, integrate: bool) -> np.ndarray:
        gain = np.linspace(0.98, 1.02, len(next(iter(designs.values()))))
        gain[0] = np.nan
        return gain[:, None]

    features = ToldFeatures(problem, tell)
    own = DesignFeatures(problem)
    rows = features(np.zeros((5, 3), dtype=np.int64))
    assert rows.shape == (5, features.width)
    assert rows.dtype == np.float32
    np.testing.assert_array_equal(rows[:, : own.width], own(np.zeros((5, 3), dtype=np.int64)))
    far, near = rows[:, own.width :].T
    assert (np.diff(near[1:]) > 0).all()
    assert near[-1] > 0 > near[1]
    assert np.abs(near[1:]).max() > 10 * np.abs(far[1:]).max()
    assert far[0] < far[1]  # none is worse than any
    np.testing.assert_array_equal(features(np.zeros((1, 3), dtype=np.int64))[0], rows[0])

"""Heads and features: symmetry by construction, shapes, what the features see."""

import numpy as np
import pytest
import torch

from sizing.problem import Metric, Problem, Variable
from sizing.settings import JudgeSettings
from surrogates.discriminator import LearnedDiscriminator
from surrogates.features import DesignFeatures
from surrogates.heads import Comparison, MeetsTarget


def test_a_better_than_b_and_b_better_than_a_add_up_to_one():
    head = Comparison(16, 5)
    a, b = torch.randn(40, 16), torch.randn(40, 16)
    total = torch.sigmoid(head(a, b)) + torch.sigmoid(head(b, a))
    torch.testing.assert_close(total, torch.ones(40, 5), atol=1e-6, rtol=0)


def test_no_design_is_better_than_itself():
    a = torch.randn(7, 16)
    torch.testing.assert_close(torch.sigmoid(Comparison(16, 3)(a, a)), torch.full((7, 3), 0.5))


def test_one_reference_is_compared_with_every_candidate():
    head = Comparison(16, 3)
    a, b = torch.randn(9, 16), torch.randn(1, 16)
    torch.testing.assert_close(head(a, b), head(a, b.expand(9, 16)))


def test_the_meets_head_gives_log_odds_per_metric():
    assert MeetsTarget(16, 4)(torch.randn(9, 16)).shape == (9, 4)


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
    torch.testing.assert_close(rows, torch.tensor(expected, dtype=torch.float32))


def test_the_same_seed_gives_the_same_weights_and_leaves_torch_s_own_stream_alone(problem: Problem):
    before = torch.random.get_rng_state()
    first, second = (LearnedDiscriminator(problem, JudgeSettings(), np.random.default_rng(3)) for _ in range(2))
    for one, other in zip(first.model.parameters(), second.model.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)
    torch.testing.assert_close(torch.random.get_rng_state(), before)

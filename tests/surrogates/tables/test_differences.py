"""What simulations say of the difference to what is told: sound of one design, and sharper with more."""

import numpy as np
import pytest

from surrogates.tables.differences import Differences

RNG = np.random.default_rng(2)


def smooth(features: np.ndarray) -> np.ndarray:
    return 0.1 + 0.05 * np.sin(2 * features[:, 0]) - 0.03 * features[:, 1]


def test_before_anything_is_seen_there_is_no_difference_and_it_may_be_the_usual_one():
    mean, deviation = Differences(np.array([0.05, 1.0])).predict(np.zeros((3, 4)), np.zeros((3, 2)))
    np.testing.assert_array_equal(mean, 0)
    np.testing.assert_array_equal(deviation, [[0.05, 1.0]] * 3)


def test_one_design_moves_all_and_is_itself_nearly_sure():
    differences = Differences(np.array([0.05]))
    differences.fit(np.zeros((1, 4)), np.zeros((1, 1)), np.array([[0.2]]))
    mean, deviation = differences.predict(np.array([[0.0] * 4, [1.0, -1, 1, -1]]), np.zeros((2, 1)))
    assert mean[0, 0] == pytest.approx(0.2, rel=0.02)
    assert 0.05 < mean[1, 0] < 0.2
    assert deviation[0, 0] < 0.05 < deviation[1, 0]


def test_a_smooth_difference_is_learned_with_sound_deviations():
    features, new = RNG.uniform(-1, 1, (40, 4)), RNG.uniform(-1, 1, (200, 4))
    differences = Differences(np.array([0.05]))
    differences.fit(features, np.zeros((40, 1)), smooth(features)[:, None])
    mean, deviation = differences.predict(new, np.zeros((200, 1)))
    error = mean[:, 0] - smooth(new)
    assert np.sqrt(np.mean(error**2)) < 0.3 * smooth(new).std()
    assert (np.abs(error) < 2 * deviation[:, 0]).mean() > 0.9


def test_metrics_have_rows_of_their_own_and_one_without_any_stays_as_it_was():
    features = RNG.uniform(-1, 1, (6, 3))
    found = np.full((6, 3), np.nan)
    found[:4, 0], found[2:, 1] = 0.1, -0.2
    differences = Differences(np.full(3, 0.05))
    differences.fit(features, np.zeros((6, 3)), found)
    np.testing.assert_array_equal(differences.seen, [True, True, False])
    mean, deviation = differences.predict(features, np.zeros((6, 3)))
    np.testing.assert_allclose(mean[:, 0], 0.1, rtol=0.05)
    np.testing.assert_allclose(mean[:, 1], -0.2, rtol=0.05)
    np.testing.assert_array_equal(mean[:, 2], 0)
    np.testing.assert_array_equal(deviation[:, 2], 0.05)


def test_what_tells_nothing_is_seen_through_and_what_is_right_is_trusted():
    features, new = RNG.uniform(-1, 1, (5, 4)), RNG.uniform(-1, 1, (50, 4))
    told, telling = RNG.uniform(0.2, 1.5, (5, 2)), RNG.uniform(0.2, 1.5, (50, 2))
    differences = Differences(np.full(2, 0.05))
    differences.fit(features, told, np.stack([-0.1 - told[:, 0], 1e-3 * told[:, 1]], axis=1))
    mean, deviation = differences.predict(new, telling)
    np.testing.assert_allclose(telling[:, 0] + mean[:, 0], -0.1, atol=0.1)
    assert deviation[:, 1].max() < 0.03
    np.testing.assert_allclose(mean[:, 1], 0, atol=0.02)


def test_a_design_of_which_nothing_is_told_spoils_no_other():
    features = RNG.uniform(-1, 1, (6, 3))
    told, found = np.full((6, 1), 0.3), np.full((6, 1), 0.1)
    told[2] = np.nan
    differences = Differences(np.full(1, 0.05))
    differences.fit(features, told, found)
    mean, deviation = differences.predict(features, told)
    np.testing.assert_allclose(mean, 0.1, rtol=0.2)
    assert np.isfinite(deviation).all()

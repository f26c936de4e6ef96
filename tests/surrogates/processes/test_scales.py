"""Scales: where values lie beside their targets, and where missing ones do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sizing.task.problem import Metric
from surrogates.processes.scales import BEYOND_WORST, FARTHEST_DISTANCE, Scale

NAN = float("nan")
POSITIVE = np.array([0.5, 2.0])


@pytest.mark.parametrize(
    ("metric", "values", "logarithmic"),
    [
        (Metric("gain", "V/V", at_least=3.0), POSITIVE, True),
        (Metric("current", "A", at_most=1e-3), np.array([NAN, 2e-3]), True),
        (Metric("current", "A", at_most=1e-3), np.array([0.0, 2e-3]), False),
        (Metric("offset", "V", at_most=1e-3), np.array([-1e-3, 2e-3]), False),
        (Metric("zero", "V", at_most=0.0), POSITIVE, False),
        (Metric("level", "V", -0.1, 0.1), POSITIVE, False),
        (Metric("level", "V", 0.4, 0.6), POSITIVE, True),
        (Metric("gain", "dB", at_least=40.0), POSITIVE, False),
        (Metric("phase", "deg", at_least=60.0), POSITIVE, False),
    ],
)
def test_positive_values_with_positive_targets_are_taken_by_their_logarithm(
    metric: Metric, values: np.ndarray, logarithmic: bool
):
    assert Scale.of(metric, values).logarithmic == logarithmic


def test_a_logarithmic_scale_counts_factors_of_the_target():
    scale = Scale.of(Metric("bandwidth", "Hz", at_least=1e9), POSITIVE)
    np.testing.assert_allclose(scale(np.array([1e9, 2e9, 0.5e9])), [0, np.log(2), -np.log(2)])
    assert scale.targets == (0.0, np.inf)


def test_a_linear_scale_counts_halves_of_the_target():
    scale = Scale.of(Metric("phase", "deg", at_least=60.0), POSITIVE)
    np.testing.assert_allclose(scale(np.array([60.0, 90.0, 30.0])), [0, 1, -1])
    negative = Scale.of(Metric("level", "V", at_most=-0.5), POSITIVE)
    np.testing.assert_allclose(negative(np.array([-0.5, -0.25, -0.75])), [0, 1, -1])
    assert negative.targets == (-np.inf, 0.0)
    zero = Scale.of(Metric("offset", "V", at_most=0.0), POSITIVE)
    np.testing.assert_allclose(zero(np.array([0.5, -0.5])), [1, -1])


METRICS = [
    Metric("least", "V", at_least=2.0),
    Metric("most", "V", at_most=2.0),
    Metric("both", "V", 2.0, 5.0),
    Metric("decibels", "dB", at_least=40.0),
    Metric("angle", "deg", 45.0, 60.0),
    Metric("negative", "V", at_most=-3.0),
]
metrics = pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)


@pytest.mark.slow
@metrics
@given(st.lists(st.floats(1e-3, 1e6), min_size=1, max_size=20))
def test_a_value_meets_its_target_where_the_scaled_one_lies_among_the_targets(metric: Metric, values: list[float]):
    bounds = [bound for bound in (metric.at_least, metric.at_most) if bound is not None]
    raw = np.array([*values, *bounds])
    scale = Scale.of(metric, raw)
    low, high = scale.targets
    scaled = scale(raw)
    least = -np.inf if metric.at_least is None else metric.at_least
    most = np.inf if metric.at_most is None else metric.at_most
    slack = 1e-9 * np.abs(bounds).max()
    for value, place in zip(raw, scaled, strict=True):
        if least + slack < value < most - slack or value in bounds:
            assert low <= place <= high
        elif value < least - slack or value > most + slack:
            assert not low <= place <= high
    assert (np.diff(scaled[np.argsort(raw)]) >= 0).all()


@metrics
def test_beyond_a_distance_from_the_targets_all_values_are_the_same(metric: Metric):
    scale = Scale.of(metric, POSITIVE)
    ends = [end for end in scale.targets if np.isfinite(end)]
    far = scale(np.array([1e9, 1e12]))
    assert far.tolist() == [max(ends) + FARTHEST_DISTANCE] * 2
    low = 1e-12 if scale.logarithmic else -1e9
    lower = low / 2 if scale.logarithmic else 2 * low
    assert scale(np.array([low, lower])).tolist() == [min(ends) - FARTHEST_DISTANCE] * 2


@metrics
def test_a_missing_value_misses_the_target_and_is_worse_than_the_worst(metric: Metric):
    bound = metric.at_most if metric.at_least is None else metric.at_least
    values = np.array([NAN, 0.9 * bound, 1.1 * bound, NAN])
    scale = Scale.of(metric, values)
    scaled = scale(values)
    low, high = scale.targets
    assert scaled[0] == scaled[3]
    assert not low <= scaled[0] <= high
    if metric.at_least is None:
        assert scaled[0] == pytest.approx(scaled[1:3].max() + BEYOND_WORST)
    else:
        assert scaled[0] == pytest.approx(scaled[1:3].min() - BEYOND_WORST)


@metrics
def test_where_every_value_is_missing_or_good_a_missing_one_misses_the_target_still(metric: Metric):
    good = metric.at_least if metric.at_most is None else metric.at_most
    for values in ([NAN, NAN], [NAN, good]):
        scale = Scale.of(metric, np.array(values))
        low, high = scale.targets
        assert not low <= scale(np.array(values))[0] <= high

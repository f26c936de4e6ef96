"""Gaussian processes: what they say between data and away from it, and once further data are expected."""

import numpy as np
import pytest
import torch

from surrogates.processes.gaussian_process import JITTER, WIDEST_FACTOR, GaussianProcesses

Numbers = torch.Tensor


def inputs(count: int, seed: int, width: int = 2) -> Numbers:
    return torch.from_numpy(np.random.default_rng(seed).uniform(-1, 1, (count, width)))


def smooth(points: Numbers) -> Numbers:
    """Two quantities (N, 2) of very different size; the second does not depend on the last input."""
    return torch.stack([torch.sin(2 * points[:, 0]) + points[:, 1] ** 2, 1e6 + 1e4 * points[:, 0]], dim=1)


def fitted(points: Numbers, targets: Numbers) -> GaussianProcesses:
    processes = GaussianProcesses(targets.shape[1], points.shape[1])
    processes.fit(points, targets)
    return processes


@pytest.fixture(scope="module")
def data() -> Numbers:
    return inputs(30, 0)


@pytest.fixture(scope="module")
def processes(data: Numbers) -> GaussianProcesses:
    return fitted(data, smooth(data))


def textbook(processes: GaussianProcesses, data: Numbers, targets: Numbers, points: Numbers) -> tuple[Numbers, Numbers]:
    """Equations 2.25 and 2.26 of Rasmussen and Williams with the fitted parameters, by inverting, one at a time."""
    means, deviations = [], []
    for m in range(targets.shape[1]):
        length, signal, noise = (p[m].detach().exp() for p in (processes._length, processes._signal, processes._noise))

        def kernel(a: Numbers, b: Numbers, length: Numbers = length, signal: Numbers = signal) -> Numbers:
            r = (((a[:, None] - b[None]) / length[0]) ** 2).sum(dim=2).sqrt()
            return signal**2 * (1 + 5**0.5 * r + 5 / 3 * r**2) * torch.exp(-(5**0.5) * r)

        center, scale = processes._center[m], processes._scale[m]
        inverse = torch.linalg.inv(kernel(data, data) + (noise**2 + JITTER * signal**2) * torch.eye(len(data)))
        across = kernel(points, data)
        means.append(center + scale * across @ inverse @ ((targets[:, m] - center) / scale))
        variance = (kernel(points, points) - across @ inverse @ across.T).diagonal()
        deviations.append(scale * processes._widening[m] * variance.clamp_min(JITTER).sqrt())
    return torch.stack(means, dim=1), torch.stack(deviations, dim=1)


def test_a_smooth_function_is_known_between_its_data(processes: GaussianProcesses):
    new = inputs(200, 1)
    truth = smooth(new)
    mean, deviation = processes.predict(new)
    assert mean.shape == deviation.shape == (200, 2)
    assert mean.dtype == deviation.dtype == torch.float64
    error = (mean - truth).square().mean(dim=0).sqrt() / truth.std(dim=0)
    assert (error < 0.05).all()


def test_its_own_errors_are_as_large_as_it_says(processes: GaussianProcesses):
    new = inputs(500, 1)
    mean, deviation = processes.predict(new)
    within_two = ((mean - smooth(new)).abs() < 2 * deviation).double().mean(dim=0)
    assert (within_two > 0.9).all()


def test_it_is_surer_at_its_data_than_away_from_them(data: Numbers, processes: GaussianProcesses):
    away = torch.tensor([[1.0, 1.0], [2.0, 2.0], [4.0, 4.0]], dtype=torch.float64)
    at_data, far = processes.predict(data)[1], processes.predict(away)[1]
    assert (at_data.max(dim=0).values < 0.1 * smooth(data).std(dim=0)).all()
    assert (far[0] > at_data.max(dim=0).values).all()
    assert (far[:-1] < far[1:]).all()


def test_predictions_are_those_of_the_textbook(data: Numbers, processes: GaussianProcesses):
    new = inputs(20, 3)
    expected, spread = textbook(processes, data, smooth(data), new), smooth(data).std(dim=0)
    for ours, theirs in zip(processes.predict(new), expected, strict=True):
        torch.testing.assert_close(ours / spread, theirs / spread, rtol=0, atol=1e-4)


def test_expected_designs_change_no_mean_and_take_doubt_away_beside_them(processes: GaussianProcesses):
    pending = torch.tensor([[0.9, -0.9]], dtype=torch.float64)
    new = torch.cat([pending + 0.02, inputs(100, 4)])
    mean, deviation = processes.predict(new)
    before = [each.clone() for each in processes.predict(new)]
    after_mean, after_deviation = processes.expecting(pending).predict(new)
    torch.testing.assert_close(after_mean, mean, rtol=1e-6, atol=1e-6)
    assert (after_deviation <= deviation * (1 + 1e-6)).all()
    assert (after_deviation[0] < 0.8 * deviation[0]).all()
    for now, then in zip(processes.predict(new), before, strict=True):
        torch.testing.assert_close(now, then, rtol=0, atol=0)  # the processes that were asked are as they were


def test_expected_designs_count_as_data_with_the_expected_values(data: Numbers, processes: GaussianProcesses):
    pending, new = inputs(3, 5), inputs(20, 6)
    more = torch.cat([data, pending])
    targets = torch.cat([smooth(data), processes.predict(pending)[0]])
    expected, spread = textbook(processes, more, targets, new), smooth(data).std(dim=0)
    at_once = processes.expecting(pending)
    one_by_one = processes.expecting(pending[:1]).expecting(pending[1:])
    for after in (at_once, one_by_one):
        for ours, theirs in zip(after.predict(new), expected, strict=True):
            torch.testing.assert_close(ours / spread, theirs / spread, rtol=0, atol=1e-4)


def test_what_is_rougher_than_the_kernel_believes_is_doubted_more():
    points = inputs(8, 0, width=1)
    jagged = torch.arange(8, dtype=torch.float64)[:, None] % 2
    processes = fitted(points, torch.cat([jagged, torch.sin(2 * points)], dim=1))
    believed, widening = processes.predict(points)[1], processes._widening
    assert 1.2 < widening[0] <= WIDEST_FACTOR
    assert widening[1] == 1.0
    processes._widening = torch.ones(2, dtype=torch.float64)
    torch.testing.assert_close(believed, widening * processes.predict(points)[1])


def test_an_affine_change_of_the_targets_changes_predictions_in_the_same_way(data: Numbers):
    targets, new = smooth(data)[:, :1], inputs(20, 7)
    mean, deviation = fitted(data, targets).predict(new)
    other_mean, other_deviation = fitted(data, 3e-9 - 2e-3 * targets).predict(new)
    torch.testing.assert_close(other_mean, 3e-9 - 2e-3 * mean, rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(other_deviation, 2e-3 * deviation, rtol=1e-6, atol=1e-9)


def test_processes_of_several_quantities_know_nothing_of_each_other(data: Numbers, processes: GaussianProcesses):
    new = inputs(20, 8)
    alone = fitted(data, smooth(data)[:, 1:]).predict(new)
    for together, one in zip(processes.predict(new), alone, strict=True):
        torch.testing.assert_close(together[:, 1:], one, rtol=1e-6, atol=1e-6)


def test_the_same_data_give_the_same_predictions_to_the_bit(data: Numbers):
    new = inputs(20, 9)
    one, other = (fitted(data, smooth(data)).predict(new) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_a_quantity_that_is_always_the_same_is_predicted_so(data: Numbers):
    mean, deviation = fitted(data, torch.full((len(data), 1), 7.0, dtype=torch.float64)).predict(inputs(5, 2))
    torch.testing.assert_close(mean, torch.full((5, 1), 7.0, dtype=torch.float64), rtol=0, atol=1e-5)
    assert (deviation < 1e-4).all()

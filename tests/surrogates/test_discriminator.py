"""Training of the learned judge: on what it is told, repeatably, with missing values in it."""

import numpy as np
import torch

from sizing.evaluation import Evaluation
from sizing.settings import JudgeSettings
from sizing.simulation.simulator import Measured
from sizing.spec.load import Spec
from surrogates.discriminator import LearnedDiscriminator


def evaluations(spec: Spec, count: int = 40, missing: float = 0.2) -> list[Evaluation]:
    """Random designs with random metrics, some of them missing."""
    rng = np.random.default_rng(2)
    result = []
    for index in range(count):
        values = rng.lognormal(size=len(spec.problem.metrics))
        values[rng.random(len(values)) < missing] = np.nan
        design = tuple(rng.integers(0, spec.problem.shape).tolist())
        result.append(Evaluation(index, design, Measured(tuple(values), {})))
    return result


def trained(spec: Spec, rounds: int = 2) -> LearnedDiscriminator:
    judge = LearnedDiscriminator(spec.problem, JudgeSettings(steps=20), np.random.default_rng(9))
    for _ in range(rounds):
        judge.fit(evaluations(spec))
    return judge


def test_training_is_repeatable_bit_for_bit(amplifier: Spec):
    for one, other in zip(trained(amplifier).model.parameters(), trained(amplifier).model.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_missing_values_leave_no_nan_in_the_weights(amplifier: Spec):
    assert all(torch.isfinite(parameter).all() for parameter in trained(amplifier).model.parameters())


def test_judging_has_no_side_effect_on_training(amplifier: Spec):
    plain, asked = trained(amplifier, 1), trained(amplifier, 1)
    asked.judge(np.array([[1, 2], [3, 4]]), evaluations(amplifier)[0])
    plain.fit(evaluations(amplifier))
    asked.fit(evaluations(amplifier))
    for one, other in zip(plain.model.parameters(), asked.model.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_a_reference_in_spec_is_judged_by_its_targets_and_another_by_comparison(amplifier: Spec):
    judge = trained(amplifier)
    batch = np.array([[1, 2], [30, 40], [98, 49]])
    gain, bandwidth, current = 5.0, 1e6, 5e-4  # met, not met, met
    reference = Evaluation(0, (50, 25), Measured((gain, bandwidth, current), {}))
    judge.model.eval()
    with torch.inference_mode():
        embedding = judge.model["extractor"](judge._features(np.array([[50, 25], *batch])))
        comparison = torch.sigmoid(judge.model["comparison"](embedding[1:], embedding[:1])).numpy()
        meets = torch.sigmoid(judge.model["meets"](embedding[1:])).numpy()
    expected = np.stack([meets[:, 0], comparison[:, 1], meets[:, 2]], axis=1)
    np.testing.assert_allclose(judge.judge(batch, reference), expected, atol=1e-6)

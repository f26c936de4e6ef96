"""The judge of Gaussian processes on the real amplifier: how often it is right, and what its answers depend on."""

import math
from collections.abc import Sequence
from functools import partial

import numpy as np
import pytest
import torch

from sizing.clock import Clock
from sizing.evaluation.evaluator import Evaluation, Evaluator, values_of
from sizing.simulation.pool import SimulationPool
from sizing.simulation.simulations import in_order
from sizing.simulation.simulator import Measured
from sizing.specfile.load import Spec
from sizing.task.objectives import meets, no_worse, order
from sizing.task.problem import Metric, Problem, Variable
from surrogates.features import LogarithmicFeatures
from surrogates.processes.regression import Regression, _between

pytestmark = pytest.mark.slow

NAN = float("nan")


def judge_of(problem: Problem, evaluations: Sequence[Evaluation], most: int = 300) -> Regression:
    features = LogarithmicFeatures(problem)
    judge = Regression(problem, features, most)
    judge.fit(evaluations)
    return judge


def designs_of(evaluations: Sequence[Evaluation]) -> np.ndarray:
    return np.array([evaluation.design for evaluation in evaluations])


@pytest.fixture(scope="module")
def simulated(amplifier: Spec) -> list[Evaluation]:
    """Random designs of the amplifier, simulated."""
    rng = np.random.default_rng(3)
    designs = list(dict.fromkeys(map(tuple, rng.integers(0, amplifier.problem.shape, (240, 2)).tolist())))
    with SimulationPool(amplifier.task, 1, 60.0) as pool:
        evaluator = Evaluator(amplifier.problem, partial(in_order, pool), lambda *_: None, Clock())
        return [each for each in evaluator.evaluate(designs, "search") if each.ok]


@pytest.fixture(scope="module")
def known(simulated: list[Evaluation]) -> list[Evaluation]:
    return simulated[:60]


@pytest.fixture(scope="module")
def judge(amplifier: Spec, known: list[Evaluation]) -> Regression:
    return judge_of(amplifier.problem, known)


def test_after_sixty_designs_it_knows_which_targets_others_meet(
    amplifier: Spec, simulated: list[Evaluation], judge: Regression
):
    new = simulated[60:]
    truth = meets(amplifier.problem, values_of(new))
    judged = judge.judge(designs_of(new))
    assert judged.shape == truth.shape
    assert 0.05 < truth.mean() < 0.95
    assert ((judged > 0.5) == truth).mean() > 0.97
    assert ((judged - truth) ** 2).mean() < 0.03
    sure = np.abs(judged - 0.5) > 0.49
    assert sure.mean() > 0.5
    assert ((judged > 0.5) == truth)[sure].mean() > 0.98


def test_it_knows_who_is_no_worse_than_a_reference(
    amplifier: Spec, simulated: list[Evaluation], known: list[Evaluation], judge: Regression
):
    new = simulated[60:]
    for reference in known[:8]:
        truth = no_worse(amplifier.problem, values_of(new), values_of([reference]))
        assert ((judge.judge(designs_of(new), reference) > 0.5) == truth).mean() > 0.95


def test_to_be_no_worse_than_what_meets_a_target_is_to_meet_it(
    amplifier: Spec, simulated: list[Evaluation], known: list[Evaluation], judge: Regression
):
    candidates = designs_of(simulated[60:])
    plain = judge.judge(candidates)
    met = meets(amplifier.problem, values_of(known))
    assert met.any(axis=0).all()
    for reference, row in zip(known, met, strict=True):
        np.testing.assert_array_equal(judge.judge(candidates, reference)[:, row], plain[:, row])


def test_a_worse_reference_lowers_no_probability(
    amplifier: Spec, simulated: list[Evaluation], known: list[Evaluation], judge: Regression
):
    candidates = designs_of(simulated[60:])
    references = [*known, Evaluation(0, (0, 0), Measured((NAN, NAN, NAN), {}))]
    judged = np.array([judge.judge(candidates, reference) for reference in references])
    for m in range(2):  # of the third, every design meets the target
        best_first = order(amplifier.problem, values_of(references), [m])
        assert (np.diff(judged[best_first, :, m], axis=0) >= 0).all()
        assert judged[best_first[-1], :, m].mean() > judged[best_first[0], :, m].mean()
    assert (judged[-1] == 1).all()  # nothing is worse than a missing value


def test_a_design_about_to_be_measured_leaves_less_doubt_beside_it(amplifier: Spec, simulated: list[Evaluation]):
    judge = judge_of(amplifier.problem, simulated[:8])
    candidates = designs_of(simulated[60:])
    doubtful = candidates[np.abs(judge.judge(candidates) - 0.5).max(axis=1).argmin()][None]
    without, expected = judge.judge(doubtful), judge.judge(doubtful, None, doubtful)
    assert (np.abs(expected - 0.5) >= np.abs(without - 0.5) - 1e-9).all()
    assert (np.abs(expected - 0.5) - np.abs(without - 0.5)).max() > 0.02
    np.testing.assert_array_equal(judge.judge(doubtful, None, doubtful[:0]), without)
    np.testing.assert_array_equal(judge.judge(doubtful), without)  # nothing is kept


def test_of_too_many_designs_the_best_and_the_latest_are_learned_from(amplifier: Spec, simulated: list[Evaluation]):
    problem = amplifier.problem
    whole = [each for each in simulated if not np.isnan(values_of([each])).any()][:60]
    best = set(order(problem, values_of(whole))[:10].tolist())
    chosen = [each for row, each in enumerate(whole) if row in best or row >= 50]
    assert 10 < len(chosen) < 21
    candidates = designs_of(simulated[150:])
    limited = judge_of(problem, whole, most=20).judge(candidates)
    np.testing.assert_allclose(limited, judge_of(problem, chosen).judge(candidates), atol=1e-9)
    assert np.abs(limited - judge_of(problem, whole).judge(candidates)).max() > 0.01


def test_fitting_again_on_more_designs_brings_it_closer_to_the_truth(amplifier: Spec, simulated: list[Evaluation]):
    truth = meets(amplifier.problem, values_of(simulated[100:]))
    judge = judge_of(amplifier.problem, simulated[:6])
    early = judge.judge(designs_of(simulated[100:]))
    judge.fit(simulated[:100])
    late = judge.judge(designs_of(simulated[100:]))
    assert ((late - truth) ** 2).mean() < 0.5 * ((early - truth) ** 2).mean()


def test_a_metric_between_two_bounds_is_met_between_them():
    grid = tuple(np.linspace(1.0, 2.0, 41).tolist())
    problem = Problem("p", "p", (Variable("x", grid, "m"),), (Metric("level", "V", 1.4, 1.6),))
    known = [Evaluation(n, (place,), Measured((grid[place],), {})) for n, place in enumerate(range(0, 41, 4))]
    judged = judge_of(problem, known).judge(np.array([[2], [14], [20], [26], [38]]))[:, 0]
    assert (judged.round() == [0, 0, 1, 0, 0]).all()


@pytest.mark.parametrize("bounds", [{"at_least": 1.6}, {"at_most": 1.4}])
def test_a_reference_on_either_side_of_its_target_is_as_far_as_a_value_may_go(bounds: dict[str, float]):
    grid = tuple(np.linspace(1.0, 2.0, 41).tolist())
    problem = Problem("p", "p", (Variable("x", grid, "m"),), (Metric("level", "V", **bounds),))
    known = [Evaluation(n, (place,), Measured((grid[place],), {})) for n, place in enumerate(range(0, 41, 4))]
    reference, candidates = known[5], np.array([[4], [18], [22], [38]])  # 1.5, between 1.45 and 1.55
    truth = no_worse(problem, np.array(grid)[candidates], values_of([reference]))
    assert 0 < truth.sum() < 4
    judge = judge_of(problem, known)
    np.testing.assert_array_equal(judge.judge(candidates, reference) > 0.5, truth)
    assert (judge.judge(candidates[1:3]) < 0.5).all()  # neither meets the target itself


def test_a_metric_that_no_design_has_had_is_not_promised_to_any():
    grid = tuple(np.linspace(1.0, 2.0, 41).tolist())
    problem = Problem("p", "p", (Variable("x", grid, "m"),), (Metric("level", "V", at_least=1.4),))
    known = [Evaluation(n, (n,), Measured((NAN,), {0: "none"})) for n in range(5)]
    assert (judge_of(problem, known).judge(np.arange(10, 40)[:, None]) < 0.01).all()


def normal_tail(z: float) -> float:
    """The probability of more than z standard deviations."""
    return math.erfc(z / math.sqrt(2)) / 2


@pytest.mark.parametrize("z", [0.0, 1.0, 6.0, 10.0, 30.0])
def test_tails_do_not_round_to_zero(z: float):
    zero, one, infinite = (torch.tensor([x], dtype=torch.float64) for x in (0.0, 1.0, math.inf))
    low, high = torch.tensor([z], dtype=torch.float64), torch.tensor([z + 1], dtype=torch.float64)
    beyond = normal_tail(z)
    between = beyond - normal_tail(z + 1)
    assert 0 < between < beyond <= 0.5
    for mirrored in (False, True):
        for (left, right), expected in (((low, infinite), beyond), ((low, high), between)):
            ends = (-right, -left) if mirrored else (left, right)
            assert _between(*ends, zero, one).item() == pytest.approx(expected, rel=1e-9, abs=0)

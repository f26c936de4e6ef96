"""When too many simulations fail."""

import pytest

from sizing.evaluation.evaluator import Evaluation
from sizing.evaluation.failures import LATEST_SIMULATIONS, FailureWatch
from sizing.simulation.simulator import Failed, Measured


def evaluations(failed: int, measured: int) -> list[Evaluation]:
    outcomes = [Failed("convergence", "no solution")] * failed + [Measured((1.0,), {})] * measured
    return [Evaluation(index, (index,), outcome) for index, outcome in enumerate(outcomes)]


@pytest.mark.parametrize(
    ("failed", "hopeless"),
    [(LATEST_SIMULATIONS - 6, False), (LATEST_SIMULATIONS - 5, True), (LATEST_SIMULATIONS - 4, True)],
)
def test_a_run_is_hopeless_from_the_share_on_that_it_is_told(failed: int, hopeless: bool):
    watch = FailureWatch(0.9)
    assert watch(evaluations(0, 10)) == ""
    warning = watch(evaluations(failed, LATEST_SIMULATIONS - failed))
    assert watch.hopeless == hopeless
    assert warning == (f"{failed} of 50 simulations failed for convergence: no solution" if hopeless else "")

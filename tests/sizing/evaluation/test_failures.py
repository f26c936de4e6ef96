"""When too many simulations fail."""

import pytest

from sizing.evaluation.evaluator import Evaluation
from sizing.evaluation.failures import LATEST_SIMULATIONS, FailureWatch, lacks
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


def test_what_is_lacking_is_counted_with_like_reasons_as_one():
    outcomes = [
        *(Failed("convergence", f"b.step: ended at {at:g} of 2e-06") for at in (1e-7, 2.5e-7)),
        Failed("timeout", "took longer than 60 s"),
        *(Measured((1.0, float("nan")), {1: why}) for why in ("v(n1) starts at 0.1", "v(n1) starts at -2e-3")),
        Measured((1.0, float("nan")), {1: "v(n2) starts at 3"}),
        Measured((1.0, 2.0), {}),
    ]
    assert list(map(str, lacks(outcomes, ["gain", "delay"]))) == [
        "2 of 7 simulations failed for convergence: b.step: ended at 1e-07 of 2e-06",
        "1 of 7 simulations failed for timeout: took longer than 60 s",
        "3 of 7 simulations without delay: v(n1) starts at 0.1 (2); v(n2) starts at 3 (1)",
    ]


def test_of_many_reasons_the_commonest_are_told():
    outcomes = [Measured((float("nan"),), {0: word}) for word in ["few", *["most"] * 3, *["some"] * 2, "rare", "rarer"]]
    (lack,) = lacks(outcomes, ["gain"])
    assert lack.why == "most (3); some (2); few (1); 2 more"


def test_nothing_is_lacking_where_all_was_measured():
    assert lacks([Measured((1.0,), {})], ["gain"]) == []

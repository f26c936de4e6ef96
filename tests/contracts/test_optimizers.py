"""What every search method promises to the loop, whichever it is."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from itertools import count as counted

import numpy as np
import pytest

from sizing.clock import Clock
from sizing.evaluation.evaluator import Evaluation, Evaluator
from sizing.search.context import Context
from sizing.search.evolution import Streams
from sizing.search.methods import METHODS, settled
from sizing.search.optimizer import Optimizer
from sizing.simulation.simulator import Failed, Measured, Outcome
from sizing.task.job import Job
from sizing.task.problem import Design, Metric, Problem, Variable
from sizing.task.settings import RunSettings

LEARNED = ("oracle", "fc", "gp-pretrained", "gnn-random", "gnn-frozen", "gnn-finetuned")
"""Evolution with a filter: they share its optimizer, and tests/contracts/test_discriminators.py has the filters."""
QUICK = [method for method in METHODS if method not in LEARNED]
SLOW = ("optuna-gp", "turbo")
"""A question to them takes a second."""
FITTED = ("gp", "gp-op", "optuna-tpe")
"""A question to them takes a tenth of one."""

PROBLEM = Problem(
    "formula",
    "formula",
    (
        Variable("width", tuple(np.arange(1.0, 100.0))),
        Variable("length", tuple(np.geomspace(1e-7, 1e-6, 40))),
        Variable("resistance", tuple(np.arange(0.0, 1000.0, 50.0))),
    ),
    (Metric("gain", "V/V", at_least=20.0), Metric("current", "A", at_most=1e-3, weight=2.0)),
)


def outcome(design: Design) -> Outcome:
    """Gain and current by a formula, on grid indices; some designs fail and some have no gain."""
    width, length, resistance = design
    if (width + length) % 17 == 0:
        return Failed("convergence", "formula")
    gain = width * resistance / 30 if resistance > 4 else float("nan")
    return Measured((gain, 4e-5 * width / (1 + length / 10)), {})


def optimizer(method: str, problem: Problem = PROBLEM, seed: int = 3, **settings) -> Optimizer:
    chosen = settled(RunSettings(method=method, seed=seed, **{"initial": 20} | settings))

    def look(jobs: Sequence[Job]) -> list[Outcome]:
        return [Measured(tuple(job.variables.values()), {}) for job in jobs]

    evaluator = Evaluator(problem, lambda jobs: [], lambda evaluation, purpose: None, Clock(), look=look)
    return METHODS[method].optimizer(Context(problem, chosen, {}, evaluator, Streams.from_seed(seed), Clock()))


def searched(
    optimizer: Optimizer, enough: int, outcome: Callable[[Design], Outcome] = outcome
) -> list[Sequence[Design]]:
    """The proposals until so many designs have been told, or none are proposed."""
    index, proposals = counted(), []
    while sum(map(len, proposals)) < enough:
        proposal = optimizer.ask()
        proposals.append(proposal.designs)
        if not proposal.designs:
            break
        optimizer.tell([Evaluation(next(index), design, outcome(design)) for design in proposal.designs])
    return proposals


def as_many(method: str, usual: int) -> int:
    """Designs to ask a method for in a test: of the slow ones two that are not initial."""
    return 22 if method in SLOW else min(usual, 80) if method in FITTED else usual


@cache
def long_search(method: str) -> list[Sequence[Design]]:
    return searched(optimizer(method, batch=3), as_many(method, 220))


def told(proposals: list[Sequence[Design]]) -> list[Design]:
    return [design for proposal in proposals for design in proposal]


@pytest.mark.parametrize("method", QUICK)
def test_all_methods_of_a_seed_start_from_the_same_designs(method: str):
    few, many = optimizer(method, initial=10).ask(), optimizer(method, initial=30).ask()
    assert few.purpose == many.purpose == "initial"
    assert many.designs == optimizer("evo", initial=30).ask().designs
    assert few.designs == many.designs[:10]
    assert optimizer(method, initial=10, seed=4).ask().designs != few.designs


@pytest.mark.slow
@pytest.mark.parametrize("method", QUICK)
def test_designs_are_new_and_on_the_grid_and_no_more_than_asked_for(method: str):
    proposals = long_search(method)
    designs = told(proposals)
    assert len(proposals[0]) == 20
    assert all(1 <= len(proposal) <= 3 for proposal in proposals[1:])
    assert len(set(designs)) == len(designs) >= 22
    assert all(isinstance(index, int) for design in designs for index in design)
    assert (np.array(designs) >= 0).all()
    assert (np.array(designs) < PROBLEM.shape).all()


@pytest.mark.slow
@pytest.mark.parametrize("method", QUICK)
def test_the_same_seed_searches_in_the_same_way_whatever_the_global_random_state(method: str):
    first = long_search(method)
    np.random.seed(0)  # noqa: NPY002  # what others may do
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    again = searched(optimizer(method, batch=3), as_many(method, 60))
    assert again == first[: len(again)]
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


@pytest.mark.slow
@pytest.mark.parametrize("result", [Failed("crash", "always"), Measured((float("nan"), float("nan")), {})])
@pytest.mark.parametrize("method", QUICK)
def test_a_search_goes_on_when_nothing_can_be_measured(method: str, result: Outcome):
    proposals = searched(optimizer(method, batch=1), as_many(method, 40), lambda design: result)
    assert len(told(proposals)) == as_many(method, 40)


@pytest.mark.slow
@pytest.mark.parametrize("method", QUICK)
def test_a_grid_smaller_than_what_is_asked_for_is_exhausted(method: str):
    small = replace(PROBLEM, variables=(Variable("width", (1.0, 2.0, 3.0, 4.0, 5.0)), Variable("other", (1.0, 2.0))))
    proposals = searched(
        optimizer(method, small, initial=8, batch=1),
        1000,
        lambda design: Measured((10.0 * design[0], 1e-4 * design[1]), {}),
    )
    assert proposals[-1] == ()
    assert len(told(proposals)) == len(set(told(proposals))) == 10


@pytest.mark.parametrize("told", [0, 1, 7])
@pytest.mark.parametrize("method", QUICK)
def test_a_budget_may_end_within_the_initial_designs(method: str, told: int):
    search = optimizer(method)
    designs = search.ask().designs[:told]
    search.tell([Evaluation(index, design, outcome(design)) for index, design in enumerate(designs)])


@pytest.mark.slow
@pytest.mark.parametrize("method", QUICK)
def test_one_variable_is_enough(method: str):
    line = replace(PROBLEM, variables=PROBLEM.variables[:1])
    designs = told(searched(optimizer(method, line, initial=10, batch=1), 12, lambda design: smooth((*design, 20, 15))))
    assert len(set(designs)) == len(designs) == 12


LEARNING = [method for method in QUICK if method not in ("evo", "random", "grid", *SLOW)]


@pytest.mark.slow
@pytest.mark.parametrize("method", LEARNING)
def test_what_learns_finds_designs_in_spec_more_often_than_chance_does(method: str):
    def in_spec(method: str) -> int:
        designs = told(searched(optimizer(method), 120, smooth))[20:]
        return sum(smooth(design).values[0] >= 20 and smooth(design).values[1] <= 1e-3 for design in designs)

    assert in_spec(method) > 2 * in_spec("random")


def smooth(design: Design) -> Measured:
    width, length, resistance = design
    return Measured((width * resistance / 60, 4e-5 * width / (1 + length / 10)), {})

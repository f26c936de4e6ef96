"""What every search method promises to the loop, whichever it is."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count as counted
from typing import Any

import numpy as np
import pytest

from sizing.clock import Clock
from sizing.evaluation.evaluator import Evaluation, Evaluator
from sizing.search.context import Context
from sizing.search.evolution import Streams
from sizing.search.method import Method
from sizing.search.optimizer import Optimizer, initial_proposal
from sizing.search.settling import own_settings, settled
from sizing.simulation.simulator import Failed, Measured, Outcome
from sizing.task.job import Job
from sizing.task.problem import Design, Metric, Problem, Variable
from sizing.task.settings import RunSettings

INITIAL = 20
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


def smooth(design: Design) -> Measured:
    """The same without gaps."""
    width, length, resistance = design
    return Measured((width * resistance / 60, 4e-5 * width / (1 + length / 10)), {})


def optimizer(method: Method, problem: Problem = PROBLEM, seed: int = 3, **settings: Any) -> Optimizer:
    """A search by this method that has not begun."""
    given = RunSettings(seed=seed, **{"initial": INITIAL} | settings)

    def look(jobs: Sequence[Job]) -> list[Outcome]:
        return [Measured(tuple(job.variables.values()), {}) for job in jobs]

    evaluator = Evaluator(problem, lambda jobs: [], lambda evaluation, purpose: None, Clock(), look=look)
    streams, own = Streams.from_seed(seed), own_settings(given, method)
    return method.optimizer(Context(problem, settled(given, method), {}, evaluator, streams, Clock(), own=own))


def searched(
    optimizer: Optimizer, enough: int, outcome: Callable[[Design], Outcome] = outcome
) -> list[Sequence[Design]]:
    """The proposals until so many designs have been told, or none are proposed."""
    index = counted()
    proposals: list[Sequence[Design]] = []
    while sum(map(len, proposals)) < enough:
        proposal = optimizer.ask()
        proposals.append(proposal.designs)
        if not proposal.designs:
            break
        optimizer.tell([Evaluation(next(index), design, outcome(design)) for design in proposal.designs])
    return proposals


def told(proposals: list[Sequence[Design]]) -> list[Design]:
    """All designs of these."""
    return [design for proposal in proposals for design in proposal]


class OptimizerContract:
    """Give the fixture `method`; `most` designs are asked for in a test, fewer where a question takes long."""

    most: int = 220

    @pytest.fixture
    def method(self) -> Method:
        """The method under test."""
        raise NotImplementedError("expected a fixture `method` with the sizing.Method that is to be tested")

    def test_all_methods_of_a_seed_start_from_the_same_designs(self, method: Method) -> None:
        few, many = optimizer(method, initial=10).ask(), optimizer(method, initial=30).ask()
        assert few.purpose == many.purpose == "initial"
        assert many.designs == initial_proposal(PROBLEM, 30, Streams.from_seed(3).initial).designs
        assert few.designs == many.designs[:10]
        assert optimizer(method, initial=10, seed=4).ask().designs != few.designs

    def test_designs_are_new_and_on_the_grid_and_no_more_than_asked_for(self, method: Method) -> None:
        proposals = searched(optimizer(method, batch=3), self.most)
        designs = told(proposals)
        assert len(proposals[0]) == INITIAL
        assert all(1 <= len(proposal) <= 3 for proposal in proposals[1:])
        assert len(set(designs)) == len(designs) >= INITIAL + 2
        assert all(isinstance(index, int) for design in designs for index in design)
        assert (np.array(designs) >= 0).all()
        assert (np.array(designs) < PROBLEM.shape).all()

    def test_the_same_seed_searches_in_the_same_way_whatever_the_global_random_state(self, method: Method) -> None:
        enough = min(60, self.most)
        first = searched(optimizer(method, batch=2), enough)
        np.random.seed(0)  # noqa: NPY002  # what others may do
        random.seed(0)
        before, pythons = np.random.get_state()[1].copy(), random.getstate()  # type: ignore[index]  # noqa: NPY002
        assert searched(optimizer(method, batch=2), enough) == first
        np.testing.assert_array_equal(np.random.get_state()[1], before)  # type: ignore[index]  # noqa: NPY002
        assert random.getstate() == pythons

    @pytest.mark.parametrize("result", [Failed("crash", "always"), Measured((float("nan"), float("nan")), {})])
    def test_a_search_goes_on_when_nothing_can_be_measured(self, method: Method, result: Outcome) -> None:
        enough = min(40, self.most)
        proposals = searched(optimizer(method, batch=1), enough, lambda design: result)
        assert len(told(proposals)) == enough

    def test_a_grid_smaller_than_what_is_asked_for_is_exhausted(self, method: Method) -> None:
        few = (Variable("width", (1.0, 2.0, 3.0, 4.0, 5.0)), Variable("other", (1.0, 2.0)))
        proposals = searched(
            optimizer(method, replace(PROBLEM, variables=few), initial=8, batch=1),
            1000,
            lambda design: Measured((10.0 * design[0], 1e-4 * design[1]), {}),
        )
        assert proposals[-1] == ()
        assert len(told(proposals)) == len(set(told(proposals))) == 10

    @pytest.mark.parametrize("count", [0, 1, 7])
    def test_a_budget_may_end_within_the_initial_designs(self, method: Method, count: int) -> None:
        search = optimizer(method)
        designs = search.ask().designs[:count]
        search.tell([Evaluation(index, design, outcome(design)) for index, design in enumerate(designs)])

    def test_one_variable_is_enough(self, method: Method) -> None:
        line = replace(PROBLEM, variables=PROBLEM.variables[:1])
        search = optimizer(method, line, initial=10, batch=1)
        designs = told(searched(search, 12, lambda design: smooth((*design, 20, 15))))
        assert len(set(designs)) == len(designs) == 12


class LearningContract(OptimizerContract):
    """The same for a method that learns from what it is told."""

    def test_what_learns_finds_designs_in_spec_more_often_than_chance_does(self, method: Method) -> None:
        designs = told(searched(optimizer(method), 120, smooth))[INITIAL:]
        chance = np.random.default_rng(0).integers(0, PROBLEM.shape, (10_000, 3)).tolist()
        assert _share_in_spec(designs) > 2 * _share_in_spec(list(map(tuple, chance)))


def _share_in_spec(designs: Sequence[Design]) -> float:
    values = np.array([smooth(design).values for design in designs])
    return float(np.mean((values[:, 0] >= 20) & (values[:, 1] <= 1e-3)))

"""The search by foresight: the best by what is foreseen first, then designs that differ, all of them in spec."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sizing.clock import Clock
from sizing.evaluation.evaluator import Evaluation
from sizing.search.context import Context
from sizing.search.evolution import Streams, toolbox
from sizing.search.foresight import GOOD_SHARE, Foreseen, Foresight
from sizing.search.methods import METHODS
from sizing.search.settling import settled
from sizing.search.variation import Indices
from sizing.simulation.simulator import Failed, Measured
from sizing.task.objectives import figures, meets, smallest_margin
from sizing.task.problem import Metric, Problem, Variable
from sizing.task.settings import RunSettings

GRID = tuple(float(value) for value in range(1, 101))
PROBLEM = Problem(
    "formula", "formula", tuple(Variable(name, GRID) for name in "abc"),
    (Metric("gain", "", at_least=10.0), Metric("power", "W", at_most=100.0), Metric("area", "m", at_most=120.0)),
)  # fmt: skip


def truth(problem: Problem, designs: Indices) -> np.ndarray:
    a, b, c = np.array(GRID)[designs].T
    return np.stack([a * b / (50 + c), a + 0.5 * b, b + c], axis=1)[:, : len(problem.metrics)]


class Knowing:
    """Foresees the truth, times a factor of each metric until it has seen a design."""

    def __init__(self, problem: Problem, off: Sequence[float] = (1.0, 1.0, 1.0)) -> None:
        self._problem, self._off = problem, np.array(off)
        self.asked = 0

    def fit(self, evaluations: Sequence[Evaluation]) -> None:
        self._off = np.ones(len(self._problem.metrics))

    def foresee(self, candidates: Indices) -> Foreseen:
        self.asked += len(candidates)
        values = truth(self._problem, candidates) * self._off
        return Foreseen(
            smallest_margin(self._problem, values),
            figures(self._problem, values),
            meets(self._problem, values).astype(float),
        )


def searched(
    count: int, problem: Problem = PROBLEM, *, off: Sequence[float] = (1.0, 1.0, 1.0), seed: int = 0, **settings: Any
) -> tuple[list[Evaluation], Knowing]:
    run = settled(RunSettings(method="tables", seed=seed, **settings), METHODS["tables"])
    streams, foreseer = Streams.from_seed(seed), Knowing(problem, off)
    context = Context(problem, run, {}, None, streams, Clock())  # type: ignore[arg-type]
    search = Foresight(context, foreseer, toolbox(problem, run.search, streams.variation))
    found: list[Evaluation] = []
    while len(found) < count:
        proposal = search.ask()
        batch = []
        for design in proposal.designs:
            values = tuple(truth(problem, np.array([design]))[0].tolist())
            failed = design[0] == 7
            outcome = Failed("convergence", "") if failed else Measured(values, {})
            batch.append(Evaluation(len(found) + len(batch), design, outcome))
        search.tell(batch)
        found += batch
    return found, foreseer


def margins(found: Sequence[Evaluation], problem: Problem = PROBLEM) -> np.ndarray:
    return smallest_margin(problem, truth(problem, np.array([each.design for each in found])))


def test_the_first_design_is_nearly_the_best_there_is_and_all_are_in_spec():
    everything = np.stack(np.meshgrid(*[np.arange(100)] * 3, indexing="ij"), -1).reshape(-1, 3)
    best = smallest_margin(PROBLEM, truth(PROBLEM, everything)).max()
    for seed in range(3):
        found, _ = searched(20, seed=seed)
        assert margins(found)[0] > 0.97 * best
        assert (margins(found) >= GOOD_SHARE * 0.97 * best).all()
        assert len({each.design for each in found}) == 20


def test_a_value_to_begin_with_is_simulated_first():
    first = replace(PROBLEM.variables[0], start=30)
    found, _ = searched(3, replace(PROBLEM, variables=(first, *PROBLEM.variables[1:])))
    assert found[0].design == (30, 50, 50)
    assert smallest_margin(PROBLEM, truth(PROBLEM, np.array([found[1].design])))[0] > 0


def test_every_other_design_is_far_from_those_before():
    found, _ = searched(20)
    designs = np.array([each.design for each in found]) / 99
    nearest = [np.abs(designs[i] - designs[:i]).mean(axis=1).min() for i in range(1, 20)]
    assert np.mean(nearest[0::2]) > 3 * np.mean(nearest[1::2])


def test_what_is_foreseen_wrongly_is_learned_and_looked_for_anew():
    found, _ = searched(20, off=(2.0, 1.0, 1.0))
    assert margins(found)[0] < 0
    assert (margins(found)[2:] > 0).all()


def test_nothing_is_judged_again_as_long_as_simulations_agree():
    _, once = searched(1)
    _, often = searched(10)
    assert often.asked - once.asked <= 10 * 500


def test_a_design_that_fails_is_not_proposed_again():
    found, _ = searched(30)
    assert len({each.design for each in found}) == 30


def test_the_same_seed_searches_in_the_same_way():
    first, again, other = ([each.design for each in searched(8, seed=seed)[0]] for seed in (0, 0, 1))
    assert first == again != other


@pytest.mark.parametrize("batch", [1, 3])
def test_a_batch_has_distinct_designs(batch: int):
    found, _ = searched(9, batch=batch)
    assert len({each.design for each in found}) == 9


def test_with_an_objective_designs_are_in_spec_and_go_towards_the_optimum():
    gain, power, area = PROBLEM.metrics
    problem = replace(PROBLEM, metrics=(gain, replace(power, goal="minimize"), area))
    everything = np.stack(np.meshgrid(*[np.arange(100)] * 3, indexing="ij"), -1).reshape(-1, 3)
    values = truth(problem, everything)
    least = values[meets(problem, values).all(axis=1), 1].min()
    found, _ = searched(25, problem)
    measured = truth(problem, np.array([each.design for each in found]))
    good = measured[meets(problem, measured).all(axis=1), 1]
    assert len(good) > 20
    assert good.min() < 1.02 * least

"""What peers are told, and that what they ask for again is not simulated again."""

import sys

import numpy as np
import pytest

from sizing.clock import Clock
from sizing.errors import InputError
from sizing.evaluation.evaluator import Evaluation, Evaluator
from sizing.search.context import Context
from sizing.search.evolution import Streams
from sizing.search.methods import METHODS
from sizing.search.peers.optimizer import MISSING_VIOLATION, Answers, PeerOptimizer, violations_told
from sizing.search.settling import settled, variant
from sizing.simulation.simulator import Failed, Measured
from sizing.specfile.load import Spec
from sizing.task.problem import Metric, Problem, Variable
from sizing.task.settings import RunSettings

PROBLEM = Problem(
    "p",
    "p",
    (Variable("a", tuple(range(10))), Variable("b", tuple(range(10)))),
    (Metric("gain", "V/V", at_least=10.0), Metric("power", "W", at_most=2.0, weight=3.0)),
)


def context(**settings) -> Context:
    evaluator = Evaluator(PROBLEM, lambda jobs: [], lambda evaluation, purpose: None, Clock())
    chosen = RunSettings(initial=4, **settings)
    return Context(PROBLEM, chosen, {}, evaluator, Streams.from_seed(1), Clock())


class Insisting:
    """Asks for one design after the other, from (0, 0) on along b; or always for the same."""

    def __init__(self, step: int) -> None:
        self.step, self.next = step, 0
        self.told: list[Answers] = []

    def ask(self, count: int) -> np.ndarray:
        asked = [(0, (self.next + i * self.step) % 10) for i in range(count)]
        self.next += count * self.step
        return np.array(asked)

    def tell(self, answers: Answers) -> None:
        self.told.append(answers)


def tell(optimizer: PeerOptimizer, designs, first: int) -> None:
    optimizer.tell([Evaluation(first + i, d, Measured((float(d[1]), 1.0), {})) for i, d in enumerate(designs)])


def test_a_peer_hears_of_all_it_asks_for_and_only_what_is_new_is_simulated():
    peer = Insisting(1)
    optimizer = PeerOptimizer(context(batch=3), lambda context, initial: peer)
    tell(optimizer, optimizer.ask().designs, 0)
    assert peer.told == []
    assert optimizer.ask().designs == ((0, 0), (0, 1), (0, 2))
    tell(optimizer, [(0, 0), (0, 1), (0, 2)], 4)
    peer.next = 2
    assert optimizer.ask().designs == ((0, 3), (0, 4))
    tell(optimizer, [(0, 3), (0, 4)], 7)
    np.testing.assert_array_equal(peer.told[-1].designs, [(0, 2), (0, 3), (0, 4)])
    np.testing.assert_allclose(peer.told[-1].cost, [0.8, 0.7, 0.6])


def test_a_peer_that_asks_for_nothing_new_makes_way_for_a_random_design():
    peer = Insisting(0)
    optimizer = PeerOptimizer(context(batch=1), lambda context, initial: peer)
    tell(optimizer, optimizer.ask().designs, 0)
    seen = set()
    for index in range(4, 100):
        proposal = optimizer.ask()
        if not proposal.designs:
            break
        assert len(proposal.designs) == 1
        seen.update(proposal.designs)
        tell(optimizer, proposal.designs, index)
    assert len(seen) == 96  # and the 4 initial ones are the whole grid
    assert optimizer.ask().designs == ()


def test_violations_are_weighted_and_go_below_zero_and_nothing_is_worse_than_missing():
    outcomes = [
        Measured((20.0, 1.0), {}),
        Measured((5.0, 4.0), {}),
        Measured((float("nan"), 1.0), {0: "none"}),
        Measured((-1e9, 1.0), {}),
        Failed("crash", ""),
    ]
    told = violations_told(PROBLEM, [Evaluation(i, (i, 0), outcome) for i, outcome in enumerate(outcomes)])
    np.testing.assert_allclose(told[0], [-0.5, 3 * -0.5])
    np.testing.assert_allclose(told[1], [0.5, 3 * 0.5])
    np.testing.assert_allclose(told[2:4, 0], [MISSING_VIOLATION, MISSING_VIOLATION])
    np.testing.assert_allclose(told[4], [MISSING_VIOLATION, 3 * MISSING_VIOLATION])
    answers = Answers(np.zeros((5, 2), dtype=int), told, np.empty((5, 0)))
    np.testing.assert_allclose(answers.cost, [0, 2, MISSING_VIOLATION, MISSING_VIOLATION, 4 * MISSING_VIOLATION])


def test_settings_of_a_peer_are_its_own_unless_they_are_given(amplifier: Spec):
    method = next(name for name, each in METHODS.items() if each.settings.get("peer") == {"scale": "log"})
    assert settled(RunSettings(method=method), METHODS[method]).peer.scale == "log"
    given = settled(RunSettings(method=method, peer={"scale": "linear"}, batch=7), METHODS[method])
    assert (given.peer.scale, given.batch, given.initial) == ("linear", 7, METHODS[method].settings["initial"])
    assert variant(given, RunSettings(), METHODS[method]) == f"{method}:batch=7:peer.scale=linear"


def test_a_peer_that_is_not_installed_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "botorch", None)
    peer = "sizing.search.peers.trust_region"
    for name in [name for name in sys.modules if name.startswith("botorch.") or name == peer]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(InputError, match=r"pip install 'circuit-sizing\[botorch\]'"):
        METHODS["turbo"].optimizer(context(method="turbo"))

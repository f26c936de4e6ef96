"""Methods that are not shipped: handed in as objects; what breaks a promise ends the run, and is named."""

import random
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from deap import tools
from deap.base import Toolbox

import sizing
from sizing.plugins import PlugInError
from sizing.search.context import Context
from sizing.search.discriminator import AcceptAll
from sizing.search.evolution import deap_operator, toolbox
from sizing.search.method import Method, evolution
from sizing.search.optimizer import Proposal
from sizing.specfile.load import Spec
from tests.plugins.conftest import Bring

QUICK: dict[str, Any] = {"initial": 4, "batch": 2, "max_sims": 8, "workers": 1}


class Walk:
    """Proposes what it is told to after the initial designs."""

    def __init__(self, context: Context, then: Any) -> None:
        self._then = then
        self._asked = 0

    def ask(self) -> Proposal:
        self._asked += 1
        if self._asked == 1:
            return Proposal(((1, 1), (2, 2)), "initial")
        return self._then() if callable(self._then) else Proposal((self._then,), "search")

    def tell(self, evaluations: object) -> None:
        pass


def fails() -> Proposal:
    raise RuntimeError("lost")


@pytest.mark.parametrize(
    ("then", "words"),
    [
        ((1,), r"ask: expected designs of 2 grid indices, tuples of int, got \(1,\)"),
        ((1.0, 2), r"ask: expected designs of 2 grid indices, tuples of int, got \(1.0, 2\)"),
        ((1, 50), "ask: expected a grid index of rl from 0 to 49, got 50"),
        ((-1, 3), "ask: expected a grid index of m1 from 0 to 98, got -1"),
        (lambda: [(1, 2)], r"ask: expected a sizing.Proposal, got \[\(1, 2\)\]"),
        (fails, r"ask raised RuntimeError\('lost'\) \(test_methods\.py:\d+\)"),
    ],
)
def test_an_optimizer_that_breaks_a_promise_ends_the_run_with_what_it_has(
    then: Any, words: str, amplifier: Spec, tmp_path: Path
):
    out = tmp_path / "run"
    with pytest.raises(PlugInError, match=rf"^method 'walk': {words}; {out} holds 2 simulations, and once"):
        sizing.run(amplifier, method=Method("walks", walk(then)), out=out, workers=1)
    left = sizing.load_run(out)
    assert len(left.designs) == 2
    assert left.status == "interrupted"
    assert (out / "table.csv").exists()
    on = sizing.resume(out, method=Method("walks", walk(lambda: Proposal((), "search"))), workers=1)
    assert on.status == "exhausted"


def walk(then: Any) -> Any:
    def walk(context: Context) -> Walk:
        return Walk(context, then)

    return walk


def test_a_method_that_cannot_begin_is_named_and_leaves_nothing(bring: Bring, amplifier: Spec, tmp_path: Path):
    bring("methods", "broken", f"{__name__}:BROKEN")
    words = r"method 'broken' of the package package1: its optimizer raised AttributeError\("
    with pytest.raises(PlugInError, match=words):
        sizing.run(amplifier, method="broken", out=tmp_path / "run", workers=1)
    assert not (tmp_path / "run").exists()


BROKEN = Method("cannot begin", lambda context: context.nothing())  # type: ignore[attr-defined]


class Judge(AcceptAll):
    """Answers with something."""

    def __init__(self, context: Context, answer: Any) -> None:
        super().__init__(context.problem)
        self._answer = answer

    def judge(self, candidates: Any, reference: Any = None, pending: Any = None) -> Any:
        return self._answer(super().judge(candidates, reference, pending))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda right: right[:, :1], r"float64 \(\d+, 3\) for candidates and metrics, got float64 \(\d+, 1\)"),
        (lambda right: None, r"float64 \(\d+, 3\) for candidates and metrics, got object \(\)"),
        (lambda right: right * np.nan, "numbers from 0 to 1, got nan"),
        (lambda right: right * 2, "numbers from 0 to 1, got 2.0"),
    ],
)
def test_a_judge_whose_answers_are_no_probabilities_is_named(answer: Any, words: str, amplifier: Spec, tmp_path: Path):
    def judged(context: Context) -> Judge:
        judge = Judge(context, answer)
        judge.chunk = 8
        return judge

    method = Method("judged", evolution(judged))
    with pytest.raises(PlugInError, match=rf"^judge Judge \({__name__}\): expected probabilities, {words}; .*4 simul"):
        sizing.run(amplifier, method=method, out=tmp_path / "run", **QUICK)


def with_toolbox(make: Any) -> Method:
    return Method("own operators", evolution(lambda c: AcceptAll(c.problem), make_toolbox=make))


def test_operators_are_registered_as_deap_users_do(amplifier: Spec, tmp_path: Path):
    called = set()

    def mate(mothers: Any, fathers: Any) -> Any:
        called.add("mate")
        return mothers, fathers

    def mutate(parents: Any, step: int) -> Any:
        called.add("mutate")
        return np.maximum(parents - step, 0)

    def select(pool: Any, count: int) -> Any:
        called.add("select")
        return np.resize(pool, count)

    def own(problem: Any, settings: Any, rng: Any) -> Toolbox:
        box = toolbox(problem, settings, rng)
        box.register("mate", mate)
        box.register("mutate", mutate, step=1)
        box.register("select", select)
        return box

    result = sizing.run(amplifier, method=with_toolbox(own), out=tmp_path / "run", **QUICK)
    assert result.status == "max_sims"
    assert called == {"mate", "mutate", "select"}


def deaps_own(problem: Any, settings: Any, rng: Any) -> Toolbox:
    box = toolbox(problem, settings, rng)
    box.register("mate", deap_operator(tools.cxTwoPoint, problem, rng))
    box.register("mutate", deap_operator(tools.mutShuffleIndexes, problem, rng, indpb=0.5))
    return box


def test_deaps_own_operators_are_as_reproducible_as_ours(amplifier: Spec, tmp_path: Path):
    method = with_toolbox(deaps_own)
    first = sizing.run(amplifier, method=method, out=tmp_path / "first", **QUICK, seed=3)
    random.seed(7)
    state = random.getstate()
    second = sizing.run(amplifier, method=method, out=tmp_path / "second", **QUICK, seed=3)
    assert random.getstate() == state
    assert first.designs.equals(second.designs)


def test_deaps_operators_get_lists_and_what_they_give_is_put_on_the_grid(amplifier: Spec):
    problem, rng = amplifier.problem, np.random.default_rng(0)
    one, other = np.array([[0, 0], [98, 49]]), np.array([[4, 4], [90, 40]])
    swap = deap_operator(tools.cxUniform, problem, rng, indpb=1.0)
    np.testing.assert_array_equal(swap(one, other), (other, one))
    blend = deap_operator(tools.cxBlend, problem, rng, alpha=5.0)
    for children in blend(one, other):
        assert children.dtype == np.int64
        assert ((children >= 0) & (children < problem.shape)).all()
    mutants = deap_operator(tools.mutGaussian, problem, rng, mu=0, sigma=200, indpb=1.0)(one)
    assert mutants.shape == one.shape
    assert ((mutants >= 0) & (mutants < problem.shape)).all()
    assert [len(each) for each in swap(one[:0], other[:0])] == [0, 0]


@pytest.mark.parametrize(
    ("mutate", "words"),
    [
        (lambda parents: parents + 1000, "children as grid indices (N, 2), got [1"),
        (lambda parents: parents * 0.5, "children as grid indices (N, 2), got float64 ("),
    ],
)
def test_operators_that_leave_the_grid_are_named(mutate: Any, words: str, amplifier: Spec, tmp_path: Path):
    def own(problem: Any, settings: Any, rng: Any) -> Toolbox:
        box = toolbox(problem, settings, rng)
        box.register("mutate", mutate)
        return box

    with pytest.raises(PlugInError, match=rf"^operators of own: expected {re.escape(words)}"):
        sizing.run(amplifier, method=with_toolbox(own), out=tmp_path / "run", **QUICK)


def test_a_method_with_settings_that_no_run_has_is_refused_at_once():
    with pytest.raises(
        sizing.InputError, match=r"^Method: settings: expected run settings, got .*inital: Extra inputs"
    ):
        Method("wrong", Walk, {"inital": 3})  # type: ignore[arg-type]
    with pytest.raises(
        sizing.InputError, match=r"^Method: own: expected a subclass of sizing\.Settings, got <class 'dict"
    ):
        Method("wrong", Walk, own=dict)  # type: ignore[arg-type]

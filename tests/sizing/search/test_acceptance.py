"""Acceptance: which designs are proposed, and the judgements behind them in the decision."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from sizing.clock import Clock
from sizing.evaluation.evaluator import Evaluation, Evaluator
from sizing.search.discriminator import AcceptAll, Discriminator, Oracle
from sizing.search.evolution import Evolution, Streams
from sizing.search.optimizer import Proposal
from sizing.simulation.simulator import Measured
from sizing.task.problem import Metric, Problem, Variable
from sizing.task.settings import RankingSettings, RunSettings, SearchSettings

QUICK = RankingSettings(drawn=60, children=100, kept=50, elite=10)
Judgement = Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.float64]]


def problem(*sizes: int) -> Problem:
    """Wants the first variable to be large and the last one to be small."""
    variables = tuple(Variable(f"v{n}", tuple(map(float, range(size)))) for n, size in enumerate(sizes))
    far = 0.7 * (sizes[0] - 1)
    return Problem("task", "task", variables, (Metric("up", "", at_least=far), Metric("down", "", at_most=far / 2)))


TASK = problem(40, 40, 40)


def measured(designs: Sequence[tuple[int, ...]], known: int = 0) -> list[Evaluation]:
    return [
        Evaluation(known + number, design, Measured((float(design[0]), float(design[-1])), {}))
        for number, design in enumerate(designs)
    ]


def evaluator() -> Evaluator:
    return Evaluator(
        TASK,
        lambda jobs: [Measured((job.variables["v0"], job.variables["v2"]), {}) for job in jobs],
        lambda *_: None,
        Clock(),
    )


class Stated:
    """A judge that says what a function of candidates and pending designs says, and remembers what it was asked."""

    counts = True
    chunk = 64

    def __init__(self, judgement: Judgement) -> None:
        self._judgement = judgement
        self.asked: list[NDArray[np.int64]] = []
        self.references: list[Evaluation | None] = []

    def fit(self, evaluations: Sequence[Evaluation]) -> None:
        pass

    def judge(
        self,
        candidates: NDArray[np.int64],
        reference: Evaluation | None = None,
        pending: NDArray[np.int64] | None = None,
    ) -> NDArray[np.float64]:
        self.asked.append(candidates)
        self.references.append(reference)
        return self._judgement(candidates, candidates[:0] if pending is None else pending)


def closeness(candidates: NDArray[np.int64], pending: NDArray[np.int64]) -> NDArray[np.float64]:
    """The larger the first variable and the smaller the last, the surer."""
    return np.stack([candidates[:, 0] / 40, 1 - candidates[:, -1] / 40], axis=1)


def evolution(
    judge: Discriminator,
    acceptance: str = "ranking",
    task: Problem = TASK,
    seed: int = 0,
    closer: Discriminator | None = None,
    **settings: object,
) -> Evolution:
    run = RunSettings.model_validate(
        {"initial": 8, "batch": 3, "search": SearchSettings(acceptance=acceptance), "ranking": QUICK} | settings
    )
    return Evolution(task, run, judge, Streams.from_seed(seed), Clock(), closer)


def iterations(search: Evolution, count: int) -> list[Proposal]:
    """What is proposed after the initial designs, each batch measured."""
    proposals: list[Proposal] = []
    known = 0
    for _ in range(count + 1):
        proposals.append(search.ask())
        search.tell(measured(proposals[-1].designs, known))
        known += len(proposals[-1].designs)
    return proposals[1:]


@pytest.mark.parametrize("acceptance", ["filter", "ranking"])
def test_every_batch_is_as_large_as_asked_for_of_designs_that_were_not_seen(acceptance: str):
    search = evolution(Stated(closeness), acceptance)
    initial = search.ask()
    search.tell(measured(initial.designs))
    seen = set(initial.designs)
    for _ in range(5):
        designs = search.ask().designs
        assert len(designs) == len(set(designs)) == 3
        assert seen.isdisjoint(designs)
        assert all((np.array(design) < TASK.shape).all() and min(design) >= 0 for design in designs)
        search.tell(measured(designs, len(seen)))
        seen.update(designs)


@pytest.mark.parametrize("acceptance", ["filter", "ranking"])
def test_a_decision_has_the_judgement_of_every_design_in_its_order(acceptance: str):
    judge = Stated(closeness)
    for proposal in iterations(evolution(judge, acceptance), 3):
        decision = proposal.decision
        assert decision is not None
        np.testing.assert_allclose(decision.judgement, closeness(np.array(proposal.designs), np.empty(0)), atol=1e-4)
        assert decision.judged is not None
        assert decision.bred >= decision.judged >= 3
        assert (decision.reference is None) == (acceptance == "ranking")
    assert {reference is None for reference in judge.references} == {acceptance == "ranking"}


def test_who_lets_everything_pass_leaves_no_judgement():
    (proposal,) = iterations(evolution(AcceptAll(TASK), "filter"), 1)
    assert proposal.decision is not None
    assert (proposal.decision.judgement, proposal.decision.judged) == (None, None)


def test_ranking_with_a_perfect_judge_takes_designs_that_meet_every_target():
    for proposal in iterations(evolution(Oracle(TASK, evaluator())), 4):
        for first, _, last in proposal.designs:
            assert first >= 0.7 * 39
            assert last <= 0.35 * 39


def test_ranking_takes_the_most_promising_that_it_has_judged():
    judge = Stated(closeness)
    (proposal,) = iterations(evolution(judge), 1)
    promise = closeness(np.concatenate(judge.asked), np.empty(0)).prod(axis=1)
    taken = closeness(np.array(proposal.designs), np.empty(0)).prod(axis=1)
    assert taken.max() == promise.max()
    assert (np.diff(taken) <= 0).all()


def test_the_pool_gets_better_with_its_generations_on_the_judgement_alone():
    def reached(generations: int) -> float:
        ranking = QUICK.model_copy(update={"generations": generations})
        promise = []
        for seed in range(5):
            (proposal,) = iterations(evolution(Stated(closeness), seed=seed, ranking=ranking), 1)
            promise.append(closeness(np.array(proposal.designs), np.empty(0)).prod(axis=1).mean())
        return float(np.mean(promise))

    assert reached(1) < reached(3) < reached(6)


def test_later_generations_descend_from_the_most_promising():
    judge = Stated(closeness)
    iterations(evolution(judge, ranking=QUICK.model_copy(update={"elite": 1})), 1)
    first, second = judge.asked[:2]
    best = first[closeness(first, first).prod(axis=1).argmax()]
    assert np.abs(np.median(second, axis=0) - best).max() <= 2  # about half of the genes stay where they are


def test_each_design_is_chosen_as_if_those_before_it_had_been_measured():
    def apart(candidates: NDArray[np.int64], pending: NDArray[np.int64]) -> NDArray[np.float64]:
        """Nothing near a pending design is worth another simulation."""
        near = (np.abs(candidates[:, None] - pending[None]).max(axis=2) <= 8).any(axis=1)
        return closeness(candidates, pending) * np.where(near, 1e-3, 1.0)[:, None]

    (proposal,) = iterations(evolution(Stated(apart)), 1)
    designs = np.array(proposal.designs)
    distance = np.abs(designs[:, None] - designs[None]).max(axis=2)
    assert distance[np.triu_indices(3, 1)].min() > 8
    assert proposal.decision is not None
    # The judgement is the one each was chosen by, with those before it pending but not itself.
    np.testing.assert_allclose(proposal.decision.judgement, closeness(designs, designs), atol=1e-4)


def test_a_closer_look_decides_until_a_design_is_in_spec():
    def middling(candidates: NDArray[np.int64], pending: NDArray[np.int64]) -> NDArray[np.float64]:
        return 0.5 + 0.5 * closeness(candidates, pending)

    few = QUICK.model_copy(update={"looked_at": 20, "looked_generations": 2, "looked_elite": 5, "looked_children": 10})
    closer = Stated(middling)
    search = evolution(Stated(closeness), closer=closer, ranking=few)
    search.ask()
    search.tell(measured([(0, 0, 39), (1, 0, 38), (2, 0, 37)]))
    proposal = search.ask()
    designs = np.array(proposal.designs)
    assert proposal.decision is not None
    np.testing.assert_allclose(proposal.decision.judgement, middling(designs, designs), atol=1e-4)
    looked_at, *descendants = closer.asked[:3]
    assert len(looked_at) == 20
    assert all(0 < len(children) <= 10 for children in descendants)
    assert len(closer.asked) == 3 + 3  # then the batch is chosen
    search.tell(measured([(39, 0, 0)], 3))
    assert len(search.ask().designs) == 3
    assert len(closer.asked) == 6


def test_candidates_that_cannot_meet_a_target_are_ranked_by_the_others():
    def hopeless(candidates: NDArray[np.int64], pending: NDArray[np.int64]) -> NDArray[np.float64]:
        judged = closeness(candidates, pending)
        judged[:, 1] = 0.0
        return judged

    judge = Stated(hopeless)
    (proposal,) = iterations(evolution(judge), 1)
    assert proposal.designs[0][0] == np.concatenate(judge.asked)[:, 0].max()


@pytest.mark.parametrize(
    ("initial", "batch", "sizes"), [(2, 2, [2, 2, 0]), (3, 4, [3, 0]), (6, 2, [0]), (2, 1, [1] * 4)]
)
def test_a_small_grid_is_used_up_and_then_nothing_is_proposed(initial: int, batch: int, sizes: list[int]):
    search = evolution(Stated(closeness), task=problem(2, 3), initial=initial, batch=batch)
    seen = list(search.ask().designs)
    search.tell(measured(seen))
    for size in sizes:
        proposal = search.ask()
        designs = proposal.designs
        assert len(designs) == size
        search.tell(measured(designs, len(seen)))
        seen += designs
    assert proposal.decision is not None
    if not sizes[-1]:
        assert proposal.decision.bred == 6 + QUICK.children
        assert proposal.decision.judgement == ()
    assert sorted(seen) == [(a, b) for a in range(2) for b in range(3)]


def test_the_same_seed_proposes_the_same_designs_and_another_others():
    def proposed(seed: int) -> list[Proposal]:
        return iterations(evolution(Stated(closeness), seed=seed), 3)

    assert proposed(1) == proposed(1)
    assert proposed(1) != proposed(2)

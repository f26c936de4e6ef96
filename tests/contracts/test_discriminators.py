"""What every discriminator promises to the search, whichever it is."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from sizing.clock import Clock
from sizing.evaluation.evaluator import Evaluation, Evaluator, values_of
from sizing.search.context import Context
from sizing.search.discriminator import Discriminator, Oracle
from sizing.search.evolution import Streams
from sizing.search.methods import DISCRIMINATORS
from sizing.simulation.simulator import Failed, Measured, Outcome
from sizing.specfile.load import Spec
from sizing.task.objectives import no_worse
from sizing.task.problem import Problem
from sizing.task.settings import JudgeSettings, RunSettings


def formula(problem: Problem, job: dict[str, float]) -> Outcome:
    """An amplifier's metrics by a formula, as quick stand-in data; the slowest designs cannot be measured."""
    gain, load = job["m1"] * job["rl"] / 4e3, job["rl"]
    if load > 4800:
        return Failed("convergence", "formula")
    return Measured((gain, 4e12 / load / (1 + gain / 30), 1.2 / load * min(1.0, gain)), {})


@pytest.fixture
def evaluator(amplifier: Spec) -> Evaluator:
    def simulate(jobs):
        return [formula(amplifier.problem, job.variables) for job in jobs]

    return Evaluator(amplifier.problem, simulate, lambda evaluation, purpose: None, Clock())


@pytest.fixture
def population(amplifier: Spec, evaluator: Evaluator) -> list[Evaluation]:
    designs = np.random.default_rng(0).integers(0, amplifier.problem.shape, (60, 2)).tolist()
    return [each for each in evaluator.evaluate(list(map(tuple, designs)), "initial") if each.ok]


def made(method: str, spec: Spec, evaluator: Evaluator) -> Discriminator:
    circuits = {bench.name: bench.circuit for bench in spec.benches}
    settings = RunSettings(judge=JudgeSettings(body_steps=5))
    return DISCRIMINATORS[method](Context(spec.problem, settings, circuits, evaluator, Streams.from_seed(7), Clock()))


@pytest.fixture(params=DISCRIMINATORS)
def discriminator(request: pytest.FixtureRequest, amplifier: Spec, evaluator: Evaluator) -> Discriminator:
    return made(request.param, amplifier, evaluator)


def candidates(problem: Problem, count: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, problem.shape, (count, len(problem.shape)))


@pytest.fixture
def threads() -> Iterator[int]:
    """How many threads torch is set to, more than one."""
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield 3
    torch.set_num_threads(before)


def test_the_threads_of_the_process_are_left_as_they_were(
    threads: int, discriminator: Discriminator, population: list[Evaluation], amplifier: Spec
):
    assert torch.get_num_threads() == threads
    discriminator.fit(population[:8])
    assert torch.get_num_threads() == threads
    discriminator.judge(candidates(amplifier.problem, 2))
    assert torch.get_num_threads() == threads


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 5, 64])
def test_a_judgement_is_a_probability_per_candidate_and_metric(
    count: int, discriminator: Discriminator, population: list[Evaluation], amplifier: Spec
):
    discriminator.fit(population)
    judged = discriminator.judge(candidates(amplifier.problem, count), population[3])
    assert judged.shape == (count, 3)
    assert judged.dtype == np.float64
    assert ((judged >= 0) & (judged <= 1)).all()


@pytest.mark.slow
def test_judging_a_batch_is_judging_its_candidates_one_by_one(
    discriminator: Discriminator, population: list[Evaluation], amplifier: Spec
):
    discriminator.fit(population)
    batch = candidates(amplifier.problem, 12)
    one_by_one = np.concatenate([discriminator.judge(batch[i : i + 1], population[0]) for i in range(12)])
    np.testing.assert_allclose(discriminator.judge(batch, population[0]), one_by_one, atol=1e-5)


def test_the_chunk_is_at_least_one_candidate(discriminator: Discriminator):
    assert discriminator.chunk >= 1
    assert isinstance(discriminator.counts, bool)


def test_the_oracle_answers_what_the_objectives_define_and_refuses_what_cannot_be_measured(
    amplifier: Spec, evaluator: Evaluator, population: list[Evaluation]
):
    batch = candidates(amplifier.problem, 40)
    judged = Oracle(amplifier.problem, evaluator).judge(batch, population[5])
    for design, row in zip(batch.tolist(), judged, strict=True):
        (evaluation,) = evaluator.evaluate([tuple(design)], "oracle")
        if evaluation.ok:
            truth = no_worse(amplifier.problem, values_of([evaluation]), values_of([population[5]]))[0]
            np.testing.assert_array_equal(row, truth)
        else:
            np.testing.assert_array_equal(row, 0)


def test_the_oracle_never_simulates_a_design_twice(amplifier: Spec, evaluator: Evaluator, population: list[Evaluation]):
    oracle = Oracle(amplifier.problem, evaluator)
    batch = candidates(amplifier.problem, 10)
    oracle.judge(batch, population[0])
    (unseen,) = evaluator.evaluate([(97, 1)], "oracle")
    oracle.judge(batch, population[1])
    (next_unseen,) = evaluator.evaluate([(96, 3)], "oracle")
    assert next_unseen.index == unseen.index + 1


@pytest.mark.slow
def test_the_learned_judge_agrees_with_the_oracle_far_more_often_than_not(
    amplifier: Spec, evaluator: Evaluator, population: list[Evaluation]
):
    learned = made("fc", amplifier, evaluator)
    for _ in range(10):
        learned.fit(population)
    batch = candidates(amplifier.problem, 200)
    agreement = []
    for reference in population[:10]:
        truth = Oracle(amplifier.problem, evaluator).judge(batch, reference)
        agreement.append((learned.judge(batch, reference).round() == truth).mean())
    assert np.mean(agreement) > 0.85

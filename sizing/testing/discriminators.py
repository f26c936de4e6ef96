"""What every discriminator promises to the search, whichever it is."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from sizing.clock import Clock
from sizing.evaluation.evaluator import Evaluation, Evaluator
from sizing.search.context import Context
from sizing.search.discriminator import Discriminator
from sizing.search.evolution import Streams
from sizing.simulation.simulator import Failed, Measured, Outcome
from sizing.specfile.load import Spec, load_spec
from sizing.specfile.shipped import shipped_specs
from sizing.task.job import Job
from sizing.task.problem import Problem
from sizing.task.settings import JudgeSettings, RunSettings


def formula(problem: Problem, values: Mapping[str, float]) -> Outcome:
    """An amplifier's metrics by a formula, as quick stand-in data; the slowest designs cannot be measured."""
    gain, load = values["m1"] * values["rl"] / 4e3, values["rl"]
    if load > 4800:
        return Failed("convergence", "formula")
    return Measured((gain, 4e12 / load / (1 + gain / 30), 1.2 / load * min(1.0, gain)), {})


def candidates(problem: Problem, count: int) -> NDArray[np.int64]:
    """Designs to judge (count, V)."""
    return np.random.default_rng(1).integers(0, problem.shape, (count, len(problem.shape)))


class DiscriminatorContract:
    """Give the fixture `make`: what evolution is given as its judge."""

    @pytest.fixture
    def make(self) -> Callable[[Context], Discriminator]:
        """How to make the discriminator under test."""
        raise NotImplementedError("expected a fixture `make` with what makes a sizing.Discriminator of a Context")

    @pytest.fixture
    def amplifier(self) -> Spec:
        """The common-source amplifier."""
        return load_spec(shipped_specs() / "cs_amp.yaml")

    @pytest.fixture
    def evaluator(self, amplifier: Spec) -> Evaluator:
        """Evaluates its designs by a formula."""

        def simulate(jobs: Sequence[Job]) -> list[Outcome]:
            return [formula(amplifier.problem, job.variables) for job in jobs]

        return Evaluator(amplifier.problem, simulate, lambda evaluation, purpose: None, Clock())

    @pytest.fixture
    def population(self, amplifier: Spec, evaluator: Evaluator) -> list[Evaluation]:
        """Some sixty measured designs."""
        designs = np.random.default_rng(0).integers(0, amplifier.problem.shape, (60, 2)).tolist()
        return [each for each in evaluator.evaluate(list(map(tuple, designs)), "initial") if each.ok]

    @pytest.fixture
    def discriminator(
        self, make: Callable[[Context], Discriminator], amplifier: Spec, evaluator: Evaluator
    ) -> Discriminator:
        """The one under test."""
        return made(make, amplifier, evaluator)

    @pytest.mark.parametrize("count", [1, 5, 64])
    def test_a_judgement_is_a_probability_per_candidate_and_metric(
        self, count: int, discriminator: Discriminator, population: list[Evaluation], amplifier: Spec
    ) -> None:
        discriminator.fit(population)
        some = candidates(amplifier.problem, count)
        for judged in (
            discriminator.judge(some, population[3]),
            discriminator.judge(some),
            discriminator.judge(some, None, some[:2]),
        ):
            assert judged.shape == (count, 3)
            assert judged.dtype == np.float64
            assert ((judged >= 0) & (judged <= 1)).all()

    def test_judging_a_batch_is_judging_its_candidates_one_by_one(
        self, discriminator: Discriminator, population: list[Evaluation], amplifier: Spec
    ) -> None:
        discriminator.fit(population)
        batch = candidates(amplifier.problem, 12)
        one_by_one = np.concatenate([discriminator.judge(batch[i : i + 1], population[0]) for i in range(12)])
        np.testing.assert_allclose(discriminator.judge(batch, population[0]), one_by_one, atol=1e-5)

    def test_the_chunk_is_at_least_one_candidate(self, discriminator: Discriminator) -> None:
        assert discriminator.chunk >= 1
        assert isinstance(discriminator.counts, bool)


def made(make: Callable[[Context], Discriminator], spec: Spec, evaluator: Evaluator) -> Discriminator:
    """A discriminator at the beginning of a run."""
    circuits = {bench.name: bench.circuit for bench in spec.benches}
    settings = RunSettings(judge=JudgeSettings(body_steps=5))
    return make(Context(spec.problem, settings, circuits, evaluator, Streams.from_seed(7), Clock(), task=spec.task))

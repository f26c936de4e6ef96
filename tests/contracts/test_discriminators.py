"""Shipped discriminators keep what every discriminator promises; the oracle knows, and learned judges come close."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch

from sizing.evaluation.evaluator import Evaluation, Evaluator, values_of
from sizing.search.context import Context
from sizing.search.discriminator import Discriminator, Oracle
from sizing.search.methods import DISCRIMINATORS
from sizing.specfile.load import Spec
from sizing.task.objectives import no_worse
from sizing.testing import DiscriminatorContract
from sizing.testing.discriminators import candidates, made

pytestmark = pytest.mark.slow


@pytest.fixture
def threads() -> Iterator[int]:
    """How many threads torch is set to, more than one."""
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield 3
    torch.set_num_threads(before)


class TestDiscriminators(DiscriminatorContract):
    @pytest.fixture(params=[name for name in DISCRIMINATORS if name != "oracle"])
    def make(self, request: pytest.FixtureRequest) -> Callable[[Context], Discriminator]:
        return DISCRIMINATORS[request.param]

    def test_the_threads_of_the_process_are_left_as_they_were(
        self, threads: int, discriminator: Discriminator, population: list[Evaluation], amplifier: Spec
    ):
        assert torch.get_num_threads() == threads
        discriminator.fit(population[:8])
        assert torch.get_num_threads() == threads
        discriminator.judge(candidates(amplifier.problem, 2))
        assert torch.get_num_threads() == threads


class TestOracle(DiscriminatorContract):
    @pytest.fixture
    def make(self) -> Callable[[Context], Discriminator]:
        return DISCRIMINATORS["oracle"]

    def test_the_oracle_answers_what_the_objectives_define_and_refuses_what_cannot_be_measured(
        self, amplifier: Spec, evaluator: Evaluator, population: list[Evaluation]
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

    def test_the_oracle_never_simulates_a_design_twice(
        self, amplifier: Spec, evaluator: Evaluator, population: list[Evaluation]
    ):
        oracle = Oracle(amplifier.problem, evaluator)
        batch = candidates(amplifier.problem, 10)
        oracle.judge(batch, population[0])
        (unseen,) = evaluator.evaluate([(97, 1)], "oracle")
        oracle.judge(batch, population[1])
        (next_unseen,) = evaluator.evaluate([(96, 3)], "oracle")
        assert next_unseen.index == unseen.index + 1

    def test_the_learned_judge_agrees_with_the_oracle_far_more_often_than_not(
        self, amplifier: Spec, evaluator: Evaluator, population: list[Evaluation]
    ):
        learned = made(DISCRIMINATORS["fc"], amplifier, evaluator)
        for _ in range(10):
            learned.fit(population)
        batch = candidates(amplifier.problem, 200)
        agreement = []
        for reference in population[:10]:
            truth = Oracle(amplifier.problem, evaluator).judge(batch, reference)
            agreement.append((learned.judge(batch, reference).round() == truth).mean())
        assert np.mean(agreement) > 0.85

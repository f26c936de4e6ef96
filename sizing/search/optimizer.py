"""The interface of every search method: ask for designs, tell what became of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from numpy.random import Generator

from sizing.evaluation.evaluator import Evaluation, Purpose
from sizing.search.variation import random_designs
from sizing.task.problem import Design, Problem


@dataclass(frozen=True)
class Decision:
    """Why these designs were proposed, for the journal."""

    critical: tuple[str, ...]
    """Metrics that have been critical so far, the one that is critical now last."""
    reference: int | None
    """Index of the evaluation that candidates were compared with; None where they were held against the targets."""
    bred: int
    """Candidates bred."""
    judged: int | None
    """Candidates put to the discriminator: the method's queries. None where it lets everything pass."""
    regardless: int
    """Proposed designs let through whatever the judgement."""
    judgement: tuple[tuple[float, ...], ...] | None
    """The probability that each metric of each proposed design is no worse than the reference, or meets its target.
    None where the method lets everything pass."""
    aim: Mapping[str, float] | None = None
    """The values to reach of the objectives that were aimed at, by name, held to be their targets."""


@dataclass(frozen=True)
class Proposal:
    """Designs to simulate next; none where the method has nothing more to offer."""

    designs: tuple[Design, ...]
    purpose: Purpose
    decision: Decision | None = None


class Optimizer(Protocol):
    """A search method, from the first design to the last."""

    def ask(self) -> Proposal:
        """The next designs to simulate."""

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        """What became of the designs asked for, in their order; failed ones included."""


def initial_proposal(problem: Problem, count: int, rng: Generator, known: Sequence[Design] = ()) -> Proposal:
    """What every method starts from: designs that need no simulation, filled up to `count` with distinct random ones.

    These are the same first ones whatever their number, after the one that the problem begins with, if it does.
    """
    drawn = map(tuple, random_designs(count, problem.shape, rng).tolist())
    first = [problem.start] if problem.has_start else []
    designs = tuple(dict.fromkeys([*known, *first, *drawn]))
    return Proposal(designs[: max(count, len({*known, *first}))], "initial")

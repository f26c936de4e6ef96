"""What others bring to a search, held to what it promises: who breaks a promise is named, and ends the run."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from sizing.errors import InputError
from sizing.evaluation.evaluator import Evaluation
from sizing.files import CannotWrite
from sizing.plugins import PlugInError, raised
from sizing.search.discriminator import Discriminator
from sizing.search.optimizer import Optimizer, Proposal
from sizing.simulation.simulator import SimulationError
from sizing.task.problem import Problem

T = TypeVar("T")


def called(who: str, what: str, call: Callable[[], T]) -> T:
    """What a call of somebody else's code gives; raises PlugInError, with `who` it is and `what` was called."""
    try:
        return call()
    except (InputError, SimulationError, CannotWrite):  # of what it called in turn
        raise
    except Exception as error:
        raise PlugInError(f"{who}: {what} {raised(error)}") from error


class GuardedOptimizer:
    """An optimizer of others; raises PlugInError where it raises, or proposes what is no design on the grid."""

    def __init__(self, optimizer: Optimizer, problem: Problem, who: str) -> None:
        self._optimizer = optimizer
        self._problem = problem
        self._who = who

    def ask(self) -> Proposal:
        """What it proposes, its designs as tuples of integers."""
        proposal = called(self._who, "ask", self._optimizer.ask)
        if not isinstance(proposal, Proposal):
            raise PlugInError(f"{self._who}: ask: expected a sizing.Proposal, got {proposal!r:.80}")
        for design in proposal.designs:
            self._check(design)
        return proposal

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        """Tell it."""
        called(self._who, "tell", lambda: self._optimizer.tell(evaluations))

    def _check(self, design: Sequence[int]) -> None:
        shape = self._problem.shape.tolist()
        whole = isinstance(design, tuple) and all(type(index) is int for index in design)
        if not whole or len(design) != len(shape):
            raise PlugInError(
                f"{self._who}: ask: expected designs of {len(shape)} grid indices, tuples of int, got {design!r:.80}"
            )
        for variable, index, size in zip(self._problem.variables, design, shape, strict=True):
            if not 0 <= index < size:
                raise PlugInError(
                    f"{self._who}: ask: expected a grid index of {variable.name} from 0 to {size - 1}, got {index}"
                )


class CheckedDiscriminator:
    """A discriminator whose answers are checked; raises PlugInError where they are no probabilities (B, M)."""

    def __init__(self, discriminator: Discriminator, problem: Problem) -> None:
        self._discriminator = discriminator
        self._metrics = len(problem.metrics)
        self.counts = discriminator.counts
        self.chunk = discriminator.chunk

    def fit(self, evaluations: Sequence[Evaluation]) -> None:
        """Have it learn."""
        self._discriminator.fit(evaluations)

    def judge(
        self,
        candidates: NDArray[np.int64],
        reference: Evaluation | None = None,
        pending: NDArray[np.int64] | None = None,
    ) -> NDArray[np.float64]:
        """What it judges (B, M)."""
        judged = np.asarray(self._discriminator.judge(candidates, reference, pending))
        expected = (len(candidates), self._metrics)
        if judged.shape != expected or judged.dtype != np.float64:
            raise self._broken(f"float64 {expected} for candidates and metrics, got {judged.dtype} {judged.shape}")
        if not (within := (judged >= 0) & (judged <= 1)).all():  # NaN is not within
            raise self._broken(f"numbers from 0 to 1, got {judged[~within][0]}")
        return judged

    def _broken(self, expected: str) -> PlugInError:
        kind = type(self._discriminator)
        return PlugInError(f"judge {kind.__name__} ({kind.__module__}): expected probabilities, {expected}")


def checked_children(problem: Problem, who: str) -> Callable[[Callable[..., object]], Callable[..., object]]:
    """A decorator for DEAP's toolbox: raises PlugInError where an operator's children are no designs on the grid."""

    def decorate(breed: Callable[..., object]) -> Callable[..., object]:
        def bred(*arguments: object, **named: object) -> object:
            children = np.asarray(breed(*arguments, **named))
            expected = f"children as grid indices (N, {len(problem.shape)})"
            if children.shape[1:] != problem.shape.shape or not np.issubdtype(children.dtype, np.integer):
                raise PlugInError(f"{who}: expected {expected}, got {children.dtype} {children.shape}")
            off = ((children < 0) | (children >= problem.shape)).any(axis=1)
            if off.any():
                raise PlugInError(f"{who}: expected {expected}, got {children[off][0].tolist()}, off the grid")
            return children

        return bred

    return decorate

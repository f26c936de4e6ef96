"""Optuna's samplers in a study of their own."""

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, CmaEsSampler, GPSampler, TPESampler
from optuna.trial import FrozenTrial, create_trial

from sizing.search.context import Context
from sizing.search.peers.optimizer import Answers
from sizing.search.peers.scale import is_log
from sizing.search.variation import Indices
from sizing.task.problem import Design, Problem, Variable

Parameters = NDArray[np.float64] | NDArray[np.int64]
ROUNDING_STEPS = 1e-6
"""How far a value may be from a multiple of its grid's step, in steps."""

FEWEST_WARM_DESIGNS = 10
"""Designs that a warm start needs: it looks at the best tenth of them."""


def tpe(context: Context, initial: Answers) -> "Study":
    """Tree-structured Parzen estimator: multivariate, with a constant liar within a batch, as by default."""
    return Study(_coding(context), initial, TPESampler(seed=_seed(context)))


def gaussian_process(context: Context, initial: Answers) -> "Study":
    """Gaussian processes: constrained expected improvement, of a whole batch."""
    with _quiet():
        sampler = GPSampler(seed=_seed(context), deterministic_objective=True)
    return Study(_coding(context), initial, sampler)


def cmaes(context: Context, initial: Answers) -> "Study":
    """CMA-ES with margin, as integers need, warm-started from the initial designs.

    It knows no constraints: its objective, the cost, is the sum of their violations.
    """
    coding = _coding(context, constrained=False)
    with _quiet():
        source = coding.trials(initial) if len(initial.designs) >= FEWEST_WARM_DESIGNS else None
        sampler = CmaEsSampler(seed=_seed(context), with_margin=True, source_trials=source)
    return Study(coding, initial, sampler)


class Study:
    """A sampler that is asked and told through Optuna's study, the initial designs as finished trials."""

    def __init__(self, coding: "Coding", initial: Answers, sampler: BaseSampler) -> None:
        self._coding = coding
        with _quiet():
            self._study = optuna.create_study(sampler=sampler, directions=["minimize"] * initial.objectives.shape[1])
        self._study.add_trials(self._coding.trials(initial))
        self._asked: list[optuna.Trial] = []

    def ask(self, count: int) -> Indices:
        """Designs (N, V) of new trials; each knows of those before it that are running."""
        with _quiet():
            self._asked = [self._study.ask(self._coding.distributions) for _ in range(count)]
        return np.array([self._coding.design(trial.params) for trial in self._asked])

    def tell(self, answers: Answers) -> None:
        """Finish these trials."""
        for trial, figures, violations in zip(self._asked, answers.objectives, answers.violations, strict=True):
            for name, violation in self._coding.constraints(violations).items():
                trial.set_constraint(name, violation)
            self._study.tell(trial, figures.tolist())


class Coding:
    """Designs as Optuna's parameters, whole numbers, plain or logarithmic, and metrics as its constraints, if any."""

    def __init__(self, problem: Problem, scale: str, *, constrained: bool) -> None:
        self._metrics = [metric.name for metric in problem.metrics] if constrained else []
        self.distributions: dict[str, BaseDistribution] = {}
        self._parameters: dict[str, Parameters] = {}
        for variable in problem.variables:
            distribution, parameters = _coded(variable, scale)
            self.distributions[variable.name], self._parameters[variable.name] = distribution, parameters

    def design(self, chosen: Mapping[str, float]) -> Design:
        """Grid indices (V,) of the values nearest to these parameters."""
        return tuple(int(np.abs(each - chosen[name]).argmin()) for name, each in self._parameters.items())

    def constraints(self, violations: NDArray[np.float64]) -> dict[str, float]:
        """A design's constraints by the metrics' names; none for a sampler that takes none."""
        return dict(zip(self._metrics, violations.tolist(), strict=False))

    def trials(self, answers: Answers) -> list[FrozenTrial]:
        """Designs that were not asked for, as finished trials."""
        return [self._trial(*row) for row in zip(answers.designs, answers.objectives, answers.violations, strict=True)]

    def _trial(
        self, design: NDArray[np.int64], figures: NDArray[np.float64], violations: NDArray[np.float64]
    ) -> FrozenTrial:
        parameters = [each[index].item() for each, index in zip(self._parameters.values(), design, strict=True)]
        return create_trial(
            params=dict(zip(self._parameters, parameters, strict=True)),
            distributions=self.distributions,
            values=figures.tolist(),
            constraints=self.constraints(violations),
        )


def _coded(variable: Variable, scale: str) -> tuple[BaseDistribution, Parameters]:
    """A distribution, and the parameter of every value of the grid.

    On a logarithmic scale multiples of the grid's step are logarithmic integers; other values are their logarithms.
    """
    values = np.array(variable.values)
    if not is_log(variable, scale):
        return IntDistribution(0, len(values) - 1), np.arange(len(values))
    multiples = values / (values[1] - values[0] if len(values) > 1 else values[0])
    whole = np.rint(multiples).astype(np.int64)
    if np.allclose(multiples, whole, rtol=0, atol=ROUNDING_STEPS) and (np.diff(whole) == 1).all():
        return IntDistribution(int(whole[0]), int(whole[-1]), log=True), whole
    logarithms = np.log(values)
    return FloatDistribution(logarithms[0], logarithms[-1]), logarithms


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what Optuna says of new studies, of interfaces that may change and of designs that are all alike."""
    logger = logging.getLogger("optuna")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), np.errstate(invalid="ignore"):
            warnings.simplefilter("ignore", ExperimentalWarning)
            yield
    finally:
        logger.setLevel(level)


def _coding(context: Context, *, constrained: bool = True) -> Coding:
    return Coding(context.problem, context.settings.peer.scale, constrained=constrained)


def _seed(context: Context) -> int:
    return int(context.streams.proposal.integers(2**31))

"""A judge that predicts every metric, with how sure it is, by a Gaussian process each."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from sizing.evaluation.corners import NOMINAL, ActiveCorners
from sizing.evaluation.evaluator import Evaluation, values_of
from sizing.simulation.simulator import Measured
from sizing.task.objectives import meets, order
from sizing.task.problem import Problem
from surrogates.features import corner_features
from surrogates.hardware import one_thread
from surrogates.processes.gaussian_process import GaussianProcesses
from surrogates.processes.scales import Scale

LEAST_DEVIATION = 1e-3
"""On a metric's scale: what numbers on a grid and a simulator's tolerances leave open at best."""

Features = Callable[[NDArray[np.int64]], NDArray[np.float64]]
"""Numbers (B, F) in about [-1, 1] of designs (B, V)."""


class Regression:
    """Answers the discriminator's question by where the predicted value of each metric may lie."""

    counts = True
    chunk = 4096

    def __init__(
        self,
        problem: Problem,
        features: Features,
        most: int,
        evidence: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None,
    ) -> None:
        """`most` simulations are learned from at once: the best ones and the latest, half each.

        `evidence` is what earlier runs measured at the nominal corner: features (N, F) and metric values (N, M).
        """
        self._corners = torch.from_numpy(corner_features(problem.corners))
        self._asked: tuple[int, ...] = (NOMINAL,)
        """The corners at which candidates are judged: those that have decided about a design so far."""
        self._problem = problem
        self._features = features
        self._most = most
        self._evidence = evidence
        self._processes: GaussianProcesses
        self._scales: list[Scale] = []
        self._rising, self._falling = (
            torch.tensor([metric.goal == goal for metric in problem.metrics]) for goal in ("maximize", "minimize")
        )

    @one_thread()
    def fit(self, evaluations: Sequence[Evaluation]) -> None:
        """Learn from these measured designs: from what they gave at each of the corners that decide."""
        self._asked = (NOMINAL, *ActiveCorners(self._problem, (each.corners for each in evaluations)).worst_first)
        designs, corners, measured = _by_corner(evaluations, self._asked)
        rows = self._rows(measured)
        inputs, values = self._inputs(designs[rows], corners[rows]), measured[rows]
        if self._evidence is not None:
            before, known = self._evidence
            at_nominal = self._at(torch.from_numpy(before), np.full(len(before), NOMINAL))
            inputs, values = torch.cat([at_nominal, inputs]), np.concatenate([known, values])
        if not self._scales:
            self._processes = GaussianProcesses(values.shape[1], inputs.shape[1])
        self._scales = [Scale.of(metric, values[:, m]) for m, metric in enumerate(self._problem.metrics)]
        self._processes.fit(inputs, torch.from_numpy(self._scaled(values)))

    @one_thread()
    def judge(
        self,
        candidates: NDArray[np.int64],
        reference: Evaluation | None = None,
        pending: NDArray[np.int64] | None = None,
    ) -> NDArray[np.float64]:
        """Probability (B, M) that each metric is no worse than the reference's or meets its target.

        It is the smallest of those at the corners that decide.
        """
        processes = self._processes
        if pending is not None and len(pending):
            everywhere = [self._inputs(pending, np.full(len(pending), corner)) for corner in self._asked]
            processes = processes.expecting(torch.cat(everywhere))
        ends = torch.tensor([scale.targets for scale in self._scales], dtype=torch.float64)
        low, high = ends.T
        if reference is not None:  # as good as the reference will do, on its side of the target
            values = values_of([reference])
            own = torch.from_numpy(self._scaled(values)[0])
            missing = torch.from_numpy(np.isnan(values[0]))  # nothing is worse
            met = torch.from_numpy(meets(self._problem, values)[0])
            low, high = (
                torch.minimum(low, own).masked_fill(missing, -torch.inf),
                torch.maximum(high, own).masked_fill(missing, torch.inf),
            )
            low = torch.where(met & self._rising, own, low)  # an objective's own value is the target to go on from
            high = torch.where(met & self._falling, own, high)
        probability = torch.ones((len(candidates), len(self._problem.metrics)), dtype=torch.float64)
        features = torch.from_numpy(self._features(candidates))
        for corner in self._asked:
            mean, deviation = processes.predict(self._at(features, np.full(len(candidates), corner)))
            deviation = torch.hypot(deviation, torch.tensor(LEAST_DEVIATION, dtype=torch.float64))
            probability = torch.minimum(probability, _between(low, high, mean, deviation))
        return probability.numpy()

    def _rows(self, values: NDArray[np.float64]) -> NDArray[np.intp]:
        """The simulations to learn from, in their order."""
        if len(values) <= self._most:
            return np.arange(len(values))
        best = order(self._problem, values)[: self._most // 2]
        return np.union1d(best, np.arange(len(values) - self._most // 2, len(values)))

    def _scaled(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.stack([scale(values[:, m]) for m, scale in enumerate(self._scales)], axis=1)

    def _inputs(self, designs: NDArray[np.int64], corners: NDArray[np.int64]) -> torch.Tensor:
        return self._at(torch.from_numpy(self._features(designs)), corners)

    def _at(self, features: torch.Tensor, corners: NDArray[np.int64]) -> torch.Tensor:
        """Inputs (B, F + K) of designs with these features at these corners (B,)."""
        return torch.cat([features, self._corners[torch.from_numpy(corners)]], dim=1)


def _by_corner(
    evaluations: Sequence[Evaluation], wanted: Sequence[int]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Designs (N, V), corners (N,) and metric values (N, M) of what designs gave at the wanted corners."""
    rows = [
        (evaluation.design, corner, outcome.values)
        for evaluation in evaluations
        for corner, outcome in evaluation.corners.items()
        if corner in wanted and isinstance(outcome, Measured)
    ]
    designs, corners, values = zip(*rows, strict=True)
    return np.array(designs), np.array(corners), np.array(values)


def _between(low: torch.Tensor, high: torch.Tensor, mean: torch.Tensor, deviation: torch.Tensor) -> torch.Tensor:
    """The probability that a normal value lies between the ends; exact in both tails."""
    above, below = (low - mean) / deviation, (high - mean) / deviation
    flipped = above > 0  # the upper tail's complement would round to 0
    left, right = torch.where(flipped, -below, above), torch.where(flipped, -above, below)
    return _below(right) - _below(left)


def _below(deviations: torch.Tensor) -> torch.Tensor:
    """The standard normal distribution function; torch.special.ndtr rounds to 0 from -8.3 on."""
    return torch.erfc(-deviations / math.sqrt(2)) / 2

"""How far what is told lies from what is simulated: a constant, a share of it, and a smooth function of the design.

A Gaussian process for every metric with a normal prior of its mean and of the share (Rasmussen and Williams, Gaussian
Processes for Machine Learning, 2006, section 2.7), Matérn 5/2 kernel. A share of -1 says that what is told, of a
rejection by balance, say, tells nothing. Amplitude, length, and how large shares may be are the most probable of a few,
so that it says something sound of one or two designs, and takes no time.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LENGTHS = (0.35, 0.7, 1.4)
"""Lengths of the kernel, in the typical distance of two designs."""
AMPLITUDES = (0.25, 1.0, 2.0)
"""Amplitudes of the function, in the root mean square of the differences."""
SHARES = (0.0, 1.0)
"""Shares of what is told, as a standard deviation."""
NOISE = 0.1
"""Noise of a difference, in the amplitude."""


@dataclass(frozen=True)
class _Process:
    """Conditioned on differences at inputs (N, F)."""

    inputs: Array
    told: Array
    factor: Array
    weights: Array
    amplitude: float
    length: float
    constant: float
    """Standard deviation of the mean."""
    share: float
    evidence: float
    """Logarithm of the probability of what was seen."""


class Differences:
    """Differences of M metrics over features (N, F) in about [-1, 1].

    `usual` (M,) is how large differences are before any was seen, as a standard deviation.
    """

    def __init__(self, usual: Array) -> None:
        self._usual = usual
        self._processes: list[_Process | None] = [None] * len(usual)

    @property
    def seen(self) -> NDArray[np.bool_]:
        """Whether differences were seen of each metric (M,)."""
        return np.array([process is not None for process in self._processes])

    def fit(self, features: Array, told: Array, differences: Array) -> None:
        """Learn from differences (N, M) of designs with these features, and what was told, NaN where there is none."""
        for metric, usual in enumerate(self._usual):
            rows = np.isfinite(differences[:, metric])
            own = features[rows], np.nan_to_num(told[rows, metric]), differences[rows, metric]
            self._processes[metric] = _fitted(*own, usual) if rows.any() else None

    def predict(self, features: Array, told: Array) -> tuple[Array, Array]:
        """Means and standard deviations (B, M) for features (B, F) and what is told (B, M)."""
        mean = np.zeros((len(features), len(self._usual)))
        deviation = np.tile(self._usual, (len(features), 1))
        for metric, process in enumerate(self._processes):
            if process is not None:
                mean[:, metric], deviation[:, metric] = _predicted(process, features, told[:, metric])
        return mean, deviation


def _fitted(inputs: Array, told: Array, found: Array, usual: float) -> _Process:
    """The most probable of the candidates, given these differences (N,) and one more of the usual size."""
    size = float(np.sqrt((np.sum(found**2) + usual**2) / (len(found) + 1)))
    distance = np.sqrt(2 * inputs.shape[1] / 3)  # of two designs drawn from [-1, 1]
    candidates = [
        _conditioned(inputs, told, found, (amplitude * size, length * distance, size, share))
        for amplitude, length, share in product(AMPLITUDES, LENGTHS, SHARES if told.any() else (0.0,))
    ]
    return max(candidates, key=lambda each: each.evidence)


def _conditioned(inputs: Array, told: Array, found: Array, prior: tuple[float, float, float, float]) -> _Process:
    amplitude, length, constant, share = prior
    covariance = amplitude**2 * _correlation(inputs, inputs, length) + constant**2 + share**2 * np.outer(told, told)
    covariance[np.diag_indices(len(inputs))] += (NOISE * amplitude) ** 2
    factor, weights = np.asarray(np.linalg.cholesky(covariance)), np.asarray(np.linalg.solve(covariance, found))
    evidence = float(-0.5 * found @ weights - np.log(factor.diagonal()).sum())
    return _Process(inputs, told, factor, weights, amplitude, length, constant, share, evidence)


def _predicted(process: _Process, features: Array, told: Array) -> tuple[Array, Array]:
    told = np.nan_to_num(told)
    correlation = _correlation(features, process.inputs, process.length)
    kernel = process.amplitude**2 * correlation + process.constant**2 + process.share**2 * np.outer(told, process.told)
    explained = np.linalg.solve(process.factor, kernel.T)
    prior = process.amplitude**2 * (1 + NOISE**2) + process.constant**2 + (process.share * told) ** 2
    variance = prior - np.sum(explained**2, axis=0)
    return kernel @ process.weights, np.sqrt(np.maximum(variance, (NOISE * process.amplitude) ** 2))


def _correlation(inputs: Array, others: Array, length: float) -> Array:
    squares = (inputs**2).sum(axis=1)[:, None] + (others**2).sum(axis=1)[None] - 2 * inputs @ others.T
    distance = np.sqrt(5 * np.maximum(squares, 0.0)) / length
    return np.asarray(np.exp(-distance) * (1 + distance + distance**2 / 3))

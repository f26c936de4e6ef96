"""Gaussian processes for several quantities over the same inputs, fitted and asked together.

Matérn 5/2 kernel with a length for every input (Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006,
equation 4.17). Lengths, signal and noise are those of highest posterior density, found by Adam from where the last fit
left them. What such a fit says of its own errors is too little when designs are few, so the standard deviations are
widened by what leaving each design out shows (ibid., equations 5.10 to 5.12).
"""

import math
from typing import Self

import torch

from surrogates.processes.adam import Adam

FIRST_STEPS, STEPS, RATE = 80, 12, 0.1
USUAL_LENGTH, LENGTH_SPREAD = 1.0, 0.75
"""Median of the prior of a length, in inputs that run from -1 to 1, and its standard deviation in logarithms."""
USUAL_NOISE, NOISE_SPREAD = 0.03, 1.5
"""The same of the noise's standard deviation, in standard deviations of the quantity."""
JITTER = 1e-6
"""What keeps a covariance positive definite, as a share of the signal's variance; also the least variance told."""
WIDEST_FACTOR = 3.0


class GaussianProcesses:
    """M independent processes over inputs (N, D) in about [-1, 1]. Everything is float64."""

    def __init__(self, quantities: int, inputs: int) -> None:
        def parameter(value: float, *shape: int) -> torch.Tensor:
            return torch.full(shape, value, dtype=torch.float64, requires_grad=True)

        self._length = parameter(math.log(USUAL_LENGTH), quantities, 1, inputs)
        self._signal = parameter(0.0, quantities, 1, 1)
        self._noise = parameter(math.log(0.1), quantities, 1, 1)
        self._steps = FIRST_STEPS

    def fit(self, inputs: torch.Tensor, targets: torch.Tensor) -> None:
        """Find the parameters for inputs (N, D) and targets (N, M), and condition on them."""
        self._center = targets.mean(dim=0)
        self._scale = targets.std(dim=0).clamp_min(1e-6)
        self._inputs = inputs
        self._targets = ((targets - self._center) / self._scale).T[..., None]
        optimizer = Adam([self._length, self._signal, self._noise], RATE)
        for _ in range(self._steps):
            optimizer.step(self._negative_log_posterior())
        self._steps = STEPS
        with torch.no_grad():
            self._solve()
            inverse_diagonal = torch.cholesky_inverse(self._factor).diagonal(dim1=1, dim2=2)
            left_out = self._weights[..., 0] / inverse_diagonal.sqrt()  # errors in standard deviations (M, N)
            self._widening = left_out.square().mean(dim=1).sqrt().clamp(1.0, WIDEST_FACTOR)

    def expecting(self, inputs: torch.Tensor) -> Self:
        """The same processes once further inputs (P, D) were found to have the targets that are expected."""
        with torch.no_grad():
            after = object.__new__(type(self))
            after.__dict__.update(self.__dict__)
            expected = self._kernel(inputs, self._inputs) @ self._weights
            after._inputs = torch.cat([self._inputs, inputs])
            after._targets = torch.cat([self._targets, expected], dim=1)
            after._solve()
        return after

    def predict(self, inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Means and standard deviations (B, M) at inputs (B, D), noise left out, widening included."""
        with torch.no_grad():
            kernel = self._kernel(inputs, self._inputs)
            mean = (kernel @ self._weights)[..., 0]
            explained = torch.linalg.solve_triangular(self._factor, kernel.transpose(1, 2), upper=False)
            variance = self._signal[..., 0].exp().square() - explained.square().sum(dim=1)
            deviation = variance.clamp_min(JITTER).sqrt() * self._widening[:, None]
            return mean.T * self._scale + self._center, deviation.T * self._scale

    def _solve(self) -> None:
        """The covariance's Cholesky factor (M, N, N), and its inverse times the targets (M, N, 1)."""
        noise = self._noise.exp().square() + JITTER * self._signal.exp().square()
        covariance = self._kernel(self._inputs, self._inputs)
        self._factor = torch.linalg.cholesky(
            covariance + noise * torch.eye(len(self._inputs), dtype=torch.float64, device=covariance.device)
        )
        self._weights = torch.cholesky_solve(self._targets, self._factor)

    def _kernel(self, inputs: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
        """Covariances (M, B, N) of the noiseless processes."""
        length = self._length.exp()
        first, second = inputs / length, others / length
        squares = (
            first.square().sum(dim=2)[:, :, None]
            + second.square().sum(dim=2)[:, None]
            - 2 * first @ second.transpose(1, 2)
        )
        distance = (5 * squares.clamp_min(1e-10)).sqrt()
        covariance: torch.Tensor = self._signal.exp().square() * torch.exp(-distance)
        return covariance * (1 + distance + distance.square() / 3)

    def _negative_log_posterior(self) -> torch.Tensor:
        self._solve()
        fit = 0.5 * (self._targets * self._weights).sum()
        complexity = self._factor.diagonal(dim1=1, dim2=2).log().sum()
        prior = (
            ((self._length - math.log(USUAL_LENGTH)) / LENGTH_SPREAD).square().sum()
            + self._signal.square().sum()
            + ((self._noise - math.log(USUAL_NOISE)) / NOISE_SPREAD).square().sum()
        )
        loss: torch.Tensor = fit + complexity + prior / 2
        return loss

"""The learned discriminator: an extractor and two heads, trained on pairs of simulated designs as the run goes on."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from sizing.evaluation import Evaluation, designs_of, values_of
from sizing.objectives import better, meets
from sizing.problem import Problem
from sizing.settings import JudgeSettings
from surrogates.extractors.fc import FullyConnected
from surrogates.features import DesignFeatures
from surrogates.heads import Comparison, MeetsTarget


class LearnedDiscriminator:
    """Answers the discriminator's question from what it has seen.

    "No worse than the reference" is, metric by metric, "meets the target" where the reference does, and "better than
    the reference" where it does not: the two heads answer one each, as objectives.no_worse defines it for the oracle.
    """

    counts = True
    chunk = 4096

    def __init__(self, problem: Problem, settings: JudgeSettings, rng: Generator, device: str = "cpu") -> None:
        torch.set_num_threads(1)  # the layers are too small to share, and results then depend on no core count
        self._problem = problem
        self._settings = settings
        self._rng = rng
        self._device = torch.device(device)
        self._features = DesignFeatures(problem)
        metrics = len(problem.metrics)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(rng.integers(2**31)))
            extractor = FullyConnected(self._features.width, settings.dropout)
            self.model = nn.ModuleDict(
                {
                    "extractor": extractor,
                    "comparison": Comparison(extractor.width, metrics),
                    "meets": MeetsTarget(extractor.width, metrics),
                }
            ).to(self._device)
        self._optimizer = torch.optim.Adam(self.model.parameters(), settings.learning_rate, fused=True)

    def fit(self, evaluations: Sequence[Evaluation]) -> None:
        """`steps` more gradient steps on random pairs of these measured designs; weights and optimizer carry over."""
        values = values_of(evaluations)
        features = self._features(designs_of(evaluations)).to(self._device)
        met = torch.from_numpy(meets(self._problem, values)).float().to(self._device)
        pairs = self._rng.integers(0, len(evaluations), (self._settings.steps, 2, self._settings.pairs))
        left, right = values[pairs[:, 0]], values[pairs[:, 1]]
        wins = better(self._problem, left, right) + 0.5 * ~(
            better(self._problem, left, right) | better(self._problem, right, left)
        )
        self.model.train()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(self._rng.integers(2**31)))
            for rows, won in zip(torch.from_numpy(pairs), torch.from_numpy(wins).float().to(self._device), strict=True):
                self._step(features[rows.flatten()], met[rows.flatten()], won)

    def judge(self, candidates: NDArray[np.int64], reference: Evaluation) -> NDArray[np.float64]:
        """Probability (B, M) that each metric of candidates (B, V) is no worse than the reference's."""
        self.model.eval()
        designs = np.concatenate([designs_of([reference]), candidates])
        with torch.inference_mode():
            embedding = self.model["extractor"](self._features(designs).to(self._device))
            better_odds = self.model["comparison"](embedding[1:], embedding[:1])
            meets_odds = self.model["meets"](embedding[1:])
            reference_meets = torch.from_numpy(meets(self._problem, values_of([reference]))).to(self._device)
            odds = torch.where(reference_meets, meets_odds, better_odds)
            return torch.sigmoid(odds).double().cpu().numpy()

    def _step(self, features: torch.Tensor, met: torch.Tensor, won: torch.Tensor) -> None:
        embedding = self.model["extractor"](features)
        first, second = embedding.chunk(2)
        loss = binary_cross_entropy_with_logits(self.model["comparison"](first, second), won)
        loss = loss + binary_cross_entropy_with_logits(self.model["meets"](embedding), met)
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()

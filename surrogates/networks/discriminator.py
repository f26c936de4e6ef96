"""The learned discriminator: an extractor and two heads, trained on simulated designs as the run goes on."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from sizing.evaluation.evaluator import Evaluation, designs_of, values_of
from sizing.simulation.pool import default_workers
from sizing.task.objectives import better, meets
from sizing.task.problem import Problem
from sizing.task.settings import JudgeSettings
from surrogates.hardware import one_thread
from surrogates.networks.extractors.extractor import Extractor
from surrogates.networks.heads import Comparison, MeetsTarget


class Model(nn.Module):
    """An extractor and the two heads on its embedding."""

    def __init__(self, extractor: Extractor, comparison: Comparison, meets: MeetsTarget) -> None:
        super().__init__()
        self.extractor = extractor
        self.comparison = comparison
        self.meets = meets


class LearnedDiscriminator:
    """Answers the discriminator's question from what it has seen.

    "No worse than the reference" is, metric by metric, "meets the target" where the reference does, and "better than
    the reference" where it does not and of objectives: the two heads answer one each, as objectives.no_worse defines it
    for the oracle.
    """

    counts = True

    def __init__(
        self, problem: Problem, settings: JudgeSettings, extractor: Extractor, rng: Generator, device: torch.device
    ) -> None:
        self._threads = ThreadPoolExecutor(default_workers())  # layers are too small to share, blocks are not
        self._problem = problem
        self._settings = settings
        self._rng = rng
        self._device = device
        self.chunk = extractor.chunk
        metrics = len(problem.metrics)
        self.model = Model(extractor, Comparison(metrics), MeetsTarget(metrics)).to(device)
        body = {id(parameter) for parameter in extractor.learning()}
        rest = [p for p in self.model.parameters() if p.requires_grad and id(p) not in body]
        self._optimizer = torch.optim.Adam(rest, settings.learning_rate, fused=True)
        if body:
            rate = settings.learning_rate * extractor.rate
            self._optimizer.add_param_group({"params": extractor.learning(), "lr": rate})
        self._read: list[torch.Tensor] = []
        """What the extractor reads of every design it has been fitted on."""

    @one_thread()
    def fit(self, evaluations: Sequence[Evaluation]) -> None:
        """`steps` more gradient steps on these measured designs, all those of earlier calls first.

        Every step takes a batch of designs and compares each with each. Weights and optimizer carry over. A body that
        learns does so in the last `body_steps`; before these, what it says of each design is computed once.
        """
        values = values_of(evaluations)
        if new := evaluations[len(self._read) :]:
            self._read += self.model.extractor.read(designs_of(new))
        read = torch.stack(self._read)
        met = torch.from_numpy(meets(self._problem, values)).float().to(self._device)
        size = min(self._settings.batch, len(evaluations))
        self.model.train()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(self._rng.integers(2**31)))
            extractor, steps = self.model.extractor, self._settings.steps
            joint = min(self._settings.body_steps, steps) if extractor.learning() else 0
            with torch.no_grad():
                body = extractor.body(read) if joint < steps else read
            for step in range(steps):
                rows = torch.from_numpy(self._rng.choice(len(evaluations), size, replace=False))
                seen = body[rows] if step < steps - joint else extractor.body(read[rows])
                self._step(extractor.embed(seen), met[rows], _wins(self._problem, values[rows]).to(self._device))

    @one_thread()
    def judge(
        self,
        candidates: NDArray[np.int64],
        reference: Evaluation | None = None,
        pending: NDArray[np.int64] | None = None,
    ) -> NDArray[np.float64]:
        """Probability (B, M) that each metric of candidates (B, V) is no worse than the reference or meets a target."""
        self.model.eval()
        block = self.model.extractor.block
        with torch.inference_mode():
            blocks = [candidates[at : at + block] for at in range(0, len(candidates), block)]
            embedding = torch.cat(list(self._threads.map(self._embedded, blocks)))
            odds = self.model.meets(embedding)
            if reference:
                better_odds = self.model.comparison(embedding, self._embedded(designs_of([reference])))
                answered = meets(self._problem, values_of([reference]))
                answered[:, list(self._problem.objectives)] = False  # one may always be better
                odds = torch.where(torch.from_numpy(answered).to(self._device), odds, better_odds)
            return torch.sigmoid(odds).cpu().double().numpy()

    def _embedded(self, designs: NDArray[np.int64]) -> torch.Tensor:
        with torch.inference_mode():
            return cast(torch.Tensor, self.model.extractor(self.model.extractor.read(designs)))

    def _step(self, embedding: torch.Tensor, met: torch.Tensor, wins: torch.Tensor) -> None:
        odds = self.model.comparison(embedding[:, None], embedding[None])
        loss = binary_cross_entropy_with_logits(odds, wins)
        loss = loss + binary_cross_entropy_with_logits(self.model.meets(embedding), met)
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()


def _wins(problem: Problem, values: NDArray[np.float64]) -> torch.Tensor:
    """Whether design i is better than design j (n, n, M): 1, 0, or a half where neither is."""
    first = better(problem, values[:, None], values[None])
    return torch.from_numpy(0.5 + 0.5 * first - 0.5 * first.swapaxes(0, 1)).float()

"""What a training teaches: a backbone to tell the voltages of nets, or a readout on it one number of the circuit."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import smooth_l1_loss

from surrogates.networks.backbones.backbone import Backbone
from surrogates.networks.heads import EMBEDDING, READOUTS
from surrogates.pretraining.accuracy import Accuracy, accuracy, in_blocks
from surrogates.pretraining.recipe import Recipe, TargetSettings
from surrogates.pretraining.split import TensorCircuit

HIDDEN = 512
"""Width of the network behind the readout of a graph-level target, as published."""


class TrainingTask(nn.Module, ABC):
    """A backbone, and what is read from it; all of its parameters are trained."""

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.backbone = backbone

    @abstractmethod
    def loss(self, wiring: Any, parameters: torch.Tensor, truths: torch.Tensor) -> torch.Tensor:
        """A scalar to be made small, for device features (B, D, FEATURES) and what is to be told of them (B, ...)."""

    @abstractmethod
    def accuracy(self, circuits: Sequence[TensorCircuit], k: int) -> Accuracy:
        """How well it is told."""


def task_of(recipe: Recipe, backbone: Backbone, train: Sequence[TensorCircuit]) -> TrainingTask:
    """The recipe's task on this backbone; heads are random, from torch's global generator."""
    if recipe.target is None:
        return VoltagesOfNets(backbone, recipe.beta)
    return GraphTarget(backbone, recipe.target, train)


class VoltagesOfNets(TrainingTask):
    """The voltages (B, N) of all nets, in volts; the later half of a backbone's states must each tell them."""

    def __init__(self, backbone: Backbone, beta: float) -> None:
        super().__init__(backbone)
        self._beta = beta

    def loss(self, wiring: Any, parameters: torch.Tensor, truths: torch.Tensor) -> torch.Tensor:
        """Smooth mean absolute error, quadratic below `beta` volts."""
        states = self.backbone(wiring, parameters)
        late = states[len(states) // 2 :]
        told = (self.backbone.voltages(state)[:, 1:] for state in late)
        return torch.stack([smooth_l1_loss(each, truths[:, 1:], beta=self._beta) for each in told]).mean()

    def accuracy(self, circuits: Sequence[TensorCircuit], k: int) -> Accuracy:
        """Over all nets."""
        return accuracy(self.backbone, circuits, k)


class GraphTarget(TrainingTask):
    """One number (B,) of a whole circuit, on the scale that the settings name: backbone, readout, two-layer network.

    What the network gives is the distance from the mean of the circuits trained on, in their standard deviations.
    """

    mean: torch.Tensor
    spread: torch.Tensor

    def __init__(self, backbone: Backbone, settings: TargetSettings, train: Sequence[TensorCircuit]) -> None:
        super().__init__(backbone)
        self._beta = settings.beta
        self._name = settings.name
        self.readout = READOUTS[settings.readout](backbone.token_width, 0.0)
        self.head = nn.Sequential(nn.Linear(EMBEDDING, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 1))
        truths = torch.cat([circuit.truths for circuit in train])
        spread = truths.std(correction=0)
        self.register_buffer("mean", truths.mean())
        self.register_buffer("spread", torch.where(spread > 0, spread, torch.ones_like(spread)))

    def forward(self, wiring: Any, parameters: torch.Tensor) -> torch.Tensor:
        """The target (B,) of device features (B, D, FEATURES)."""
        told: torch.Tensor = self.mean + self.spread * self._standardised(wiring, parameters)
        return told

    def loss(self, wiring: Any, parameters: torch.Tensor, truths: torch.Tensor) -> torch.Tensor:
        """Smooth mean absolute error of the standardised target, quadratic below `beta`."""
        wanted = (truths - self.mean) / self.spread
        return smooth_l1_loss(self._standardised(wiring, parameters), wanted, beta=self._beta)

    def accuracy(self, circuits: Sequence[TensorCircuit], k: int) -> Accuracy:
        """Acc@K on the target's scale; a circuit has no other numbers, so those of free nets are the same."""
        truth = np.concatenate([circuit.truths.numpy() for circuit in circuits])
        self.eval()
        told = [in_blocks(self.backbone, circuit.topology, circuit.parameters, self) for circuit in circuits]
        error = np.abs(np.concatenate(told) - truth)
        right, mean = float(np.mean(error <= (truth.max() - truth.min()) / k)), float(error.mean())
        return Accuracy(k, right, right, mean, mean, {self._name: right})

    def _standardised(self, wiring: Any, parameters: torch.Tensor) -> torch.Tensor:
        told: torch.Tensor = self.head(self.readout(self.backbone.tokens(wiring, parameters))).squeeze(-1)
        return told

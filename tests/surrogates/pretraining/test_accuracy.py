"""How well a network tells voltages."""

from typing import Any

import pytest
import torch

from surrogates.networks.backbones.relaxation import DeviceRelaxation
from surrogates.networks.graph import Topology
from surrogates.pretraining.accuracy import Accuracy, accuracy, predict


class Known(DeviceRelaxation):
    """Predicts given voltages, row by row: those at the features of the first device."""

    def __init__(self, rows: torch.Tensor) -> None:
        super().__init__(width=16, rounds=1)
        self.rows = rows

    def forward(self, wiring: Any, parameters: torch.Tensor, rounds: int | None = None) -> list[torch.Tensor]:
        return [self.rows[parameters[:, 0, 0].long()]]

    def voltages(self, state: torch.Tensor) -> torch.Tensor:
        return state


def test_accuracy_is_the_share_within_a_kth_of_the_range(monkeypatch: pytest.MonkeyPatch):
    # Ground, a net held at 1 V, and two free ones whose voltages range over 2 V: a tolerance of 0.2 V for K = 10.
    topology = Topology(("0", "in", "a", "b"), ("v1", "r1", "r2"), (5, 2, 2), ((1, 0), (1, 2), (2, 3)))
    truth = torch.tensor([[0, 1, 0.5, 2.0], [0, 1, 0.5, 0.0], [0, 1, 1.0, 1.0]])
    error = torch.tensor([[9, 0, 0.1, 0.3], [9, 0, 0.19, 0.21], [9, 0.5, 0.0, 0.0]])
    parameters = torch.arange(3.0)[:, None, None].expand(3, 3, 2)
    monkeypatch.setattr("surrogates.pretraining.accuracy._AT_ONCE", 8)  # two rows together
    found = accuracy(Known(truth - error), [(topology, parameters, truth)], k=10)
    assert isinstance(found, Accuracy)
    assert (found.at_k, found.at_k_free) == pytest.approx((6 / 9, 4 / 6))
    assert (found.mean_error, found.mean_error_free) == pytest.approx((1.3 / 9, 0.8 / 6))
    assert found.by_net == pytest.approx({"in": 2 / 3, "a": 1.0, "b": 1 / 3})
    assert (predict(Known(truth), topology, parameters) == truth.numpy()).all()

"""How well voltages are predicted: Acc@K, mean absolute error in volts, by net."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from surrogates.networks.backbones.backbone import Backbone
from surrogates.networks.graph import Topology
from surrogates.pretraining.dataset import Samples

_AT_ONCE = 2**15
"""Nets predicted together at most."""


@dataclass(frozen=True)
class Accuracy:
    """Over all nets but ground, and over those that no voltage source holds (`free`).

    Of a graph-level target both are the same, and errors are on the scale on which it is told.
    """

    k: int
    at_k: float
    at_k_free: float
    mean_error: float
    mean_error_free: float
    by_net: dict[str, float]
    """Acc@K of every net (or of the graph-level target) by name; nets of the same name are taken together."""


def predict(backbone: Backbone, topology: Topology, parameters: torch.Tensor) -> NDArray[np.float32]:
    """Voltages (n, N) for device features (n, D, FEATURES)."""
    return in_blocks(backbone, topology, parameters, lambda wiring, rows: backbone.voltages(backbone(wiring, rows)[-1]))


def in_blocks(
    backbone: Backbone,
    topology: Topology,
    parameters: torch.Tensor,
    told: Callable[[Any, torch.Tensor], torch.Tensor],
) -> NDArray[np.float32]:
    """What `told` (wiring, device features) gives for all of (n, D, FEATURES), some at a time, without gradients."""
    device = next(backbone.parameters()).device
    wiring = backbone.bind(topology, device)
    rows = max(1, _AT_ONCE // len(topology.nets))
    backbone.eval()
    with torch.inference_mode():
        parts = [told(wiring, parameters[at : at + rows].to(device)).cpu() for at in range(0, len(parameters), rows)]
    return np.asarray(torch.cat(parts).numpy())


def accuracy_of(backbone: Backbone, samples: Sequence[Samples], k: int) -> Accuracy:
    """The same for circuits of a data set."""
    given = [(each.topology, torch.from_numpy(each.parameters), torch.from_numpy(each.voltages)) for each in samples]
    return accuracy(backbone, given, k)


def accuracy(backbone: Backbone, samples: Sequence[tuple[Topology, torch.Tensor, torch.Tensor]], k: int) -> Accuracy:
    """Acc@K: the share of predictions within (max - min) / K of the truth (Hakhamaneshi et al. 2022, section 4).

    `samples` are (topology, device features, voltages) of circuits; the range is over all free nets of all of them.
    """
    truths = [voltages.numpy() for _, _, voltages in samples]
    free = [list(topology.free_nets) or list(range(1, len(topology.nets))) for topology, _, _ in samples]
    inner = np.concatenate([truth[:, nets].ravel() for truth, nets in zip(truths, free, strict=True)])
    tolerance = float(inner.max() - inner.min()) / k
    errors = [
        np.abs(predict(backbone, topology, parameters) - truth)
        for (topology, parameters, _), truth in zip(samples, truths, strict=True)
    ]
    everywhere = np.concatenate([error[:, 1:].ravel() for error in errors])
    inside = np.concatenate([error[:, nets].ravel() for error, nets in zip(errors, free, strict=True)])
    nets: dict[str, list[NDArray[np.float32]]] = {}
    for (topology, _, _), error in zip(samples, errors, strict=True):
        for number, net in enumerate(topology.nets[1:], 1):
            nets.setdefault(net, []).append(error[:, number])
    return Accuracy(
        k,
        float(np.mean(everywhere <= tolerance)),
        float(np.mean(inside <= tolerance)),
        float(np.mean(everywhere)),
        float(np.mean(inside)),
        {net: float(np.mean(np.concatenate(each) <= tolerance)) for net, each in nets.items()},
    )

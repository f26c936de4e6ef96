"""Design -> voltages of the circuit's nets: numbers for judges that read no tokens, predicted or simulated."""

from collections.abc import Callable
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from sizing.evaluation.evaluator import Evaluator
from sizing.simulation.simulator import Measured
from sizing.spice.circuit import Circuit
from sizing.task.problem import Problem
from surrogates.networks.backbones.backbone import Backbone
from surrogates.networks.graph import CircuitGraph

_BLOCK = 256

Voltages = Callable[[NDArray[np.int64]], torch.Tensor]
"""Voltages (B, N) of the nets that no source holds, NaN where unknown, from designs (B, V) as grid indices."""


class ScaledVoltages:
    """Voltages scaled to about [-1, 1] by those of random designs; an unknown one is amid them."""

    def __init__(self, problem: Problem, voltages: Voltages, designs: int) -> None:
        self._problem = problem
        self._voltages = voltages
        self._designs = designs

    def __call__(self, designs: NDArray[np.int64]) -> torch.Tensor:
        """Features (B, N) of designs (B, V) given as grid indices."""
        low, high = self._range
        return (2 * (self._voltages(designs) - low) / (high - low).clamp_min(1e-6) - 1).nan_to_num(0.0)

    @cached_property
    def _range(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The least and the largest voltages (N,) of random designs."""
        shape = (self._designs, len(self._problem.shape))
        told = self._voltages(np.random.default_rng(0).integers(0, self._problem.shape, shape))
        known = told[~told.isnan().any(dim=1)]
        return (known.amin(dim=0), known.amax(dim=0)) if len(known) else (torch.zeros(told.shape[1]),) * 2


class PredictedVoltages:
    """As a graph network tells them."""

    def __init__(self, problem: Problem, circuit: Circuit, backbone: Backbone, device: torch.device) -> None:
        self._problem = problem
        self._graph = CircuitGraph(circuit)
        self._device = device
        self._wiring = backbone.bind(self._graph.topology, device)
        self._backbone = backbone.to(device).requires_grad_(False).eval()
        self._nets = list(self._graph.topology.free_nets)

    def __call__(self, designs: NDArray[np.int64]) -> torch.Tensor:
        """Voltages (B, N) of designs (B, V)."""
        parameters = torch.from_numpy(self._graph.parameters(self._problem.columns(designs))).to(self._device)
        with torch.inference_mode():
            states = (self._backbone(self._wiring, block)[-1] for block in torch.split(parameters, _BLOCK))
            told = torch.cat([self._backbone.voltages(state) for state in states])
        return told[:, self._nets].cpu()


class SimulatedVoltages:
    """As the simulator finds them; each design's once."""

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator
        self._nets = 0
        """Known from the first designs on that have an operating point."""

    def __call__(self, designs: NDArray[np.int64]) -> torch.Tensor:
        """Voltages (B, N) of designs (B, V), NaN where there is no operating point."""
        looks = self._evaluator.look(list(map(tuple, designs.tolist())))
        found = [look.values if isinstance(look, Measured) else None for look in looks]
        self._nets = self._nets or next((len(values) for values in found if values), 0)
        rows = [values if values else (np.nan,) * self._nets for values in found]
        return torch.tensor(rows, dtype=torch.float64).reshape(len(rows), self._nets)

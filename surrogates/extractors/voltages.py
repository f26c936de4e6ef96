"""Design -> voltages of the circuit's nets as a graph network tells them: numbers for judges that read no tokens."""

import numpy as np
import torch
from numpy.typing import NDArray

from sizing.circuit import Circuit
from sizing.problem import Problem
from surrogates.backbones.backbone import Backbone
from surrogates.graph import CircuitGraph

_BLOCK = 256
_DESIGNS_TO_SCALE_BY = 1000


class PredictedVoltages:
    """The voltage of every net that no source holds, scaled to about [-1, 1] by those of random designs."""

    def __init__(self, problem: Problem, circuit: Circuit, backbone: Backbone, device: torch.device) -> None:
        self._grids = {variable.name: np.array(variable.values) for variable in problem.variables}
        self._graph = CircuitGraph(circuit)
        self._device = device
        self._wiring = backbone.bind(self._graph.topology, device)
        self._backbone = backbone.to(device).requires_grad_(False).eval()
        self._nets = list(self._graph.topology.free_nets)
        self.width = len(self._nets)
        random = np.random.default_rng(0).integers(0, problem.shape, (_DESIGNS_TO_SCALE_BY, len(problem.shape)))
        voltages = self._voltages(random)
        self._low, self._span = voltages.amin(dim=0), (voltages.amax(dim=0) - voltages.amin(dim=0)).clamp_min(1e-6)

    def __call__(self, designs: NDArray[np.int64]) -> torch.Tensor:
        """Features (B, width) of designs (B, V) given as grid indices."""
        return 2 * (self._voltages(designs) - self._low) / self._span - 1

    def _voltages(self, designs: NDArray[np.int64]) -> torch.Tensor:
        values = {name: grid[designs[:, column]] for column, (name, grid) in enumerate(self._grids.items())}
        parameters = torch.from_numpy(self._graph.parameters(values)).to(self._device)
        with torch.inference_mode():
            states = (self._backbone(self._wiring, block)[-1] for block in torch.split(parameters, _BLOCK))
            told = torch.cat([self._backbone.voltages(state) for state in states])
        return told[:, self._nets].cpu()

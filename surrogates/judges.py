"""The learned judges that methods name: an extractor each, behind the same heads and the same training."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from sizing.errors import InputError
from sizing.spice.circuit import Circuit
from sizing.task.objectives import order
from sizing.task.problem import Problem
from surrogates.features import DesignFeatures, LogarithmicFeatures
from surrogates.hardware import device_named
from surrogates.networks.backbones.backbone import Backbone
from surrogates.networks.backbones.build import BackboneSettings, build_backbone
from surrogates.networks.checkpoints import read_checkpoint
from surrogates.networks.discriminator import LearnedDiscriminator
from surrogates.networks.extractors.extractor import Extractor
from surrogates.networks.extractors.fc import FullyConnected
from surrogates.networks.extractors.gnn import GraphExtractor
from surrogates.networks.extractors.voltages import PredictedVoltages, ScaledVoltages, SimulatedVoltages, Voltages
from surrogates.networks.graph import CircuitGraph, Topology
from surrogates.networks.heads import READOUTS
from surrogates.processes.regression import Regression

if TYPE_CHECKING:
    from sizing.search.context import Context

_DESIGNS_TO_SCALE_BY = 1000
_LOOKS_TO_SCALE_BY = 50
BEST_SHARE = 2 / 3
"""Share of the evidence that is learned from that is the best; the rest is spread over all of it."""


def fully_connected(context: "Context") -> LearnedDiscriminator:
    """Sees numbers, not circuits."""
    dropout = context.settings.judge.dropout
    return _judge(context, lambda device: FullyConnected(DesignFeatures(context.problem), dropout, device))


def fully_connected_on_tables(context: "Context") -> LearnedDiscriminator:
    """Sees what device tables tell of a design, too; raises Unmodelled or Unmeasurable where they tell nothing."""
    from surrogates.tables.judge import telling
    from surrogates.tables.told import ToldFeatures

    features, dropout = ToldFeatures(context.problem, telling(context)), context.settings.judge.dropout
    return _judge(context, lambda device: FullyConnected(features, dropout, device))


def gaussian_process(context: "Context") -> Regression:
    """Predicts every metric from the logarithms of the variables."""
    problem, judge = context.problem, context.settings.judge
    features = LogarithmicFeatures(problem, context.evidence)
    if not context.evidence:
        return Regression(problem, features, judge.designs)
    inputs = np.concatenate([features.of(each) for each in context.evidence])
    values = np.concatenate([each.of(problem) for each in context.evidence])
    rows = _telling(problem, values, judge.evidence)
    return Regression(problem, features, judge.designs, (inputs[rows], values[rows]))


def _telling(problem: Problem, values: NDArray[np.float64], count: int) -> NDArray[np.intp]:
    """Rows of evidence (N, M) to learn from: the best by the problem's targets, and some spread over all."""
    best = order(problem, values)[: round(count * BEST_SHARE)]
    spread = np.linspace(0, len(values) - 1, min(len(values), count - len(best)), dtype=np.intp)
    return np.union1d(best, spread)


def gaussian_process_on_voltages(context: "Context") -> Regression:
    """Predicts every metric from these logarithms and from what a pretrained network tells of the operating point."""
    circuit = _circuit(context)
    device = device_named(context.settings.judge.device)
    voltages = PredictedVoltages(context.problem, circuit, _pretrained_backbone(context, circuit), device)
    return _on_voltages(context, voltages, _DESIGNS_TO_SCALE_BY)


def gaussian_process_on_operating_points(context: "Context") -> Regression:
    """The same, from the operating point that the simulator finds for every design asked about."""
    return _on_voltages(context, SimulatedVoltages(context.evaluator), _LOOKS_TO_SCALE_BY)


def _on_voltages(context: "Context", told: Voltages, designs: int) -> Regression:
    logarithms = LogarithmicFeatures(context.problem)
    voltages = ScaledVoltages(context.problem, told, designs)

    def features(designs: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.concatenate([logarithms(designs), voltages(designs).numpy()], axis=1)

    return Regression(context.problem, features, context.settings.judge.designs)


def graph_from_scratch(context: "Context") -> LearnedDiscriminator:
    """A graph network with random weights, all of them trained; uses no checkpoint."""
    return _graph(context, partial(_random_backbone, context), rate=1.0)


def graph_frozen(context: "Context") -> LearnedDiscriminator:
    """A pretrained graph network that stays as it is."""
    return _graph(context, partial(_pretrained_backbone, context), rate=0.0)


def graph_finetuned(context: "Context") -> LearnedDiscriminator:
    """A pretrained graph network, trained further."""
    return _graph(context, partial(_pretrained_backbone, context), rate=context.settings.judge.body_rate)


def _graph(context: "Context", backbone: Callable[[Circuit], Backbone], *, rate: float) -> LearnedDiscriminator:
    circuit = _circuit(context)
    judge = context.settings.judge

    def extractor(device: torch.device) -> Extractor:
        network = backbone(circuit)
        readout = READOUTS[judge.readout](network.token_width, judge.dropout)
        return GraphExtractor(context.problem, circuit, network, readout=readout, rate=rate, device=device)

    return _judge(context, extractor)


def _judge(context: "Context", extractor: Callable[[torch.device], Extractor]) -> LearnedDiscriminator:
    rng = context.streams.training
    device = device_named(context.settings.judge.device)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(rng.integers(2**31)))
        return LearnedDiscriminator(context.problem, context.settings.judge, extractor(device), rng, device)


def _random_backbone(context: "Context", circuit: Circuit) -> Backbone:
    """Random weights, with features scaled by those of designs on the problem's grid."""
    backbone = build_backbone(BackboneSettings())
    backbone.normalisation.fit([_random_designs(context.problem, circuit)])
    return backbone


def _pretrained_backbone(context: "Context", circuit: Circuit) -> Backbone:
    """The weights of a checkpoint; kinds of device that its training did not see are scaled as above."""
    backbone, manifest = read_checkpoint(context.settings.judge.checkpoint)
    backbone.normalisation.fit([_random_designs(context.problem, circuit)], known=manifest.kinds)
    return backbone


def _random_designs(problem: Problem, circuit: Circuit) -> tuple[Topology, NDArray[np.float32]]:
    graph = CircuitGraph(circuit)
    rng = np.random.default_rng(0)
    values = {v.name: rng.choice(np.array(v.values), _DESIGNS_TO_SCALE_BY) for v in problem.variables}
    return graph.topology, graph.parameters(values)


def _circuit(context: "Context") -> Circuit:
    """The circuit of the bench that the settings name, or of the first."""
    wanted = context.settings.judge.graph
    if wanted is not None and wanted not in context.circuits:
        known = ", ".join(context.circuits)
        raise InputError(f"run.judge.graph: expected a test bench ({known}), got {wanted!r}")
    return context.circuits[wanted or next(iter(context.circuits))]

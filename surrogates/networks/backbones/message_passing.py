"""Message-passing backbones over the terminal-level graph of Hakhamaneshi et al. (2022), on torch-geometric.

Every net is a node; every device is a complete sub-graph of its terminals, each joined to its net. Edges carry nothing.
Their backbone is DeepGEN: many layers of GENConv with pre-activation residuals (Li et al., DeeperGCN, 2020).
"""

from typing import Literal

import torch
from torch import nn
from torch_geometric.data import Data
from torch_geometric.nn import DeepGCNLayer, GATConv, GCNConv, GENConv

from surrogates.networks.backbones.backbone import Backbone
from surrogates.networks.backbones.normalisation import Normalisation
from surrogates.networks.graph import Topology
from surrogates.networks.kinds import FEATURES, KINDS, TERMINAL_NUMBERS

Convolution = Literal["deepgen", "gcn", "gat"]

NET, GROUND_NET = len(TERMINAL_NUMBERS), len(TERMINAL_NUMBERS) + 1
"""Types of nodes that are no terminals; a terminal's type is its number."""
TYPES = len(TERMINAL_NUMBERS) + 2
ATTENTION_HEADS = 4


class TerminalGraph:
    """A topology as nodes and directed edges (both ways), the same for every design.

    The nets are the first nodes, in the topology's order; the terminals follow, device by device. `types` (nodes,) has
    every node's type, `devices` (terminals,) the device of every terminal, `edge_index` (2, edges) the edges.
    """

    def __init__(self, topology: Topology, device: torch.device | str = "cpu") -> None:
        self.topology = topology
        self.nets = len(topology.nets)
        types = [GROUND_NET] + [NET] * (self.nets - 1)
        owners: list[int] = []
        edges: list[tuple[int, int]] = []
        for number, (kind, nets) in enumerate(zip(topology.kinds, topology.device_nets, strict=True)):
            own = range(len(types), len(types) + len(nets))
            edges += [(a, b) for a in own for b in own if a != b]
            edges += [edge for a, net in zip(own, nets, strict=True) for edge in ((a, net), (net, a))]
            types += [TERMINAL_NUMBERS[KINDS[kind].name, terminal] for terminal in KINDS[kind].terminals]
            owners += [number] * len(nets)
        self.nodes = len(types)
        self.types = torch.tensor(types, device=device)
        self.devices = torch.tensor(owners, device=device)
        self.kinds = torch.tensor(topology.kinds, device=device)
        self.edge_index = torch.tensor(edges, device=device).T.contiguous()
        self._one_hot = nn.functional.one_hot(self.types, TYPES).float()
        self._tiled = self.edge_index

    def node_features(self, parameters: torch.Tensor, normalisation: Normalisation) -> torch.Tensor:
        """One-hot types, then the device's scaled features, zero for nets: (B, nodes, TYPES + FEATURES).

        `parameters` are (B, D, FEATURES) as CircuitGraph gives them.
        """
        count = len(parameters)
        scaled = normalisation(parameters, self.kinds)[:, self.devices]
        nothing = scaled.new_zeros(count, self.nets, FEATURES)
        return torch.cat([self._one_hot.expand(count, -1, -1), torch.cat([nothing, scaled], dim=1)], dim=-1)

    def edges(self, count: int) -> torch.Tensor:
        """The edges of `count` copies as one graph (2, count · edges); copy i has the nodes from i · nodes."""
        size = self.edge_index.shape[1]
        tiled = self._tiled
        if tiled.shape[1] < count * size:
            # Copies come one after another, so the tiling of the largest batch so far begins with that of all smaller.
            with torch.inference_mode(False):  # kept for later, when there may be gradients
                offsets = self.nodes * torch.arange(count, device=self.edge_index.device).repeat_interleave(size)
                self._tiled = tiled = self.edge_index.repeat(1, count) + offsets
        return tiled[:, : count * size]  # of what this thread has seen: others may be judging a smaller batch

    def data(self, parameters: torch.Tensor, normalisation: Normalisation) -> Data:
        """One design, parameters (D, FEATURES), for torch-geometric's own batches.

        Besides `x` and `edge_index` it has `net_index` (N,), the nets' nodes in the topology's order, and `is_ground`
        (nodes,).
        """
        return Data(
            x=self.node_features(parameters[None], normalisation)[0],
            edge_index=self.edge_index,
            net_index=torch.arange(self.nets, device=self.types.device),
            is_ground=self.types == GROUND_NET,
        )


class MessagePassing(Backbone):
    """Parameters (B, D, FEATURES) of one topology's devices -> states of its nodes, and voltages of its nets.

    `deepgen` is GENConv with softmax aggregation of learned temperature in pre-activation residual layers; `gcn` and
    `gat` are plain stacks of their convolutions with residuals.
    """

    def __init__(self, convolution: Convolution = "deepgen", layers: int = 15, width: int = 128) -> None:
        super().__init__()
        self.convolution = convolution
        self.width = self.token_width = width
        self.normalisation = Normalisation()
        self.enter = nn.Linear(TYPES + FEATURES, width)
        self.layers = nn.ModuleList(_layer(convolution, width) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.read = nn.Sequential(
            nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 1)
        )

    def bind(self, topology: Topology, device: torch.device | str = "cpu") -> TerminalGraph:
        """The topology's terminal-level graph."""
        return TerminalGraph(topology, device)

    def embed(self, nodes: torch.Tensor, edge_index: torch.Tensor) -> torch.Tensor:
        """States (nodes, width) of any graph's nodes, from their features (nodes, TYPES + FEATURES)."""
        state = self.enter(nodes)
        for layer in self.layers:
            state = layer(state, edge_index)
        return torch.relu(self.norm(state))

    def forward(self, wiring: TerminalGraph, parameters: torch.Tensor) -> list[torch.Tensor]:
        """States (B, N, width) of the nets after the last layer."""
        return [self.tokens(wiring, parameters)[:, : wiring.nets]]

    def voltages(self, state: torch.Tensor) -> torch.Tensor:
        """Voltages (B, N) in volts for states (B, N, width) of all nets; that of ground, the first, is 0."""
        voltages: torch.Tensor = self.read(state[:, 1:]).squeeze(-1)
        return nn.functional.pad(voltages, (1, 0))

    def tokens(self, wiring: TerminalGraph, parameters: torch.Tensor) -> torch.Tensor:
        """What readouts see: the final states (B, nodes, width) of nets and terminals."""
        nodes = wiring.node_features(parameters, self.normalisation)
        return self.embed(nodes.flatten(0, 1), wiring.edges(len(parameters))).view(len(parameters), -1, self.width)


def _layer(convolution: Convolution, width: int) -> nn.Module:
    if convolution == "deepgen":
        inner = GENConv(width, width, aggr="softmax", learn_t=True, num_layers=2, norm="layer")
        block = "res+"
    elif convolution == "gcn":
        inner, block = GCNConv(width, width), "res"
    else:
        inner, block = GATConv(width, width // ATTENTION_HEADS, heads=ATTENTION_HEADS), "res"
    layer: nn.Module = DeepGCNLayer(inner, nn.LayerNorm(width), nn.ReLU(), block=block)
    return layer

"""The message-passing backbones: the graph they see, what they must not depend on, and that they can be trained."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch_geometric.data import Batch

from sizing.spice.circuit import parse_circuit
from sizing.spice.netlist import read_text
from surrogates.networks.backbones.message_passing import GROUND_NET, TYPES, Convolution, MessagePassing, TerminalGraph
from surrogates.networks.graph import CircuitGraph
from surrogates.networks.kinds import FEATURES
from surrogates.pretraining.circuits import ladder

CIRCUIT = """.model n nmos
.param w=1u r=10k
v1 vdd 0 1.2
v2 in 0 0.6
r1 vdd out {r}
m1 out in tail 0 n w={w} l=0.1u
r2 tail 0 {r/10}
c1 out 0 1p
"""
CONVOLUTIONS: tuple[Convolution, ...] = ("deepgen", "gcn", "gat")
VALUES = {"w": np.array([1e-6, 2e-6, 5e-6]), "r": np.array([5e3, 1e4, 2e4])}


def graph(text: str) -> CircuitGraph:
    return CircuitGraph(parse_circuit(read_text(text, "test.cir", Path())))


def parameters(made: CircuitGraph) -> torch.Tensor:
    return torch.from_numpy(made.parameters(VALUES))


@pytest.fixture(params=CONVOLUTIONS)
def backbone(request: pytest.FixtureRequest) -> MessagePassing:
    torch.manual_seed(3)
    made = MessagePassing(request.param, layers=3, width=16)
    circuit = graph(CIRCUIT)
    made.normalisation.fit([(circuit.topology, parameters(circuit).numpy())])
    return made


def voltages(backbone: MessagePassing, made: CircuitGraph) -> dict[str, torch.Tensor]:
    with torch.no_grad():
        found = backbone.voltages(backbone(backbone.bind(made.topology), parameters(made))[-1])
    return dict(zip(made.topology.nets, found.T, strict=True))


def test_the_ladder_of_ten_branches_has_84_nodes_and_edges_both_ways():
    wiring = TerminalGraph(graph(ladder(10).netlist).topology)
    # A device of two terminals has one edge inside and two to its nets, each in both directions.
    assert (wiring.nodes, wiring.edge_index.shape) == (84, (2, 31 * 3 * 2))
    pairs = set(map(tuple, wiring.edge_index.T.tolist()))
    assert pairs == {(b, a) for a, b in pairs}


def test_a_transistor_is_a_complete_graph_of_its_terminals():
    made = graph(CIRCUIT)
    wiring = TerminalGraph(made.topology)
    number = made.topology.devices.index("m1")
    own = {wiring.nets + int(row) for row in torch.nonzero(wiring.devices == number)}
    inside = {pair for pair in map(tuple, wiring.edge_index.T.tolist()) if set(pair) <= own}
    assert len(own) == 4
    assert len(inside) == 12
    assert len(set(wiring.types[sorted(own)].tolist())) == 4


def test_nodes_are_one_hot_types_and_the_devices_features():
    made = graph(CIRCUIT)
    backbone = MessagePassing("gcn", layers=1, width=8)
    wiring = backbone.bind(made.topology)
    nodes = wiring.node_features(parameters(made), backbone.normalisation)
    assert nodes.shape == (3, wiring.nodes, TYPES + FEATURES)
    assert (nodes[..., :TYPES].sum(-1) == 1).all()
    assert (nodes[:, : wiring.nets, TYPES:] == 0).all()
    assert torch.equal(nodes[:, wiring.nets :, TYPES:], parameters(made)[:, wiring.devices].clamp(-8, 8))
    assert (wiring.types == GROUND_NET).nonzero().flatten().tolist() == [0]
    resistor = wiring.types[wiring.nets :][wiring.devices == made.topology.devices.index("r1")].tolist()
    assert resistor[0] == resistor[1]


def test_shapes_and_ground(backbone: MessagePassing):
    made = graph(CIRCUIT)
    wiring = backbone.bind(made.topology)
    states = backbone(wiring, parameters(made))
    found = backbone.voltages(states[-1])
    assert [state.shape for state in states] == [(3, len(made.topology.nets), 16)]
    assert found.shape == (3, len(made.topology.nets))
    assert (found[:, 0] == 0).all()
    assert (found[:, 1:] != 0).all()
    assert backbone.tokens(wiring, parameters(made)).shape == (3, wiring.nodes, backbone.token_width)


def test_order_of_devices_and_names_of_nets_do_not_matter(backbone: MessagePassing):
    head, *devices = CIRCUIT.strip().partition("\nv1")[0], *("v1" + CIRCUIT.partition("\nv1")[2]).strip().splitlines()
    other = "\n".join([head, *reversed(devices)]).replace("tail", "a_net").replace("r2 a_net 0", "r2 0 a_net")
    one, two = voltages(backbone, graph(CIRCUIT)), voltages(backbone, graph(other))
    assert list(one) != list(two)
    for net, expected in one.items():
        torch.testing.assert_close(two["a_net" if net == "tail" else net], expected, atol=1e-5, rtol=0)
    assert float(torch.stack(list(one.values())).std()) > 1e-3


def test_which_terminal_is_where_matters(backbone: MessagePassing):
    one, other = (
        voltages(backbone, graph(CIRCUIT)),
        voltages(backbone, graph(CIRCUIT.replace("out in tail", "in out tail"))),
    )
    assert not torch.allclose(one["out"], other["out"], atol=1e-5)


def test_the_gradient_reaches_every_parameter(backbone: MessagePassing):
    made = graph(CIRCUIT)
    backbone.voltages(backbone(backbone.bind(made.topology), parameters(made))[-1]).square().sum().backward()
    unreached = [name for name, each in backbone.named_parameters() if each.grad is None or not each.grad.any()]
    assert unreached == []


def test_a_batch_gives_what_torch_geometrics_own_batch_and_single_designs_give(backbone: MessagePassing):
    made = graph(CIRCUIT)
    wiring, rows = backbone.bind(made.topology), parameters(made)
    with torch.no_grad():
        together = backbone.tokens(wiring, rows)
        alone = torch.cat([backbone.tokens(wiring, row[None]) for row in rows])
        batch = Batch.from_data_list([wiring.data(row, backbone.normalisation) for row in rows])
        collated = backbone.embed(batch.x, batch.edge_index)
    torch.testing.assert_close(alone, together, atol=1e-5, rtol=0)
    torch.testing.assert_close(collated.view_as(together), together, atol=1e-5, rtol=0)
    assert batch.is_ground.nonzero().flatten().tolist() == [0, wiring.nodes, 2 * wiring.nodes]
    nets = collated[batch.net_index].view(3, wiring.nets, -1)
    torch.testing.assert_close(nets, together[:, : wiring.nets], atol=1e-5, rtol=0)


def test_edges_made_for_a_prediction_serve_training_too(backbone: MessagePassing):
    made = graph(CIRCUIT)
    wiring = backbone.bind(made.topology)
    with torch.inference_mode():
        backbone(wiring, parameters(made))
    backbone.voltages(backbone(wiring, parameters(made))[-1]).sum().backward()
    assert wiring.edges(2).tolist() == wiring.edges(3)[:, : 2 * wiring.edge_index.shape[1]].tolist()


def test_the_published_size_has_about_a_million_parameters():
    made = MessagePassing()
    assert (made.convolution, len(made.layers), made.width) == ("deepgen", 15, 128)
    assert sum(each.numel() for each in made.parameters()) == pytest.approx(1.03e6, rel=0.01)

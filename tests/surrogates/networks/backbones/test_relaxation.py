"""The relaxation network: what its voltages must not depend on, what holds exactly, and that it can be trained."""

from pathlib import Path

import numpy as np
import pytest
import torch

from sizing.spice.circuit import parse_circuit
from sizing.spice.netlist import read_text
from surrogates.networks.backbones.relaxation import DeviceRelaxation
from surrogates.networks.graph import CircuitGraph

HEAD = ".model n nmos\n.model q npn\n.param w=1u r=10k\n"
DEVICES = (
    "v1 vdd 0 1.2",
    "v2 0 low 0.6",
    "r1 vdd out {r}",
    "m1 out in tail bulk n w={w} l=0.1u",
    "v3 bulk 0 0",
    "r2 tail low {r/10}",
    "r3 in vdd {2*r}",
    "r4 in 0 {r}",
    "q1 vdd out follow q {w/1u}",
    "r5 follow 0 {r/2}",
    "c1 out 0 {r*1e-16}",
)
VALUES = {"w": np.array([1e-6, 2e-6, 5e-6]), "r": np.array([5e3, 1e4, 2e4])}
HELD = {"0": 0.0, "vdd": 1.2, "low": -0.6, "bulk": 0.0}


def graph(*devices: str) -> CircuitGraph:
    return CircuitGraph(parse_circuit(read_text("\n".join([HEAD, *devices]), "test.cir", Path())))


def parameters(made: CircuitGraph) -> torch.Tensor:
    return torch.from_numpy(made.parameters(VALUES))


@pytest.fixture(scope="module")
def backbone() -> DeviceRelaxation:
    """A network whose weights are large enough that what it should not see would show."""
    torch.manual_seed(3)
    made = DeviceRelaxation(width=16, rounds=3, hidden=32)
    circuit = graph(*DEVICES)
    made.normalisation.fit([(circuit.topology, parameters(circuit).numpy())])
    with torch.no_grad():
        for name, each in made.named_parameters():
            if name != "gate":
                each.add_(0.15 * torch.randn_like(each))
    return made


def voltages(backbone: DeviceRelaxation, made: CircuitGraph) -> dict[str, torch.Tensor]:
    with torch.no_grad():
        found = backbone.voltages(backbone(backbone.bind(made.topology), parameters(made))[-1])
    return dict(zip(made.topology.nets, found.T, strict=True))


def test_shapes(backbone: DeviceRelaxation):
    made = graph(*DEVICES)
    wiring, nets, devices = backbone.bind(made.topology), len(made.topology.nets), len(made.topology.devices)
    states = backbone(wiring, parameters(made))
    assert [state.shape for state in states] == [(nets, 3, 16)] * 3
    assert backbone.voltages(states[0]).shape == (3, nets)
    assert backbone.tokens(wiring, parameters(made)).shape == (3, nets + devices, backbone.token_width)


@pytest.mark.parametrize("seed", range(3))
def test_order_of_devices_and_names_of_nets_do_not_matter(backbone: DeviceRelaxation, seed: int):
    shuffled = [DEVICES[place].replace("tail", "a_net") for place in np.random.default_rng(seed).permutation(11)]
    one, two = voltages(backbone, graph(*DEVICES)), voltages(backbone, graph(*shuffled))
    assert list(one) != list(two)
    for net, expected in one.items():
        torch.testing.assert_close(two["a_net" if net == "tail" else net], expected, atol=1e-5, rtol=0)
    free = torch.stack([each for net, each in one.items() if net not in HELD])
    assert float(free.std(dim=0).min()) > 0.01
    assert float(free.std(dim=1).min()) > 1e-3


@pytest.mark.parametrize("device", [each for each in DEVICES if each[0] in "rc"])
def test_a_resistor_or_capacitor_may_be_written_either_way_round(backbone: DeviceRelaxation, device: str):
    name, one, other, value = device.split()
    turned = [" ".join((name, other, one, value)) if each == device else each for each in DEVICES]
    expected, found = voltages(backbone, graph(*DEVICES)), voltages(backbone, graph(*turned))
    for net in expected:
        torch.testing.assert_close(found[net], expected[net], atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("device", "turned"), [("m1 out in tail", "m1 in out tail"), ("q1 vdd out", "q1 out vdd"), ("v2 0 low", "v2 low 0")]
)
def test_which_terminal_of_another_device_is_where_matters(backbone: DeviceRelaxation, device: str, turned: str):
    one = voltages(backbone, graph(*DEVICES))
    other = voltages(backbone, graph(*(each.replace(device, turned) for each in DEVICES)))
    assert not torch.allclose(one["out"], other["out"], atol=1e-3)


def test_the_gradient_reaches_every_parameter_that_the_topology_uses(backbone: DeviceRelaxation):
    made = graph(*DEVICES)
    wiring, free = backbone.bind(made.topology), torch.tensor(made.topology.free_nets)
    backbone.zero_grad()
    backbone.voltages(backbone(wiring, parameters(made))[-1]).square().sum().backward()
    # What arrives at a net that is held changes nothing, so a terminal's own weights matter where its net is free.
    heard = torch.cat([group.numbers[torch.isin(group.nets, free)] for group in wiring.groups]).unique().tolist()
    encoded = [group.numbers[0] for group in wiring.groups if group.terminals > 2]
    encoded += [group.numbers[torch.isin(group.nets, free)] for group in wiring.groups if group.terminals == 2]
    expected = {"encode": torch.cat(encoded).unique().tolist(), "conduct": heard, "offset": heard}
    assert len(heard) == 7
    for name, each in backbone.named_parameters():
        layer = name.partition(".")[0]
        assert each.grad is not None
        if layer in expected:
            reached = each.grad.flatten(1).any(dim=1).nonzero().flatten().tolist()
            assert reached == expected[layer], name
        else:
            assert each.grad.any(), name


def test_a_bulk_on_ground_is_a_bulk_on_a_source_of_0_v(backbone: DeviceRelaxation):
    grounded = [each.replace("tail bulk", "tail 0") for each in DEVICES if each != "v3 bulk 0 0"]
    one, other = voltages(backbone, graph(*DEVICES)), voltages(backbone, graph(*grounded))
    for net, expected in other.items():
        torch.testing.assert_close(one[net], expected, atol=1e-5, rtol=0)


def test_a_net_that_a_source_holds_reads_the_same_whatever_else_changes(backbone: DeviceRelaxation):
    one = voltages(backbone, graph(*DEVICES))
    other = voltages(
        backbone, graph(*(each.replace("{r}", "{r/7}") for each in DEVICES if each[:2] not in ("c1", "r5")))
    )
    for net in HELD:
        assert torch.equal(one[net], other[net])
        assert (one[net] == one[net][0]).all()
    assert not torch.allclose(one["out"], other["out"], atol=1e-3)


def test_the_sign_of_a_source_follows_its_terminals(backbone: DeviceRelaxation):
    turned = [each.replace("v2 0 low 0.6", "v2 low 0 -0.6") for each in DEVICES]
    with torch.no_grad():
        states = []
        for devices in (DEVICES, turned):
            made = graph(*devices)
            state = backbone(backbone.bind(made.topology), parameters(made))[-1]
            states.append({net: state[number, 0, :8] for number, net in enumerate(made.topology.nets)})
    for net, volts in HELD.items():
        assert (states[0][net] == torch.tensor(volts)).all()
        assert torch.equal(states[0][net], states[1][net])


def test_a_batch_gives_what_its_designs_give_alone(backbone: DeviceRelaxation):
    made = graph(*DEVICES)
    wiring, rows = backbone.bind(made.topology), parameters(made)
    with torch.no_grad():
        together = backbone.voltages(backbone(wiring, rows)[-1])
        alone = torch.cat([backbone.voltages(backbone(wiring, row[None])[-1]) for row in rows])
        tokens = torch.cat([backbone.tokens(wiring, row[None]) for row in rows])
        torch.testing.assert_close(backbone.tokens(wiring, rows), tokens, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(alone, together, atol=1e-5, rtol=0)
    assert not torch.allclose(together[0], together[1], atol=1e-3)


def test_more_rounds_go_on_from_fewer(backbone: DeviceRelaxation):
    made = graph(*DEVICES)
    wiring = backbone.bind(made.topology)
    states = []
    with torch.no_grad(), pytest.MonkeyPatch.context() as patched:
        for rounds in (2, 5):
            patched.setattr(backbone, "rounds", rounds)
            states.append(backbone(wiring, parameters(made)))
    few, more = states
    assert (len(few), len(more)) == (2, 5)
    assert torch.equal(few[-1], more[1])


def test_a_circuit_whose_nets_are_all_held_has_their_voltages():
    graph = CircuitGraph(parse_circuit(read_text("v1 a 0 dc 1\nr1 a 0 1k", "held.cir", Path())))
    backbone = DeviceRelaxation(16, 2)
    wiring = backbone.bind(graph.topology)
    parameters = torch.from_numpy(graph.parameters({}))
    assert backbone.voltages(backbone(wiring, parameters)[-1]).shape == (1, 2)
    assert backbone.tokens(wiring, parameters).shape == (1, 4, backbone.token_width)

"""Netlist text -> graph: what is joined where, what each device's numbers are, and what is refused."""

from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from sizing.specfile.load import Spec
from sizing.spice.circuit import parse_circuit
from sizing.spice.netlist import read_text
from surrogates.networks.graph import GROUND, CircuitGraph, Topology
from surrogates.networks.kinds import KIND_NUMBERS, KINDS, GraphError
from surrogates.pretraining.circuits import ladder

MODELS = """
.model n nmos level=1
.model p pmos level=1
.model dm d
.model qn npn
.model qp pnp
.model jn njf
.model jp pjf
"""
CELLS = (
    MODELS
    + """
.param r=2k wide=3u
.subckt pair a b out vss w=1u
mn1 out a tail vss n w={w} l=0.1u
mn2 x b tail vss n w={2*w} l=0.1u
rt tail vss {r}
.ends
x1 in1 in2 o1 0 pair w={wide} m=2
x2 o1 in2 o2 0 pair
rl o1 vdd 10k
rm o2 vdd 20k
v1 vdd 0 1.2
"""
)


def graph(text: str, opaque: frozenset[str] = frozenset()) -> CircuitGraph:
    return CircuitGraph(parse_circuit(read_text(text, "test.cir", Path()), {name: {} for name in opaque}))


def features(text: str, device: str, opaque: frozenset[str] = frozenset(), **values: float) -> list[float]:
    """The features of one device, 7 significant digits at most (they are float32)."""
    made = graph(text, opaque)
    return [float(value) for value in made.parameters(values)[0, made.topology.devices.index(device)]]


def as_networkx(made: CircuitGraph) -> nx.Graph:
    """The terminal-level graph, its nodes labelled by what a network sees of them."""
    found, topology, values = nx.Graph(), made.topology, made.parameters({})[0].round(5)
    for net, name in enumerate(topology.nets):
        found.add_node(net, label=GROUND if name == GROUND else "net")
    for number, (kind, nets) in enumerate(zip(topology.kinds, topology.device_nets, strict=True)):
        own = [(number, place) for place in range(len(nets))]
        for terminal, name, net in zip(own, KINDS[kind].terminals, nets, strict=True):
            found.add_node(terminal, label=(KINDS[kind].name, name, *values[number].tolist()))
            found.add_edge(terminal, net)
        found.add_edges_from((a, b) for a in own for b in own if a < b)
    return found


def same(one: CircuitGraph, other: CircuitGraph) -> bool:
    return nx.is_isomorphic(as_networkx(one), as_networkx(other), node_match=lambda a, b: a["label"] == b["label"])


def shuffled(text: str, seed: int) -> str:
    """The netlist with its device lines in another order; sub-circuits and models stay where they are."""
    lines = [line for line in text.splitlines() if line]
    inside = np.cumsum([line.startswith(".subckt") - line.startswith(".ends") for line in lines]) > 0
    movable = [at for at, line in enumerate(lines) if line[0] not in ".+*" and not inside[at]]
    moved = list(lines)
    for at, source in zip(movable, np.random.default_rng(seed).permutation(movable), strict=True):
        moved[at] = lines[source]
    return "\n".join(moved)


def test_a_ladder_of_ten_branches_has_84_nodes():
    topology = graph(ladder(10).netlist).topology
    assert (len(topology.devices), len(topology.nets), topology.terminals) == (31, 22, 62)
    assert as_networkx(graph(ladder(10).netlist)).number_of_nodes() == 84


@pytest.mark.parametrize("seed", range(3))
def test_order_of_devices_does_not_matter(seed: int):
    assert graph(shuffled(CELLS, seed)).topology.devices != graph(CELLS).topology.devices
    assert same(graph(shuffled(CELLS, seed)), graph(CELLS))


def test_names_of_nets_and_devices_do_not_matter():
    renamed = CELLS.replace("tail", "common").replace("o1", "left").replace("rl ", "rload ").replace("vdd", "supply")
    assert renamed != CELLS
    assert same(graph(renamed), graph(CELLS))


def test_another_connection_or_value_is_another_graph():
    assert not same(graph(CELLS.replace("rm o2 vdd", "rm o2 o1")), graph(CELLS))
    assert not same(graph(CELLS.replace("wide=3u", "wide=4u")), graph(CELLS))
    assert not same(graph(CELLS.replace("v1 vdd 0 1.2", "v1 0 vdd 1.2")), graph(CELLS))


def test_the_op_amp_is_the_same_with_its_devices_in_reverse(opamp: Spec):
    bench = opamp.benches[0]
    devices = [line for line in bench.lines if line.keyword[0] not in ".*"]
    order = [*(line for line in bench.lines if line.keyword[0] in ".*"), *reversed(devices)]
    one, other = CircuitGraph(bench.circuit), CircuitGraph(parse_circuit(order))
    assert other.topology.devices == one.topology.devices[::-1]
    assert same(one, other)


def test_a_resistor_may_be_written_the_other_way_round():
    for line in ("r1 a b 1k", "c1 a b 1p", "l1 a b 1n"):
        text = "v1 a 0 1\nr2 b 0 1k\n"
        turned = line.replace("a b", "b a")
        assert same(graph(text + line), graph(text + turned))
    assert not same(graph(MODELS + "v1 a 0 1\nr2 b 0 1k\nd1 a b dm"), graph(MODELS + "v1 a 0 1\nr2 b 0 1k\nd1 b a dm"))


@pytest.mark.parametrize(
    ("line", "kind", "expected"),
    [
        ("m1 a b 0 0 n w=2u l=0.1u m=5", "nmos", (2.0, -7.0)),
        ("m1 a b 0 0 p w={4*x} l=0.4u", "pmos", (1.0, np.log10(0.4e-6))),
        ("m1 a b 0 0 n", "nmos", (0.0, np.log10(5e-6))),
        ("r1 a b 10k", "resistor", (4.0, 0.0)),
        ("r1 a b 10k m=10", "resistor", (3.0, 0.0)),
        ("r1 a b 0", "resistor", (-3.0, 0.0)),
        ("r1 a b r={x*1e9}", "resistor", (3.0, 0.0)),
        ("c1 a b 1p m=10", "capacitor", (-11.0, 0.0)),
        ("l1 a b 1n", "inductor", (-9.0, 0.0)),
        ("v1 a b 1.2", "voltage source", (1.2, 0.0)),
        ("v1 a b dc -0.5 ac 0.5 180", "voltage source", (-0.5, 0.5)),
        ("v1 a b dc 1 ac 1 -90", "voltage source", (1.0, 1.0)),
        ("v1 a b dc 1 ac {x * 1e6 - 2} -90", "voltage source", (1.0, -1.0)),
        ("v1 a b dc {x * 1e6 - 2} ac {x * 1e6 + 2}", "voltage source", (-1.0, 3.0)),
        ("i1 a b 99n", "current source", (2.0, 0.0)),
        ("i1 a b dc -99n ac 1", "current source", (-2.0, 1.0)),
        ("i1 a b 9n m=11", "current source", (2.0, 0.0)),
        ("d1 a b dm 100", "diode", (2.0, 0.0)),
        ("q1 a b 0 qn", "npn", (0.0, 0.0)),
        ("q1 a b 0 0 qp 10 m=10", "pnp", (2.0, 0.0)),
        ("j1 a b 0 jn 10", "njf", (1.0, 0.0)),
        ("j1 a b 0 jp", "pjf", (0.0, 0.0)),
        ("e1 a 0 b 0 0.099", "vcvs", (2.0, 0.0)),
        ("e1 a 0 b 0 -0.099", "vcvs", (-2.0, 0.0)),
        ("g1 a 0 b 0 99n", "vccs", (2.0, 0.0)),
        ("g1 a 0 b 0 9n m=11", "vccs", (2.0, 0.0)),
        ("f1 a 0 vs 0.099", "cccs", (2.0, 0.0)),
        ("h1 a 0 vs 99", "ccvs", (2.0, 0.0)),
    ],
)
def test_every_kind_has_the_features_one_expects(line: str, kind: str, expected: tuple[float, float]):
    text = f"{MODELS}.param x=1u\nvs s 0 1\n{line}\n"
    made = graph(text)
    assert KINDS[made.topology.kinds[1]].name == kind
    np.testing.assert_allclose(made.parameters({})[0, 1], expected, rtol=1e-5, atol=1e-6)


def test_no_kind_is_left_out_above():
    cases = next(mark for mark in test_every_kind_has_the_features_one_expects.pytestmark if mark.name == "parametrize")
    assert {kind for _, kind, _ in cases.args[1]} == set(KIND_NUMBERS)


@pytest.mark.parametrize(
    ("waveform", "level"),
    [
        ("pwl(0 0.6 10p 0.62)", 0.6),
        ("pwl (0 0.6, 10p 0.62)", 0.6),
        ("pulse(0.2 1.2 0 1n 1n 5n 10n)", 0.2),
        ("pulse({low} {low + 1})", 0.3),
        ("pulse({low * 2 + 1} 0)", 1.6),
        ("sin(0.7 0.1 1meg)", 0.7),
        ("exp(0.1 0.2 1n 1n)", 0.1),
        ("am(1 0.5 1k 1meg)", 0.0),
        ("dc 0.9 pwl(0 0.6 10p 0.62)", 0.9),
    ],
)
def test_a_source_with_only_a_waveform_is_at_what_it_begins_with(waveform: str, level: float):
    assert features(f".param low=0.3\nv1 a 0 {waveform}\nr1 a 0 1k", "v1") == pytest.approx([level, 0.0])


def test_an_excited_source_has_its_magnitude():
    assert features("v1 a 0 dc 0 ac\nr1 a 0 1", "v1") == [0.0, 1.0]


SKY = frozenset({"sky130_fd_pr__nfet_01v8", "sky130_fd_pr__pfet_01v8_lvt", "sky130_fd_pr__res_high_po"}) | frozenset(
    {"sky130_fd_pr__cap_mim_m3_1", "amplifier", "sky130_fd_pr__pnp_05v5_w3p40l3p40"}
)


@pytest.mark.parametrize(
    ("line", "kind", "expected"),
    [
        ("xm d g 0 0 sky130_fd_pr__nfet_01v8 w=5 l=0.5", "nmos", (1.0, np.log10(0.5e-6))),
        ("xm d g 0 0 sky130_fd_pr__nfet_01v8 w=5u l=0.5u", "nmos", (1.0, np.log10(0.5e-6))),
        ("xm d g 0 0 sky130_fd_pr__pfet_01v8_lvt w=5 l=0.5 mult=10 m=10", "pmos", (2.0, np.log10(0.5e-6))),
        ("xr d g 0 sky130_fd_pr__res_high_po w=1 l=10", "resistor", (np.log10(3000), 0.0)),
        ("xc d g sky130_fd_pr__cap_mim_m3_1 w=10 l=10", "capacitor", (-13.0, 0.0)),
        ("xq 0 d g sky130_fd_pr__pnp_05v5_w3p40l3p40", "pnp", (0.0, 0.0)),
    ],
)
def test_a_kits_sub_circuit_stands_for_its_device_in_micrometres(line: str, kind: str, expected: tuple[float, float]):
    made = graph(f"v1 d 0 1\nr1 g 0 1k\n{line}", SKY)
    assert KINDS[made.topology.kinds[2]].name == kind
    assert len(made.topology.device_nets[2]) == len(KINDS[made.topology.kinds[2]].terminals)
    np.testing.assert_allclose(made.parameters({})[0, 2], expected, rtol=1e-5)


def test_a_current_controlled_source_is_joined_to_the_source_whose_current_it_follows():
    topology = graph("v1 a 0 1\nvs a b 0\nr1 b 0 1k\nf1 0 c vs 2\nr2 c 0 1k\nh1 d 0 vs 5\nr3 d 0 1").topology
    nets = {
        device: [topology.nets[net] for net in joined]
        for device, joined in zip(topology.devices, topology.device_nets, strict=True)
    }
    assert nets["f1"] == ["0", "c", "a", "b"]
    assert nets["h1"] == ["d", "0", "a", "b"]


def test_a_current_controlled_source_in_a_sub_circuit_follows_the_one_beside_it():
    topology = graph(".subckt cell a\nvs a b 0\nr1 b 0 1\nf1 0 a vs 2\n.ends\nv1 t 0 1\nx1 t cell\n").topology
    joined = topology.device_nets[topology.devices.index("x1.f1")]
    assert [topology.nets[net] for net in joined] == ["0", "t", "t", "x1.b"]


@pytest.mark.parametrize(
    ("line", "device", "says"),
    [
        ("b1 a 0 v=2*v(b)", "b1", "kind 'b'"),
        ("s1 a 0 b 0 sw", "s1", "kind 's'"),
        ("k1 l1 l2 0.9", "k1", "kind 'k'"),
        ("e1 a 0 vol='v(b)*2'", "e1", "behavioural"),
        ("m1 a b 0 0 missing w=1u l=1u", "m1", "expected the .model 'missing' of type nmos or pmos, got none"),
        ("m1 a b 0 0 qn w=1u l=1u", "m1", "got it of type npn"),
        ("q1 a b 0 missing", "q1", "missing"),
        ("r1 a b rmodel", "r1", "expected a value, or w and l"),
        ("r1 a b rmodel w=1u", "r1", "got w"),
        ("r1 a b {unknown}", "r1", "unknown"),
        ("r1 a b {1/0}", "r1", "finite"),
        ("r1 a b 'v(a)*1k'", "r1", "function"),
        ("f1 a 0 nowhere 2", "f1", "nowhere"),
        ("f1 a 0 r9 2", "f1", "voltage source"),
        ("xa a b amplifier", "xa", "amplifier"),
        ("xm a b sky130_fd_pr__nfet_01v8", "xm", "2 nets"),
    ],
)
def test_what_no_graph_knows_is_refused_by_name(line: str, device: str, says: str):
    with pytest.raises(GraphError) as caught:
        graph(f"{MODELS}r9 a b 1k\n{line}\n", SKY).parameters({})
    assert str(caught.value).startswith(f"{device}: expected")
    assert says in str(caught.value)


def test_a_device_in_a_sub_circuit_is_named_by_its_path():
    with pytest.raises(GraphError, match=r"^x1\.b1: expected a device that graphs know"):
        graph(".subckt cell a\nb1 a 0 i=1\n.ends\nx1 t cell\n")


def test_a_parameter_that_cannot_be_resolved_is_named():
    with pytest.raises(GraphError, match=r"^\.param: .*'b'"):
        graph(".param a={b*2}\nr1 x 0 {a}").parameters({})


def test_arrays_broadcast_and_numbers_fill():
    made = graph(".param r=1k scale=2 half={r/2}\nr1 a 0 {half*scale}\nr2 a 0 {r}\nv1 a 0 {scale}")
    values = made.parameters({"r": np.array([1e3, 1e4, 1e5]), "scale": 1.0})
    assert values.shape == (3, 3, 2)
    assert values.dtype == np.float32
    np.testing.assert_allclose(values[:, 0, 0], np.log10([500, 5e3, 5e4]), rtol=1e-6)
    np.testing.assert_allclose(values[:, 1, 0], [3, 4, 5], rtol=1e-6)
    np.testing.assert_allclose(values[:, 2, 0], 1.0)
    np.testing.assert_allclose(made.parameters({"r": np.array([1e4])}), made.parameters({"r": 1e4}))
    np.testing.assert_allclose(made.parameters({})[0, 0, 0], 3.0, rtol=1e-6)


def test_arrays_of_different_lengths_are_refused():
    with pytest.raises(GraphError, match=r"one length \(3\), got \{'b': 2\}"):
        graph(".param a=1 b=1\nr1 x 0 {a*b}").parameters({"a": np.ones(3), "b": np.ones(2)})


def names(topology: Topology, nets: tuple[int, ...]) -> set[str]:
    return {topology.nets[net] for net in nets}


def test_the_op_amps_supply_and_inputs_are_held_and_the_rest_is_free(opamp: Spec):
    benches = {bench.name: CircuitGraph(bench.circuit).topology for bench in opamp.benches}
    open_loop, follower = benches["open_loop"], benches["follower"]
    assert names(open_loop, open_loop.fixed_nets) == {"0", "vdd", "1", "2"}
    # The source that closes the loop holds the second input to the output, not to ground.
    assert names(follower, follower.fixed_nets) == {"0", "vdd", "1"}
    assert {"2", "6"} < names(follower, follower.free_nets)
    for topology in (open_loop, follower):
        assert topology.nets[0] == GROUND
        assert set(topology.fixed_nets) | set(topology.free_nets) == set(range(len(topology.nets)))


def test_stacked_sources_hold_their_nets_in_any_order():
    topology = graph("v3 c b 1\nv2 b a 1\nv1 a 0 1\nr1 c d 1\nr2 d 0 1").topology
    assert names(topology, topology.fixed_nets) == {"0", "a", "b", "c"}
    assert names(topology, topology.free_nets) == {"d"}


def test_ground_is_a_net_even_where_nothing_touches_it():
    assert graph("v1 a b 1\nr1 a b 1").topology.nets == (GROUND, "a", "b")

"""The exact solver of resistor circuits, against ngspice and against independent computations."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from surrogates.pretraining import generate, resistive
from surrogates.pretraining.circuits import SampledCircuit, ladder, loaded_divider, parallel_pair, series_pair
from surrogates.pretraining.dataset import graph_of, read_dataset

MAKERS = (lambda: ladder(3), series_pair, parallel_pair, loaded_divider)


def solved(circuit: SampledCircuit, **values: float) -> tuple[dict[str, float], float | None]:
    """Voltages by net, and the output resistance, of one circuit."""
    graph = graph_of(circuit.netlist, circuit.name)
    voltages, seen = resistive.solve(graph.topology, graph.parameters(values), circuit.output)
    return dict(zip(graph.topology.nets, voltages[0].tolist(), strict=True)), None if seen is None else float(seen[0])


@pytest.mark.parametrize("make", MAKERS)
def test_it_agrees_with_ngspice(make: Callable[[], SampledCircuit], tmp_path: Path):
    found = []
    for circuit in (make(), replace(make(), exact=False)):
        folder = tmp_path / str(circuit.exact)
        generate.generate("test", [(circuit, 30)], folder, workers=1)
        found.append(read_dataset(folder)[1][0])
    exact, simulated = found
    assert len(exact) == len(simulated) == 30
    assert (exact.values == simulated.values).all()
    assert_allclose(exact.voltages, simulated.voltages, rtol=1e-5, atol=1e-6)
    assert simulated.voltages[:, 2:].std(axis=0).min() > 0.1


def test_dividers_by_hand():
    pair, _ = solved(series_pair(), v0=1, r1=0.1, r2=0.2, r3=0.7)
    assert (pair["a"], pair["b"]) == pytest.approx((0.9, 0.7), rel=1e-6)
    assert solved(parallel_pair(), v0=1, r1=0.4, r2=0.4, r3=0.6)[0]["a"] == pytest.approx(0.75, rel=1e-6)
    assert solved(loaded_divider(), v0=1, r1=0.3, r2=0.2, r3=0.2)[0]["a"] == pytest.approx(0.25, rel=1e-6)


def test_the_output_resistance_of_one_branch_is_its_resistors_in_parallel():
    voltages, seen = solved(ladder(1, output_resistance=True), v0=0.3, v1=0.9, rs1=0.2, rp1=0.3)
    assert seen == pytest.approx(0.2 * 0.3 / 0.5, rel=1e-6)
    assert voltages["n1"] == pytest.approx((0.3 / 0.2 + 0.9 / 0.3) / (1 / 0.2 + 1 / 0.3), rel=1e-6)


def test_the_output_resistance_is_that_of_the_ladder_taken_from_the_far_end():
    circuit, rng = ladder(6, output_resistance=True), np.random.default_rng(4)
    values = {name: float(each[0]) for name, each in circuit.draw(rng, 1).items()}
    seen, volts = 0.0, values["v0"]  # the Thévenin equivalent of what lies before a branch
    for i in range(1, 7):
        series, shunt = seen + values[f"rs{i}"], values[f"rp{i}"]
        volts = (volts * shunt + values[f"v{i}"] * series) / (series + shunt)
        seen = series * shunt / (series + shunt)
    found, resistance = solved(circuit, **values)
    assert resistance == pytest.approx(seen, rel=1e-5)
    assert found["n6"] == pytest.approx(volts, rel=1e-5)


def test_kirchhoffs_current_law_holds_at_every_free_net():
    circuit, rng = ladder(10), np.random.default_rng(5)
    graph = graph_of(circuit.netlist, circuit.name)
    sample = circuit.draw(rng, 20)
    parameters = graph.parameters(dict(sample))
    voltages, _ = resistive.solve(graph.topology, parameters)
    into, through = np.zeros_like(voltages), np.zeros_like(voltages)
    for number, (name, nets) in enumerate(zip(graph.topology.devices, graph.topology.device_nets, strict=True)):
        if name[0] == "r":
            current = (voltages[:, nets[0]] - voltages[:, nets[1]]) * 10.0 ** -parameters[:, number, 0].astype(float)
            into[:, nets[0]] -= current
            into[:, nets[1]] += current
            through[:, list(nets)] += np.abs(current)[:, None]
    free = list(graph.topology.free_nets)
    assert len(free) == 10
    assert (np.abs(into[:, free]) <= 1e-9 * through[:, free]).all()
    assert (voltages[:, [graph.topology.nets.index("s4")]][:, 0] == sample["v4"].astype(np.float32)).all()


@pytest.mark.parametrize(
    ("line", "device"), [("c1 a 0 1p", "c1"), ("v2 a in 1", "v2"), ("v2 0 a 1", "v2"), ("g1 a 0 in 0 1m", "g1")]
)
def test_other_devices_are_refused(line: str, device: str):
    graph = graph_of(f"v1 in 0 1\nr1 in a 1k\nr2 a 0 1k\n{line}\n", "test")
    with pytest.raises(ValueError, match=f"expected resistors and grounded voltage sources, got '{device}'"):
        resistive.solve(graph.topology, graph.parameters({}))

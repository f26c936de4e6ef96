"""Shipped simulators keep what every simulator promises; both are ngspice and agree to the last bits."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import sizing
from sizing.simulation.pool import SimulationPool
from sizing.simulation.simulator import Failed, Measured, Outcome, SimulationError, Simulator
from sizing.simulation.simulators import SIMULATORS, SimulatorEntry
from sizing.specfile.load import Spec, load_spec
from sizing.task.bench import Task
from sizing.task.job import Job
from sizing.testing import SimulatorContract

SPECS = ["cs_amp", "opamp_cc", "opamp_cc_rz"]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("ngspice") is None, reason="the ngspice program is not installed"),
]


NGSPICE = ("ngspice", "ngspice-batch")


@pytest.fixture(params=NGSPICE)
def make(request: pytest.FixtureRequest) -> Callable[[Task], Simulator]:
    """How to make the simulator under test."""
    return SIMULATORS[request.param].make


class TestSimulators(SimulatorContract):
    @pytest.fixture(params=NGSPICE)
    def entry(self, request: pytest.FixtureRequest) -> SimulatorEntry:
        return SIMULATORS[request.param]


class TestTables(SimulatorContract):
    analyses = ("op", "ac", "dc", "tran")
    devices = ("transistors", "controlled sources")

    @pytest.fixture
    def entry(self) -> SimulatorEntry:
        return SIMULATORS["tables"]


def simulated(spec: Spec, make: Callable[[Task], Simulator], count: int = 3) -> list[Outcome]:
    rng = np.random.default_rng(11)
    jobs = [spec.problem.job(tuple(rng.integers(0, spec.problem.shape))) for _ in range(count)]
    with SimulationPool(spec.task, 1, 60, simulator=make) as pool:
        return pool.run(jobs)


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.slow
def test_both_adapters_of_ngspice_measure_the_same_to_the_last_bits(name: str, specs: Path):
    spec = load_spec(specs / f"{name}.yaml")
    rows = []
    for entry in map(SIMULATORS.__getitem__, NGSPICE):
        outcomes = simulated(spec, entry.make)
        assert all(isinstance(outcome, Measured) for outcome in outcomes), outcomes
        rows.append([outcome.values for outcome in outcomes if isinstance(outcome, Measured)])
    assert np.isfinite(rows[0]).sum() > len(rows[0])
    np.testing.assert_allclose(rows[1], rows[0], rtol=1e-9)


def test_noise_and_meas_are_read(make: Callable[[Task], Simulator], specs: Path, tmp_path: Path):
    text = (specs / "cs_amp.yaml").read_text()
    text = text.replace("netlists/", f"{specs}/netlists/").replace("vin in 0 dc 0.4", "vin in 0 dc 0.4 ac 1")
    text = text.replace("{run: ac dec 20 1k 100G, excite: vin}", "{run: ac dec 20 1k 100G, meas: {top: max vm(out)}}")
    text = text.replace("      bias: op\n", "      bias: op\n      noise: noise v(out) vin dec 10 1k 100G\n")
    metrics = (
        "metrics:\n  top: {measure: meas, of: amplifier.response, name: top, unit: V, at_least: 1}\n"
        "  noise: {measure: rms_noise, of: amplifier.noise, at_most: 1 V}\n"
    )
    (tmp_path / "noisy.yaml").write_text(text.replace("metrics:\n", metrics))
    spec = load_spec(tmp_path / "noisy.yaml")
    for outcome in simulated(spec, make):
        assert isinstance(outcome, Measured)
        row = dict(zip([metric.name for metric in spec.problem.metrics], outcome.values, strict=True))
        assert row["top"] == pytest.approx(row["gain"], rel=1e-3)
        assert 1e-5 < row["noise"] < 1e-2


def test_a_failed_measurement_is_missing_with_its_reason(make: Callable[[Task], Simulator], amplifier: Spec):
    with SimulationPool(amplifier.task, 1, 60, simulator=make) as pool:
        (outcome,) = pool.run([Job({"m1": 1.0, "rl": 100.0})])
    assert isinstance(outcome, Measured)
    assert outcome.missing


def test_what_does_not_converge_is_a_failure_with_the_last_words(make: Callable[[Task], Simulator], amplifier: Spec):
    bench = amplifier.benches[0]
    loop = replace(bench.lines[-2], text="vloop vdd 0 dc 1.3")
    broken = replace(amplifier, benches=(replace(bench, lines=(*bench.lines, loop)),))
    (outcome,) = simulated(broken, make, 1)
    assert isinstance(outcome, Failed)
    assert outcome.reason == "convergence"
    assert outcome.message.startswith("amplifier.bias: no result")
    assert outcome.message.endswith("aborted)")


@pytest.mark.parametrize(("wrong", "words"), [("mm={m1}", "unknown parameter (mm)"), ("m={m1} w={nu}", "[nu]")])
def test_a_refused_deck_names_file_and_line(
    make: Callable[[Task], Simulator], wrong: str, words: str, specs: Path, tmp_path: Path
):
    shutil.copytree(specs, tmp_path, dirs_exist_ok=True)
    netlist = tmp_path / "netlists" / "cs_amp.cir"
    netlist.write_text(netlist.read_text().replace("m={m1}", wrong))
    spec = load_spec(tmp_path / "cs_amp.yaml")
    with SimulationPool(spec.task, 1, 60, simulator=make) as pool, pytest.raises(SimulationError) as caught:
        pool.load(spec.problem.job(spec.problem.start))
    assert caught.value.reason == "netlist"
    assert str(caught.value).startswith(f"bench amplifier: {netlist}:4: ngspice: ")
    assert words in str(caught.value)


def test_a_run_names_its_simulator(amplifier: Spec, tmp_path: Path):
    runs = [
        sizing.run(amplifier, method="evo", initial=3, max_sims=6, out=tmp_path / name, workers=1, simulator=name)
        for name in NGSPICE
    ]
    assert [run.record.manifest["run"]["simulator"] for run in runs] == list(NGSPICE)
    assert "as a program" in runs[1].record.manifest["versions"]["simulator"]
    np.testing.assert_allclose(runs[1].record.values, runs[0].record.values, rtol=1e-9)

"""Measurements of real circuits, on the shipped simulators: values known on paper, or from what ngspice prints.

Those of linear circuits are in the contract of simulators (sizing.testing).
"""

import math
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from sizing.simulation.pool import SimulationPool
from sizing.simulation.simulator import Failed, Simulator
from sizing.simulation.simulators import SIMULATORS
from sizing.specfile.load import load_spec
from sizing.task.bench import Task
from sizing.task.job import Job

pytestmark = pytest.mark.skipif(shutil.which("ngspice") is None, reason="the ngspice program is not installed")


@pytest.fixture(params=["ngspice", "ngspice-batch"])
def make(request: pytest.FixtureRequest) -> Callable[[Task], Simulator]:
    """How to make the simulator under test."""
    return SIMULATORS[request.param].make


@pytest.fixture
def measured(make: Callable[[Task], Simulator], tmp_path: Path, specs: Path) -> Callable[..., dict[str, float | str]]:
    """Values of metrics, or why they are missing, for a netlist with the variable `u` = 1 and analyses `run` in `b`."""

    def measured(netlist: str, stimulus: str, analyses: Mapping[str, str], **metrics: str) -> dict[str, float | str]:
        shutil.copy(specs / "netlists" / "bptm45.mod", tmp_path)
        (tmp_path / "circuit.cir").write_text(f"* circuit\n.param u=1\nru u_only 0 {{u}}\n{netlist}\n")
        lines = ["netlist: circuit.cir", "variables: {u: {values: [1]}}", "benches:", "  b:", "    stimulus: |"]
        lines += [f"      {line}" for line in stimulus.splitlines()]
        lines += ["    analyses:", *(f"      {name}: {{run: {command}}}" for name, command in analyses.items())]
        lines += ["metrics:", *(f"  {name}: {{{keys}}}" for name, keys in metrics.items())]
        (tmp_path / "spec.yaml").write_text("\n".join(lines))
        spec = load_spec(tmp_path / "spec.yaml")
        with SimulationPool(spec.task, 1, 60, simulator=make) as pool:
            (outcome,) = pool.run([Job({"u": 1.0})])
        if isinstance(outcome, Failed):
            raise AssertionError(outcome.message)
        return {name: outcome.missing.get(index, outcome.values[index]) for index, name in enumerate(metrics)}

    return measured


TRANSISTORS = """\
.include bptm45.mod
.model n1 nmos level=1 vto=0.4 kp=200u lambda=0.05
.model p1 pmos level=1 vto=-0.4 kp=80u lambda=0.05
.subckt cell d g s b
m7 d g s b pmos w=0.5u l=90n
.ends
.subckt twice d g s b
x1 d g s b cell m=2
.ends
m1 vdd g 0 0 nmos w=2u l=90n m=3
m2 0 g vdd vdd p1 w=1u l=1u m=3
x3 out g vdd vdd twice
rl out 0 1k
"""
BIAS = "vdd vdd 0 1.2\nvg g 0 0.7"


def printed(folder: Path, device: str) -> dict[str, float]:
    """What the ngspice program prints of a device of TRANSISTORS."""
    quantities = ["vds", "vgs", "vth", "vdsat", "id", "gm", "gds", "w", "m"]
    commands = "\n".join(f"print @{device}[{name}]" for name in quantities)
    deck = f"* deck\n{TRANSISTORS}{BIAS}\n.control\nset numdgt=12\nop\n{commands}\n.endc\n.end\n"
    (folder / "deck.cir").write_text(deck)
    said = subprocess.run(
        ["ngspice", "-b", "deck.cir"], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True
    ).stdout
    return {match[1]: float(match[2]) for match in re.finditer(r"^@\S+\[(\w+)\] = (\S+)", said, re.MULTILINE)}


QUANTITIES = ("id", "gm", "gds", "vgs", "vds", "vth", "vdsat")


def regions(device: str) -> dict[str, str]:
    """A metric for all that can be said of a transistor."""
    of, metric = f"of: b.op, devices: {device}, at_least: 0", device.replace(".", "_")
    return {
        f"{metric}_saturation": f"measure: saturation, {of}",
        f"{metric}_overdrive": f"measure: overdrive, {of}",
        f"{metric}_density": f"measure: current_density, {of}",
        f"{metric}_gm_id": f"measure: gm_over_id, {of}",
        **{f"{metric}_{name}": f"measure: operating_point, {of}, quantity: {name}" for name in QUANTITIES},
    }


def expected(device: str, told: Mapping[str, float]) -> dict[str, float]:
    """The same metrics, from the quantities of an NMOS."""
    metric = device.replace(".", "_")
    return {
        f"{metric}_saturation": told["vds"] - told["vdsat"],
        f"{metric}_overdrive": told["vgs"] - told["vth"],
        f"{metric}_density": told["id"] / told["w"] / told["m"],
        f"{metric}_gm_id": told["gm"] / told["id"],
        **{f"{metric}_{name}": told[name] for name in QUANTITIES},
    }


@pytest.mark.slow
def test_what_is_read_of_transistors_is_what_ngspice_prints(measured, tmp_path):
    worst = "of: b.op, devices: [m1, m2, x3]"
    found = measured(
        TRANSISTORS,
        BIAS,
        {"op": "op"},
        **regions("m1"),
        **regions("m2"),
        **regions("x3"),
        **regions("x3.x1"),
        smallest=f"measure: overdrive, {worst}, at_least: 0",
        largest=f"measure: overdrive, {worst}, at_most: 0",
    )
    current = 3 * 0.5 * 80e-6 * 0.1**2 * (1 + 0.05 * 1.2)
    simplest = {
        "vds": 1.2, "vgs": 0.5, "vth": 0.4, "vdsat": 0.1, "id": current, "gm": 20 * current, "w": 1e-6, "m": 3.0,
        "gds": 0.05 * current / (1 + 0.05 * 1.2),
    }  # fmt: skip
    m1, x3 = printed(tmp_path, "m1"), printed(tmp_path, "m.x3.x1.m7")
    assert (m1["m"], x3["m"]) == (3, 2)
    known = expected("m1", m1) | expected("m2", simplest) | expected("x3", x3) | expected("x3.x1", x3)
    overdrives = [known[f"{device}_overdrive"] for device in ("m1", "m2", "x3")]
    assert found == pytest.approx(known | {"smallest": min(overdrives), "largest": max(overdrives)}, rel=1e-6)


CIRCUITS = """\
r1 in rc 1k
c1 rc 0 1n
.subckt stage in out
b1 o 0 v=-tanh(1000*v(in))
r1 o out 1k
c1 out 0 1n
.ends
x1 n3 n1 stage
x2 n1 n2 stage
x3 n2 n3 stage
r2 line half 1k
r3 half 0 1k
r6 pulsed 0 1k
e7 tia 0 0 sum 1e6
r7 tia sum 10k
"""
SOURCES = """\
vin in 0 pulse(0 1 1u 1n 1n 1)
vline line 0 1
vpulsed pulsed 0 pulse(0 2 0 1n 1n 499n 1u)
isum 0 sum 0
.ic v(n1)=0.5
"""
ANALYSES = {
    "time": "tran 20n 60u 0 20n, meas: {edge: trig v(in) val=0.5 rise=1 targ v(rc) val=0.5 rise=1, "
    "level: find v(rc) at=2u, swing: pp v(rc)}",
    "line": "dc vline 0 2 0.1, meas: {middle: find v(half) at=1.25}",
    "tia": "ac dec 2 1 10, excite: isum",
    "current": "noise v(tia) isum lin 5 1k 2k, excite: isum",
}
BOLTZMANN = 1.380649e-23


@pytest.mark.slow
def test_what_regulators_oscillators_comparators_and_receivers_need_is_what_paper_says(measured):
    found = measured(
        CIRCUITS,
        SOURCES,
        ANALYSES,
        frequency="measure: oscillation_frequency, of: b.time, output: n2, at_least: 0",
        silence="measure: oscillation_frequency, of: b.time, output: half, at_least: 0",
        edge="measure: meas, name: edge, unit: s, of: b.time, at_most: 1",
        level="measure: meas, name: level, unit: V, of: b.time, at_most: 1",
        swing="measure: meas, name: swing, unit: V, of: b.time, at_most: 1",
        power="measure: average_power, of: b.time, source: vpulsed, output: pulsed, from: 10 us, to: 50 us, at_most: 1",
        current="measure: average_current, of: b.time, source: vpulsed, at_most: 1",
        middle="measure: meas, name: middle, unit: V, of: b.line, at_most: 1",
        gain="measure: dc_gain, of: b.tia, output: tia, unit: Ohm, at_least: 1",
        input_noise="measure: rms_noise, of: b.current, referred: input, unit: A, at_most: 1",
    )
    assert found.pop("silence") == "the output swings by 0 V, not 0.01 V: it does not oscillate"
    tau, temperature = 1e-6, 300.15
    golden = (1 + math.sqrt(5)) / 2  # where a stage is a switch, half a period is three times tau ln(golden)
    assert found.pop("frequency") == pytest.approx(1 / (6 * tau * math.log(golden)), rel=5e-3)
    expected = {
        "edge": tau * math.log(2),
        "level": 1 - math.exp(-1),
        "swing": 1.0,
        "power": 2e-3,
        "current": 1e-3,
        "middle": 0.625,
        "gain": 1e4,
        "input_noise": math.sqrt(4 * BOLTZMANN * temperature / 1e4 * 1e3),
    }
    assert found == pytest.approx(expected, rel=5e-3)


def test_a_noise_analysis_that_ngspice_refuses_is_a_failure_with_its_words(measured):
    density = {"density": "measure: rms_noise, of: b.noise, at_most: 1"}
    with pytest.raises(AssertionError, match=r"^b\.noise: no result \(ngspice: doAnalyses: ac input not found / "):
        measured("r1 in 0 1k", "vin in 0 1", {"noise": "noise v(in) vin dec 1 1 10"}, **density)


LOOPS = """\
e1 n1 0 in 0 -1e4
r1 n1 q1 1k
c1 q1 0 159.15494n
e2 p1 0 q1 0 1
r2 p1 q2 1k
c2 q2 0 159.15494p
e3 p2 0 q2 0 1
r3 p2 inverting 1k
c3 inverting 0 159.15494p
e4 n2 0 in 0 1e4
r4 n2 q3 1k
c4 q3 0 1.59154943u
e5 m1 0 q3 0 1
r5 m1 x1 2.513274123
l5 x1 nested 1u
c5 nested 0 1.583143494n
e6 n3 0 in 0 10
r6 n3 low 1k
c6 low 0 159.15494n
"""
"""An inverting loop of three poles, a resonance of 4 MHz beyond a unity-gain frequency of 1 MHz, a pole of 1 kHz."""


@pytest.mark.slow
def test_margins_and_sweeps_from_0_are_what_paper_says(measured):
    found = measured(
        LOOPS,
        "vin in 0 0",
        {"loop": "ac dec 200 1 1g, excite: vin", "line": "ac lin 11 0 20k, excite: vin"},
        inverting="measure: phase_margin, of: b.loop, output: inverting, at_least: 60",
        inverting_gain="measure: gain_margin, of: b.loop, output: inverting, at_least: 6",
        nested="measure: phase_margin, of: b.loop, output: nested, at_least: 60",
        nested_gain="measure: gain_margin, of: b.loop, output: nested, at_least: 6",
        bandwidth="measure: bandwidth, of: b.line, output: low, at_least: 0",
        gain="measure: gain_at, of: b.line, output: low, frequency: 50, at_least: 0",
        last="measure: gain_at, of: b.line, output: low, frequency: 20k, at_least: 0",
    )
    frequency = np.geomspace(1, 1e9, 4_000_001)
    s = 2j * np.pi * frequency
    inverting = 1e4 / (1 + s * 159.15494e-6) / (1 + s * 159.15494e-9) ** 2
    nested = 1e4 / (1 + s * 1.59154943e-3) / (1 + s * 2.513274123 * 1.583143494e-9 + s**2 * 1.583143494e-15)
    expected: dict[str, float] = {}
    for name, loop in {"inverting": inverting, "nested": nested}.items():
        phase = np.degrees(np.unwrap(np.angle(loop)))
        expected[name] = 180 + phase[np.flatnonzero(np.abs(loop) > 1)[-1]]
        expected[f"{name}_gain"] = -20 * np.log10(np.abs(loop[np.argmax(phase < -180)]))
    assert max(expected.values()) < 0
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=0.2)
    assert (found["bandwidth"], found["gain"]) == pytest.approx((1e3, 10 / math.hypot(1, 0.05)), rel=1e-6)
    assert found["last"] == pytest.approx(10 / math.hypot(1, 20), rel=1e-6)


STEPPED = """\
r1 in x 2513.27
l1 x ringing 1m
c1 ringing 0 2.533029591e-11
r2 in slow 1k
c2 slow 0 30n
m1 drain half 0 0 n w=10u l=1u
.model n nmos level=1 vto=0.5 kp=200u lambda=0.05 cgdo=0.3n cgso=0.3n
r3 in half 1k
r4 half 0 500
rd vdd drain 20k
cl drain 0 0.2p
"""
"""What rings at 1 MHz with a damping ratio of 0.2; what takes 30 us; a transistor that the step does not turn on."""


def test_what_has_no_transition_or_not_all_of_it_is_missing(measured):
    def metrics(analysis: str, net: str) -> dict[str, str]:
        of = f"of: b.{analysis}, output: {net}, input: in, at_least: 0, at_most: 1e30"
        return {name: f"measure: {name}, {of}" for name in ("rise_time", "slew_rate", "overshoot", "delay")}

    analyses = {"cut": "tran 5n 1.51u 0 5n", "whole": "tran 5n 10u 0 5n"}
    cases = {("cut", "ringing"): {}, ("whole", "ringing"): {}, ("whole", "slow"): {}, ("whole", "drain"): {}}
    found = measured(
        STEPPED,
        "vin in 0 pulse(0 1 1u 1p 1p 1)\nvdd vdd 0 1.8",
        analyses,
        **{f"{a}_{net}_{name}": keys for a, net in cases for name, keys in metrics(a, net).items()},
    )
    whole = {name: found.pop(f"whole_ringing_{name}") for name in ("rise_time", "overshoot", "delay", "slew_rate")}
    known = {"rise_time": 191.53e-9, "overshoot": 0.52662, "delay": 180.37e-9, "slew_rate": 0.8 / 191.53e-9}
    assert whole == pytest.approx(known, rel=1e-3)
    drained = {found.pop(f"whole_drain_{name}") for name in whole}
    assert len(drained) == 1
    assert re.fullmatch(r"v\(drain\) changes by \S+ V, not 0\.1 V: no transition", drained.pop())
    assert {str(value)[2:] for value in found.values()} == {
        "ringing) has not settled when the transient ends", "slow) has not settled when the transient ends",
    }  # fmt: skip

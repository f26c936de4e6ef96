"""Measurements of real circuits, on every simulator: values known on paper or from what ngspice itself prints."""

import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from sizing.bench import Task
from sizing.simulation.pool import SimulationPool
from sizing.simulation.simulator import Failed, Simulator
from sizing.simulation.simulators import SIMULATORS
from sizing.spec.load import load_spec

pytestmark = pytest.mark.skipif(shutil.which("ngspice") is None, reason="the ngspice program is not installed")


@pytest.fixture(params=list(SIMULATORS))
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
            (outcome,) = pool.run([{"u": 1.0}])
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
    said = subprocess.run(["ngspice", "-b", "deck.cir"], cwd=folder, capture_output=True, text=True).stdout
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

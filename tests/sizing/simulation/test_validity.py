"""Voltages are limited by the sources where the devices have no gain of their own, and nowhere else."""

from math import inf
from pathlib import Path

import numpy as np
import pytest

from sizing.simulation.simulator import SimulationError
from sizing.simulation.validity import checked, highest_voltage
from sizing.specfile.load import load_spec
from sizing.spice.circuit import parse_circuit
from sizing.spice.netlist import read_text
from sizing.task.bench import Analysis

INVERTER = (
    "v1 in 0 0.5\nvdd vdd 0 dc {vs*2} ac 1\nm1 out in 0 0 nm w=1u\nr1 vdd out {rl}\n.model nm nmos\n.param vs=1 rl=1k\n"
)


def limit(text: str, **variables: float) -> float:
    return highest_voltage(parse_circuit(read_text(text, "circuit", Path())), variables)


def test_the_limit_is_twice_the_sum_of_the_sources_and_one_volt():
    assert limit(INVERTER) == pytest.approx(1 + 2 * (0.5 + 2))


def test_variables_set_sources():
    assert limit(INVERTER, vs=-5.0) == pytest.approx(1 + 2 * (0.5 + 10))


@pytest.mark.parametrize(
    "line",
    [
        "i1 0 out 1m",
        "e1 x 0 out 0 1000",
        "b1 x 0 v=1e6",
        "s1 out 0 in 0 sw",
        "r2 x 0 -1k",
        "r2 x 0 {-rl}",
        "v2 x 0 pulse(0 5 0 1n 1n 1u 2u)",
        "v2 x 0 dc {foo(1)}",
    ],
)
def test_what_may_boost_or_cannot_be_read_lifts_it(line: str):
    assert limit(f"{INVERTER}{line}\n.model sw sw\n") == inf


def test_sources_without_a_dc_value_count_as_zero_and_waveforms_by_theirs():
    assert limit(f"{INVERTER}v2 x 0 ac 1\nv3 y 0 dc 3 pulse(0 5 0 1n 1n 1u 2u)\n") == pytest.approx(1 + 2 * 5.5)


def test_the_amplifier_has_one(specs: Path):
    spec = load_spec(specs / "cs_amp.yaml")
    assert highest_voltage(spec.benches[0].circuit, {"m1": 1.0, "rl": 1.0}) == pytest.approx(4.2)


@pytest.mark.parametrize("sweep", ["0 1 0.1", "1 0 -0.1", "0 0.95 0.1", "0 1 0.1 vdd 0 1 1"])
def test_a_dc_sweep_is_whole_where_it_ends_within_a_step_of_its_end(sweep: str):
    first, last, step = (float(word) for word in sweep.split()[:3])
    swept = np.arange(first, last + step / 100, step)
    analysis = Analysis("sweep", f"dc vin {sweep}")
    assert checked(analysis, swept, {"v(out)": swept}).axis[-1] == swept[-1]
    with pytest.raises(SimulationError, match=r"^ended at .* of "):
        checked(analysis, swept[:-2], {"v(out)": swept[:-2]})

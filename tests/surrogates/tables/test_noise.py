"""Noise of resistors on paper, and of transistors beside ngspice."""

from pathlib import Path

import numpy as np
import pytest

from sizing.measures.noise import RmsNoise
from sizing.simulation.pool import SimulationPool
from sizing.simulation.simulator import Measured
from sizing.task.job import Job
from surrogates.tables.model import TableModel
from surrogates.tables.noise import BOLTZMANN, FREQUENCIES, density, parts


def rms(referred: str, unit: str = "V") -> RmsNoise:
    return RmsNoise(measure="rms_noise", of="bench.noise", referred=referred, unit=unit)


def test_a_low_pass_has_the_noise_of_its_capacitor(task, folder: Path):
    t = task(
        "v1 in 0 dc 0 ac 1\nr1 in out 1k\nr2 out 0 1k\nc1 out 0 1n",
        measures=(rms("output"),), noise="noise v(out) v1 lin 20001 10 100Meg",
    )  # fmt: skip
    told = TableModel.of(t, (), folder).told({}).values[0, 0]
    assert told == pytest.approx(np.sqrt(BOLTZMANN * 300.15 / 1e-9), rel=0.01)


def test_white_and_flicker_noise_are_told_apart():
    white, flicker, exponent = 1e-24, 3e-21, 0.9
    found = parts(white + flicker * (np.array(FREQUENCIES) / FREQUENCIES[1]) ** -exponent)
    np.testing.assert_allclose(found, [np.log(white), np.log(flicker), exponent], rtol=1e-6)
    at = np.array([10.0, 1e5, 1e8])
    np.testing.assert_allclose(density(found[None], at)[0], white + flicker * (at / 1e6) ** -exponent, rtol=1e-5)


@pytest.mark.parametrize("command", ["noise v(out) iin dec 10 1k 5G", "noise v(out,in) iin oct 2 1k 1Meg"])
def test_amplifiers_are_as_noisy_as_ngspice_says(command: str, task, folder: Path):
    t = task(
        ".include bptm45.mod\n.param many=1\nvdd vdd 0 1.2\niin 0 in dc 0 ac 1\ncin in 0 50f\n"
        "m1 out in 0 0 nmos w=0.5u l=90n m={many}\nm2 out bias vdd vdd pmos w=0.5u l=90n m={2*many}\n"
        "vbias bias 0 0.6\nrf out in 10k",
        measures=(rms("output"), rms("input", "A")), variables=("many",), noise=command,
    )  # fmt: skip
    many = [4.0, 20.0, 60.0]
    with SimulationPool(t, 1, 60) as pool:
        outcomes = pool.run([Job({"many": each}) for each in many])
    simulated = np.array([each.values for each in outcomes if isinstance(each, Measured)])
    told = TableModel.of(t, (), folder).spanning({"many": np.array(many)}).told({"many": np.array(many)})
    np.testing.assert_allclose(told.values, simulated, rtol=0.03)

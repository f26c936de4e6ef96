"""Noise densities whose integral is known."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from sizing.measures.catalogue import AnyMeasure
from sizing.measures.waveforms import Waveforms

MEASURES: TypeAdapter[AnyMeasure] = TypeAdapter(AnyMeasure)


def measure(name: str, /, **keys: Any) -> AnyMeasure:
    return MEASURES.validate_python({"measure": name, "of": "b.a", **keys})


def test_noise_is_integrated_in_power():
    frequency = np.geomspace(1.0, 1e10, 1001)
    density = 2e-9 / np.sqrt(1 + (frequency / 1e6) ** 2)
    results = {"b.a": Waveforms(frequency, {"onoise_spectrum": density, "inoise_spectrum": density / 10})}
    expected = 2e-9 * np.sqrt(1e6 * (np.arctan(1e4) - np.arctan(1e-6)))
    assert measure("rms_noise", at_most=1).value(results) == pytest.approx(expected, rel=1e-4)
    assert measure("rms_noise", referred="input", at_most=1).value(results) == pytest.approx(expected / 10, rel=1e-4)


def test_white_noise_adds_up_to_its_density_times_the_root_of_the_band():
    frequency = np.linspace(0.0, 1e6, 7)
    results = {"b.a": Waveforms(frequency, {"onoise_spectrum": np.full(7, 3e-9)})}
    assert measure("rms_noise", at_most=1).value(results) == pytest.approx(3e-9 * 1e3)


@pytest.mark.parametrize("slope", [-1.0, -1 + 1e-9, -0.5, 0.3, 1.0])
def test_a_power_of_the_frequency_is_integrated_exactly_however_few_the_points(slope: float):
    """Of flicker noise too, whose power goes with 1/f."""
    frequency = np.geomspace(1.0, 1e6, 4)
    results = {"b.a": Waveforms(frequency, {"onoise_spectrum": 1e-6 * frequency ** (slope / 2)})}
    power = np.log(1e6) if slope == -1 else np.expm1((slope + 1) * np.log(1e6)) / (slope + 1)
    assert measure("rms_noise", at_most=1).value(results) == pytest.approx(1e-6 * np.sqrt(power))


@pytest.mark.skipif(shutil.which("ngspice") is None, reason="the ngspice program is not installed")
@pytest.mark.parametrize(("points", "referred"), [(2, "output"), (10, "output"), (1000, "input")])
@pytest.mark.parametrize("flicker", [0, 1e-24])
def test_the_integral_is_ngspices_own(points: int, referred: str, flicker: float, tmp_path: Path):
    """Referred to the input, ngspice takes the gain to be the same at both of two points, so they must be many."""
    (tmp_path / "deck.cir").write_text(
        f"""* an amplifier and a pole
        .model n nmos level=1 vto=0.5 kp=200u kf={flicker} af=1
        v1 in 0 dc 0.8 ac 1
        vdd vdd 0 3
        m1 out in 0 0 n w=10u l=1u
        r1 vdd out 5k
        c1 out 0 1n
        .control
        set numdgt=12
        noise v(out) v1 dec {points} 10 1g
        print {referred[0]}noise_total
        setplot noise1
        print frequency {referred[0]}noise_spectrum
        .endc
        .end
        """
    )
    said = subprocess.run(
        ["ngspice", "-b", "deck.cir"], cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True
    ).stdout
    (total,) = re.findall(r"noise_total = (\S+)", said)
    frequency, density = np.array(re.findall(r"^\d+\t(\S+)\s+(\S+)", said, re.MULTILINE), float).T
    results = {"b.a": Waveforms(frequency, {f"{referred[0]}noise_spectrum": density})}
    integral = measure("rms_noise", referred=referred, at_most=1).value(results)
    assert integral == pytest.approx(float(total), rel=1e-9 if referred == "output" else 5e-3)

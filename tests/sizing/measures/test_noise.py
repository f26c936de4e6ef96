"""Noise densities whose integral is known."""

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

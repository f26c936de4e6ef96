"""Operating points as measured."""

from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from sizing.measures.catalogue import AnyMeasure
from sizing.measures.waveforms import Waveforms

MEASURES: TypeAdapter[AnyMeasure] = TypeAdapter(AnyMeasure)


def measure(name: str, /, **keys: Any) -> AnyMeasure:
    return MEASURES.validate_python({"measure": name, "of": "b.a", **keys})


OPERATING_POINT = {
    "b.a": Waveforms(np.zeros(1), {"v(out)": np.array([0.598]), "v(in)": np.array([0.6]), "i(vdd)": np.array([-2e-4])})
}


def test_operating_point_measurements_read_the_first_value():
    assert measure("dc_value", output="OUT", at_least=0).value(OPERATING_POINT) == 0.598
    assert measure("offset", output="out", input="in", at_most=0).value(OPERATING_POINT) == pytest.approx(2e-3)
    assert measure("supply_current", source="VDD", at_most=0).value(OPERATING_POINT) == 2e-4
    power = measure("power", output="in", source="vdd", at_most=0)
    assert power.vectors == ("v(in)", "i(vdd)")
    assert power.value(OPERATING_POINT) == pytest.approx(0.6 * 2e-4)


def test_at_a_transient_operating_point_measurements_read_the_start():
    time = np.linspace(0, 1e-6, 11)
    results = {"b.a": Waveforms(time, {"v(out)": 0.25 + time, "v(in)": 1e6 * time})}
    assert measure("dc_value", output="out", at_least=0).value(results) == 0.25
    assert measure("offset", output="out", input="in", at_most=0).value(results) == 0.25

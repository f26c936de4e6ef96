"""Regions of transistors from quantities as ngspice states them."""

from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from sizing.measures.catalogue import AnyMeasure
from sizing.measures.measure import Missing
from sizing.measures.waveforms import Waveforms

MEASURES: TypeAdapter[AnyMeasure] = TypeAdapter(AnyMeasure)


def measured(name: str, devices: dict[str, dict[str, float]], /, **keys: Any) -> float:
    measure = MEASURES.validate_python({"measure": name, "of": "b.a", "devices": list(devices), **keys})
    vectors = {f"@{device}[{name}]": np.array([value]) for device, of in devices.items() for name, value in of.items()}
    return measure.value({"b.a": Waveforms(np.zeros(1), {name: vectors[name] for name in measure.vectors})})


def test_of_several_devices_the_one_nearest_to_its_bound_counts():
    pair = {"m1": {"vgs": 0.5, "vth": 0.4, "vdsat": 0.1}, "m2": {"vgs": 0.9, "vth": 0.4, "vdsat": 0.4}}
    assert measured("overdrive", pair, at_least="50 mV") == pytest.approx(0.1)
    assert measured("overdrive", pair, at_most="50 mV") == pytest.approx(0.5)


@pytest.mark.parametrize(("vds", "margin"), [(0.3, 0.1), (-0.3, 0.1), (0.1, -0.1)])
def test_saturation_is_a_matter_of_magnitudes(vds: float, margin: float):
    for vdsat in (0.2, -0.2):
        assert measured("saturation", {"m1": {"vds": vds, "vdsat": vdsat}}, at_least=0) == pytest.approx(margin)


def test_below_the_threshold_the_overdrive_is_negative_also_where_threshold_or_gate_voltage_are():
    off = {"vgs": -1.2, "vth": 0.4, "vdsat": 0.04}
    native = {"vgs": 0.1, "vth": -0.1, "vdsat": 0.15}
    simple = {"vgs": 0.5, "vth": -0.4, "vdsat": -0.1}
    simple_off = {"vgs": 0.0, "vth": -0.4, "vdsat": -0.0}
    found = [measured("overdrive", {"m1": each}, at_least=0) for each in (off, native, simple, simple_off)]
    assert found == pytest.approx([-1.6, 0.2, 0.1, -0.4])


def test_a_transistor_without_a_current_has_no_gm_over_id():
    with pytest.raises(Missing, match=r"^m1 carries no current$"):
        measured("gm_over_id", {"m1": {"gm": 0.0, "id": 0.0}}, at_least="10 1/V")


def test_the_density_is_by_the_width_of_all_fingers_together():
    assert measured("current_density", {"m1": {"id": -3e-6, "w": 1e-6, "m": 3.0}}, at_most="10 uA/um") == 1.0

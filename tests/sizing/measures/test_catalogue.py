"""What all measurements have in common: definitions, targets, the vectors they name; and ngspice's own."""

from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from sizing.measures.catalogue import MEASURES, AnyMeasure
from sizing.measures.measure import Missing
from sizing.measures.waveforms import Waveforms

ANY: TypeAdapter[AnyMeasure] = TypeAdapter(AnyMeasure)
NAMES = [
    "dc_gain", "gain_at", "bandwidth", "unity_gain_frequency", "phase_margin", "gain_margin", "gain_ratio", "dc_value",
    "offset", "supply_current", "power", "settling_time", "slew_rate", "overshoot", "delay", "rms_noise", "meas",
    "saturation", "overdrive", "current_density", "gm_over_id", "operating_point",
    "peaking", "regulation", "rise_time", "oscillation_frequency", "average_current", "average_power",
]  # fmt: skip


def measure(name: str, /, **keys: Any) -> AnyMeasure:
    return ANY.validate_python({"measure": name, "of": "b.a", **keys})


def test_every_measurement_has_a_definition():
    assert sorted(MEASURES.shipped) == sorted(NAMES)
    for name, text in ((name, str(kind.__doc__)) for name, kind in MEASURES.shipped.items()):
        assert len(text) > 40, name
        assert text.strip().split("\n")[0].endswith("."), name


def test_every_measurement_is_in_the_guide_to_specs(specs: Path):
    guide = (specs / "README.md").read_text()
    assert [name for name in MEASURES.shipped if f"`{name}`" not in guide] == []


def test_every_field_of_every_measurement_is_a_key_that_is_not_a_mistake():
    for kind in get_args(get_args(AnyMeasure)[0]):
        assert {"measure", "of", "unit", "at_least", "at_most", "weight"} <= set(kind.model_fields)
        assert set(kind.kinds) <= {"op", "ac", "tran", "dc", "noise"}


def test_meas_reads_ngspices_own_result_by_name_whatever_its_case():
    results = {"b.a": Waveforms(np.zeros(1), {}, {"rise": 3e-9})}
    assert measure("meas", name="Rise", unit="s", at_most="5 ns").value(results) == 3e-9
    with pytest.raises(Missing, match=r"^ngspice could not measure fall$"):
        measure("meas", name="fall", unit="s", at_most="5 ns").value(results)


def mistake(name: str, /, **keys: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        measure(name, **keys)
    return "; ".join(str(error["msg"]) for error in caught.value.errors())


def test_targets_are_in_the_metrics_unit():
    metric = measure("settling_time", output="out", input="in", at_most="90 ns", tolerance="1 %")
    assert (metric.at_most, metric.at_least, metric.unit) == (90e-9, None, "s")
    assert measure("dc_gain", output=6, at_least="60 dB", unit="dB").at_least == 60
    assert measure("overshoot", output="o", input="i", at_most="10 %").at_most == 0.1
    assert mistake("settling_time", output="o", input="i", at_most="90 mV") == (
        "Value error, expected seconds, got '90 mV'"
    )


def test_a_mistaken_unit_is_one_mistake_not_two():
    assert mistake("dc_gain", output="o", unit="V", at_least="60 dB") == "Input should be 'V/V', 'Ohm' or 'dB'"


OF_NETS = {
    "dc_gain": {},
    "bandwidth": {},
    "phase_margin": {},
    "settling_time": {"input": "i"},
    "overshoot": {"input": "i"},
}


@pytest.mark.parametrize("bound", ["at_least", "at_most"])
@pytest.mark.parametrize("name", OF_NETS)
def test_a_target_may_be_on_either_side_of_any_measurement(name: str, bound: str):
    assert getattr(measure(name, output="o", **OF_NETS[name], **{bound: 3}), bound) == 3


def test_a_target_must_be_possible():
    assert mistake("dc_gain", output="o", at_least=3, at_most=2) == (
        "Value error, at_least 3 lies above at_most 2: nothing can meet both"
    )


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"tolerance": 0}, "Input should be greater than 0"),
        ({"tolerance": "100 %"}, "Input should be less than 1"),
        ({"tolerance": [1]}, "Value error, expected a percentage, got [1]"),
        ({"tolerance": None}, "Value error, expected a percentage, got None"),
        ({"gain": 0}, "Value error, expected a gain other than 0, got 0: there is nothing to settle to"),
        ({"gain": float("nan")}, "Input should be a finite number"),
        ({"weight": 0}, "Input should be greater than 0"),
        ({"weight": float("inf")}, "Input should be a finite number"),
        ({"of": "tran"}, r"String should match pattern '^\w+\.\w+$'"),
        ({"output": "v(6)"}, r"String should match pattern '^[^\s()]+$'"),
        ({"kind": 3}, "Extra inputs are not permitted"),
    ],
)
def test_keys_that_would_make_a_measurement_meaningless_are_refused(keys: dict[str, Any], message: str):
    assert mistake("settling_time", **{"output": "o", "input": "i", "at_most": 1, **keys}) == message


def test_a_measurement_names_the_vectors_it_reads():
    def vectors(name: str, /, **keys: Any) -> tuple[str, ...]:
        return measure(name, at_least=0, at_most=1, **keys).vectors

    assert vectors("dc_gain", output=6) == ("v(6)",)
    assert vectors("settling_time", output="Out", input=1) == ("v(out)", "v(1)")
    assert vectors("offset", output="out", input="in") == ("v(out)", "v(in)")
    assert vectors("supply_current", source="Vdd") == ("i(vdd)",)
    assert vectors("rms_noise") == ("onoise_spectrum",)
    assert vectors("rms_noise", referred="input") == ("inoise_spectrum",)
    assert vectors("meas", name="x", unit="") == ()

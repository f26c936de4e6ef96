"""Measurements that are not shipped: of packages, by entry points, and of one's own files, in Python."""

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import pytest

from sizing.errors import InputError
from sizing.measures.measure import Measure
from sizing.measures.operating_point import DcValue
from sizing.simulation.pool import SimulationPool
from sizing.simulation.simulator import Failed, Measured
from sizing.specfile.entries import json_schema
from sizing.specfile.load import Spec
from sizing.specfile.mistakes import SpecError
from tests.plugins.conftest import Bring
from tests.plugins.own_measures import Broken, Droop, Nameless

HERE = "tests.plugins.own_measures"


def document(**keys: Any) -> Mapping[str, Any]:
    """A spec with one metric of these keys."""
    return {
        "netlist": "divider.cir",
        "variables": {"r": {"values": [1000, 3000]}},
        "benches": {"b": {"stimulus": "v1 in 0 1", "analyses": {"op": "op"}}},
        "metrics": {"m": {"of": "b.op", "output": "out", **keys}},
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "divider.cir").write_text("* divider\n.param r=1k\nr1 in out {r}\nr2 out 0 1k\n")
    return tmp_path


def outcome(spec: Spec) -> Measured | Failed:
    with SimulationPool(spec.task, 1, 60) as pool:
        return pool.run([spec.problem.job((1,))])[0]


def test_a_package_brings_a_measurement(bring: Bring, folder: Path):
    bring("measures", "droop", f"{HERE}:Droop")
    spec = Spec.from_document(document(measure="droop", level=2, at_most="1.9 V") | {"name": "half"}, folder)
    assert isinstance(spec.measures[0], Droop)
    assert spec.problem.metrics[0].at_most == 1.9
    assert outcome(spec).values == (1.75,)


def test_a_measurement_is_handed_in(folder: Path):
    keys = document(measure="droop", at_most=1)
    assert outcome(Spec.from_document(keys, folder, measures=[Droop])).values == (0.75,)
    with pytest.raises(SpecError, match=r"^metrics\.m: measure: unknown measurement 'droop'; expected one of"):
        Spec.from_document(keys, folder)


def test_mistakes_in_its_keys_are_told_like_those_of_shipped_ones(bring: Bring, folder: Path):
    bring("measures", "droop", f"{HERE}:Droop")
    with pytest.raises(SpecError) as caught:
        Spec.from_document(document(measure="droop", levle=2, unit="W", at_most=1), folder)
    assert caught.value.mistakes == (
        "metrics.m.unit: expected 'V', got 'W'",
        "metrics.m.levle: unknown key; did you mean 'level'?",
    )
    with pytest.raises(SpecError, match="unknown measurement 'drop'; did you mean 'droop'"):
        Spec.from_document(document(measure="drop", at_most=1), folder)


def test_it_is_in_the_schema_and_not_loaded_without_need(bring: Bring, folder: Path):
    bring("measures", "missing", "no_such_module:Measure")
    Spec.from_document(document(measure="dc_value", at_most=1), folder)
    with pytest.raises(InputError, match=r"plug-in 'missing' of the package package1 \(no_such_module:Measure\): can"):
        json_schema()


def test_schema_has_it(bring: Bring):
    before = json_schema()["$defs"]
    bring("measures", "droop", f"{HERE}:Droop")
    after = json_schema()["$defs"]
    assert {name: each for name, each in after.items() if name in before} == before
    assert after.keys() - before.keys() == {"Droop"}


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("gone", "no_such_module:X", r"cannot be loaded: ModuleNotFoundError\(.*; update the package, or remove it"),
        ("droop", f"{HERE}:Literal", "expected a subclass of sizing.Measure, got"),
        ("nameless", f"{HERE}:Nameless", r"with the field `measure: Literal\[\"nameless\"\]`, got 'none'"),
        ("other", f"{HERE}:Droop", r"with the field `measure: Literal\[\"other\"\]`, got 'droop'"),
    ],
)
def test_a_plug_in_that_is_no_measurement_is_told_at_its_place(
    name: str, value: str, words: str, bring: Bring, folder: Path
):
    bring("measures", name, value)
    with pytest.raises(SpecError, match=rf"^metrics\.m\.measure: plug-in '{name}' of the package package1 .*{words}"):
        Spec.from_document(document(measure=name, at_most=1), folder)


def test_a_plug_in_may_not_have_the_name_of_a_shipped_one(bring: Bring, folder: Path):
    bring("measures", "dc_gain", f"{HERE}:Droop")
    with pytest.raises(SpecError, match="plug-in 'dc_gain' of the package package1: expected a name of its own"):
        Spec.from_document(document(measure="droop", at_most=1), folder)


def test_what_is_handed_in_must_be_importable_and_have_a_name_of_its_own(folder: Path, monkeypatch: pytest.MonkeyPatch):
    class Inner(Droop):
        measure: Literal["inner"]

    class Gain(Droop):
        measure: Literal["dc_gain"]

    for kind, words in (
        (Inner, r"a class at the top of a file that simulator processes can import, got \S+Inner of tests\.plug"),
        (Gain, "expected a name of its own, got 'dc_gain', which is sizing's"),
        (Nameless, "the field `measure: Literal"),
        (Measure, "the field `measure: Literal"),
        (3, "expected a subclass of sizing.Measure, got 3"),
        (DcValue, "expected a name of its own, got 'dc_value'"),
    ):
        with pytest.raises(InputError, match=rf"^measures: .*{words}"):
            Spec.from_document(document(measure="droop", at_most=1), folder, measures=[kind])
    monkeypatch.delattr(sys.modules[HERE], "__file__")  # as in an interactive session
    with pytest.raises(InputError, match="simulator processes can import"):
        Spec.from_document(document(measure="droop", at_most=1), folder, measures=[Droop])


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("raises", r"raised ZeroDivisionError\('no droop'\) \(own_measures\.py:\d+\)"),
        ("says", "expected a number, got 'much'"),
    ],
)
def test_one_that_breaks_is_a_failure_that_names_it(how: str, words: str, folder: Path):
    spec = Spec.from_document(document(measure="broken", how=how, at_most=1), folder, measures=[Broken])
    found = outcome(spec)
    assert isinstance(found, Failed)
    assert found.reason == "measure"
    assert re.search(rf"^measurement broken \({HERE}\): {words}", found.message)


def test_documents_are_held_to_what_files_are(folder: Path):
    with pytest.raises(SpecError) as caught:
        Spec.from_document({**document(measure="dc_value", at_most=1), "run": {"sed": 3}, "netlst": "x"}, folder)
    assert caught.value.mistakes == (
        "run.sed: unknown key; did you mean 'seed'?",
        "netlst: unknown key; did you mean 'netlist'?",
    )
    with pytest.raises(SpecError, match=r"^netlist: expected a SPICE netlist at .*gone\.cir: no such file$"):
        Spec.from_document({**document(measure="dc_value", at_most=1), "netlist": "gone.cir"}, folder)
    with pytest.raises(SpecError, match=r"^expected a mapping with the keys name, "):
        Spec.from_document([], folder)  # type: ignore[arg-type]

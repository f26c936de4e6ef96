"""Simulators and kits that are not shipped; what breaks a promise is named."""

import re
from importlib.resources import files
from pathlib import Path

import pandas as pd
import pytest

import sizing
from sizing.simulation.simulator import Failed, Measured
from sizing.specfile.load import Spec
from tests.plugins import own_simulators
from tests.plugins.conftest import Bring

HERE = "tests.plugins.own_simulators"


def entry(name: str) -> sizing.SimulatorEntry:
    return sizing.SimulatorEntry(getattr(own_simulators, name), lambda: HERE)


@pytest.fixture
def divider(tmp_path: Path) -> Spec:
    (tmp_path / "divider.cir").write_text("* divider\n.param r=1k\nr1 in out {r}\nr2 out 0 1k\n")
    return Spec.from_document(
        {
            "netlist": "divider.cir",
            "variables": {"r": {"from": 1000, "to": 9000, "step": 100}},
            "benches": {"b": {"stimulus": "v1 in 0 1", "analyses": {"op": "op"}}},
            "metrics": {"m": {"measure": "dc_value", "of": "b.op", "output": "out", "at_least": 0.4}},
            "run": {"initial": 10, "in_spec": 1, "method": "evo"},
        },
        tmp_path,
    )


def test_a_simulator_is_handed_in(divider: Spec, tmp_path: Path):
    assert sizing.check(divider, simulator=entry("Flat")) == Measured((0.0,), {})
    result = sizing.run(divider, simulator=entry("Flat"), max_sims=12, out=tmp_path / "run", workers=1)
    assert result.status == "max_sims"
    assert result.record.manifest["run"]["simulator"] == "Flat"
    on = sizing.resume(tmp_path / "run", simulator=entry("Flat"))
    assert on.designs.equals(result.designs)


@pytest.mark.parametrize(
    ("name", "reason", "words"),
    [
        ("Raising", "crash", r"raised KeyError\('lost'\) \(own_simulators\.py:\d+\)"),
        ("WithoutVectors", "invalid", r"expected v\(out\) of b\.op with the shape of its axis, \(1,\), got none"),
        ("TooLong", "invalid", r"expected v\(out\) of b\.op with the shape of its axis, \(1,\), got \(3,\)"),
        ("WithoutAnalyses", "invalid", "expected Waveforms along an axis for b.op, got None"),
        ("Nothing", "invalid", "expected Waveforms by analysis, got None"),
    ],
)
@pytest.mark.slow
def test_one_that_breaks_a_promise_is_named_and_the_run_ends_with_what_it_has(
    name: str, reason: str, words: str, divider: Spec, tmp_path: Path
):
    outcome = sizing.check(divider, simulator=entry(name))
    assert isinstance(outcome, Failed)
    assert outcome.reason == reason
    assert re.search(rf"^simulator {name} \({HERE}\): {words}$", outcome.message)
    if name == "Raising":
        result = sizing.run(divider, simulator=entry(name), out=tmp_path / "run", workers=1, initial=2)
        assert result.status == "failing"


def test_one_that_cannot_load_or_say_where_it_is_is_named(bring: Bring, divider: Spec):
    with pytest.raises(sizing.SimulationError, match=rf"^simulator NotLoading \({HERE}\): raised OSError"):
        sizing.check(divider, simulator=entry("NotLoading"))
    bring("simulators", "lost", f"{__name__}:LOST")
    with pytest.raises(sizing.InputError, match="simulator 'lost' of the package package1: path raised ZeroDivisionE"):
        sizing.check(divider.with_run(simulator="lost"))
    bring("simulators", "ngspice", f"{__name__}:LOST")
    with pytest.raises(sizing.InputError, match="plug-in 'ngspice' of the package package2: expected a name"):
        sizing.check(divider.with_run(simulator="lost"))


LOST = sizing.SimulatorEntry(own_simulators.Flat, lambda: str(1 / 0))


def test_a_plug_in_that_is_no_kit_is_told_where_it_is_named(bring: Bring, divider: Spec, tmp_path: Path):
    bring("kits", "mine", f"{HERE}:Flat")
    document = {**divider.document, "models": "mine"}
    with pytest.raises(sizing.SpecError, match=r"^models: plug-in 'mine' of the package package1 .*a sizing\.Kit"):
        Spec.from_document(document, tmp_path)
    with pytest.raises(sizing.SpecError, match="unknown kit 'min'; did you mean 'mine'"):
        Spec.from_document(document | {"models": "min"}, tmp_path)


def test_designs_of_ones_own_are_evaluated_in_their_order(divider: Spec):
    table = sizing.evaluate(divider, [{"r": 1000}, {"r": 3000.5}], workers=1)
    assert table["m"].tolist() == pytest.approx([0.5, 1e3 / 4000.5])
    assert table["in_spec"].tolist() == [True, False]
    framed = pd.DataFrame({"r": [1000.0, 4000.0]}, index=["a", "b"])
    by_name = sizing.evaluate(divider, framed, workers=1)
    assert by_name["m"].to_dict() == pytest.approx({"a": 0.5, "b": 0.2})
    assert sizing.evaluate(divider, framed[:0]).columns.tolist() == table.columns.tolist()
    document = {**divider.document, "corners": {"temperature": [27, 90]}}
    everywhere = sizing.evaluate(Spec.from_document(document, divider.path.parent), framed, corners=True, workers=1)
    assert everywhere["design"].tolist() == [0, 0, 1, 1]
    assert everywhere["corner"].nunique() == 2


@pytest.mark.parametrize(
    ("design", "words"),
    [
        ({}, "expected a finite number for r at 0, got None"),
        ({"r": float("nan")}, "expected a finite number for r at 0, got nan"),
        ({"r": "1k"}, "expected a finite number for r at 0, got '1k'"),
        ({"r": 1, "rr": 2}, "no variable 'rr' at 0; did you mean 'r'"),
        ((1,), r"expected a mapping of variables to values at 0, got \(1,\)"),
    ],
)
def test_what_is_no_design_is_refused(design: object, words: str, divider: Spec):
    with pytest.raises(sizing.InputError, match=f"^designs: {words}"):
        sizing.evaluate(divider, [design])  # type: ignore[list-item]


def test_every_public_name_is_there_and_packages_are_typed():
    assert [name for name in sizing.__all__ if getattr(sizing, name) is None] == []
    for package in ("sizing", "surrogates"):
        assert files(package).joinpath("py.typed").is_file()
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        sizing.nothing  # noqa: B018

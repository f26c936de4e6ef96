"""Corners: what a design costs at them, what it is called in spec by, and what a run of them leaves."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sizing
from sizing.clock import Clock
from sizing.evaluation.corners import ActiveCorners, next_corners, worst
from sizing.evaluation.evaluator import Evaluation, Evaluator, Simulation
from sizing.runs.records.reading import RunRecord
from sizing.simulation.cache import KeyOf
from sizing.simulation.pool import SimulationPool
from sizing.simulation.simulator import Failed, Measured, Outcome
from sizing.specfile.load import Spec, load_spec
from sizing.specfile.mistakes import SpecError
from sizing.task.job import Conditions, Job
from sizing.task.objectives import in_spec
from sizing.task.problem import Corner, Metric, Problem, Variable
from surrogates.features import CORNERS_APART, corner_features
from tests.heeding import heeded

CORNERS = "corners:\n  temperature: [27, 10, 60]\n  supply: [1.2, 1.14]\n"
NAMES = [f"{temperature}C supply={supply}" for temperature in (27, 10, 60) for supply in (1.2, 1.14)]
NAN = float("nan")
PROBLEM = Problem(
    "amp", "amp", (Variable("w", (1.0, 2.0, 3.0)),),
    (Metric("gain", "V/V", at_least=10.0), Metric("power", "W", at_most=1.0)),
    (Corner("nominal"), Corner("cold"), Corner("hot"), Corner("low")),
)  # fmt: skip


def written(folder: Path, specs: Path, corners: str = CORNERS) -> Path:
    """The amplifier with its supply as a parameter, and these corners."""
    text = (specs / "cs_amp.yaml").read_text().replace("netlists/", f"{specs}/netlists/")
    text = text.replace("vdd vdd 0 dc 1.2", ".param supply=1.2\n      vdd vdd 0 dc {supply}")
    path = folder / "corners.yaml"
    path.write_text(text.replace("metrics:\n", f"{corners}\nmetrics:\n"))
    return path


@pytest.fixture
def spec(specs: Path, tmp_path: Path) -> Spec:
    """Of the amplifier at six corners."""
    return load_spec(written(tmp_path, specs))


def test_lists_are_combined_and_the_first_of_each_is_nominal(spec: Spec):
    assert [corner.name for corner in spec.problem.corners] == NAMES
    assert spec.problem.corners[5].conditions == Conditions(60.0, None, (("supply", 1.14),))


def test_corners_may_be_sets_of_values_by_name(specs: Path, tmp_path: Path):
    named = "corners:\n  usual: {temperature: 27}\n  hot: {temperature: 125, SUPPLY: 1080m}\n"
    corners = load_spec(written(tmp_path, specs, named)).problem.corners
    assert corners == (
        Corner("usual", Conditions(27.0)),
        Corner("hot", Conditions(125.0, None, (("supply", 1.08),))),
    )


@pytest.mark.parametrize(
    ("corners", "mistake"),
    [
        ("{suply: [1.2, 1]}", "suply: no parameter 'suply' is used in the netlist or a stimulus; did you "
         "mean 'supply'?"),
        ("{m1: [1, 2]}", "m1: expected what a design does not choose, got a variable"),
        ("{hot: {temprature: 125}}", "hot.temprature: no parameter 'temprature' is used in the netlist or a stimulus; "
         "did you mean 'temperature'?"),
        ("{temperature: [27, -300]}", "temperature.1: expected degrees Celsius above -273.15, got -300"),
        ("{temperature: [27, hot]}", "temperature.1: expected degrees Celsius, got 'hot'"),
        ("{temperature: [27, 400 K]}", "temperature.1: expected degrees Celsius without a unit, got '400 K': write "
         "126.85"),
        ("{temperature: [27, 1k]}", "temperature.1: expected degrees Celsius without a unit, got '1k'"),
        ("{temperature: [27, 27.0]}", "temperature.1: expected distinct values, got 27.0 twice"),
        ("{temperature: 27}", "temperature: expected a list of values, such as [27, -40, 125], or a mapping of what "
         "this corner sets, such as {temperature: 125}, got 27"),
        ("{temperature: [27], hot: {supply: 1}}", "hot: expected a list, as the others are; or write all corners as "
         "mappings by name"),
    ],
)  # fmt: skip
def test_mistakes_are_told_with_the_nearest_name(corners: str, mistake: str, specs: Path, tmp_path: Path):
    with pytest.raises(SpecError) as caught:
        load_spec(written(tmp_path, specs, f"corners: {corners}\n"))
    assert [each.split(": ", 1)[1] for each in caught.value.mistakes] == [f"corners.{mistake}"]


def test_a_corner_is_simulated_as_a_spec_of_that_corner_alone_would_be(spec: Spec, specs: Path, tmp_path: Path):
    text = written(tmp_path, specs, "").read_text()
    text = text.replace("supply=1.2", "supply=1.14").replace("    analyses:", "    temperature: 60\n    analyses:")
    (tmp_path / "hot.yaml").write_text(text)
    hot = load_spec(tmp_path / "hot.yaml")
    designs = [(3, 20), (40, 12), (7, 3)]
    with SimulationPool(hot.task, 1, 60) as pool:
        expected = pool.run([hot.problem.job(design) for design in designs])
    with SimulationPool(spec.task, 1, 60) as pool:
        everywhere = [(design, corner) for design in designs for corner in range(6)]
        found = pool.run([spec.problem.job(design, corner) for design, corner in everywhere])
    assert [outcome.values for outcome in found[5::6]] == [outcome.values for outcome in expected]
    assert len({outcome.values for outcome in found}) == 18


def outcomes_of(table: Mapping[int, Mapping[int, tuple[float, float]]]) -> Any:
    """A simulator that looks up its outcomes by the design's place and the corner, and what it was asked."""
    asked: list[tuple[int, int]] = []

    def simulate(jobs: Sequence[Job]) -> list[Outcome]:
        places = [(int(job.values["w"]) - 1, int(job.values["place"])) for job in jobs]
        asked.extend(places)
        return [Measured(table[design][corner], {}) for design, corner in places]

    return simulate, asked


GOOD, BAD, WORSE = (20.0, 0.5), (9.0, 0.5), (5.0, 0.5)
NUMBERED = Problem(
    PROBLEM.name, PROBLEM.topology, PROBLEM.variables, PROBLEM.metrics,
    tuple(Corner(each.name, Conditions(parameters=(("place", float(i)),))) for i, each in enumerate(PROBLEM.corners)),
)  # fmt: skip


def evaluator(table: Mapping[int, Mapping[int, tuple[float, float]]]) -> tuple[Evaluator, list[tuple[int, int]]]:
    simulate, asked = outcomes_of(table)
    return Evaluator(NUMBERED, simulate, lambda simulation, purpose: None, Clock()), asked


def test_a_design_that_fails_at_the_nominal_corner_costs_one_simulation():
    evaluate, asked = evaluator({0: {0: BAD}})
    (found,) = evaluate.evaluate([(0,)], "search")
    assert asked == [(0, 0)]
    assert found.outcome == Measured(BAD, {})


def test_corners_where_others_failed_come_first_the_worst_before_the_others():
    everywhere = {
        0: {0: GOOD, 1: (9.0, 0.5), 2: GOOD, 3: (20.0, 2.0)},
        1: {0: GOOD, 3: BAD},
        2: dict.fromkeys(range(4), GOOD),
    }
    evaluate, asked = evaluator(everywhere)
    first, second, third = (evaluate.evaluate([(place,)], "search")[0] for place in range(3))
    assert asked[:4] == [(0, 0), (0, 1), (0, 2), (0, 3)]  # nobody has failed yet: all the others verify it
    assert first.outcome == Measured((9.0, 2.0), {})
    assert asked[4:6] == [(1, 0), (1, 3)]  # power was exceeded by more than gain was missed
    assert second.outcome == Measured((9.0, 0.5), {})
    assert asked[6:] == [(2, 0), (2, 3), (2, 1), (2, 2)]
    assert third.outcome == Measured(GOOD, {})


def test_a_budget_leaves_out_designs_that_it_did_not_suffice_to_verify():
    evaluate, asked = evaluator({0: dict.fromkeys(range(4), GOOD), 1: {0: BAD}})
    assert [each.design for each in evaluate.evaluate([(0,), (1,)], "search", 4)] == [(1,)]
    assert asked == [(0, 0), (1, 0), (0, 1), (0, 2)]


def test_the_worst_is_taken_metric_by_metric_and_missing_is_worst():
    some = {0: Measured((20.0, 0.5), {}), 1: Measured((NAN, 0.7), {0: "no gain"}), 2: Measured((12.0, 0.6), {})}
    found = worst(PROBLEM, some)
    assert isinstance(found, Measured)
    np.testing.assert_equal(found.values, (NAN, 0.7))
    assert found.missing == {0: "cold: no gain"}
    failed = worst(PROBLEM, some | {3: Failed("convergence", "no solution")})
    assert failed == Failed("convergence", "low: no solution")


def test_a_corner_that_others_surpass_in_every_metric_stays_inactive():
    fails = {0: Measured(GOOD, {}), 1: Measured(WORSE, {}), 2: Measured(BAD, {}), 3: Measured((20.0, 3.0), {})}
    assert set(ActiveCorners(PROBLEM, [fails]).worst_first) == {1, 3}
    assert next_corners(PROBLEM, "all", (), {}) == (0, 1, 2, 3)


def test_active_corners_are_in_order_of_their_mean_penalties_and_the_earlier_first_of_equal_ones():
    def at(corner: int, power: float) -> dict[int, Outcome]:
        return {0: Measured(GOOD, {}), corner: Measured((20.0, power), {})}

    assert ActiveCorners(PROBLEM, [at(3, 2.0), at(1, 2.0), at(2, 2.0)]).worst_first == (1, 2, 3)
    assert ActiveCorners(PROBLEM, [*[at(1, 1.3)] * 3, at(2, 1.8)]).worst_first == (2, 1)


def verified(record: RunRecord) -> list[Evaluation]:
    return [each for each, good in zip(record.population, in_spec(record.problem, record.values), strict=True) if good]


@pytest.mark.parametrize("method", ["gp", "fc", "random"])
@pytest.mark.slow
def test_every_design_in_spec_is_in_the_journal_at_every_corner(method: str, spec: Spec, tmp_path: Path):
    few = heeded(method, judge={"steps": 20})
    result = sizing.run(spec, out=tmp_path / "run", workers=1, method=method, in_spec=5, max_sims=600, **few)
    record, row = result.record, result.table.iloc[0]
    lines = [json.loads(line) for line in (result.folder / "journal.jsonl").read_text().splitlines()]
    simulated = {(tuple(line["design"]), line["corner"]): line["values"] for line in lines if "evaluation" in line}
    assert result.status == "in spec"
    assert len(verified(record)) == row["in_spec"] >= 5
    for evaluation in verified(record):
        values = [simulated[evaluation.design, corner] for corner in range(6)]
        assert in_spec(record.problem, np.array(values)).all()
    nominal = [line for line in lines if line.get("corner") == 0]
    failed = [line for line in nominal if not in_spec(record.problem, np.array(line["values"], dtype=float))]
    for line in failed:
        assert not any((tuple(line["design"]), corner) in simulated for corner in range(1, 6))
    assert row["sims_total"] == row["sims_initial"] + row["sims_search"] == len(simulated)
    assert (row["corners"], row["designs"]) == (6, len(nominal))


@pytest.mark.slow
def test_a_budget_counts_simulations_at_all_corners(spec: Spec, tmp_path: Path):
    result = sizing.run(spec, out=tmp_path / "run", workers=1, method="random", in_spec=500, max_sims=131)
    assert (result.status, result.table.iloc[0]["sims_total"]) == ("max_sims", 131)
    naive = sizing.run(spec, out=tmp_path / "all", workers=1, method="evo", corners="all", initial=5, max_sims=60)
    assert [len(evaluation.corners) for evaluation in naive.record.population] == [6] * 10
    assert [line.corner for line in naive.record.simulations[:6]] == list(range(6))
    assert naive.record.manifest["method"] == "evo:initial=5:corners=all"


@pytest.mark.slow
def test_one_and_two_workers_write_the_same_journal_and_a_cache_changes_nothing(spec: Spec, tmp_path: Path):
    runs = [
        sizing.run(spec, out=tmp_path / str(number), workers=workers, method="fc", in_spec=5, max_sims=600, cache=cache)
        for number, (workers, cache) in enumerate([(1, None), (2, tmp_path / "cache"), (2, tmp_path / "cache")])
    ]
    journals = [(run.folder / "journal.jsonl").read_bytes() for run in runs]
    assert journals[0] == journals[1]
    assert runs[2].table.iloc[0]["sims_total"] == 0
    assert runs[2].table.iloc[0]["cache_hits"] == runs[0].table.iloc[0]["sims_total"]
    np.testing.assert_array_equal(runs[2].record.values, runs[0].record.values)


@pytest.mark.slow
def test_a_run_killed_between_corners_goes_on_as_if_unbroken(spec: Spec, tmp_path: Path):
    whole = sizing.run(spec, out=tmp_path / "whole", workers=1, in_spec=8, max_sims=600)
    code = "from sizing.cli import main; main()"
    broken = tmp_path / "broken"
    command = [sys.executable, "-c", code, "run", str(whole.folder / "spec.yaml"), "--out", str(broken)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    journal = broken / "journal.jsonl"
    while not journal.exists() or b'"corner":5' not in journal.read_bytes():
        time.sleep(0.01)
        assert process.poll() is None
    process.kill()
    process.wait()
    lines = journal.read_bytes().splitlines(keepends=True)
    middle = max(number for number, line in enumerate(lines) if b'"corner":3' in line)
    journal.write_bytes(b"".join(lines[: middle + 1]))  # in the midst of a design
    assert sizing.resume(broken, workers=2).status == "in spec"
    for name in ("journal.jsonl", "designs.csv"):
        assert (broken / name).read_bytes() == (whole.folder / name).read_bytes()


def test_the_journal_of_a_spec_without_corners_names_none(amplifier: Spec, tmp_path: Path):
    result = sizing.run(amplifier, out=tmp_path / "run", workers=1, method="evo", max_sims=21)
    assert "corner" not in (result.folder / "journal.jsonl").read_text()
    assert result.record.simulations[0] == Simulation(
        0, result.record.simulations[0].design, result.record.simulations[0].outcome
    )
    assert result.table[["corners", "designs"]].isna().all().all()


LISTS = "{process: [tt, ss], temperature: [27, 60]}"
BY_NAME = "{usual: {temperature: 27}, slow: {process: SS, temperature: 60}}"


def with_processes(
    folder: Path, specs: Path, corners: str, models: str = "{path: kit.lib, section: tt}", slow: str = "0.23"
) -> Path:
    """The amplifier, the models of its transistor in a library with a typical and a slow process."""
    folder.mkdir(exist_ok=True)
    (folder / "amp.cir").write_text((specs / "netlists/cs_amp.cir").read_text().replace(".include bptm45.mod\n", ""))
    typical = (specs / "netlists/bptm45.mod").read_text()
    sections = {"tt": typical, "ss": typical.replace("vth0 = 0.22", f"vth0 = {slow}")}
    assert sections["tt"] != sections["ss"]
    (folder / "kit.lib").write_text("".join(f".lib {name}\n{text}.endl\n" for name, text in sections.items()))
    text = (specs / "cs_amp.yaml").read_text().replace("netlists/cs_amp.cir", "amp.cir")
    (folder / "spec.yaml").write_text(f"models: {models}\ncorners: {corners}\n{text}")
    return folder / "spec.yaml"


def test_processes_are_sections_in_place_of_the_models_own(specs: Path, tmp_path: Path):
    lists = load_spec(with_processes(tmp_path / "lists", specs, LISTS))
    assert [corner.name for corner in lists.problem.corners] == ["tt 27C", "tt 60C", "ss 27C", "ss 60C"]
    named = load_spec(with_processes(tmp_path / "named", specs, BY_NAME))
    assert [corner.name for corner in named.problem.corners] == ["usual", "slow"]
    slow = load_spec(with_processes(tmp_path / "slow", specs, "{process: [ss]}"))
    assert slow.models[0].section == "ss"
    jobs = {
        "typical": lists.problem.job((9, 9), 0), "slow": lists.problem.job((9, 9), 2),
        "hot": lists.problem.job((9, 9), 3), "hot by name": named.problem.job((9, 9), 1),
        "alone": slow.problem.job((9, 9)),
    }  # fmt: skip
    with SimulationPool(lists.task, 1, 60) as pool:
        found = dict(zip(jobs, pool.run([jobs["typical"], jobs["slow"], jobs["hot"]]), strict=False))
    for name, spec in (("hot by name", named), ("alone", slow)):
        with SimulationPool(spec.task, 1, 60) as pool:
            (found[name],) = pool.run([jobs[name]])
    values = {name: outcome.values for name, outcome in found.items() if isinstance(outcome, Measured)}
    assert values["slow"] == values["alone"]
    assert values["hot"] == values["hot by name"]
    assert len({values["typical"], values["slow"], values["hot"]}) == 3


def test_what_a_cache_knows_of_a_process_holds_for_that_process_alone(specs: Path, tmp_path: Path):
    first = load_spec(with_processes(tmp_path / "a", specs, LISTS))
    other = load_spec(with_processes(tmp_path / "b", specs, LISTS, slow="0.24"))
    turned = load_spec(with_processes(tmp_path / "c", specs, "{process: [ss, tt], temperature: [27, 60]}"))
    mine, its = ([KeyOf(s.task, "")(s.problem.job((3, 3), corner)) for corner in range(4)] for s in (first, other))
    assert len(set(mine)) == 4
    assert mine[:2] == its[:2]
    assert not set(mine[2:]) & set(its[2:])
    assert KeyOf(turned.task, "").circuit != KeyOf(first.task, "").circuit


@pytest.mark.parametrize(
    ("corners", "models", "mistake"),
    [
        ("{process: [tt, sf]}", "{path: kit.lib, section: tt}",
         r"corners\.process\.1: .*sections \(tt, ss\), got 'sf'"),
        ("{a: {process: tt}, b: {process: fast}}", "{path: kit.lib, section: tt}",
         r"corners\.b\.process: .*sections \(tt, ss\), got 'fast'"),
        ("{process: ['tt x']}", "{path: kit.lib, section: tt}", r"process\.0: expected the name of a section"),
        ("{process: [tt, ss]}", "[]", r"corners\.process\.0: expected `models` with a kit or a file's section"),
        ("{process: [tt, TT]}", "{path: kit.lib, section: tt}", r"process\.1: expected distinct values, got TT twice"),
    ],
)  # fmt: skip
def test_mistaken_processes_are_told_with_the_sections_that_there_are(
    corners: str, models: str, mistake: str, specs: Path, tmp_path: Path
):
    with pytest.raises(SpecError, match=mistake) as caught:
        load_spec(with_processes(tmp_path / "spec", specs, corners, models))
    assert len([each for each in caught.value.mistakes if "corners" in each]) == 1


def test_a_judge_has_processes_as_far_apart_as_the_ends_of_a_setting():
    corners = [Corner("", Conditions(t, p)) for p in ("tt", "ff", "ss") for t in (27.0, 60.0)]
    features = corner_features(corners)
    distances = np.linalg.norm(features[:, None] - features[None], axis=2)
    np.testing.assert_allclose(distances[0, [1, 2, 4]], distances[0, 1])


def test_a_judge_has_corners_of_one_setting_in_their_order_and_those_without_it_in_the_middle():
    settings = [(-40.0, 1.0), (27.0, None), (None, 1.0), (110.0, 1.0)]
    corners = [Corner("", Conditions(t, None, () if v is None else (("vdd", v),))) for t, v in settings]
    temperature, supply = corner_features(corners).T
    np.testing.assert_allclose(temperature, [-CORNERS_APART, CORNERS_APART * (2 * 67 / 150 - 1), 0.0, CORNERS_APART])
    np.testing.assert_allclose(supply, [CORNERS_APART, 0.0, CORNERS_APART, CORNERS_APART])  # set there, alike


def test_a_judge_does_not_see_settings_that_all_corners_have_alike():
    alike = [Corner("", Conditions(60.0, "tt", (("vdd", 1.0),))) for _ in range(3)]
    assert corner_features(alike).shape == (3, 0)


def test_a_run_at_corners_of_two_processes_is_taken_up_and_read_back(specs: Path, tmp_path: Path):
    spec = load_spec(with_processes(tmp_path / "spec", specs, LISTS))
    whole = sizing.run(spec, out=tmp_path / "whole", workers=1, method="random", in_spec=3, max_sims=150)
    assert whole.record.problem == spec.problem
    assert [len(evaluation.corners) for evaluation in verified(whole.record)] == [4] * len(verified(whole.record))
    part = tmp_path / "part"
    shutil.copytree(whole.folder, part)
    (part / "summary.json").unlink()
    journal = (part / "journal.jsonl").read_bytes().splitlines(keepends=True)
    (part / "journal.jsonl").write_bytes(b"".join(journal[:-5]))
    sizing.resume(part, workers=1)
    assert (part / "journal.jsonl").read_bytes() == (whole.folder / "journal.jsonl").read_bytes()


def test_an_objective_is_the_worst_of_its_values_where_all_meet_the_target():
    power = Metric("power", "W", at_most=1.0, goal="minimize")
    band = Metric("band", "V", at_least=1.0, at_most=9.0, goal="maximize")
    problem = replace(PROBLEM, metrics=(PROBLEM.metrics[0], power, band, Metric("sum", "", goal="minimize")))
    outcomes = {0: Measured((20.0, 0.2, 8.9, 3.0), {}), 1: Measured((30.0, 0.4, 5.0, 1.0), {})}
    found = worst(problem, outcomes)
    assert isinstance(found, Measured)
    assert found.values == (20.0, 0.4, 5.0, 3.0)
    outside = worst(problem, outcomes | {2: Measured((20.0, 0.1, 10.0, 2.0), {})})
    assert isinstance(outside, Measured)
    assert outside.values == (20.0, 0.4, 10.0, 3.0)


@pytest.mark.parametrize(("method", "goal"), [("gp", "minimize: current"), ("evo", "minimize: {current: 1, gain: -1}")])
@pytest.mark.slow
def test_a_run_with_an_objective_counts_what_is_in_spec_everywhere(method: str, goal: str, specs: Path, tmp_path: Path):
    path = written(tmp_path, specs, f"{CORNERS}{goal}\n")
    result = sizing.run(path, out=tmp_path / "run", workers=1, method=method, max_sims=90)
    assert (result.status, result.table.iloc[0]["sims_total"]) == ("max_sims", 90)
    record, (m,) = result.record, result.record.problem.objectives
    assert verified(record)
    worsts = [max(outcome.values[m] for outcome in each.corners.values()) for each in verified(record)]
    assert {len(each.corners) for each in verified(record)} == {6}
    np.testing.assert_allclose(result.table.iloc[0]["objective"], min(worsts))

"""Runs that go on after designs are in spec: they improve the objective, keep to their budget, and can be taken up."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import sizing
from sizing.errors import InputError
from sizing.reports.calibration import answers
from sizing.runs.records.reading import read_run
from sizing.search.methods import METHODS
from sizing.simulation.pool import SimulationPool
from sizing.specfile.load import Spec, load_spec
from sizing.task.objectives import figures, front, in_spec
from tests.heeding import heeded

pytestmark = pytest.mark.slow

QUICK = {"judge": {"steps": 10, "body_steps": 2}}
SMALL = {"ranking": {"drawn": 300, "children": 400, "kept": 100, "elite": 30}}
MakeSpec = Callable[..., Spec]


@pytest.fixture(scope="module")
def with_objectives(specs: Path, tmp_path_factory: pytest.TempPathFactory) -> MakeSpec:
    """The common-source amplifier with these lines above it and each first text replaced by the second."""

    def make(lines: str, *changes: tuple[str, str]) -> Spec:
        text = (specs / "cs_amp.yaml").read_text().replace("netlists/", f"{specs}/netlists/")
        for old, new in changes:
            assert text.count(old) == 1
            text = text.replace(old, new)
        path = tmp_path_factory.mktemp("spec") / "amp.yaml"
        path.write_text(f"{lines}\n{text}")
        return load_spec(path)

    return make


def run(spec: Spec, out: Path, **settings: Any) -> sizing.Result:
    return sizing.run(spec, out=out, workers=1, **settings)


def best(result: sizing.Result) -> float:
    return float(result.table.iloc[0]["objective"])


def test_the_objective_ends_better_than_the_first_designs_in_spec_and_than_random_search(
    with_objectives: MakeSpec, tmp_path: Path
):
    spec = with_objectives("minimize: current")
    found: dict[str, list[float]] = {"gp": [], "random": []}
    for seed in (0, 1, 2):
        for method, bests in found.items():
            result = run(
                spec, tmp_path / f"{method}{seed}", method=method, seed=seed, max_sims=36, **heeded(method, **SMALL)
            )
            assert result.status == "max_sims"
            bests.append(best(result))
            if method == "gp":
                currents = result.record.values[in_spec(spec.problem, result.record.values), 2]
                assert best(result) == currents.min() < 0.8 * currents[:4].min()
    assert max(found["gp"]) < min(found["random"])


def test_maximizing_and_weighted_sums_go_their_way(with_objectives: MakeSpec, tmp_path: Path):
    gain = run(with_objectives("maximize: gain"), tmp_path / "gain", method="gp", max_sims=30, **SMALL)
    assert best(gain) == gain.designs[gain.designs["in_spec"]]["gain"].max()
    weighted = run(
        with_objectives("minimize: {current: 1, gain: -0.5}"), tmp_path / "w", method="gp", max_sims=30, **SMALL
    )
    table = weighted.designs[weighted.designs["in_spec"]]
    expected = table["current"] / 1e-3 - 0.5 * table["gain"] / 3
    np.testing.assert_allclose(table["current-0.5*gain"], expected)
    assert best(weighted) == pytest.approx(expected.min())
    assert table["current-0.5*gain"].is_monotonic_increasing


def test_a_front_is_of_designs_of_which_none_beats_another_and_grows(with_objectives: MakeSpec, tmp_path: Path):
    spec = with_objectives("minimize: current\nmaximize: gain")
    result = run(spec, tmp_path / "run", method="gp", max_sims=40, **SMALL)
    row, values = result.table.iloc[0], result.record.values
    on_front = result.designs[result.designs["front"]]
    assert len(on_front) == row["front"] > 4
    assert on_front.index.tolist() == list(range(len(on_front)))
    for _, one in on_front.iterrows():
        assert not ((on_front["current"] < one["current"]) & (on_front["gain"] >= one["gain"])).any()
        assert not ((on_front["current"] <= one["current"]) & (on_front["gain"] > one["gain"])).any()
    early = values[:20]
    assert row["front"] > front(spec.problem, early).sum()
    assert row["hypervolume"] > sizing.task.objectives.hypervolume(spec.problem, early)
    chance = run(spec, tmp_path / "random", method="random", max_sims=40)
    assert row["hypervolume"] > chance.table.iloc[0]["hypervolume"]
    assert pd.isna(row["objective"])


@pytest.mark.parametrize("goals", ["minimize: current", "minimize: current\nmaximize: gain"])
@pytest.mark.parametrize("method", ["evo", "oracle", "fc", "gp", "optuna-tpe", "pymoo-nsga2", "random"])
def test_a_killed_run_ends_as_an_unbroken_one(goals: str, method: str, with_objectives: MakeSpec, tmp_path: Path):
    search = {"reference_rank": 4, "max_candidates": 1000, "accept_regardless": 0.01}
    settings = heeded(method, max_sims=34, initial=16, search=search, batch=3, **QUICK, **SMALL)
    whole = run(with_objectives(goals), tmp_path / "whole", method=method, **settings)
    assert whole.status == "max_sims"
    assert whole.table.iloc[0]["sims_total"] == 34
    journal = (whole.folder / "journal.jsonl").read_bytes()
    shutil.copytree(whole.folder, tmp_path / "cut")
    for name in ("summary.json", "table.csv", "designs.csv"):
        (tmp_path / "cut" / name).unlink()
    (tmp_path / "cut" / "journal.jsonl").write_bytes(journal[: len(journal) * 2 // 3])
    resumed = sizing.resume(tmp_path / "cut", workers=1)
    assert (tmp_path / "cut" / "journal.jsonl").read_bytes() == journal
    assert resumed.designs.equals(whole.designs)


def test_filters_ask_for_better_than_the_reference_once_the_best_are_in_spec(with_objectives: MakeSpec, tmp_path: Path):
    spec = with_objectives("minimize: current")
    result = run(spec, tmp_path / "run", method="oracle", max_sims=80, initial=40, search={"reference_rank": 5})
    record = result.record
    late = [batch for batch in record.batches if batch.decision and batch.decision["critical"][-1] == "current"]
    assert len(late) >= 3
    for batch in late:
        reference = record.simulations[batch.decision["reference"]]
        for index in batch.evaluations:
            assert record.simulations[index].outcome.values[2] <= reference.outcome.values[2]


def test_a_judge_is_held_to_the_values_that_it_was_asked_to_reach(with_objectives: MakeSpec, tmp_path: Path):
    result = run(with_objectives("minimize: current"), tmp_path / "run", method="gp", initial=10, max_sims=20, **SMALL)
    found = answers([result.record])
    aimed = [d["aim"]["current"] for d in result.record.decisions if "aim" in d]
    assert aimed
    assert len(found.truth) == len(found.probability) == 3 * 10
    assert not found.truth.all()


def test_without_a_better_design_patience_ends_the_run(with_objectives: MakeSpec, tmp_path: Path):
    result = run(with_objectives("minimize: current"), tmp_path / "run", method="random", patience=40)
    assert result.status == "no progress"
    in_order = figures(result.record.problem, result.record.values)[:, 0]
    good = in_spec(result.record.problem, result.record.values)
    assert np.flatnonzero(good & (in_order == in_order[good].min()))[0] + 1 + 40 <= len(in_order)


@pytest.mark.parametrize(
    ("goals", "method", "settings", "message"),
    [
        ("minimize: current", "gp", {}, "expected a budget, since with an objective a run goes on"),
        (
            "minimize: current",
            "optuna-cmaes",
            {"max_sims": 30},
            "optuna-cmaes cannot pursue an objective; expected one",
        ),
        ("minimize: current\nmaximize: gain", "pymoo-ga", {"max_sims": 30}, "pymoo-ga cannot pursue 2 objectives"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_runs(
    goals: str, method: str, settings: dict[str, Any], message: str, with_objectives: MakeSpec, tmp_path: Path
):
    with pytest.raises(InputError, match=message):
        run(with_objectives(goals), tmp_path / "run", method=method, **settings)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("method", [name for name, each in METHODS.items() if each.objectives == 1])
def test_peers_pursue_one_objective(method: str, with_objectives: MakeSpec, tmp_path: Path):
    result = run(
        with_objectives("minimize: current"), tmp_path / "run", method=method, max_sims=24, initial=20, batch=2
    )
    assert result.table.iloc[0]["sims_total"] == 24
    assert best(result) > 0


@pytest.mark.parametrize("method", ["gp", "evo", "pymoo-nsga2"])
def test_what_an_earlier_run_of_the_circuit_measured_is_not_simulated_again(
    method: str, with_objectives: MakeSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    before = run(
        with_objectives("", ("at_most: 1 mA", "at_most: 2 mA")), tmp_path / "before", method="evo", max_sims=50
    )
    spec = with_objectives("minimize: current\nmaximize: gain", ("at_least: 1 GHz", "at_least: 1.5 GHz"))
    simulated: list[Any] = []
    submit = SimulationPool.submit
    monkeypatch.setattr(SimulationPool, "submit", lambda pool, job: simulated.append(job) or submit(pool, job))
    settings = heeded(method, max_sims=12, warm_start=(str(before.folder),), **SMALL)
    after = run(spec, tmp_path / "after", method=method, seed=5, **settings)
    row = after.table.iloc[0]
    known = {evaluation.design for evaluation in before.record.population}
    assert [row["cache_hits"], row["sims_total"], len(simulated)] == [50, 12, 12]
    assert not {evaluation.design for evaluation in after.record.simulations[50:]} & known
    assert len(after.designs) == 62
    again = {e.design: e.outcome for e in before.record.population}
    for evaluation in after.record.simulations[:50]:
        np.testing.assert_array_equal(evaluation.outcome.values, again[evaluation.design].values)
        assert evaluation.outcome.missing == again[evaluation.design].missing
    shutil.rmtree(before.folder)
    journal = after.folder / "journal.jsonl"
    lines = journal.read_bytes()
    journal.write_bytes(b"".join(lines.splitlines(keepends=True)[:20]))
    (after.folder / "summary.json").unlink()
    simulated.clear()
    sizing.resume(after.folder, workers=1)
    assert journal.read_bytes() == lines
    assert len(simulated) == 12


def test_new_targets_that_known_designs_meet_need_no_simulation(with_objectives: MakeSpec, tmp_path: Path):
    before = run(with_objectives(""), tmp_path / "before", method="gp", **SMALL)
    looser = with_objectives("", ("at_least: 3}", "at_least: 2.9}"))
    after = run(looser, tmp_path / "after", method="fc", warm_start=(str(before.folder),))
    assert after.status == "in spec"
    assert after.table.iloc[0][["sims_total", "first_in_spec_at"]].tolist() == [0, 0]


@pytest.mark.parametrize(
    ("old", "new"), [("cl out 0 50f", "cl out 0 51f"), ("ac dec 20 1k", "ac dec 21 1k"), ("dc 0.4", "dc 0.41")]
)
def test_another_circuit_is_not_taken_for_the_same(old: str, new: str, with_objectives: MakeSpec, tmp_path: Path):
    before = run(with_objectives("", (old, new)), tmp_path / "before", method="random", max_sims=20)
    spec, start = with_objectives("minimize: current"), (str(before.folder),)
    after = run(spec, tmp_path / "after", method="gp", max_sims=6, warm_start=start, **SMALL)
    assert after.table.iloc[0]["sims_total"] == 6
    assert pd.isna(after.table.iloc[0]["cache_hits"])
    with pytest.raises(
        InputError, match="warm_start: evo does not learn from earlier runs; expected one of gp, or a run"
    ):
        run(spec, tmp_path / "evo", method="evo", max_sims=6, warm_start=start)


def test_show_and_the_command_line_tell_the_best_objective(with_objectives: MakeSpec, tmp_path: Path, capsys: Any):
    from sizing.cli.show import run_summary

    result = run(with_objectives("minimize: current"), tmp_path / "run", method="evo", max_sims=30)
    run_summary(result)
    shown = capsys.readouterr().out
    assert "≤ 1 mA, minimize" in shown
    assert "Best in spec: current " in shown
    assert read_run(result.folder).problem == result.record.problem

"""A run from spec to tables: what it returns, what it leaves, how it stops."""

import json
import re
from dataclasses import dataclass, replace
from functools import partial
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import sizing
from benchmarks.faulty import Faults, Faulty
from sizing.errors import InputError
from sizing.evaluation.evaluator import values_of
from sizing.runs.records.reading import RunError
from sizing.runs.run import check
from sizing.search.methods import DISCRIMINATORS, METHODS
from sizing.simulation.pool import SimulationPool
from sizing.simulation.simulations import Ticket
from sizing.simulation.simulator import Measured, Outcome
from sizing.specfile.load import Spec, load_spec
from sizing.task.objectives import in_spec
from tests.heeding import heeded

FEW_STEPS = {"steps": 40, "body_steps": 4}


def run(spec: Spec, out: Path, **settings: Any) -> sizing.Result:
    return sizing.run(spec, out=out, workers=settings.pop("workers", 1), **settings)


@pytest.mark.slow
@pytest.mark.parametrize("method", DISCRIMINATORS)
def test_every_method_sizes_the_amplifier_and_counts_what_it_did(method: str, amplifier: Spec, tmp_path: Path):
    result = run(amplifier, tmp_path / "run", method=method, seed=3, **heeded(method, judge=FEW_STEPS))
    row = result.table.iloc[0]
    assert result.status == row["status"] == "in spec"
    assert row["in_spec"] >= 20
    assert row["sims_initial"] == 20
    assert row["sims_total"] == row["sims_initial"] + row["sims_search"] == len(result.designs)
    assert row["first_in_spec_at"] <= row["sims_total"]
    assert row["best_cost"] == row["top_cost"] == 0
    assert pd.isna(row["queries"]) == (method == "evo")
    assert pd.isna(row["sims_oracle"]) == (method != "oracle")
    assert pd.isna(row["cache_hits"])
    assert pd.isna(row["sims_op"]) != (method == "gp-op")
    assert (row["sims_pretrain"] == 126_000) if METHODS[method].pretrained else pd.isna(row["sims_pretrain"])
    if method == "oracle":
        assert row["sims_oracle"] + row["sims_search"] == len(result.record.simulations) - row["sims_initial"]
        assert row["queries"] >= row["sims_oracle"]


@dataclass(frozen=True)
class Seen:
    """A run, and what it said of itself meanwhile."""

    result: sizing.Result
    progress: list[sizing.Progress]


@pytest.fixture(scope="module")
def judged(amplifier: Spec, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """With a judge that learns."""
    progress: list[sizing.Progress] = []
    folder = tmp_path_factory.mktemp("judged") / "run"
    return Seen(run(amplifier, folder, method="fc", seed=4, observer=progress.append), progress)


@pytest.mark.slow
def test_every_design_reported_in_spec_is_in_spec_when_simulated_again(amplifier: Spec, judged: Seen):
    result = judged.result
    best = result.designs.iloc[0]
    netlist = (result.folder / "sized.cir").read_text()
    assert f".param m1={best['m1']} rl={best['rl']}" in netlist
    again = load_spec(result.folder / "spec.yaml")
    outcome = check(again)
    assert isinstance(outcome, Measured)
    population = [evaluation for evaluation in result.record.population if evaluation.ok]
    assert in_spec(amplifier.problem, values_of(population)).sum() == result.table.iloc[0]["in_spec"]


def journal(result: sizing.Result) -> bytes:
    return (result.folder / "journal.jsonl").read_bytes()


@pytest.mark.slow
def test_one_and_two_workers_write_the_same_journal(amplifier: Spec, tmp_path: Path):
    one, two = (run(amplifier, tmp_path / str(count), method="oracle", workers=count) for count in (1, 2))
    assert journal(one) == journal(two)


@pytest.mark.slow
def test_a_run_folder_reruns_to_the_same_journal_with_any_number_of_workers(judged: Seen, tmp_path: Path):
    again = sizing.run(judged.result.folder / "spec.yaml", out=tmp_path / "again", workers=2)
    assert journal(again) == journal(judged.result)


def test_the_initial_designs_depend_on_spec_and_seed_alone(amplifier: Spec, tmp_path: Path):
    def initial(method: str, seed: int) -> list[tuple[int, ...]]:
        result = run(amplifier, tmp_path / f"{method}{seed}", method=method, seed=seed, max_sims=25)
        return [evaluation.design for evaluation in result.record.simulations[:20]]

    plain = initial("evo", 1)
    assert plain == initial("fc", 1)
    assert plain != initial("evo", 2)


def test_a_budget_of_simulations_is_kept_exactly(amplifier: Spec, tmp_path: Path):
    for budget in (7, 23):
        result = run(amplifier, tmp_path / str(budget), method="evo", max_sims=budget)
        assert (result.status, len(result.record.simulations)) == ("max_sims", budget)


def test_a_budget_of_time_ends_the_run(amplifier: Spec, tmp_path: Path):
    result = run(amplifier, tmp_path / "run", method="evo", max_seconds=1e-6)
    assert result.status == "max_seconds"


@pytest.mark.slow
def test_without_progress_the_run_ends(specs: Path, tmp_path: Path):
    text = (specs / "cs_amp.yaml").read_text().replace("netlists/", f"{specs}/netlists/")
    path = tmp_path / "impossible.yaml"
    path.write_text(text.replace("at_least: 3}", "at_least: 1000}"))
    result = run(load_spec(path), tmp_path / "run", method="evo", patience=40)
    assert result.status == "no progress"
    assert 60 <= len(result.record.joined) < 2000


def test_a_search_through_every_design_ends_exhausted(amplifier: Spec, tmp_path: Path):
    few = replace(
        amplifier.problem, variables=tuple(replace(v, values=v.values[::5]) for v in amplifier.problem.variables)
    )
    size = few.size
    result = run(
        replace(amplifier, problem=few), tmp_path / "run",
        method="evo", initial=size - 10, in_spec=size, search={"max_candidates": 1},
    )  # fmt: skip
    assert result.status in ("exhausted", "no progress")


def test_ctrl_c_ends_a_run_with_its_tables_written(amplifier: Spec, tmp_path: Path):
    def interrupt(progress: sizing.Progress) -> None:
        if progress.iteration == 3:
            raise KeyboardInterrupt

    result = run(amplifier, tmp_path / "run", method="evo", in_spec=4000, observer=interrupt)
    assert result.status == "interrupted"
    assert result.table.iloc[0]["sims_total"] == 35
    assert {path.name for path in result.folder.iterdir()} == {
        *("spec.yaml", "circuit", "manifest.json", "journal.jsonl", "summary.json"),
        *("table.csv", "designs.csv", "sized.cir", "own"),
    }


def test_a_circuit_that_never_converges_ends_at_once_and_says_why(specs: Path, tmp_path: Path):
    text = (specs / "cs_amp.yaml").read_text().replace("netlists/", f"{specs}/netlists/")
    path = tmp_path / "loop.yaml"
    path.write_text(text.replace("vdd vdd 0 dc 1.2", "vdd vdd 0 dc 1.2\n      vloop vdd 0 dc 1.3"))
    result = run(load_spec(path), tmp_path / "run", method="evo")
    assert result.status == "failing"
    assert result.table.iloc[0]["sims_failed"] == 20
    (lack,) = result.record.lacks
    assert str(lack).startswith("20 of 20 simulations failed for convergence: amplifier.bias: no result")


@pytest.mark.slow
def test_most_simulations_failing_is_said_at_once_and_the_run_ends_before_its_budget(
    amplifier: Spec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def end(rate: float, **settings: Any) -> tuple[str, int, list[str]]:
        folder = tmp_path / f"{rate} {len(settings)}"
        folder.mkdir()
        faulty = partial(Faulty, faults=Faults(folder, ("diverge",), rate, always=True))
        monkeypatch.setattr(
            sizing.runs.run,
            "pool_for",
            lambda task, _, workers, named: SimulationPool(task, workers, 60, simulator=faulty),
        )
        seen: list[sizing.Progress] = []
        result = run(amplifier, folder / "run", method="evo", observer=seen.append, max_sims=100, **settings)
        return result.status, seen[-1].sims_total, [progress.warning for progress in seen if progress.warning]

    assert end(0.5) == ("max_sims", 100, [])
    status, simulated, warnings = end(0.93)
    assert (status, simulated) == ("failing", 50)
    assert warnings[0] == "19 of 20 simulations failed for convergence: no solution"
    assert re.fullmatch(r"4[5-9] of 50 simulations failed for convergence: no solution", warnings[1])
    assert end(0.93, max_failed=1.0) == ("max_sims", 100, [])


def test_an_existing_folder_is_refused_before_anything_runs(amplifier: Spec, tmp_path: Path):
    with pytest.raises(RunError, match="already exists, and a run is never overwritten"):
        run(amplifier, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_method_offers_the_nearest(amplifier: Spec, tmp_path: Path):
    with pytest.raises(InputError, match=r"^method: no method 'orcale'; did you mean 'oracle'\?$"):
        run(amplifier, tmp_path / "run", method="orcale")
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_the_journal_tells_every_decision(judged: Seen):
    result = judged.result
    lines = [json.loads(line) for line in journal(result).splitlines()]
    batches = [line for line in lines if "batch" in line]
    assert "decision" not in batches[0]
    for line in batches[1:]:
        assert len(line["batch"]) == 5
        assert set(line["decision"]["critical"]) <= {"gain", "bandwidth", "current"}
        assert line["decision"]["judged"] >= 5
        assert 0 <= line["decision"]["reference"] < line["batch"][0]
    assert [index for line in batches for index in line["batch"]] == list(range(len(result.record.simulations)))


@pytest.mark.slow
def test_costs_of_the_best_never_rise_during_a_run(judged: Seen):
    seen = judged.progress
    assert [progress.iteration for progress in seen] == list(range(len(seen)))
    for earlier, later in pairwise(seen):
        assert later.top_cost <= earlier.top_cost
        assert later.sims_total == earlier.sims_total + 5
    assert np.isfinite(seen[-1].seconds)


@pytest.mark.slow
def test_ctrl_c_among_the_initial_designs_keeps_those_that_were_simulated(
    amplifier: Spec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    next_done = SimulationPool.next_done
    done = count()

    def interrupted(pool: SimulationPool) -> tuple[Ticket, Outcome]:
        if next(done) == 12:
            raise KeyboardInterrupt
        return next_done(pool)

    with monkeypatch.context() as patch:
        patch.setattr(SimulationPool, "next_done", interrupted)
        first = run(amplifier, tmp_path / "run", method="evo")
    assert (first.status, len(first.record.simulations)) == ("interrupted", 12)
    assert first.table.iloc[0][["sims_initial", "sims_search", "sims_total"]].tolist() == [0, 0, 0]
    whole = run(amplifier, tmp_path / "whole", method="evo")
    assert sizing.resume(first.folder).status == "in spec"
    assert (first.folder / "journal.jsonl").read_bytes() == (whole.folder / "journal.jsonl").read_bytes()

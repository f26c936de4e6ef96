"""Comparisons: equal terms, resumable, one broken run does not stop the others."""

import random
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pytest

from sizing.errors import InputError
from sizing.runs.compare import Comparison, Entry, compare
from sizing.runs.tables import means_table, run_row, runs_table
from sizing.specfile.mistakes import SpecError

pytestmark = pytest.mark.slow

COUNTS = ["in_spec", "first_in_spec_at", "sims_initial", "sims_search", "sims_oracle", "sims_total", "queries"]


@pytest.fixture(scope="module")
def whole(specs: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Comparison, list[Entry], Path]:
    """Two methods on two seeds: what they left, which runs were said to have ended, and the folder."""
    folder = tmp_path_factory.mktemp("whole") / "c"
    ended: list[Entry] = []
    comparison = compare(
        [specs / "cs_amp.yaml"], ["evo", "oracle"], [0, 1], folder, on_end=lambda entry, status: ended.append(entry)
    )
    return comparison, ended, folder


def test_every_run_is_there_once_and_a_second_call_repeats_none(
    whole: tuple[Comparison, list[Entry], Path], specs: Path, tmp_path: Path
):
    first, ended, folder = whole
    assert len(ended) == len(first.records) == 4
    assert first.failures == {}
    shutil.copytree(folder, tmp_path / "c")
    starts = {record.manifest["seed"]: set() for record in first.records}
    for record in first.records:
        starts[record.manifest["seed"]].add(tuple(e.design for e in record.simulations[:20]))
    assert [len(designs) for designs in starts.values()] == [1, 1]

    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "c").rglob("journal.jsonl")}
    (tmp_path / "c" / "cs_amp-evo-s1" / "summary.json").unlink()
    journal = tmp_path / "c" / "cs_amp-evo-s1" / "journal.jsonl"
    unbroken = journal.read_bytes()
    journal.write_bytes(unbroken[:3000])
    shutil.rmtree(tmp_path / "c" / "cs_amp-oracle-s0")
    second = compare([specs / "cs_amp.yaml"], ["evo", "oracle"], [0, 1], tmp_path / "c")
    assert journal.read_bytes() == unbroken
    for one, other in zip(first.records, second.records, strict=True):
        assert [run_row(one)[c] for c in COUNTS] == [run_row(other)[c] for c in COUNTS]
    untouched = [p for p in before if p.parent.name in ("cs_amp-evo-s0", "cs_amp-oracle-s1")]
    assert all(path.stat().st_mtime_ns == before[path] for path in untouched)


@pytest.mark.parametrize("kills", [3])
def test_a_comparison_killed_at_any_moment_ends_as_if_unbroken(specs: Path, tmp_path: Path, kills: int):
    arguments = ["--methods", "evo,fc", "--seeds", "0,1", "--max-sims", "70", "--jobs", "2", "--out"]
    command = [sys.executable, "-c", "from sizing.cli import main; main()", "compare", str(specs / "cs_amp.yaml")]
    moments = random.Random(kills)
    for _ in range(kills):
        process = subprocess.Popen([*command, *arguments, tmp_path / "killed"], stderr=subprocess.DEVNULL)
        with suppress(subprocess.TimeoutExpired):
            process.wait(moments.uniform(2, 6))
        process.kill()
        process.wait()
    for name in ("killed", "whole"):
        subprocess.run([*command, *arguments, tmp_path / name], check=True, capture_output=True)
    journals = {path.relative_to(tmp_path / "whole"): path for path in (tmp_path / "whole").rglob("journal.jsonl")}
    assert len(journals) == 4
    for name, whole in journals.items():
        assert (tmp_path / "killed" / name).read_bytes() == whole.read_bytes()
    tables = [pd.read_csv(tmp_path / name / "table.csv")[["spec", "method", "seed", "status", *COUNTS]]
              for name in ("killed", "whole")]  # fmt: skip
    pd.testing.assert_frame_equal(*tables)


def test_a_spec_that_fails_its_check_does_not_stop_the_others(specs: Path, tmp_path: Path):
    bad = tmp_path / "bad.yaml"
    bad.write_text("netlist: nowhere.cir\n")
    comparison = compare([bad, specs / "cs_amp.yaml"], ["evo"], [0], tmp_path / "c", max_sims=20)
    assert [record.problem.name for record in comparison.records] == ["cs_amp"]
    assert list(comparison.failures) == ["bad evo 0"]
    assert "variables: expected this key" in comparison.failures["bad evo 0"]


def test_wrong_arguments_are_all_told_before_anything_runs(tmp_path: Path):
    with pytest.raises(SpecError) as caught:
        compare(["a.yaml"], ["evo", "orcle", "evo"], [0, 3, 3, -1], tmp_path / "c")
    assert caught.value.mistakes == (
        "--methods: method: no method 'orcle'; did you mean 'oracle'?",
        "--methods: expected each once, got evo twice",
        "--seeds: expected each once, got 3 twice",
        "--seeds: expected none below 0, got -1",
    )
    assert not (tmp_path / "c").exists()
    with pytest.raises(SpecError, match="SPEC: expected each once, got amp twice"):
        compare(["a/amp.yaml", "b/amp.yaml"], ["evo"], [0], tmp_path / "c")


def test_a_method_with_settings_is_a_row_of_its_own(specs: Path, tmp_path: Path):
    methods = ["evo", "evo:initial=10:search.mutate=0.3", "evo:initial=15"]
    comparison = compare([specs / "cs_amp.yaml"], methods, [0], tmp_path / "c", max_sims=40)
    assert [record.manifest["method"] for record in comparison.records] == methods
    few = comparison.records[1]
    assert few.manifest["run"]["initial"] == 10
    assert few.manifest["run"]["search"]["mutate"] == 0.3
    starts = [[evaluation.design for evaluation in record.simulations[:10]] for record in comparison.records]
    assert starts[0] == starts[1] == starts[2]  # fewer initial designs are the first of the same ones
    again = compare([specs / "cs_amp.yaml"], methods, [0], tmp_path / "c", max_sims=40)
    assert runs_table(again.records).equals(runs_table(comparison.records))


def test_settings_of_methods_are_checked_before_anything_runs(tmp_path: Path):
    with pytest.raises(SpecError) as caught:
        compare(["a.yaml"], ["fc:initial", "fc:initial=1", "fc:judge.bach=2"], [0], tmp_path / "c")
    assert caught.value.mistakes == (
        "--methods: fc:initial: expected setting=value after the method, such as initial=20, got 'initial'",
        "--methods: run.initial: expected at least 2, which fc needs, got 1",
        "--methods: run.judge.bach: unknown key; did you mean 'batch'?",
    )


def test_a_comparison_is_not_taken_up_with_other_seeds_or_another_spec(specs: Path, tmp_path: Path):
    spec = tmp_path / "amp.yaml"
    spec.write_text((specs / "cs_amp.yaml").read_text().replace("netlists/", f"{specs}/netlists/"))
    compare([spec], ["evo"], [0], tmp_path / "c", max_sims=20)
    with pytest.raises(InputError, match="expected the comparison begun there, got another one or other settings"):
        compare([spec], ["evo"], [1], tmp_path / "c", max_sims=20)
    spec.write_text(spec.read_text().replace("at_least: 3}", "at_least: 4}"))
    with pytest.raises(InputError, match="expected the comparison begun there, got another one or other settings"):
        compare([spec], ["evo"], [0], tmp_path / "c", max_sims=20)


def test_the_folder_of_something_else_is_refused(specs: Path, tmp_path: Path):
    (tmp_path / "mine.txt").write_text("mine")
    for out, words in (
        (tmp_path, "expected a new folder or a comparison to go on with"),
        (tmp_path / "mine.txt", "expected a new folder or a comparison to go on with"),
        (tmp_path / "mine.txt" / "c", "cannot be made: Not a directory"),
        (Path("/proc/nowhere/c"), "cannot be made: No such file or directory"),
    ):
        with pytest.raises(InputError, match=f"^{out}: {words}.* choose another --out$"):
            compare([specs / "cs_amp.yaml"], ["evo"], [0], out)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_means_are_over_seeds_with_their_standard_error(whole: tuple[Comparison, list[Entry], Path]):
    records = whole[0].records
    for mean in means_table(runs_table(records)).to_dict("records"):
        one, other = (run_row(each)["sims_total"] for each in records if each.manifest["method"] == mean["method"])
        assert one != other
        assert mean["seeds"] == 2
        assert mean["sims_total"] == pytest.approx((one + other) / 2)
        assert mean["sims_total_se"] == pytest.approx(abs(one - other) / 2)


def test_a_circuit_that_graphs_do_not_know_does_not_stop_the_others(specs: Path, tmp_path: Path):
    shutil.copytree(specs, tmp_path / "specs")
    spec = tmp_path / "specs" / "cs_amp.yaml"
    spec.write_text(
        spec.read_text().replace("cl out 0 50f", "cl out 0 50f\n      b1 far 0 v=v(out)\n      rb far 0 1k")
    )
    comparison = compare([spec], ["gnn-random", "evo"], [0], tmp_path / "c", max_sims=20, jobs=1)
    assert [record.manifest["method"] for record in comparison.records] == ["evo"]
    assert list(comparison.failures) == ["cs_amp gnn-random 0"]
    assert "b1: expected a device that graphs know" in comparison.failures["cs_amp gnn-random 0"]

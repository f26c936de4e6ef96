"""A run that was killed and taken up again equals one that was not."""

import json
import random
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import sizing
from sizing.errors import InputError
from sizing.runs.records.journal import Journal, read_journal
from sizing.runs.records.reading import RunError, read_run
from sizing.runs.records.writing import RunFolder
from sizing.search.methods import DISCRIMINATORS, METHODS
from sizing.simulation.pool import SimulationPool
from sizing.specfile.load import Spec
from tests.heeding import heeded

pytestmark = pytest.mark.slow

SLOW = ("optuna-gp", "turbo")
"""A question to them takes a second."""
QUICK = {"judge": {"steps": 10, "body_steps": 2}, "ranking": {"looked_at": 20, "looked_children": 10}}
WEIGHTS = Path(__file__).parents[3] / "surrogates" / "networks" / "weights"


@pytest.mark.parametrize("method", METHODS)
def test_a_run_cut_off_anywhere_ends_with_the_same_journal(method: str, amplifier: Spec, tmp_path: Path):
    settings = {"max_sims": 22, "batch": 2} if method in SLOW else {"max_sims": 40} if method in DISCRIMINATORS else {}
    quick = heeded(method, **QUICK, **settings)
    whole = sizing.run(amplifier, method=method, seed=6, out=tmp_path / "whole", workers=2, **quick)
    journal = (whole.folder / "journal.jsonl").read_bytes()
    for cut in random.Random(method).sample(range(len(journal)), 1 if method in SLOW else 3):
        torn = tmp_path / f"cut{cut}"
        shutil.copytree(whole.folder, torn)
        for name in ("summary.json", "table.csv", "designs.csv", "sized.cir"):
            (torn / name).unlink()
        (torn / "journal.jsonl").write_bytes(journal[:cut])
        resumed = sizing.resume(torn, workers=1)
        assert (torn / "journal.jsonl").read_bytes() == journal
        assert (torn / "designs.csv").read_bytes() == (whole.folder / "designs.csv").read_bytes()
        same = ["status", "in_spec", "sims_total", "sims_search", "sims_failed", "top_cost"]
        assert resumed.table[same].equals(whole.table[same])


def test_no_simulation_that_the_journal_holds_is_repeated(amplifier: Spec, tmp_path: Path, monkeypatch):
    def interrupt(progress: sizing.Progress) -> None:
        if progress.iteration == 4:
            raise KeyboardInterrupt

    first = sizing.run(amplifier, method="evo", out=tmp_path / "run", workers=1, observer=interrupt)
    assert (first.status, len(first.record.simulations)) == ("interrupted", 40)
    simulated = []
    submit = SimulationPool.submit
    monkeypatch.setattr(SimulationPool, "submit", lambda pool, job: simulated.append(job) or submit(pool, job))
    resumed = sizing.resume(first.folder, workers=1)
    assert resumed.status == "in spec"
    assert len(simulated) == len(resumed.record.simulations) - 40


def test_a_run_killed_outright_is_taken_up(specs: Path, tmp_path: Path):
    code = "from sizing.cli import main; main()"
    command = [sys.executable, "-c", code, "run", str(specs / "opamp_cc.yaml"), "--max-sims", "130", "--out", "run"]
    process = subprocess.Popen([*command, "--method", "evo"], cwd=tmp_path, stderr=subprocess.DEVNULL)
    journal = tmp_path / "run" / "journal.jsonl"
    while not journal.exists() or journal.read_bytes().count(b"batch") < 2:
        time.sleep(0.02)
        assert process.poll() is None
    process.kill()
    process.wait()
    time.sleep(0.5)
    resumed = sizing.resume(tmp_path / "run")
    assert resumed.status == "max_sims"
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    assert [line["evaluation"] for line in lines if "evaluation" in line] == list(range(130))


def test_a_finished_run_is_left_as_it_is(amplifier: Spec, tmp_path: Path):
    whole = sizing.run(amplifier, method="evo", out=tmp_path / "run", workers=1)
    before = {path: path.read_bytes() for path in whole.folder.rglob("*") if path.is_file()}
    assert sizing.resume(whole.folder).status == "in spec"
    assert {path: path.read_bytes() for path in whole.folder.rglob("*") if path.is_file()} == before


def test_the_simulator_of_an_earlier_manifest_has_today_s_name(amplifier: Spec, tmp_path: Path):
    run = sizing.run(amplifier, method="evo", out=tmp_path / "run", workers=1, max_sims=20)
    path = run.folder / "manifest.json"
    manifest = json.loads(path.read_text())
    simulator = manifest["versions"].pop("simulator")
    assert re.fullmatch(r"\d.* built .+ \(.*ngspice.*\)", simulator)
    path.write_text(json.dumps(manifest | {"versions": {"ngspice": simulator, **manifest["versions"]}}))
    assert read_run(run.folder).manifest["versions"] == run.record.manifest["versions"]


def test_a_run_that_is_being_written_is_refused(amplifier: Spec, tmp_path: Path):
    interrupted = sizing.run(amplifier, method="evo", out=tmp_path / "run", workers=1, max_sims=21)
    (interrupted.folder / "summary.json").unlink()
    with RunFolder(interrupted.folder, 1), pytest.raises(InputError, match="another process writes this run"):
        sizing.resume(interrupted.folder)


def test_a_journal_that_this_machine_would_not_write_is_refused_and_left_alone(amplifier: Spec, tmp_path: Path):
    run = sizing.run(amplifier, method="evo", out=tmp_path / "run", workers=1, max_sims=40)
    (run.folder / "summary.json").unlink()
    journal = run.folder / "journal.jsonl"
    lines = list(read_journal(run.folder).lines)
    lines[3] = lines[3].replace('"design":[', '"design":[1')
    journal.unlink()
    with Journal(run.folder) as another:
        for line in lines:
            another.append(json.loads(line))
    before = journal.read_bytes()
    with pytest.raises(RunError, match="cannot be taken up again: its journal has"):
        sizing.resume(run.folder)
    assert journal.read_bytes() == before
    assert not (run.folder / "summary.json").exists()


def test_a_run_is_not_taken_up_with_another_checkpoint(amplifier: Spec, tmp_path: Path, monkeypatch):
    def interrupt(progress: sizing.Progress) -> None:
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    for suffix in ("json", "safetensors"):
        (tmp_path / "mine").mkdir(exist_ok=True)
        shutil.copy(WEIGHTS / f"opamp.{suffix}", tmp_path / "mine" / f"net.{suffix}")
    settings = {"method": "gnn-frozen", "judge": {"checkpoint": "mine/net", "steps": 2}}
    first = sizing.run(amplifier, out=tmp_path / "run", workers=1, observer=interrupt, **settings)
    assert first.record.manifest["checkpoint"]["simulations"] == 126_000
    described = json.loads((tmp_path / "mine" / "net.json").read_text())
    (tmp_path / "mine" / "net.json").write_text(json.dumps(described | {"sha256": "0" * 64}))
    monkeypatch.chdir("/")  # the path holds from anywhere
    with pytest.raises(RunError, match=r"expected the checkpoint that the run began with, .*got .*'sha256': '000"):
        sizing.resume(first.folder, workers=1)
    (tmp_path / "mine" / "net.json").write_text(json.dumps(described))
    assert sizing.resume(first.folder, workers=1).status == "in spec"


def test_times_go_on_when_a_run_is_taken_up(amplifier: Spec, tmp_path: Path):
    def interrupt(progress: sizing.Progress) -> None:
        raise KeyboardInterrupt

    first = sizing.run(amplifier, method="evo", out=tmp_path / "run", workers=1, observer=interrupt)
    summary = first.folder / "summary.json"
    times = json.loads(summary.read_text()) | {"wall_s": 1000.0, "simulate_s": 800.0}
    summary.write_text(json.dumps(times))
    resumed = sizing.resume(first.folder, workers=1)
    assert 1000 < resumed.table.iloc[0]["wall_s"] < 1060
    assert 800 < resumed.table.iloc[0]["simulate_s"] < 860


def test_times_outlive_a_kill(amplifier: Spec, tmp_path: Path):
    run = sizing.run(amplifier, method="evo", out=tmp_path / "run", workers=1, max_sims=30)
    (run.folder / "summary.json").unlink()
    (run.folder / "elapsed.json").write_text(
        json.dumps({f"{name}_s": 500.0 for name in ("wall", "simulate", "train", "query", "simulator")})
    )
    cut_off(run.folder / "journal.jsonl", 100)
    assert 500 < sizing.resume(run.folder, workers=1).table.iloc[0]["wall_s"] < 560
    assert not (run.folder / "elapsed.json").exists()


def test_the_rest_of_a_batch_counts_when_a_run_is_taken_up_within_it(amplifier: Spec, tmp_path: Path):
    run = sizing.run(amplifier, method="evo", out=tmp_path / "run", workers=1, max_sims=100, initial=100)
    (run.folder / "summary.json").unlink()
    lines = (run.folder / "journal.jsonl").read_bytes().splitlines(keepends=True)
    (run.folder / "journal.jsonl").write_bytes(b"".join(lines[:10]))
    (run.folder / "elapsed.json").write_text(
        json.dumps({f"{name}_s": 500.0 for name in ("wall", "simulate", "train", "query", "simulator")})
    )
    summary = sizing.resume(run.folder, workers=1).record.summary
    assert 500.02 < summary["simulator_s"] < 560
    assert 500.02 < summary["simulate_s"] < 560


def test_an_ended_run_that_lost_the_end_of_its_journal_simulates_that_again(amplifier: Spec, tmp_path: Path):
    whole = sizing.run(amplifier, method="evo", out=tmp_path / "run", workers=1, max_sims=40)
    journal, designs = (whole.folder / "journal.jsonl").read_bytes(), (whole.folder / "designs.csv").read_bytes()
    cut_off(whole.folder / "journal.jsonl", len(journal.splitlines(keepends=True)[-1]))
    assert "the end is missing; `sizing resume" in read_run(whole.folder).notice
    assert sizing.resume(whole.folder, workers=1).status == "max_sims"
    assert (whole.folder / "journal.jsonl").read_bytes() == journal
    assert (whole.folder / "designs.csv").read_bytes() == designs


def test_tables_that_a_kill_prevented_are_written_by_resume(amplifier: Spec, tmp_path: Path):
    whole = sizing.run(amplifier, method="evo", out=tmp_path / "run", workers=1, max_sims=30)
    table = (whole.folder / "table.csv").read_bytes()
    (whole.folder / "table.csv").unlink()
    sizing.resume(whole.folder)
    assert (whole.folder / "table.csv").read_bytes() == table


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)),) * 2)
from sizing.cli import main
main()
"""


def test_a_full_disk_ends_the_run_with_a_message_and_it_can_be_taken_up(specs: Path, amplifier: Spec, tmp_path: Path):
    whole = sizing.run(amplifier, method="evo", out=tmp_path / "whole", workers=1, max_sims=400, in_spec=300)
    limit = 30_000
    assert (whole.folder / "journal.jsonl").stat().st_size > limit
    arguments = ["run", str(specs / "cs_amp.yaml"), "--method", "evo", "--max-sims", "400", "--workers", "1"]
    spec = tmp_path / "spec.yaml"
    text = (specs / "cs_amp.yaml").read_text().replace("netlists/", f"{specs}/netlists/")
    spec.write_text(text.replace("{initial: 20}", "{initial: 20, in_spec: 300}"))
    arguments[1] = str(spec)
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(limit), *arguments, "--out", "run"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert done.stderr.splitlines()[-1] == (
        "error: run: cannot be written: File too large; once that is put right, `sizing resume run` goes on"
    )
    assert (tmp_path / "run" / "journal.jsonl").stat().st_size == limit
    assert "torn" in read_run(tmp_path / "run").notice
    assert sizing.resume(tmp_path / "run", workers=1).status == whole.status
    for name in ("journal.jsonl", "designs.csv"):
        assert (tmp_path / "run" / name).read_bytes() == (whole.folder / name).read_bytes()


def cut_off(path: Path, count: int) -> None:
    path.write_bytes(path.read_bytes()[:-count])

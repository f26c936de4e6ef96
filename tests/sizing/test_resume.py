"""A run that was killed and taken up again equals one that was not."""

import json
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import sizing
from sizing.records.reading import RunError
from sizing.records.writing import RunFolder
from sizing.search.methods import METHODS
from sizing.spec.load import Spec

SLOW = ("optuna-gp", "turbo")
"""A question to them takes a second."""
WEIGHTS = Path(__file__).parent.parent.parent / "surrogates" / "weights"


@pytest.mark.parametrize("method", METHODS)
def test_a_run_cut_off_anywhere_ends_with_the_same_journal(method: str, amplifier: Spec, tmp_path: Path):
    quick = {"judge": {"steps": 10, "body_steps": 2}, **({"max_sims": 22, "batch": 2} if method in SLOW else {})}
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
    assert (first.status, len(first.record.evaluations)) == ("interrupted", 40)
    simulated = []
    whole_run = sizing.loop.SimulationPool.stream
    monkeypatch.setattr(
        sizing.loop.SimulationPool, "stream", lambda p, jobs: simulated.extend(jobs) or whole_run(p, jobs)
    )
    resumed = sizing.resume(first.folder, workers=1)
    assert resumed.status == "in spec"
    assert len(simulated) == len(resumed.record.evaluations) - 40


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


def test_a_run_that_is_being_written_is_refused(amplifier: Spec, tmp_path: Path):
    interrupted = sizing.run(amplifier, method="evo", out=tmp_path / "run", workers=1, max_sims=21)
    (interrupted.folder / "summary.json").unlink()
    with RunFolder(interrupted.folder), pytest.raises(RunError, match="another process writes this run"):
        sizing.resume(interrupted.folder)


def test_a_journal_that_this_machine_would_not_write_is_refused_and_left_alone(amplifier: Spec, tmp_path: Path):
    run = sizing.run(amplifier, method="evo", out=tmp_path / "run", workers=1, max_sims=40)
    (run.folder / "summary.json").unlink()
    journal = run.folder / "journal.jsonl"
    lines = journal.read_text().splitlines()
    lines[3] = lines[3].replace('"design":[', '"design":[1')
    journal.write_text("\n".join(lines) + "\n")
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

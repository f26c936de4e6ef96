"""The command line as a user meets it: what it prints, its exit status."""

import json
import os
import shutil
import signal
import subprocess
import time
from io import StringIO
from pathlib import Path

import pytest
import typer
from rich.console import Console

from sizing.cli.main import app
from sizing.cli.show import run_summary
from sizing.runs.run import load_run
from sizing.search.methods import METHODS
from tests.command import SIZING, sizing

COLUMNS = (
    "spec,topology,method,seed,status,in_spec,first_in_spec_at,sims_initial,sims_search,sims_oracle,sims_total,"
    "sims_failed,sims_op,sims_tables,sims_pretrain,cache_hits,queries,best_cost,top_cost,margin,wall_s,simulate_s,"
    "train_s,query_s,tables_s,objective,front,hypervolume,corners,designs"
)


@pytest.fixture(scope="module")
def runs(specs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of three finished runs: evo on two seeds, oracle on one."""
    folder = tmp_path_factory.mktemp("cli")
    for method, seed in (("evo", 0), ("evo", 1), ("oracle", 0)):
        done = sizing("run", specs / "cs_amp.yaml", "--method", method, "--seed", seed, folder=folder)
        assert done.returncode == 0, done.stderr
    return folder / "runs"


def commands() -> list[str]:
    return sorted(getattr(typer.main.get_command(app), "commands"))  # noqa: B009 - typer's own click has no public type


@pytest.mark.parametrize("command", commands())
def test_every_command_has_help_with_an_example(command: str):
    done = sizing(command, "--help")
    assert done.returncode == 0
    assert f"Example: sizing {command}" in " ".join(done.stdout.split())


@pytest.mark.slow
def test_run_names_its_folder_prints_designs_and_reports_progress_on_stderr(runs: Path, specs: Path):
    assert sorted(path.name for path in runs.iterdir()) == ["cs_amp-evo-s0", "cs_amp-evo-s1", "cs_amp-oracle-s0"]
    done = sizing("run", specs / "cs_amp.yaml", "--seed", 5, "--method", "evo", folder=runs.parent)
    assert done.returncode == 0
    assert "designs in spec after" in done.stdout
    assert "Sized netlist: runs/cs_amp-evo-s5/sized.cir" in done.stdout
    assert "20/20 in spec, iteration" in done.stderr
    shutil.rmtree(runs / "cs_amp-evo-s5")


@pytest.mark.slow
def test_run_never_overwrites(runs: Path, specs: Path):
    before = (runs / "cs_amp-evo-s0" / "journal.jsonl").read_bytes()
    done = sizing("run", specs / "cs_amp.yaml", "--method", "evo", folder=runs.parent)
    assert done.returncode == 2
    assert done.stderr == (
        "error: runs/cs_amp-evo-s0 already exists, and a run is never overwritten: look at it with "
        "`sizing show runs/cs_amp-evo-s0`, or choose another --out or --seed\n"
    )
    assert (runs / "cs_amp-evo-s0" / "journal.jsonl").read_bytes() == before


def test_run_as_json_is_one_row_for_programs(specs: Path, tmp_path: Path):
    done = sizing("run", specs / "cs_amp.yaml", "--method", "evo", "--max-sims", 25, "--json", "--out", tmp_path / "r")
    row = json.loads(done.stdout)
    assert ",".join(row) == COLUMNS
    assert (row["sims_total"], row["status"]) == (25, "max_sims")


def test_table_has_the_documented_columns_a_row_per_run_and_means(runs: Path):
    lines = sizing("table", runs, "--format", "csv").stdout.splitlines()
    assert lines[0] == COLUMNS
    assert [line.split(",")[2:4] for line in lines[1:]] == [["evo", "0"], ["evo", "1"], ["oracle", "0"]]
    means = json.loads(sizing("table", runs, "--format", "json", "--means").stdout)
    assert [(row["method"], row["seeds"]) for row in means] == [("evo", 2), ("oracle", 1)]
    text = sizing("table", runs).stdout
    assert text.startswith("| spec ")
    assert "Means over seeds ± standard error" in text
    assert " ± " in text.split("Means")[1].splitlines()[4]


def test_show_lists_designs_with_each_metric_against_its_target(runs: Path):
    done = sizing("show", runs / "cs_amp-evo-s0", "--best", 2)
    assert "≥ 3 V/V" in done.stdout
    assert "#2" in done.stdout
    assert "#3" not in done.stdout
    assert len(json.loads(sizing("show", runs / "cs_amp-evo-s0", "--best", 2, "--json").stdout)) == 2


def test_export_writes_a_netlist_that_ngspice_runs(runs: Path, tmp_path: Path):
    out = tmp_path / "sized.cir"
    assert sizing("export", runs / "cs_amp-evo-s0", "--rank", 2, "--out", out).returncode == 0
    best = json.loads(sizing("show", runs / "cs_amp-evo-s0", "--best", 2, "--json").stdout)[1]
    text = out.read_text()
    assert f"m1={best['m1']:.1f} rl={best['rl']:.1f}" in text
    assert text.startswith("* Resistor-loaded common-source amplifier.")
    assert sizing("export", runs / "cs_amp-evo-s0", "--rank", 2).stdout == text
    if shutil.which("ngspice"):
        deck = tmp_path / "deck.cir"
        deck.write_text("* deck\n.include sized.cir\nvdd vdd 0 1.2\nvin in 0 0.4\n.op\n.print op i(vdd)\n.end\n")
        done = subprocess.run(["ngspice", "-b", deck], capture_output=True, text=True, cwd=tmp_path)
        assert f"{-best['current']:.4e}"[:6] in done.stdout
    assert sizing("export", runs / "cs_amp-evo-s0", "--out", out).returncode == 2
    assert "expected a rank from 1 to" in sizing("export", runs / "cs_amp-evo-s0", "--rank", 9999).stderr


def test_check_simulates_the_middle_of_the_ranges(specs: Path, tmp_path: Path):
    done = sizing("check", specs / "cs_amp.yaml", folder=tmp_path)
    assert done.returncode == 0
    assert "2 variables, 4950 designs, 1 benches, 3 metrics" in done.stdout
    assert "the design in the middle of the ranges" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_check_reports_every_mistake_with_its_line(specs: Path, tmp_path: Path):
    text = (specs / "cs_amp.yaml").read_text().replace("netlists/", f"{specs}/netlists/")
    bad = tmp_path / "bad.yaml"
    bad.write_text(
        text.replace("at_least: 3}", "at_least: 3 MHz}").replace("output: out, at_least: 1", "output: ot, at_least: 1")
    )
    done = sizing("check", bad)
    assert done.returncode == 2
    assert done.stdout == ""
    assert [line.split(": ", 2)[:2] for line in done.stderr.splitlines()] == [
        ["error", f"{bad}:20"], ["error", f"{bad}:21"],
    ]  # fmt: skip
    assert "expected a ratio (V/V), got '3 MHz'" in done.stderr
    assert "did you mean 'out'?" in done.stderr


def test_schema_is_json_schema_with_every_measurement():
    schema = json.loads(sizing("schema").stdout)
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert {"netlist", "variables", "benches", "metrics", "run"} <= set(schema["properties"])


def test_methods_lists_methods_and_measurements():
    known = json.loads(sizing("methods", "--json").stdout)
    assert list(known["methods"]) == list(METHODS)
    assert {"gp", "evo", "oracle", "fc", "gnn-finetuned", "optuna-tpe"} <= known["methods"].keys()
    assert "phase_margin" in known["measurements"]
    assert "  oracle" in sizing("methods").stdout


def test_examples_are_specs_that_pass_their_check(tmp_path: Path):
    assert sizing("examples", tmp_path / "mine").returncode == 0
    assert sizing("check", tmp_path / "mine" / "cs_amp.yaml").returncode == 0
    again = sizing("examples", tmp_path / "mine")
    assert again.returncode == 2
    assert "already exists" in again.stderr


def test_wrong_usage_exits_2_and_says_what_was_expected(specs: Path, tmp_path: Path):
    for arguments, words in {
        ("run", specs / "cs_amp.yaml", "--method", "foo"): "no method 'foo'",
        ("run", specs / "cs_amp.yaml", "--seed", "x"): "--seed",
        ("run", specs): "expected a spec file, got a directory",
        ("run", specs / "opamp_c.yaml"): "did you mean",
        ("show", tmp_path): "expected a run folder",
        ("table", tmp_path): "found none",
        ("frobnicate",): "No such command",
        ("run", specs / "cs_amp.yaml", "--cache", ""): "--cache: expected a folder, got an empty name",
        ("run", specs / "cs_amp.yaml", "--out", "/proc/nowhere/run"): "/proc/nowhere/run: cannot be made: No such file",
        (
            "run",
            specs / "cs_amp.yaml",
            "--out",
            f"{specs / 'cs_amp.yaml'}/run",
        ): "/run: cannot be made: Not a directory",
        ("compare", specs / "cs_amp.yaml", "--out", "/proc/nowhere/c"): "/proc/nowhere/c: cannot be made: No such file",
        ("compare", specs / "cs_amp.yaml", "--seeds", "-1"): "--seeds: expected none below 0, got -1",
    }.items():
        done = sizing(*arguments, folder=tmp_path)
        assert done.returncode == 2, arguments
        assert words in done.stderr
        assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_without_ngspice_one_message_says_so(specs: Path, tmp_path: Path):
    done = sizing("run", specs / "cs_amp.yaml", folder=tmp_path, NGSPICE_LIBRARY_PATH="/nowhere.so")
    assert done.returncode == 2
    assert done.stderr == "error: NGSPICE_LIBRARY_PATH names no file: /nowhere.so. Correct or unset it.\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_run_without_a_sized_netlist_names_none(runs: Path, tmp_path: Path):
    shutil.copytree(runs / "cs_amp-evo-s0", tmp_path / "run")
    (tmp_path / "run" / "sized.cir").unlink()
    shown = StringIO()
    run_summary(load_run(tmp_path / "run"), Console(file=shown, width=100))
    assert "designs in spec after" in shown.getvalue()
    assert "sized.cir" not in shown.getvalue()


@pytest.mark.slow
def test_ctrl_c_leaves_tables_and_exits_130(specs: Path, tmp_path: Path):
    command = [*SIZING, "run", str(specs / "opamp_cc.yaml"), "--method", "evo", "--out", "run"]
    process = subprocess.Popen(command, cwd=tmp_path, text=True, stderr=subprocess.PIPE, stdout=subprocess.PIPE,
                               start_new_session=True,
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))  # fmt: skip
    journal = tmp_path / "run" / "journal.jsonl"
    for _ in range(600):
        if journal.exists() and journal.read_bytes().count(b"batch") >= 2:
            break
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert "interrupted; the tables hold what was simulated until then" in out
    assert "Traceback" not in err
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["status"] == "interrupted"
    assert (tmp_path / "run" / "table.csv").read_text().startswith(COLUMNS)


def test_what_was_missing_is_told_by_run_and_show(tmp_path: Path):
    (tmp_path / "divider.cir").write_text("* divider\n.param r=1k\nr1 in out {r}\nr2 out 0 1k\n")
    (tmp_path / "spec.yaml").write_text(
        "netlist: divider.cir\nvariables: {r: {from: 1k, to: 4k, step: 1k}}\n"
        "benches: {b: {stimulus: vin in 0 pulse(0 1 1n 1n), analyses: "
        "{t: {run: tran 1n 9n, meas: {high: when v(out)=2}}}}}\n"
        "metrics: {high: {measure: meas, of: b.t, name: high, unit: s, at_most: 1}}\n"
    )
    note = "note: 2 of 2 simulations without high: ngspice: out of interval\n"
    done = sizing("run", "spec.yaml", "--method", "evo", "--max-sims", 2, "--out", "run", folder=tmp_path)
    assert done.stderr.endswith(note)
    assert sizing("show", "run", folder=tmp_path).stderr == note

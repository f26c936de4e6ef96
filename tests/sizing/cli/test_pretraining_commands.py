"""`sizing dataset` and `sizing pretrain` as a user meets them."""

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from sizing.files import only_writer
from surrogates.networks.checkpoints import read_checkpoint
from surrogates.pretraining.dataset import read_dataset
from tests.command import SIZING, sizing

TINY = "data: {data}\nbackbone: {{kind: relaxation, width: 16, layers: 1}}\nsteps: 10\nbatch: 8\naccuracy: 20\n"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, specs: Path) -> Path:
    """A folder with a recipe, and with the data set of a spec that it names."""
    folder = tmp_path_factory.mktemp("home")
    command = ("dataset", specs / "cs_amp.yaml", "--n", 40, "--seed", 3, "--workers", 1)
    done = sizing(*command, folder=folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("cs_amp: 40 operating points\nruns/data/cs_amp, SHA-256 ")
    assert done.stderr == "data set cs_amp: 40/40\n"
    again = sizing(*command, folder=folder)
    assert (again.returncode, again.stdout) == (0, done.stdout)
    (folder / "tiny.yaml").write_text(TINY.format(data="runs/data/cs_amp"))
    return folder


def test_a_specs_data_set_is_of_its_first_bench(home: Path):
    manifest, (samples,) = read_dataset(home / "runs" / "data" / "cs_amp")
    assert (manifest.seed, manifest.name, len(samples)) == (3, "cs_amp", 40)
    assert set(samples.topology.devices) == {"m1", "rl", "vdd", "vin", "cl"}


def test_a_named_data_set_goes_where_it_is_told(tmp_path: Path):
    done = sizing("dataset", "resistors", "--out", "here", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("series: 2000 operating points\nparallel: 2000 operating points\nloaded: 2000 ")
    assert [len(each) for each in read_dataset(tmp_path / "here")[1]] == [2000] * 3


def test_data_sets_that_cannot_be_made_exit_2_and_say_why(specs: Path, home: Path):
    spec = specs / "cs_amp.yaml"
    for arguments, words in {
        ("lader",): "expected a data set (ladder, ladder_test, resistors, output_resistance, opamp, "
        "opamp_voltage_biased) or a spec file, got 'lader'",
        (spec, "--bench", "nosuch"): f"--bench: expected a test bench of {spec} (amplifier), got 'nosuch'",
        ("ladder", "--n", "20"): "expected --n and --bench with a spec file only, got 'ladder', which says both itself",
        (spec, "--n", "50"): "runs/data/cs_amp: expected cs_amp of seed 0, got another data set; choose another --out",
    }.items():
        done = sizing("dataset", *arguments, folder=home)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == f"error: {words}\n"


def test_pretraining_writes_a_checkpoint_that_says_how_it_was_made(home: Path):
    done = sizing("pretrain", "tiny.yaml", "--seed", 5, folder=home)
    assert done.returncode == 0, done.stderr
    first, last = done.stdout.splitlines()
    assert first.startswith("Acc@20 ")
    assert last == "runs/pretrain/tiny-s5/checkpoint.safetensors"
    out = home / "runs" / "pretrain" / "tiny-s5"
    assert sorted(path.name for path in out.iterdir()) == [
        "checkpoint.json", "checkpoint.safetensors", "log.csv", "state.safetensors",
    ]  # fmt: skip
    _, manifest = read_checkpoint(out / "checkpoint")
    assert manifest.command == "sizing pretrain tiny.yaml --seed 5"
    assert manifest.data["sha256"] == read_dataset(home / "runs" / "data" / "cs_amp")[0].digest
    assert "training: 10/10 loss " in done.stderr
    other = sizing("pretrain", "tiny.yaml", "--seed", 5, "--steps", 11, folder=home)
    assert (other.returncode, other.stdout) == (2, "")
    assert (
        "expected the training begun there, got one with another recipe or option; choose another --out" in other.stderr
    )


def test_accuracy_says_what_a_checkpoint_makes_of_a_data_set(home: Path):
    done = sizing("accuracy", "opamp", "runs/data/cs_amp", "--k", 2, folder=home)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("cs_amp: Acc@2 ")
    table = json.loads(sizing("accuracy", "opamp", "runs/data/cs_amp", "--k", 2, "--json", folder=home).stdout)
    _, (samples,) = read_dataset(home / "runs" / "data" / "cs_amp")
    assert set(table["cs_amp"]["by_net"]) == set(samples.topology.nets) - {"0"}
    assert f"Acc@2 {table['cs_amp']['at_k_free']:.4f} " in done.stdout
    missing = sizing("accuracy", "opamp", "runs/data/nosuch", folder=home)
    assert (missing.returncode, missing.stdout) == (2, "")
    assert "expected a finished data set, found no manifest.json" in missing.stderr


def test_a_named_data_set_that_is_not_there_is_made_first(tmp_path: Path):
    (tmp_path / "few.yaml").write_text(TINY.format(data="resistors"))
    done = sizing("pretrain", "few.yaml", "--steps", 2, "--rows", 30, "--out", "out", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(read_dataset(tmp_path / "runs" / "data" / "resistors")[1]) == 3
    manifest = json.loads((tmp_path / "out" / "checkpoint.json").read_text())
    assert (manifest["recipe"]["steps"], manifest["data"]["rows_trained_on"]) == (2, 30)


def test_ctrl_c_leaves_a_training_to_go_on_with(home: Path):
    command = [*SIZING, "pretrain", "tiny.yaml", "--steps", "3000", "--out", "long"]
    process = subprocess.Popen(
        command, cwd=home, text=True, stderr=subprocess.PIPE, stdout=subprocess.PIPE,
        start_new_session=True, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    for _ in range(1200):
        if (home / "long" / "log.csv").exists():  # after a twentieth
            break
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, ""), err
    assert err.splitlines()[-1] == "interrupted; the same command goes on"
    assert "Traceback" not in err
    assert sorted(path.name for path in (home / "long").iterdir()) == ["log.csv", "state.safetensors"]
    assert 150 <= float(load_file(home / "long" / "state.safetensors")["progress"][0]) < 3000


def test_pretraining_that_cannot_begin_exits_2_and_says_why(home: Path):
    cases = {
        ("nosuch",): "expected a recipe (",
        ("tiny.yaml", "--data", "nosuch"): "expected a data set (",
        ("tiny.yaml", "--start-from", "nosuch"): "expected a shipped checkpoint (",
    }
    if not torch.cuda.is_available():
        cases["tiny.yaml", "--device", "cuda"] = "device: expected one that works here (cpu, cuda), got 'cuda': "
    for arguments, words in cases.items():
        done = sizing("pretrain", *arguments, "--out", "none", folder=home)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(f"error: {words}")
        assert len(done.stderr.splitlines()) == 1
        assert not (home / "none").exists()


def test_what_is_wrong_is_said_before_a_named_data_set_is_made(home: Path, tmp_path: Path):
    (tmp_path / "few.yaml").write_text(TINY.format(data="resistors"))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    done = sizing("pretrain", "tiny.yaml", "--steps", 1, "--out", tmp_path / "begun", folder=home)
    assert done.returncode == 0, done.stderr
    for arguments, words in {
        ("--device", "nosuch"): "device: expected one that works here",
        ("--start-from", "nosuch"): "expected a shipped checkpoint (",
        ("--start-from", "opamp"): "backbone: expected that of the checkpoint to start from",
        ("--out", "full"): "full: expected a new folder or a training to go on with; choose another --out",
        ("--out", "file"): "file: expected a new folder or a training to go on with; choose another --out",
        ("--out", "begun"): "begun: expected the training begun there, got one with another recipe or option; choose",
    }.items():
        done = sizing("pretrain", "few.yaml", *arguments, folder=tmp_path)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(f"error: {words}")
        assert not (tmp_path / "runs").exists()


def test_a_named_data_set_wins_over_a_folder_of_its_name(home: Path, tmp_path: Path):
    shutil.copytree(home / "runs" / "data" / "cs_amp", tmp_path / "resistors")
    (tmp_path / "few.yaml").write_text(TINY.format(data="resistors"))
    for arguments, name in (
        ((), "resistors"),
        (("--data", "resistors"), "resistors"),
        (("--data", "./resistors"), "cs_amp"),
    ):
        out = tmp_path / f"out{len(list(tmp_path.iterdir()))}"
        done = sizing("pretrain", "few.yaml", "--steps", 1, "--rows", 30, *arguments, "--out", out, folder=tmp_path)
        assert done.returncode == 0, done.stderr
        assert json.loads((out / "checkpoint.json").read_text())["data"]["name"] == name


def test_a_shipped_recipe_wins_over_a_file_of_its_name(tmp_path: Path):
    (tmp_path / "ladder").write_text("nonsense")
    done = sizing("pretrain", "ladder", "--device", "nosuch", folder=tmp_path)
    assert done.stderr.startswith("error: device: ")


def test_a_second_process_in_the_same_folder_exits_2(home: Path, tmp_path: Path):
    with only_writer(tmp_path / "t", "training"):
        done = sizing("pretrain", "tiny.yaml", "--out", tmp_path / "t", folder=home)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error: {tmp_path / 't'}: another process writes this training; wait for it or end it\n"
    with only_writer(tmp_path / "d", "data set"):
        done = sizing("dataset", "resistors", "--out", tmp_path / "d", folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error: {tmp_path / 'd'}: another process writes this data set; wait for it or end it\n"

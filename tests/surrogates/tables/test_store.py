"""Measurements on disk: read again, rebuilt where damaged, shared by processes, bounded."""

import subprocess
import sys
from pathlib import Path

import numpy as np

from sizing.specfile.load import Spec
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

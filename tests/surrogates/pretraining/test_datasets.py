"""Data sets of operating points: what is written is what is read, in full or not at all, however often interrupted."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.random import default_rng
from numpy.testing import assert_allclose

from sizing.errors import InputError
from sizing.simulation.simulator import SimulationError
from surrogates.pretraining import generate, operating_points
from surrogates.pretraining.circuits import SampledCircuit, ladder, series_pair
from surrogates.pretraining.dataset import DatasetError, read_dataset, read_manifest

WANTED = [(ladder(2), 50), (ladder(3, output_resistance=True), 25)]
# For a = 1 the voltages overflow; for b = -1.001 the loop multiplies its input by a thousand.
WILD = ".param a=0 b=1\nv1 in 0 1\ne1 x 0 in 0 {a*1e200}\ne2 y 0 x 0 {a*1e200}\ne3 z 0 in z {b}\nr1 z 0 1k\n"


def made(folder: Path, **options: int) -> Path:
    generate.generate("test", WANTED, folder, **options)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def wild(a: tuple[float, ...], b: tuple[float, ...]) -> SampledCircuit:
    return SampledCircuit("wild", WILD, lambda rng, n: {"a": rng.choice(a, n), "b": rng.choice(b, n)}, exact=False)


def test_what_is_written_is_what_is_read(tmp_path: Path):
    seen: list[tuple[int, int]] = []
    manifest = generate.generate("test", WANTED, tmp_path / "d", seed=3, observer=lambda *rows: seen.append(rows))
    assert seen == [(50, 75), (75, 75)]
    assert sorted(contents(tmp_path / "d")) == [
        "ladder2.cir",
        "ladder2.npz",
        "ladder3.cir",
        "ladder3.npz",
        "manifest.json",
    ]
    again, samples = read_dataset(tmp_path / "d")
    assert again == manifest
    for number, (each, (circuit, rows)) in enumerate(zip(samples, WANTED, strict=True)):
        drawn = circuit.draw(default_rng([3, number, 0]), rows)
        assert (each.name, each.netlist, each.variables) == (circuit.name, circuit.netlist, tuple(drawn))
        assert (each.values == np.stack(list(drawn.values()), axis=1).astype(np.float32)).all()
        assert each.voltages.dtype == np.float32
        assert each.parameters.shape == (rows, len(each.topology.devices), 2)
        assert (each.voltages[:, each.topology.nets.index("in")] == each.values[:, 0]).all()
    assert list(samples[0].targets) == []
    assert samples[1].targets["output_resistance"].shape == (25,)
    assert (samples[1][5:7].targets["output_resistance"] == samples[1].targets["output_resistance"][5:7]).all()
    assert samples[1][5:7].voltages.tolist() == samples[1].voltages[5:7].tolist()


def test_seeds_and_circuits_are_drawn_apart(tmp_path: Path):
    zero, one = (read_dataset(made(tmp_path / str(seed), seed=seed))[1] for seed in (0, 1))
    assert not (zero[0].values == one[0].values).any()
    assert not (zero[0].values[:25, 0] == zero[1].values[:, 0]).any()
    assert read_manifest(tmp_path / "0").digest != read_manifest(tmp_path / "1").digest
    assert read_manifest(tmp_path / "0").digest == read_manifest(made(tmp_path / "again")).digest


@pytest.mark.parametrize("name", ["ladder2.npz", "ladder3.cir"])
@pytest.mark.parametrize("place", [0.0, 0.5, 0.999])
def test_a_file_with_one_byte_changed_is_refused(name: str, place: float, tmp_path: Path):
    path = made(tmp_path / "d") / name
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 1
    path.write_bytes(content)
    with pytest.raises(DatasetError) as refusal:
        read_dataset(tmp_path / "d")
    assert str(refusal.value) == f"{path}: not the file that the manifest describes (SHA-256); make the data set again"


def test_a_missing_file_is_named(tmp_path: Path):
    (made(tmp_path / "d") / "ladder3.npz").unlink()
    with pytest.raises(DatasetError, match=r"expected the file 'ladder3\.npz' that the manifest names, found none"):
        read_dataset(tmp_path / "d")


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"format": 1}', '{"format": 1, "circuits": [3]}', "\xff"])
def test_a_manifest_that_is_none_is_refused(text: str, tmp_path: Path):
    path = made(tmp_path / "d") / "manifest.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(DatasetError) as refusal:
        read_dataset(tmp_path / "d")
    assert str(refusal.value).startswith(f"{path}: expected ")
    assert str(refusal.value).endswith("make the data set again")


def test_a_manifest_of_another_format_is_refused(tmp_path: Path):
    path = made(tmp_path / "d") / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 2, "new": "key"}))
    with pytest.raises(DatasetError, match=r"manifest\.json: expected format 1, got 2; make the data set again"):
        read_dataset(tmp_path / "d")


def test_a_folder_without_a_manifest_is_no_data_set(tmp_path: Path):
    with pytest.raises(
        DatasetError, match=r"expected a finished data set, found no manifest\.json; make it with `sizing"
    ):
        read_dataset(tmp_path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda entry: entry.update(rows=49),
            r"expected shapes \(\(49, 7\), \(49, 6\)\), got \(\(50, 7\), \(50, 6\)\)",
        ),
        (lambda entry: entry["ranges"].pop("rs1"), r"expected shapes \(\(50, 6\), "),
        (lambda entry: entry["nets"].reverse(), "expected "),
        (lambda entry: entry["targets"].append("gain"), "expected the arrays that the manifest lists: .*target_gain"),
        (lambda entry: entry["files"].update({"../x": ""}), r"expected the file '\.\./x' that the manifest names"),
    ],
)
def test_a_manifest_that_disagrees_with_its_arrays_is_refused(
    change: Callable[[dict[str, object]], object], words: str, tmp_path: Path
):
    path = made(tmp_path / "d") / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest["circuits"][0])
    path.write_text(json.dumps(manifest))
    with pytest.raises(DatasetError, match=words):
        read_dataset(tmp_path / "d")


def interrupt(done: int, _total: int) -> None:
    if done == 40:
        raise KeyboardInterrupt


def test_an_interrupted_data_set_is_taken_up_and_ends_in_the_same_bytes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setattr(generate, "ROWS_PER_PART", 20)
    solved: list[int] = []
    solve = operating_points.solve
    monkeypatch.setattr(operating_points, "solve", lambda *given: solved.append(len(given[1])) or solve(*given))
    whole = contents(made(tmp_path / "whole"))
    assert solved == [20, 20, 10, 20, 5]
    solved.clear()
    with pytest.raises(KeyboardInterrupt):
        generate.generate("test", WANTED, tmp_path / "broken", observer=interrupt)
    with pytest.raises(DatasetError, match="expected a finished data set"):
        read_dataset(tmp_path / "broken")
    assert contents(made(tmp_path / "broken")) == whole
    assert solved == [20, 20, 10, 20, 5]
    made(tmp_path / "broken")
    assert len(solved) == 5


def test_ngspice_is_not_asked_again_for_what_was_interrupted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(generate, "ROWS_PER_PART", 20)
    wanted = [(replace(series_pair(), exact=False), 50)]
    generate.generate("test", wanted, tmp_path / "whole", workers=1)
    with pytest.raises(KeyboardInterrupt):
        generate.generate("test", wanted, tmp_path / "broken", workers=1, observer=interrupt)
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "broken").glob(".series-*")}
    assert list(before) == [".series-00000.npz", ".series-00001.npz"]
    after: dict[str, int] = {}

    def look(done: int, _total: int) -> None:
        after.update({name: (tmp_path / "broken" / name).stat().st_mtime_ns for name in before})

    generate.generate("test", wanted, tmp_path / "broken", workers=1, observer=look)
    assert after == before
    assert contents(tmp_path / "broken") == contents(tmp_path / "whole")


def test_a_damaged_part_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(generate, "ROWS_PER_PART", 20)
    with pytest.raises(KeyboardInterrupt):
        generate.generate("test", WANTED, tmp_path, observer=interrupt)
    part = tmp_path / ".ladder2-00001.npz"
    part.write_bytes(part.read_bytes()[:-100])
    with pytest.raises(DatasetError, match=r"ladder2-00001\.npz: damaged .*; remove it, and the same command makes"):
        made(tmp_path)
    part.unlink()
    made(tmp_path)
    assert len(read_dataset(tmp_path)[1][0]) == 50


@pytest.mark.parametrize("finished", [True, False])
def test_another_data_set_in_the_same_folder_is_refused(finished: bool, tmp_path: Path):
    if finished:
        made(tmp_path)
    else:
        with pytest.raises(KeyboardInterrupt):
            generate.generate("test", [(ladder(2), 40)], tmp_path, observer=interrupt)
    before = contents(tmp_path)
    for name, wanted, seed in (("other", WANTED, 0), ("test", WANTED, 1), ("test", WANTED[:1], 0)):
        with pytest.raises(InputError, match=r"expected .*, got another"):
            generate.generate(name, wanted, tmp_path, seed=seed)
    assert contents(tmp_path) == before


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"expected a new folder or a data set to go on with; choose another"):
        made(tmp_path)
    assert contents(tmp_path) == {"notes.txt": b"mine"}


@pytest.mark.slow
def test_operating_points_that_fail_are_left_out_and_counted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(generate, "ROWS_PER_PART", 20)
    circuit = wild(a=(0.0, 0.0, 1.0), b=(2.0, 3.0, -1.001))
    manifest = generate.generate("test", [(circuit, 30)], tmp_path, workers=1)
    drawn = [circuit.draw(default_rng([0, 0, part]), rows) for part, rows in enumerate((20, 10))]
    a, b = (np.concatenate([each[name] for each in drawn]) for name in ("a", "b"))
    lost, outside = int((a == 1).sum()), int(((a == 0) & (b < 0)).sum())
    assert manifest.circuits[0].failed == {"invalid": lost, "outside what its sources allow": outside}
    samples = read_dataset(tmp_path)[1][0]
    assert samples.values.tolist() == np.stack([a, b], axis=1)[(a == 0) & (b > 0)].tolist()
    assert 0 < len(samples) == 30 - lost - outside
    gain = samples.values[:, 1]
    assert_allclose(samples.voltages[:, samples.topology.nets.index("z")], gain / (1 + gain), rtol=1e-5)


@pytest.mark.slow
def test_a_data_set_without_any_operating_point_is_refused(tmp_path: Path):
    with pytest.raises(DatasetError, match=r"wild: expected some operating points, but all 5 failed: \{'invalid': 5"):
        generate.generate("test", [(wild(a=(1.0,), b=(2.0,)), 5)], tmp_path, workers=1)
    assert not (tmp_path / "manifest.json").exists()


def test_a_netlist_that_ngspice_refuses_is_an_error(tmp_path: Path):
    circuit = replace(
        ladder(1), exact=False, netlist=ladder(1).netlist + ".model n nmos level=999\nm1 in in 0 0 n mm=1\n"
    )
    with pytest.raises(SimulationError, match=r"ladder1\.cir"):
        generate.generate("test", [(circuit, 5)], tmp_path, workers=1)


NO_GRAPH = ladder(1).netlist + "b1 n1 0 i=v(n1)\n"
REFUSED = ladder(1).netlist + ".model n nmos level=999\nm1 in in 0 0 n mm=1\n"
NO_NUMBER = ladder(1).netlist + "r9 n1 0 {log(-1)}\n"


@pytest.mark.parametrize(("netlist", "exact"), [(NO_GRAPH, False), (REFUSED, False), (NO_NUMBER, True)])
def test_a_netlist_is_refused_before_the_folder_is_begun(netlist: str, exact: bool, tmp_path: Path):
    circuit = replace(ladder(1), exact=exact)
    with pytest.raises((SimulationError, InputError)):
        generate.generate("test", [(circuit, 5), (replace(circuit, netlist=netlist), 5)], tmp_path / "d", workers=1)
    assert not (tmp_path / "d").exists()
    generate.generate("test", [(circuit, 5)], tmp_path / "d", workers=1)
    assert len(read_dataset(tmp_path / "d")[1][0]) == 5


def test_what_a_kill_in_the_first_write_left_is_no_obstacle(tmp_path: Path):
    for name in ("..plan.json.part", ".lock"):
        (tmp_path / name).write_bytes(b"torn")
    made(tmp_path)
    assert len(contents(tmp_path)) == 5


def test_what_a_kill_after_the_manifest_left_is_removed(tmp_path: Path):
    before = contents(made(tmp_path))
    for name in (".plan.json", ".ladder2-00000.npz", ".ladder3-00012.npz", "..plan.json.part"):
        (tmp_path / name).write_bytes(b"left")
    made(tmp_path)
    assert contents(tmp_path) == before


def test_two_processes_do_not_make_one_data_set(tmp_path: Path):
    tried: list[str] = []

    def try_it(*_: int) -> None:
        with pytest.raises(InputError) as refusal:
            made(tmp_path / "d")
        tried.append(str(refusal.value))

    generate.generate("test", WANTED, tmp_path / "d", observer=try_it)
    assert tried == [f"{tmp_path / 'd'}: another process writes this data set; wait for it or end it"] * 2
    assert contents(tmp_path / "d") == contents(made(tmp_path / "alone"))


@pytest.mark.parametrize(("source", "rows"), [("i1 0 a 1m", 5), ("v1 b 0 1\ne1 a 0 b 0 1000", 0)])
def test_only_voltage_sources_say_what_is_too_high(source: str, rows: int, tmp_path: Path):
    # 1 mA into 1 MOhm are 1 kV, as they should be; a kilovolt from a source of 1 V is taken for a solver's mistake.
    circuit = SampledCircuit(
        "high", f".param r=1\n{source}\nr1 a 0 {{r}}\n", lambda _, n: {"r": np.full(n, 1e6)}, False
    )
    if not rows:
        with pytest.raises(DatasetError, match="'outside what its sources allow': 5"):
            generate.generate("test", [(circuit, 5)], tmp_path, workers=1)
        return
    generate.generate("test", [(circuit, 5)], tmp_path, workers=1)
    samples = read_dataset(tmp_path)[1][0]
    assert_allclose(samples.voltages[:, samples.topology.nets.index("a")], [1000.0] * rows, rtol=1e-3)

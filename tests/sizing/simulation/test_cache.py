"""A cache answers what it knows, under keys of all that an outcome depends on, to several processes, within bounds."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import sizing
from sizing.errors import InputError
from sizing.simulation.cache import NAME, KeyOf, SimulationCache
from sizing.simulation.simulator import Failed, Measured, Reason
from sizing.specfile.load import Spec, load_spec
from sizing.task.job import Job

SIZING = [sys.executable, "-c", "from sizing.cli import main; main()"]


def counts(result: sizing.Result) -> list[object]:
    columns = ["sims_initial", "sims_search", "sims_oracle", "sims_total", "cache_hits", "first_in_spec_at"]
    return [None if pd.isna(value) else int(value) for value in result.table.iloc[0][columns]]


@pytest.mark.slow
def test_a_second_run_sees_the_same_designs_and_simulates_none(amplifier: Spec, tmp_path: Path):
    def run(name: str, cache: Path | None = tmp_path / "cache", seed: int = 3) -> sizing.Result:
        return sizing.run(amplifier, method="oracle", seed=seed, out=tmp_path / name, workers=1, cache=cache)

    plain, first, second = run("plain", None), run("first"), run("second")
    designs = [(result.folder / "designs.csv").read_bytes() for result in (plain, first, second)]
    assert designs[0] == designs[1] == designs[2]
    assert plain.status == first.status == second.status
    evaluations = len(plain.record.simulations)
    assert counts(plain)[4] is None
    assert counts(first) == [*counts(plain)[:4], 0, counts(plain)[5]]
    assert counts(second) == [0, 0, 0, 0, evaluations, 0]
    another = run("another", seed=4)
    initial, search, oracle, total, hits, _ = counts(another)
    assert initial + search + oracle + hits == len(another.record.simulations)
    assert total == initial + search


@pytest.mark.slow
def test_a_run_with_a_cache_is_taken_up_as_it_was(amplifier: Spec, tmp_path: Path):
    settings = {"method": "evo", "workers": 1, "cache": tmp_path / "cache", "max_sims": 60}
    sizing.run(amplifier, seed=1, out=tmp_path / "before", **settings | {"max_sims": 25})
    whole = sizing.run(amplifier, seed=1, out=tmp_path / "whole", **settings)
    assert counts(whole)[4] == 25
    shutil.copytree(whole.folder, tmp_path / "cut")
    journal = (whole.folder / "journal.jsonl").read_bytes()
    (tmp_path / "cut" / "journal.jsonl").write_bytes(b"".join(journal.splitlines(keepends=True)[:33]))
    resumed = sizing.resume(tmp_path / "cut", workers=1)
    assert resumed.designs.equals(whole.designs)
    assert counts(resumed)[4] == 25 + (60 - 30)


def key(folder: Path, version: str = "39", m1: float = 1.0) -> bytes:
    return KeyOf(load_spec(folder / "cs_amp.yaml").task, version)(Job({"m1": m1, "rl": 100.0}))


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("netlists/cs_amp.cir", "l=90n", "l=91n"),
        ("netlists/bptm45.mod", "vth0", "VTH0"),
        ("cs_amp.yaml", "cl out 0 50f", "cl out 0 51f"),
        ("cs_amp.yaml", "ac dec 20", "ac dec 21"),
        ("cs_amp.yaml", "measure: bandwidth", "measure: unity_gain_frequency"),
    ],
)
def test_the_key_changes_with_whatever_an_outcome_depends_on(
    name: str, before: str, after: str, specs: Path, tmp_path: Path
):
    shutil.copytree(specs, tmp_path, dirs_exist_ok=True)
    original = key(tmp_path)
    text = (tmp_path / name).read_text()
    assert before in text
    (tmp_path / name).write_text(text.replace(before, after))
    assert key(tmp_path) != original


def test_the_key_is_of_version_and_values_and_not_of_where_files_are(specs: Path, tmp_path: Path):
    shutil.copytree(specs, tmp_path, dirs_exist_ok=True)
    assert len({key(specs), key(specs, "40"), key(specs, m1=2.0)}) == 3
    assert key(specs) == key(tmp_path)


@pytest.mark.parametrize("target", ["at_least: 4", "at_least: 3, at_most: 9", "at_least: 3, weight: 2"])
def test_the_key_is_not_of_targets_and_weights(target: str, specs: Path, tmp_path: Path):
    shutil.copytree(specs, tmp_path, dirs_exist_ok=True)
    text = (tmp_path / "cs_amp.yaml").read_text()
    assert "at_least: 3}" in text
    (tmp_path / "cs_amp.yaml").write_text(text.replace("at_least: 3}", f"{target}}}"))
    assert key(tmp_path) == key(specs)


@pytest.mark.parametrize(
    ("reason", "kept"),
    [("convergence", True), ("crash", False), ("timeout", False), ("memory", False), ("invalid", False)],
)
def test_failures_that_need_not_happen_again_are_not_kept(reason: Reason, kept: bool, tmp_path: Path):
    with SimulationCache(tmp_path) as cache:
        cache.put(b"k", Failed(reason, "words"))
        assert cache.get(b"k") == (Failed(reason, "words", cached=True) if kept else None)


def test_outcomes_come_back_as_they_were(tmp_path: Path):
    outcome = Measured((0.1 + 0.2, 1e-300, float("nan")), {2: "no crossing"})
    with SimulationCache(tmp_path) as cache:
        cache.put(b"k", outcome)
    with SimulationCache(tmp_path) as cache:
        assert repr(cache.get(b"k")) == repr(replace(outcome, cached=True))
        assert cache.get(b"other") is None


WRITER = """
import sys
from pathlib import Path
from sizing.simulation.cache import SimulationCache
from sizing.simulation.simulator import Measured
with SimulationCache(Path(sys.argv[1])) as cache:
    for number in range(300):
        cache.put(f"{sys.argv[2]} {number % 200}".encode(), Measured((float(number % 200),), {}))
"""


@pytest.mark.slow
def test_processes_share_it(tmp_path: Path):
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), str(n)]) for n in range(3)]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    with SimulationCache(tmp_path) as cache:
        assert cache.info().outcomes == 600
        assert cache.get(b"1 150") == Measured((150.0,), {}, cached=True)


def test_it_stays_within_its_bounds_and_drops_what_was_used_longest_ago(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("sizing.simulation.cache.LARGEST_BYTES", 100_000)
    with SimulationCache(tmp_path) as cache:
        for number in range(2000):
            monkeypatch.setattr("sizing.simulation.cache.time.time", lambda now=number * 100_000: float(now))
            cache.put(str(number).encode(), Measured((float(number),) * 5, {}))
            cache.get(b"7")
    with SimulationCache(tmp_path) as cache:
        assert cache.info().bytes <= 100_000
        assert (tmp_path / NAME).stat().st_size <= 120_000
        assert cache.info().outcomes > 200
        assert cache.get(b"1999") is not None
        assert cache.get(b"7") is not None
        assert cache.get(b"8") is None


def test_a_file_that_is_no_cache_is_refused(tmp_path: Path):
    (tmp_path / NAME).write_text("something else " * 100)
    with pytest.raises(InputError, match="cannot hold a cache of simulations: file is not a database"):
        SimulationCache(tmp_path)


@pytest.mark.slow
def test_the_command_line_uses_shows_and_prunes_it(specs: Path, tmp_path: Path):
    def sizing_command(*arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*SIZING, *map(str, arguments)], cwd=tmp_path, capture_output=True, text=True)

    for out in ("a", "b"):
        done = sizing_command(
            "run", specs / "cs_amp.yaml", "--method", "evo", "--max-sims", 30, "--cache", "c", "--out", out
        )
        assert done.returncode == 0, done.stderr
    assert "cache_hits" in sizing_command("table", "b").stdout
    assert "30 simulations" in sizing_command("cache", "info", "c").stdout
    assert "dropped 30 simulations, 0 left" in sizing_command("cache", "prune", "c").stdout
    missing = sizing_command("cache", "info", "nowhere")
    assert missing.returncode == 2
    assert "expected a cache of simulations" in missing.stderr

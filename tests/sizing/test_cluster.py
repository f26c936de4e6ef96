"""Runs and comparisons on a Dask cluster leave the records of local ones, whatever dies on the way."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

import sizing
from benchmarks.faulty import Faults, Faulty
from sizing.compare import compare
from sizing.mistakes import InputError
from sizing.simulation.pool import SimulationPool
from sizing.simulation.simulator import Failed, Outcome, SimulationError
from sizing.spec.load import Spec

distributed = pytest.importorskip("distributed")

from sizing.cluster import ClusterPool, joined  # noqa: E402

SIZING = [sys.executable, "-c", "from sizing.cli import main; main()"]


@pytest.fixture(scope="module")
def client() -> Iterator["distributed.Client"]:
    """Of a cluster of two worker processes."""
    with joined("dask", 2) as client:
        yield client


@pytest.fixture
def address(client: "distributed.Client") -> str:
    return client.scheduler.address


def worker_pids(client: "distributed.Client") -> list[int]:
    client.wait_for_workers(2)
    return list(client.run(os.getpid).values())


def kill_one(client: "distributed.Client") -> None:
    os.kill(worker_pids(client)[0], signal.SIGKILL)


def simulators_of(client: "distributed.Client") -> list[psutil.Process]:
    """Processes below the Dask workers that simulate."""
    below = [child for pid in worker_pids(client) for child in psutil.Process(pid).children(recursive=True)]
    return [child for child in below if os.path.basename(child.cwd()).isdigit()]


def jobs(spec: Spec, count: int) -> list[dict[str, float]]:
    return [spec.problem.values((index % 99, index % 50)) for index in range(count)]


def told(outcomes: list[Outcome]) -> list[str]:
    return [f"{o.reason}: {o.message}" if isinstance(o, Failed) else str(o.values) for o in outcomes]


def journal(folder: Path) -> bytes:
    return (folder / "journal.jsonl").read_bytes()


def test_a_run_leaves_the_same_records_and_no_simulator(
    client: "distributed.Client", address: str, amplifier: Spec, tmp_path: Path
):
    local = sizing.run(amplifier, method="fc", seed=6, max_sims=60, out=tmp_path / "local", workers=1)
    remote = sizing.run(amplifier, method="fc", seed=6, max_sims=60, out=tmp_path / "dask", executor=address)
    assert journal(remote.folder) == journal(local.folder)
    assert (remote.folder / "designs.csv").read_bytes() == (local.folder / "designs.csv").read_bytes()
    assert remote.record.manifest["versions"] == local.record.manifest["versions"]
    assert simulators_of(client) == []


def test_a_run_that_loses_a_worker_and_is_taken_up_leaves_the_same_records(
    client: "distributed.Client", address: str, amplifier: Spec, tmp_path: Path
):
    def kill_then_interrupt(progress: sizing.Progress) -> None:
        if progress.iteration == 2:
            kill_one(client)
        if progress.iteration == 5:
            raise KeyboardInterrupt

    local = sizing.run(amplifier, method="evo", seed=6, max_sims=80, out=tmp_path / "local", workers=1)
    first = sizing.run(
        amplifier,
        method="evo",
        seed=6,
        max_sims=80,
        out=tmp_path / "dask",
        executor=address,
        observer=kill_then_interrupt,
    )
    assert first.status == "interrupted"
    assert sizing.resume(first.folder, executor=address).status == "max_sims"
    assert journal(first.folder) == journal(local.folder)


def test_jobs_of_a_lost_worker_are_done_again_and_outcomes_keep_their_order(
    client: "distributed.Client", amplifier: Spec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("sizing.cluster.MOST_IN_FLIGHT", 20)
    with SimulationPool(amplifier.task, 1, 60) as pool:
        expected = told(pool.run(jobs(amplifier, 100)))
    outcomes = []
    with ClusterPool(client, partial(SimulationPool, amplifier.task, 1, 60)) as remote:
        for outcome in remote.stream(jobs(amplifier, 100)):
            outcomes.append(outcome)
            if len(outcomes) in (10, 60):
                kill_one(client)
    assert told(outcomes) == expected


@pytest.mark.parametrize("kind", ["segfault", "hang", "nan"])
def test_simulators_that_fail_are_told_as_locally(
    kind: str, client: "distributed.Client", amplifier: Spec, tmp_path: Path
):
    def make(name: str) -> Callable[[], SimulationPool]:
        (tmp_path / name).mkdir()
        faults = Faults(tmp_path / name, (kind,), rate=0.5, seed=1, always=True)
        return partial(SimulationPool, amplifier.task, 1, 1.0, 4e9, partial(Faulty, faults=faults))

    with make("local")() as pool, ClusterPool(client, make("dask")) as remote:
        expected = told(pool.run(jobs(amplifier, 4)))
        assert told(remote.run(jobs(amplifier, 4))) == expected
    assert len({line.partition(":")[0] for line in expected}) > 1


def test_a_deck_that_is_refused_is_told_as_locally(client: "distributed.Client", opamp: Spec, tmp_path: Path):
    wrong = {name: float("nan") for name in opamp.problem.values(opamp.problem.middle)}
    with SimulationPool(opamp.task, 1, 60) as pool, pytest.raises(SimulationError) as local:
        pool.load(wrong)
    with ClusterPool(client, partial(SimulationPool, opamp.task, 1, 60)) as remote:
        with pytest.raises(SimulationError) as there:
            remote.load(wrong)
    assert (there.value.reason, there.value.message) == (local.value.reason, local.value.message)


def test_a_comparison_that_loses_a_worker_leaves_the_records_of_a_local_one(
    client: "distributed.Client", address: str, specs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    arguments = ([specs / "cs_amp.yaml"], ["evo", "fc"], [0, 1])
    local = compare(*arguments, tmp_path / "local", max_sims=40, jobs=1)
    killer = threading.Timer(1.0, kill_one, (client,))
    killer.start()
    remote = compare(*arguments, "dask", max_sims=40, executor=address)  # a relative folder holds there too
    killer.join()
    assert remote.failures == {}
    assert [journal(r.path) for r in remote.records] == [journal(r.path) for r in local.records]
    assert len(remote.records) == 4


def test_a_comparison_that_is_killed_leaves_its_runs_to_the_next_call(
    client: "distributed.Client", address: str, specs: Path, tmp_path: Path
):
    arguments = ["compare", str(specs / "cs_amp.yaml"), "--methods", "evo,random", "--seeds", "0", "--max-sims", "400"]
    command = [*SIZING, *arguments, "--out", "out", "--scheduler", address]
    killed = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL)
    while not (tmp_path / "out" / "cs_amp-evo-s0" / "journal.jsonl").exists():
        time.sleep(0.02)
        assert killed.poll() is None
    killed.kill()
    killed.wait()
    half = len(journal(tmp_path / "out" / "cs_amp-evo-s0"))
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    subprocess.run(
        [*SIZING, *arguments, "--out", "whole", "--jobs", "1"], cwd=tmp_path, check=True, capture_output=True
    )
    for name in ("cs_amp-evo-s0", "cs_amp-random-s0"):
        assert journal(tmp_path / "out" / name) == journal(tmp_path / "whole" / name)
    assert half < len(journal(tmp_path / "out" / "cs_amp-evo-s0"))


def failed(*arguments: str, prelude: str = "") -> str:
    """What the command line says when it ends with exit status 2."""
    ended = subprocess.run(
        [sys.executable, "-c", f"{prelude}from sizing.cli import main; main()", *arguments],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert ended.returncode == 2, ended.stderr
    return ended.stderr


def test_without_the_extra_the_error_says_how_to_get_it(specs: Path, tmp_path: Path):
    arguments = ["run", str(specs / "cs_amp.yaml"), "--out", str(tmp_path / "run"), "--executor", "dask"]
    said = failed(*arguments, prelude="import sys; sys.modules['distributed'] = None; ")
    assert said.startswith("error: executor dask: expected Dask, got ")
    assert said.endswith("install it with: pip install 'circuit-sizing[cluster]'\n")
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("command", ["run", "compare"])
def test_an_address_where_nobody_answers_is_an_error_within_seconds(command: str, specs: Path, tmp_path: Path):
    began = time.monotonic()
    said = failed(
        command, str(specs / "cs_amp.yaml"), "--out", str(tmp_path / "out"), "--scheduler", "tcp://127.0.0.1:9"
    )
    assert time.monotonic() - began < 30  # five seconds, and the start of Python on a busy machine
    assert said.startswith(
        "error: tcp://127.0.0.1:9: expected the address of a Dask scheduler, such as tcp://head:8786"
    )
    assert len(said.splitlines()) == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("address", ["head", "tcp://head", "nosuch://head:8786"])
def test_what_is_no_address_is_an_error(address: str, amplifier: Spec, tmp_path: Path):
    with pytest.raises(InputError, match="expected the address of a Dask scheduler"):
        sizing.run(amplifier, out=tmp_path / "run", executor=address)


def test_a_schedulers_workers_are_as_many_as_they_are(address: str, amplifier: Spec, tmp_path: Path):
    with pytest.raises(InputError, match="expected no number of workers or jobs, got 3"):
        sizing.run(amplifier, out=tmp_path / "run", executor=address, workers=3)


def test_workers_that_may_have_no_processes_are_told_apart(amplifier: Spec, tmp_path: Path):
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster,
        pytest.raises(
            InputError, match="may not start simulators: expected one that was started with `dask worker --no"
        ),
    ):
        sizing.run(amplifier, out=tmp_path / "run", executor=cluster.scheduler_address)

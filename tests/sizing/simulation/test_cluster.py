"""Runs and comparisons on a Dask cluster leave the records of local ones, whatever dies on the way."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import psutil
import pytest

import sizing
from benchmarks.faulty import Faults, Faulty
from sizing.errors import InputError
from sizing.runs.compare import compare
from sizing.simulation.pool import SimulationPool
from sizing.simulation.simulations import in_order
from sizing.simulation.simulator import Failed, Outcome, SimulationError
from sizing.specfile.load import Spec
from sizing.task.job import Job

dask = pytest.importorskip("dask")
distributed = pytest.importorskip("distributed")

from sizing.simulation.cluster import ClusterPool, joined  # noqa: E402

pytestmark = pytest.mark.slow

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
    """Of both, once one that was killed has been started again."""
    deadline = time.monotonic() + 180
    while len(pids := client.run(os.getpid, on_error="ignore")) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return list(pids.values())


def kill_one(client: "distributed.Client") -> None:
    os.kill(worker_pids(client)[0], signal.SIGKILL)


def simulators_of(client: "distributed.Client") -> list[psutil.Process]:
    """Processes below the Dask workers that simulate."""
    below = [child for pid in worker_pids(client) for child in psutil.Process(pid).children(recursive=True)]
    return [child for child in below if Path(child.cwd()).name.isdigit()]


def jobs(spec: Spec, count: int) -> list[Job]:
    return [spec.problem.job((index % 99, index % 50)) for index in range(count)]


def told(outcomes: list[Outcome]) -> list[str]:
    return [f"{o.reason}: {o.message}" if isinstance(o, Failed) else str(o.values) for o in outcomes]


def journal(folder: Path) -> bytes:
    return (folder / "journal.jsonl").read_bytes()


def assert_same_records(one: Path, other: Path) -> None:
    assert journal(one) == journal(other)
    assert (one / "designs.csv").read_bytes() == (other / "designs.csv").read_bytes()


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_run_leaves_the_same_records_and_no_simulator(
    client: "distributed.Client", address: str, amplifier: Spec, tmp_path: Path
):
    local = sizing.run(amplifier, method="evo", seed=6, max_sims=60, out=tmp_path / "local", workers=1)
    remote = sizing.run(amplifier, method="evo", seed=6, max_sims=60, out=tmp_path / "dask", executor=address)
    assert_same_records(remote.folder, local.folder)
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

    local = sizing.run(amplifier, method="evo", seed=6, out=tmp_path / "local", workers=1)
    how = {"method": "evo", "seed": 6, "out": tmp_path / "dask", "executor": address}
    first = sizing.run(amplifier, observer=kill_then_interrupt, **how)
    assert first.status == "interrupted"
    assert sizing.resume(first.folder, executor=address).status == local.status == "in spec"
    assert_same_records(first.folder, local.folder)


def test_looks_at_operating_points_go_to_the_same_cluster(
    client: "distributed.Client", address: str, opamp: Spec, tmp_path: Path
):
    seen: list[int] = []

    def count_then_kill(progress: sizing.Progress) -> None:
        seen.append(len(simulators_of(client)))
        if progress.iteration == 1:
            kill_one(client)

    asked = {"method": "gp-op", "initial": 10, "max_sims": 14, "ranking": {"looked_at": 20, "looked_children": 10}}
    local = sizing.run(opamp, **asked, out=tmp_path / "local", workers=1)
    remote = sizing.run(opamp, **asked, out=tmp_path / "dask", executor=address, observer=count_then_kill)
    assert_same_records(remote.folder, local.folder)
    assert seen[0] <= 2 < max(seen)  # workers have simulators, and later others that look
    assert simulators_of(client) == []


def test_jobs_of_a_lost_worker_are_done_again_and_outcomes_keep_their_order(
    client: "distributed.Client", amplifier: Spec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("sizing.simulation.cluster.MOST_IN_FLIGHT", 20)
    with SimulationPool(amplifier.task, 1, 60) as pool:
        expected = told(pool.run(jobs(amplifier, 100)))
    outcomes = []
    with ClusterPool(client, partial(SimulationPool, amplifier.task, 1, 60)) as remote:
        for outcome in in_order(remote, jobs(amplifier, 100)):
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
    wrong = Job(dict.fromkeys(opamp.task.variables, float("nan")))
    with SimulationPool(opamp.task, 1, 60) as pool, pytest.raises(SimulationError) as local:
        pool.load(wrong)
    make = partial(SimulationPool, opamp.task, 1, 60)
    with ClusterPool(client, make) as remote, pytest.raises(SimulationError) as there:
        remote.load(wrong)
    assert (there.value.reason, there.value.message) == (local.value.reason, local.value.message)


def test_a_comparison_that_loses_a_worker_leaves_the_records_of_local_runs(
    client: "distributed.Client", address: str, amplifier: Spec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    seeds = [0, 1, 2]
    victim = worker_pids(client)[0]

    def kill_when_runs_are_under_way() -> None:
        wait_for(tmp_path / "dask" / "cs_amp-evo-s0" / "journal.jsonl")
        os.kill(victim, signal.SIGKILL)

    killer = threading.Thread(target=kill_when_runs_are_under_way)
    killer.start()
    remote = compare([amplifier.path], ["evo"], seeds, "dask", max_sims=40, executor=address)  # a folder from here
    killer.join()
    assert remote.failures == {}
    assert [record.manifest["seed"] for record in remote.records] == seeds
    for record in remote.records:
        seed = record.manifest["seed"]
        local = sizing.run(amplifier, method="evo", seed=seed, max_sims=40, out=tmp_path / f"s{seed}", workers=1)
        assert journal(record.path) == journal(local.folder)


def test_a_comparison_that_is_killed_leaves_its_runs_to_the_next_call(address: str, amplifier: Spec, tmp_path: Path):
    out, method = tmp_path / "out", "evo:in_spec=300"
    arguments = ["--methods", method, "--seeds", "0", "--max-sims", "300", "--scheduler", address, "--out", str(out)]
    killed = subprocess.Popen([*SIZING, "compare", str(amplifier.path), *arguments], stderr=subprocess.DEVNULL)
    folder = out / f"cs_amp-{method}-s0"
    wait_for(folder / "journal.jsonl")
    assert killed.poll() is None
    killed.kill()
    killed.wait()
    half = journal(folder)
    assert compare([amplifier.path], [method], [0], out, max_sims=300, executor=address).failures == {}
    local = sizing.run(amplifier, method="evo", in_spec=300, max_sims=300, out=tmp_path / "local", workers=1)
    assert journal(folder) == journal(local.folder)
    assert len(half) < len(journal(folder))


@pytest.mark.parametrize("command", ["run", "compare"])
def test_ctrl_c_leaves_no_process_behind(command: str, specs: Path, tmp_path: Path):
    arguments = [command, str(specs / "cs_amp.yaml"), "--executor", "dask", "--max-sims", "2000", "--out", "out"]
    arguments += ["--method", "random"] if command == "run" else ["--methods", "random", "--seeds", "0"]
    folder = tmp_path / "out" if command == "run" else tmp_path / "out" / "cs_amp-random-s0"
    marked = os.environ | {"LEFT_BEHIND": str(tmp_path)}
    interrupted = subprocess.Popen(
        [*SIZING, *arguments], cwd=tmp_path, env=marked, text=True, stderr=subprocess.PIPE, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    wait_for(folder / "journal.jsonl")
    os.killpg(interrupted.pid, signal.SIGINT)
    _, said = interrupted.communicate(timeout=60)
    assert interrupted.returncode == 130
    assert "Traceback" not in said
    assert [process for process in psutil.process_iter() if is_marked(process, tmp_path)] == []


def is_marked(process: psutil.Process, folder: Path) -> bool:
    with suppress(psutil.Error):
        return process.environ().get("LEFT_BEHIND") == str(folder)
    return False


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
        dask.config.set({"distributed.worker.daemon": True}),  # Dask's default
        distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster,
        pytest.raises(InputError, match="may not start simulators: expected one that was started with `dask worker"),
    ):
        sizing.run(amplifier, out=tmp_path / "run", executor=cluster.scheduler_address)

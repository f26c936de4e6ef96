"""The pool keeps order, survives its workers, and ends every job in an outcome."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import psutil
import pytest

from benchmarks.faulty import LAST_WORDS, Faults, Faulty
from sizing.simulation.pool import SimulationPool
from sizing.simulation.simulator import Failed, Measured, SimulationError
from sizing.specfile.load import Spec
from sizing.task.job import Job


def jobs(spec: Spec, count: int) -> list[Job]:
    return [spec.problem.job((index % 99, index % 50)) for index in range(count)]


def metrics(outcomes: list[Measured | Failed]) -> list[str]:
    return [str(outcome.values) if isinstance(outcome, Measured) else outcome.reason for outcome in outcomes]


def test_outcomes_come_in_the_order_of_the_jobs_whatever_the_number_of_workers(amplifier: Spec):
    with SimulationPool(amplifier.task, 1, 60) as one, SimulationPool(amplifier.task, 2, 60) as two:
        assert metrics(one.run(jobs(amplifier, 30))) == metrics(two.run(jobs(amplifier, 30)))


@pytest.mark.slow
def test_a_killed_worker_costs_nothing_but_time(amplifier: Spec):
    with SimulationPool(amplifier.task, 1, 60) as pool:
        expected = metrics(pool.run(jobs(amplifier, 400)))
        (worker,) = multiprocessing.active_children()
        killed = worker.pid
        assert killed is not None
        killer = threading.Timer(0.05, os.kill, (killed, signal.SIGKILL))
        killer.start()
        assert metrics(pool.run(jobs(amplifier, 400))) == expected
        killer.join()
        assert killed not in [child.pid for child in multiprocessing.active_children()]


@pytest.mark.slow
def test_killing_workers_again_and_again_changes_no_outcome(amplifier: Spec):
    with SimulationPool(amplifier.task, 2, 60) as pool:
        expected = metrics(pool.run(jobs(amplifier, 60)))
        for _ in range(4):
            for _ in range(5):
                assert metrics(pool.run(jobs(amplifier, 60))) == expected
            victim = next(iter(multiprocessing.active_children())).pid
            assert victim is not None
            killer = threading.Timer(0.02, os.kill, (victim, signal.SIGKILL))
            killer.start()
            assert metrics(pool.run(jobs(amplifier, 60))) == expected
            killer.join()


def test_a_hanging_simulation_ends_at_the_time_limit_and_the_next_one_runs(opamp: Spec):
    with SimulationPool(opamp.task, 1, 0.01) as pool:
        (outcome,) = pool.run([opamp.problem.job(opamp.problem.start)])
    assert isinstance(outcome, Failed)
    assert (outcome.reason, outcome.message) == ("timeout", "no result within 0.01 s, twice")


def test_no_worker_outlives_its_pool(amplifier: Spec):
    with SimulationPool(amplifier.task, 2, 60) as pool:
        pool.run(jobs(amplifier, 4))
        assert len(multiprocessing.active_children()) == 2
    assert multiprocessing.active_children() == []


def test_a_worker_is_replaced_after_its_share_of_jobs(amplifier: Spec, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sizing.simulation.pool.JOBS_PER_WORKER", 10)
    with SimulationPool(amplifier.task, 1, 60) as pool:
        pool.run(jobs(amplifier, 10))
        (first,) = multiprocessing.active_children()
        before = first.pid
        assert all(isinstance(outcome, Measured) for outcome in pool.run(jobs(amplifier, 5)))
        (second,) = multiprocessing.active_children()
        assert second.pid != before


FAULTS = ["segfault", "abort", "leave", "kill", "hang", "swell", "nan", "short", "wild"]


def pool_with(faults: Faults, spec: Spec, workers: int = 1) -> SimulationPool:
    timeout = 2.0 if "hang" in faults.kinds else 60.0
    return SimulationPool(spec.task, workers, timeout, 3e8, partial(Faulty, faults=faults))


@pytest.mark.slow
@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_that_happens_once_changes_no_outcome(kind: str, amplifier: Spec, tmp_path: Path):
    with SimulationPool(amplifier.task, 1, 60) as pool:
        expected = metrics(pool.run(jobs(amplifier, 3)))
    with pool_with(Faults(tmp_path, (kind,), rate=0.5, seed=1), amplifier) as pool:
        assert metrics(pool.run(jobs(amplifier, 3))) == expected
    assert list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "reason", "message"),
    [
        ("segfault", "crash", f"the simulator's process died twice, killed by signal 11 ({LAST_WORDS})"),
        ("leave", "crash", f"the simulator's process died twice, exit code 3 ({LAST_WORDS})"),
        ("hang", "timeout", "no result within 2 s, twice"),
        ("swell", "memory", "needs more than 0.3 GB of memory (`memory` in the settings)"),
        ("nan", "invalid", "amplifier.bias: i(vdd) is not finite (ngspice: without a word)"),
        (
            "wild",
            "invalid",
            "amplifier.bias: v(vdd) is 1.2e+06 V where sources allow 4.2 V at most (ngspice: without a word)",
        ),
        ("short", "invalid", "amplifier.bias: i(vdd) has 2 points, expected 1 (ngspice: without a word)"),
    ],
)
def test_a_fault_that_happens_again_is_recorded_with_reason_and_last_words(
    kind: str, reason: str, message: str, amplifier: Spec, tmp_path: Path
):
    with pool_with(Faults(tmp_path, (kind,), always=True), amplifier) as pool:
        (outcome,) = pool.run(jobs(amplifier, 1))
    assert isinstance(outcome, Failed)
    assert (outcome.reason, outcome.message) == (reason, message)


def test_a_licence_that_is_not_there_at_once_is_waited_for(
    amplifier: Spec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("sizing.simulation.pool.SECONDS_OF_FIRST_PAUSE", 0.01)
    with pool_with(Faults(tmp_path, (), starts=5), amplifier, workers=2) as pool:
        assert all(isinstance(outcome, Measured) for outcome in pool.run(jobs(amplifier, 4)))


@pytest.mark.slow
def test_workers_that_never_start_end_in_an_error_with_their_words_not_in_a_loop(
    amplifier: Spec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("sizing.simulation.pool.SECONDS_OF_FIRST_PAUSE", 0.001)
    expected = r"simulator processes do not start, exit code 1 \(.*OSError: no licence: all 4 in use\)"
    with (
        pool_with(Faults(tmp_path, (), starts=1000), amplifier) as pool,
        pytest.raises(SimulationError, match=expected),
    ):
        pool.run(jobs(amplifier, 1))


@pytest.mark.slow
def test_a_script_that_starts_simulations_when_imported_is_told_at_once(specs: Path, tmp_path: Path):
    script = tmp_path / "unguarded.py"
    script.write_text(f"import sizing\nsizing.run({str(specs / 'cs_amp.yaml')!r}, out={str(tmp_path / 'run')!r})\n")
    ended = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=60)
    assert 'under `if __name__ == "__main__":`' in ended.stderr.splitlines()[-1]
    assert ended.stderr.count("Traceback") == 1
    assert not (tmp_path / "run").exists()


HANGING = """
import sys, threading, time
from functools import partial
from pathlib import Path
from benchmarks.faulty import Faulty, Faults
from sizing.simulation.pool import SimulationPool
from sizing.specfile.load import load_spec

if __name__ == "__main__":
    spec = load_spec(sys.argv[1])
    faults = Faults(Path(sys.argv[2]), ("hang",), always=True)
    with SimulationPool(spec.task, 1, 100, simulator=partial(Faulty, faults=faults)) as pool:
        print(pool._scratch.name, pool._workers[0]._process.pid, flush=True)
        pool.run([spec.problem.job(spec.problem.start)])
"""


@pytest.mark.slow
def test_hanging_workers_and_their_files_go_with_a_killed_main_process(specs: Path, tmp_path: Path):
    command = [sys.executable, "-c", HANGING, str(specs / "cs_amp.yaml"), str(tmp_path)]
    main = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert main.stdout is not None
    scratch, worker = main.stdout.readline().split()
    assert psutil.pid_exists(int(worker))
    time.sleep(1)
    main.kill()
    main.communicate()
    for _ in range(100):
        if not Path(scratch).exists() and not psutil.pid_exists(int(worker)):
            break
        time.sleep(0.1)
    assert not Path(scratch).exists()
    assert not psutil.pid_exists(int(worker))


def test_a_worker_writes_nothing_where_the_run_was_started(amplifier: Spec, tmp_path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    with SimulationPool(amplifier.task, 1, 60) as pool:
        pool.run(jobs(amplifier, 2))
    assert list(tmp_path.iterdir()) == []

"""The pool keeps order, survives its workers, and ends every job in an outcome."""

import multiprocessing
import os
import signal
import threading
import time

import pytest

from sizing.simulation.pool import SimulationPool
from sizing.simulation.simulator import Failed, Measured, Task
from sizing.spec.load import Spec


def task(spec: Spec) -> Task:
    return Task(spec.benches, spec.measures, tuple(variable.name for variable in spec.problem.variables))


def jobs(spec: Spec, count: int) -> list[dict[str, float]]:
    return [spec.problem.values((index % 99, index % 50)) for index in range(count)]


def metrics(outcomes: list[Measured | Failed]) -> list[str]:
    return [str(outcome.values) if isinstance(outcome, Measured) else outcome.reason for outcome in outcomes]


def test_outcomes_come_in_the_order_of_the_jobs_whatever_the_number_of_workers(amplifier: Spec):
    with SimulationPool(task(amplifier), 1, 60) as one, SimulationPool(task(amplifier), 2, 60) as two:
        assert metrics(one.run(jobs(amplifier, 30))) == metrics(two.run(jobs(amplifier, 30)))


def test_a_killed_worker_costs_nothing_but_time(amplifier: Spec):
    with SimulationPool(task(amplifier), 1, 60) as pool:
        expected = metrics(pool.run(jobs(amplifier, 400)))
        (worker,) = multiprocessing.active_children()
        assert worker.pid is not None
        killer = threading.Timer(0.05, os.kill, (worker.pid, signal.SIGKILL))
        killer.start()
        assert metrics(pool.run(jobs(amplifier, 400))) == expected
        killer.join()
        assert worker.pid not in [child.pid for child in multiprocessing.active_children()]


def test_a_hanging_simulation_ends_at_the_time_limit_and_the_next_one_runs(opamp: Spec):
    with SimulationPool(task(opamp), 1, 0.01) as pool:
        (outcome,) = pool.run([opamp.problem.values(opamp.problem.middle)])
    assert isinstance(outcome, Failed)
    assert (outcome.reason, outcome.message) == ("timeout", "no result within 0.01 s")


def test_no_worker_outlives_its_pool(amplifier: Spec):
    with SimulationPool(task(amplifier), 2, 60) as pool:
        pool.run(jobs(amplifier, 4))
        workers = multiprocessing.active_children()
        assert len(workers) == 2
    time.sleep(0.1)
    assert not any(worker.is_alive() for worker in workers)


def test_a_worker_writes_nothing_where_the_run_was_started(amplifier: Spec, tmp_path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    with SimulationPool(task(amplifier), 1, 60) as pool:
        pool.run(jobs(amplifier, 2))
    assert list(tmp_path.iterdir()) == []

"""The pool keeps order, survives its workers, and ends every job in an outcome."""

import multiprocessing
import os
import signal
import threading

import pytest

from sizing.simulation.pool import SimulationPool
from sizing.simulation.simulator import Failed, Measured, SimulationError
from sizing.spec.load import Spec


def jobs(spec: Spec, count: int) -> list[dict[str, float]]:
    return [spec.problem.values((index % 99, index % 50)) for index in range(count)]


def metrics(outcomes: list[Measured | Failed]) -> list[str]:
    return [str(outcome.values) if isinstance(outcome, Measured) else outcome.reason for outcome in outcomes]


def test_outcomes_come_in_the_order_of_the_jobs_whatever_the_number_of_workers(amplifier: Spec):
    with SimulationPool(amplifier.task, 1, 60) as one, SimulationPool(amplifier.task, 2, 60) as two:
        assert metrics(one.run(jobs(amplifier, 30))) == metrics(two.run(jobs(amplifier, 30)))


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
        (outcome,) = pool.run([opamp.problem.values(opamp.problem.middle)])
    assert isinstance(outcome, Failed)
    assert (outcome.reason, outcome.message) == ("timeout", "no result within 0.01 s")


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


def test_a_worker_that_does_not_start_ends_in_an_error_not_in_a_loop(amplifier: Spec, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sizing.simulation.pool.serve", os._exit)
    with SimulationPool(amplifier.task, 1, 60) as pool, pytest.raises(SimulationError, match="do not start"):
        pool.run(jobs(amplifier, 1))


def test_a_worker_writes_nothing_where_the_run_was_started(amplifier: Spec, tmp_path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    with SimulationPool(amplifier.task, 1, 60) as pool:
        pool.run(jobs(amplifier, 2))
    assert list(tmp_path.iterdir()) == []

"""Simulations in worker processes: one ngspice each, warm between designs, replaced when it dies or hangs."""

import multiprocessing
import os
import signal
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, TimeoutError

from pebble import ProcessExpired, ProcessPool

from sizing.simulation.ngspice import NgSpice
from sizing.simulation.simulator import Failed, Outcome, SimulationError, Task, measured

JOBS_PER_WORKER = 2000
"""A worker is replaced after this many jobs: ngspice 39 loses some kilobytes in each."""

_task: Task | None = None
_simulator: NgSpice | None = None


class SimulationPool:
    """Evaluates designs in parallel; every job ends in an outcome, whatever happens to its worker.

    A worker that crashes or exceeds `timeout` (seconds per job) is replaced. A crashed job is tried once more.
    """

    def __init__(self, task: Task, workers: int, timeout: float) -> None:
        self._timeout = timeout
        self._scratch = tempfile.TemporaryDirectory(prefix="sizing-", ignore_cleanup_errors=True)
        self._pool = ProcessPool(
            max_workers=workers,
            max_tasks=JOBS_PER_WORKER,
            initializer=_start,
            initargs=(task, self._scratch.name),
            context=multiprocessing.get_context("spawn"),
        )

    def load(self, values: Mapping[str, float]) -> None:
        """Load the decks in one worker without simulating; raises SimulationError where ngspice refuses one."""
        future: Future[None] = self._pool.schedule(_load, args=[values], timeout=self._timeout)
        try:
            future.result()
        except (TimeoutError, ProcessExpired) as error:
            raise SimulationError("crash", f"ngspice did not load the netlist: {error or 'timeout'}") from None

    def run(self, jobs: Sequence[Mapping[str, float]]) -> list[Outcome]:
        """The outcome of every job (variable values by name), in their order."""
        futures = [self._schedule(job) for job in jobs]
        return [self._outcome(job, future) for job, future in zip(jobs, futures, strict=True)]

    def close(self) -> None:
        """End the workers at once."""
        self._pool.stop()  # type: ignore[no-untyped-call]
        self._pool.join()
        self._scratch.cleanup()

    def __enter__(self) -> "SimulationPool":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _schedule(self, job: Mapping[str, float]) -> Future[Outcome]:
        future: Future[Outcome] = self._pool.schedule(_simulate, args=[job], timeout=self._timeout)
        return future

    def _outcome(self, job: Mapping[str, float], future: Future[Outcome]) -> Outcome:
        for last in (False, True):
            try:
                return future.result()
            except TimeoutError:
                return Failed("timeout", f"no result within {self._timeout:g} s", self._timeout)
            except ProcessExpired as error:
                if last:
                    return Failed("crash", f"the simulator's process died twice: {error}")
                future = self._schedule(job)
        raise AssertionError("unreachable")


def default_workers() -> int:
    """One worker per core this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _start(task: Task, scratch: str) -> None:
    """Prepare a worker. Ctrl-C is for the main process, which ends the workers itself."""
    global _task, _simulator
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.chdir(scratch)  # some device models of ngspice write report files where they run
    _task, _simulator = task, None


def _load(values: Mapping[str, float]) -> None:
    _warm().load(values)


def _simulate(values: Mapping[str, float]) -> Outcome:
    simulator = _warm()
    assert _task is not None
    before = simulator.seconds
    try:
        results = simulator.simulate(values)
    except SimulationError as error:
        return Failed(error.reason, str(error), simulator.seconds - before)
    return measured(_task.measures, results, simulator.seconds - before)


def _warm() -> NgSpice:
    """This process's simulator; a process whose ngspice is unusable ends, and the pool replaces it."""
    global _simulator
    assert _task is not None
    if _simulator is None:
        _simulator = NgSpice(_task)
    elif _simulator.unusable:
        os._exit(70)
    return _simulator

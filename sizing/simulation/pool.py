"""Simulations in worker processes: one ngspice each, warm between designs, replaced when it dies or hangs.

Every worker has a pipe of its own and at most one job. Nothing is shared between workers, no lock and no queue, so a
worker that is killed at any moment takes nothing down with it.
"""

import multiprocessing
import os
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import Any

from sizing.bench import Task
from sizing.simulation.simulator import Failed, Outcome, SimulationError
from sizing.simulation.worker import Request, serve

JOBS_PER_WORKER = 2000
"""A worker is replaced after this many jobs: ngspice 39 loses some kilobytes in each."""
SECONDS_TO_START = 120.0
MOST_FAILED_STARTS = 3
NEVER = float("inf")

Values = Mapping[str, float]


class SimulationPool:
    """Evaluates designs in parallel; every job ends in an outcome, whatever happens to its worker.

    A worker that crashes or exceeds `timeout` (seconds per job) is replaced. The job of one that died is tried once
    more.
    """

    def __init__(self, task: Task, workers: int, timeout: float) -> None:
        self._task = task
        self._timeout = timeout
        self._scratch = tempfile.TemporaryDirectory(prefix="sizing-", ignore_cleanup_errors=True)
        self._failed_starts = 0
        self._workers = [_Worker(task, self._scratch.name) for _ in range(workers)]

    def load(self, values: Values) -> None:
        """Read the decks in one worker without simulating; raises SimulationError where ngspice refuses one."""
        (outcome,) = self._answers([Request(values, simulate=False)])
        if isinstance(outcome, Failed):
            raise SimulationError(outcome.reason, outcome.message)

    def run(self, jobs: Sequence[Values]) -> list[Outcome]:
        """The outcome of every job (variable values by name), in their order."""
        return list(self.stream(jobs))

    def stream(self, jobs: Sequence[Values]) -> Iterator[Outcome]:
        """The same, each as soon as it and those before it are there."""
        return self._answers([Request(values) for values in jobs])

    def close(self) -> None:
        """End the workers at once."""
        for worker in self._workers:
            worker.end()
        self._scratch.cleanup()

    def __enter__(self) -> "SimulationPool":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _answers(self, requests: Sequence[Request]) -> Iterator[Outcome]:
        answers: dict[int, Outcome] = {}
        waiting = deque(range(len(requests)))
        tried: set[int] = set()
        given = 0
        try:
            while len(answers) < len(requests):
                self._hand_out(waiting, requests)
                for worker in self._stirring():
                    job = worker.job
                    try:
                        outcome = worker.take()
                    except TimeoutError:
                        ending = self._replace(worker)
                        outcome = Failed("timeout", f"no result within {self._timeout:g} s", self._timeout)
                    except (EOFError, OSError):
                        ending = self._replace(worker)
                        if job is not None and job not in tried:
                            tried.add(job)
                            waiting.appendleft(job)
                            continue
                        outcome = Failed("crash", f"the simulator's process died twice, {ending}")
                    if job is not None and outcome is not None:
                        answers[job] = outcome
                    elif outcome is not None:
                        self._count_failed_start(ending)
                    else:
                        self._failed_starts = 0
                while given in answers:
                    yield answers[given]
                    given += 1
        finally:
            for worker in list(self._workers):
                if worker.job is not None:  # interrupted: its answer must not be taken for a later job's
                    self._replace(worker)

    def _hand_out(self, waiting: deque[int], requests: Sequence[Request]) -> None:
        """Give waiting jobs to idle workers; those that have done enough are replaced first."""
        for worker in list(self._workers):
            if worker.idle and worker.done >= JOBS_PER_WORKER:
                self._replace(worker)
            elif worker.idle and waiting:
                job = waiting.popleft()
                worker.give(job, requests[job], self._timeout)

    def _stirring(self) -> list["_Worker"]:
        """Wait for workers that have something to say, have died, or have run out of time."""
        deadline = min(worker.deadline for worker in self._workers)
        patience = None if deadline == NEVER else max(0.0, deadline - time.monotonic())
        ready = wait([worker.pipe for worker in self._workers], patience)
        now = time.monotonic()
        return [worker for worker in self._workers if worker.pipe in ready or worker.deadline <= now]

    def _replace(self, worker: "_Worker") -> str:
        """Put a fresh worker in place of this one; how the old one ended."""
        ending = worker.end()
        self._workers[self._workers.index(worker)] = _Worker(self._task, self._scratch.name)
        return ending

    def _count_failed_start(self, ending: str) -> None:
        self._failed_starts += 1
        if self._failed_starts > MOST_FAILED_STARTS:
            raise SimulationError("crash", f"simulator processes do not start ({ending}); is there enough memory?")


class _Worker:
    """A worker process as the pool sees it: starting until it says it is ready, then idle or at one job."""

    def __init__(self, task: Task, scratch: str) -> None:
        context = _context()
        self.pipe: Connection
        self.pipe, its_end = context.Pipe()
        self._process = context.Process(target=serve, args=(its_end, task, scratch), daemon=True)
        self._process.start()
        its_end.close()
        self.ready = False
        self.job: int | None = None
        self.done = 0
        self.deadline = time.monotonic() + SECONDS_TO_START

    @property
    def idle(self) -> bool:
        """Whether it has started and has no job."""
        return self.ready and self.job is None

    def give(self, job: int, request: Request, timeout: float) -> None:
        """Start on a job, to be done within `timeout` seconds."""
        self.job, self.deadline = job, time.monotonic() + timeout
        with suppress(OSError):  # where it has died, reading from it will say so
            self.pipe.send(request)

    def take(self) -> Outcome | None:
        """An outcome, or None where it says that it has started.

        Raises TimeoutError where it has run out of time, EOFError or another OSError where it has died.
        """
        if not self.pipe.poll():
            raise TimeoutError
        message: Outcome | None = self.pipe.recv()
        self.done += self.ready
        self.ready, self.job, self.deadline = True, None, NEVER
        return message

    def end(self) -> str:
        """Kill the process; how it ended, if it had ended before."""
        self._process.join(0.01)
        code = self._process.exitcode
        self._process.kill()
        self._process.join()
        self._process.close()
        self.pipe.close()
        return f"exit code {code}" if code is None or code >= 0 else f"killed by signal {-code}"


def _context() -> Any:
    """Where processes come from: a server that has imported what they need, so that a fresh one takes milliseconds."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["sizing.simulation.worker", "PySpice.Spice.NgSpice.Shared"])
    return context


def default_workers() -> int:
    """One worker per core this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

"""Simulations in worker processes: one simulator each, warm between designs, replaced when it dies, hangs or swells.

Every worker has a pipe of its own and at most one job. Nothing is shared between workers, no lock and no queue, so a
worker that is killed at any moment takes nothing down with it.
"""

import multiprocessing
import os
import shutil
import signal
import tempfile
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from itertools import count
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Literal, Protocol

import psutil

from sizing.errors import InputError
from sizing.simulation.ngspice import NgSpice
from sizing.simulation.processes import process_context
from sizing.simulation.simulations import Simulations, Ticket, in_order
from sizing.simulation.simulator import Failed, Outcome, SimulationError, Simulator
from sizing.simulation.worker import WORDS, Ready, Request, serve
from sizing.task.bench import Task
from sizing.task.job import Job

JOBS_PER_WORKER = 2000
"""A worker is replaced after this many jobs: ngspice 39 loses some kilobytes in each."""
SECONDS_TO_START = 120.0
MOST_FAILED_STARTS = 7
SECONDS_OF_FIRST_PAUSE = 0.5
"""Seconds before a worker that did not start is started again; twice as long each time, so a minute altogether."""
SECONDS_TO_DIE = 2.0
SECONDS_BETWEEN_LOOKS = 0.2
"""At the memory of workers."""
MEMORY_BYTES = 4e9
LAST_WORDS = 3
UNGUARDED_EXIT_STATUS = 64
"""Exit code of a worker that would start workers itself, running the script that started it once more."""
NEVER = float("inf")

End = Literal["crash", "timeout", "memory"]


class Pool(Simulations, Protocol):
    """Simulators that work side by side, on this machine or on many."""

    version: str
    """The simulator's, once a worker has started."""

    def load(self, job: Job) -> None:
        """Read the decks in one worker without simulating; raises SimulationError where the simulator refuses one."""


class SimulationPool:
    """Evaluates designs in parallel; every job ends in an outcome, whatever happens to its worker.

    A worker is replaced when it dies, gives invalid results, or exceeds `timeout` (seconds per job) or `memory` (bytes
    resident); its job is tried once more. One that does not start is tried again, for a minute; the others go on.
    """

    def __init__(
        self,
        task: Task,
        workers: int,
        timeout: float,
        memory: float = MEMORY_BYTES,
        simulator: Callable[[Task], Simulator] = NgSpice,
    ) -> None:
        if getattr(multiprocessing.current_process(), "_inheriting", False):  # a worker that still imports its script
            os._exit(UNGUARDED_EXIT_STATUS)
        self._timeout = timeout
        self._memory = memory
        self._scratch = tempfile.TemporaryDirectory(prefix="sizing-", ignore_cleanup_errors=True)
        self._how = (simulator, task)
        self._numbers = count()
        self._tickets = count()
        self._requests: dict[Ticket, Request] = {}
        """Requests of the jobs that are not done."""
        self._waiting: deque[Ticket] = deque()
        self._tried: set[Ticket] = set()
        """Jobs that have lost a worker."""
        self._done: dict[Ticket, Outcome] = {}
        self._workers = [self._new_worker() for _ in range(workers)]
        self._looked = time.monotonic()
        self.version = ""
        """The simulator's, once a worker has started."""

    def load(self, job: Job) -> None:
        """Read the decks in one worker without simulating; raises SimulationError where the simulator refuses one."""
        outcome = self._outcome(self._enqueue(Request(job, simulate=False)))
        if isinstance(outcome, Failed):
            raise SimulationError(outcome.reason, outcome.message)

    def run(self, jobs: Sequence[Job]) -> list[Outcome]:
        """The outcome of every job, in their order."""
        return list(in_order(self, jobs))

    def submit(self, job: Job) -> Ticket:
        """Have a job done by the next idle worker."""
        return self._enqueue(Request(job))

    def next_done(self) -> tuple[Ticket, Outcome]:
        """The next outcome; raises SimulationError where no worker starts, IndexError where there is no job."""
        while not self._done:
            if not self._requests:
                raise IndexError("expected a submitted job to wait for, got none")
            self._wait()
        ticket = next(iter(self._done))
        return ticket, self._done.pop(ticket)

    def abandon(self, tickets: Collection[Ticket]) -> None:
        """Forget these; a worker at one of them is replaced, since its answer must not be taken for a later job's."""
        for ticket in tickets:
            self._requests.pop(ticket, None)
            self._done.pop(ticket, None)
        self._waiting = deque(ticket for ticket in self._waiting if ticket in self._requests)
        for worker in list(self._workers):
            if worker.job is not None and worker.job not in self._requests:
                self._replace(worker)

    def close(self) -> None:
        """End the workers at once."""
        for worker in self._workers:
            worker.end()
        self._scratch.cleanup()

    def __enter__(self) -> "SimulationPool":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _enqueue(self, request: Request) -> Ticket:
        ticket = next(self._tickets)
        self._requests[ticket] = request
        self._waiting.append(ticket)
        self._hand_out()
        return ticket

    def _outcome(self, ticket: Ticket) -> Outcome:
        """Wait for this one."""
        try:
            while ticket not in self._done:
                self._wait()
            return self._done.pop(ticket)
        finally:
            self.abandon([ticket])

    def _wait(self) -> None:
        """Take what workers have to say, once one says something, and give them their next jobs."""
        for worker, end in self._stirring():
            ticket = worker.job
            message = None if end else worker.take()
            if isinstance(message, Ready):
                self.version = message.version
            elif ticket is None:
                self._restart(worker)
            elif message is not None and not (_suspicious(message) and ticket not in self._tried):
                self._end(ticket, message)
                if isinstance(message, Failed) and message.reason in ("netlist", "crash"):
                    self._replace(worker)  # a simulator may be unusable after these
            elif ticket not in self._tried:
                self._replace(worker)
                self._tried.add(ticket)
                self._waiting.appendleft(ticket)
            else:
                self._end(ticket, self._failed(end or "crash", *self._replace(worker)))
        self._hand_out()  # before anyone hears of the answers: who takes them may be long about it

    def _end(self, ticket: Ticket, outcome: Outcome) -> None:
        del self._requests[ticket]
        self._tried.discard(ticket)
        self._done[ticket] = outcome

    def _hand_out(self) -> None:
        """Give waiting jobs to idle workers; those that have done enough are replaced first."""
        for worker in list(self._workers):
            if not (worker.idle and self._waiting):
                continue
            if worker.done >= JOBS_PER_WORKER:
                self._replace(worker)
            else:
                ticket = self._waiting.popleft()
                worker.give(ticket, self._requests[ticket], self._timeout)

    def _stirring(self) -> list[tuple["_Worker", End | None]]:
        """Wait for workers that have something to say or have died, have run out of time, or hold too much memory."""
        deadline = min(worker.deadline for worker in self._workers)
        patience = max(0.0, min(deadline - time.monotonic(), SECONDS_BETWEEN_LOOKS))
        ready = wait([worker.pipe for worker in self._workers], patience)
        now = time.monotonic()
        found: list[tuple[_Worker, End | None]] = [(worker, None) for worker in self._workers if worker.pipe in ready]
        others = [worker for worker in self._workers if worker.pipe not in ready]
        found += [(worker, "timeout") for worker in others if worker.deadline <= now]
        if now - self._looked >= SECONDS_BETWEEN_LOOKS:
            self._looked = now
            found += [
                (w, "memory") for w in others if w.deadline > now and w.job is not None and w.memory > self._memory
            ]
        return found

    def _new_worker(self, failed_starts: int = 0) -> "_Worker":
        folder = Path(self._scratch.name) / str(next(self._numbers))
        return _Worker(*self._how, folder, failed_starts)

    def _replace(self, worker: "_Worker", failed_starts: int = 0) -> tuple[str, str]:
        """Put a fresh worker in place of this one; how the old one ended, and its last words in brackets."""
        ending = worker.end()
        self._workers[self._workers.index(worker)] = self._new_worker(failed_starts)
        return ending

    def _restart(self, worker: "_Worker") -> None:
        """Replace a worker that has died without a job; do without it where it has failed to start too often."""
        if worker.unguarded:
            raise InputError(
                'expected simulations to be started under `if __name__ == "__main__":`, got a script that starts them '
                "whenever it is imported, as each simulator process does"
            )
        failed_starts = 0 if worker.ready else worker.failed_starts + 1
        if failed_starts <= MOST_FAILED_STARTS:
            self._replace(worker, failed_starts)
            return
        ending, said = worker.end()
        self._workers.remove(worker)
        if not self._workers:
            raise SimulationError("crash", f"simulator processes do not start, {ending}{said}")

    def _failed(self, end: End, ending: str, said: str) -> Failed:
        if end == "timeout":
            return Failed(end, f"no result within {self._timeout:g} s, twice{said}", self._timeout)
        if end == "memory":
            return Failed(end, f"needs more than {self._memory / 1e9:g} GB of memory (`memory` in the settings){said}")
        return Failed(end, f"the simulator's process died twice, {ending}{said}")


def _suspicious(outcome: Outcome) -> bool:
    """Whether a sound simulator would not answer so: one in a fresh process may know better."""
    return isinstance(outcome, Failed) and outcome.reason in ("invalid", "crash")


class _Worker:
    """A worker process as the pool sees it: starting until it says it is ready, then idle or at one job."""

    def __init__(self, simulator: Callable[[Task], Simulator], task: Task, folder: Path, failed_starts: int) -> None:
        context = process_context()
        self.pipe: Connection
        self.pipe, its_end = context.Pipe()
        pause = SECONDS_OF_FIRST_PAUSE * 2 ** (failed_starts - 1) if failed_starts else 0.0
        self._process = context.Process(target=serve, args=(its_end, simulator, task, folder, pause), daemon=True)
        self._process.start()
        self._pid: int = self._process.pid
        its_end.close()
        self._folder = folder
        self._died = False
        self._killed = False
        self.failed_starts = failed_starts
        self.ready = False
        self.job: Ticket | None = None
        self.done = 0
        self.deadline = time.monotonic() + SECONDS_TO_START + pause

    @property
    def idle(self) -> bool:
        """Whether it has started and has no job."""
        return self.ready and self.job is None

    @property
    def unguarded(self) -> bool:
        """Whether it has died of a script that starts simulations whenever it is imported."""
        return self._exit_code() == UNGUARDED_EXIT_STATUS

    @property
    def memory(self) -> float:
        """Bytes of memory that it and the programs it started hold; 0 where it has died."""
        with suppress(psutil.Error):
            return float(sum(psutil.Process(pid).memory_info().rss for pid in (self._pid, *_programs_of(self._pid))))
        return 0.0

    def give(self, job: Ticket, request: Request, timeout: float) -> None:
        """Start on a job, to be done within `timeout` seconds."""
        self.job, self.deadline = job, time.monotonic() + timeout
        with suppress(OSError):  # where it has died, reading from it will say so
            self.pipe.send(request)

    def take(self) -> Outcome | Ready | None:
        """An outcome, or that it has started, or None where it has died."""
        try:
            message: Outcome | Ready = self.pipe.recv()
        except (EOFError, OSError):
            self._died = True
            return None
        self.done += self.ready
        self.ready, self.job, self.deadline = True, None, NEVER
        return message

    def end(self) -> tuple[str, str]:
        """Kill the process; how it had ended before, if it had, and the last words of its simulator in brackets.

        Ctrl-C may come at any point of this, after which it is done once more.
        """
        code = self._exit_code()
        if not self._killed:
            with suppress(ProcessLookupError):
                os.killpg(self._pid, signal.SIGKILL)
            self._process.kill()
            self._process.join()
            self._killed = True
        self.pipe.close()
        said = self._last_words()
        shutil.rmtree(self._folder, ignore_errors=True)
        ending = f"exit code {code}" if code is None or code >= 0 else f"killed by signal {-code}"
        return ending, f" ({said})" if said else ""

    def _exit_code(self) -> int | None:
        """How it has ended; None where it has not."""
        if self._died:
            self._process.join(SECONDS_TO_DIE)  # its pipe is closed a moment earlier
        code: int | None = self._process.exitcode
        return code

    def _last_words(self) -> str:
        try:
            lines = (self._folder / WORDS).read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return ""
        return " / ".join([line.strip() for line in lines if line.strip()][-LAST_WORDS:])


def _programs_of(pid: int) -> list[int]:
    """Processes that this one has started, where the system tells quickly: psutil would read every process there is."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def default_workers() -> int:
    """One worker per core this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

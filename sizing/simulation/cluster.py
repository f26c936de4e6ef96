"""Simulations and whole runs on the workers of a Dask cluster, on this machine or on many.

Dask hands out work and notices lost workers; the work itself is done in processes beside its workers, so that crashes,
hangs and limits are what they are without it.
"""

import logging
import os
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import CancelledError, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from itertools import count, islice
from multiprocessing import current_process, get_context
from pathlib import Path
from signal import SIGKILL
from typing import Any, ParamSpec, TypeVar
from uuid import uuid4

from sizing.errors import InputError
from sizing.simulation.pool import SimulationPool, default_workers
from sizing.simulation.simulations import Ticket, in_order
from sizing.simulation.simulator import Outcome, SimulationError
from sizing.task.job import Job

try:
    import dask
    from distributed import Client, KilledWorker, LocalCluster, Reschedule, Status, Worker, as_completed, get_worker
    from distributed import Future as DaskFuture
    from distributed.comm.addressing import get_address_host_port
    from distributed.diagnostics.plugin import WorkerPlugin
    from tornado.ioloop import PeriodicCallback
except ImportError as error:
    raise InputError(
        f"executor dask: expected Dask, got {error}; install it with: pip install 'circuit-sizing[cluster]'"
    ) from error

SECONDS_TO_ANSWER = 5.0
MOST_IN_FLIGHT = 1000
"""Simulations that the scheduler knows of at a time; more workers than these have nothing to do."""
SECONDS_WARM = 300.0
"""Simulators of a run that was killed, which nobody asks any more, end after so long."""
SECONDS_BETWEEN_LOOKS = 0.2

_LOG = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")


@contextmanager
def joined(executor: str, workers: int | None = None) -> Iterator[Client]:
    """A client of the scheduler at this address, or, for "dask", of a cluster on this machine that ends with it.

    `workers` are those of the latter, one per core by default; raises InputError where a scheduler has its own, or
    where nobody answers.
    """
    with ExitStack() as stack:
        if executor == "dask":
            # Dask's workers may otherwise have no children, here and where a lost one is started again
            stack.enter_context(dask.config.set({"distributed.worker.daemon": False}))
            yield stack.enter_context(_client(stack.enter_context(_local_cluster(workers or default_workers()))))
        elif workers:
            raise InputError(f"{executor}: expected no number of workers or jobs, got {workers}: its workers decide")
        else:
            client = stack.enter_context(_client(executor))
            if not client.nthreads():
                _LOG.warning("no worker has joined the Dask scheduler yet: waiting for one")
            yield client


@contextmanager
def cluster_executor(
    executor: str, workers: int | None, initializer: Callable[[], None]
) -> Iterator["ClusterExecutor"]:
    """Processes on the workers of a cluster, as `joined` finds it."""
    with joined(executor, workers) as client:
        yield ClusterExecutor(client, initializer)


def _local_cluster(workers: int) -> LocalCluster:
    """Without a limit of memory, which simulators have of their own; Dask's web pages on any free port."""
    return LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        memory_limit=0,
        dashboard_address="127.0.0.1:0",
        silence_logs="ERROR",
        preload=["import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the main process"],
    )


def _client(cluster: str | LocalCluster) -> Client:
    try:
        if isinstance(cluster, str):
            get_address_host_port(cluster)  # a client of no address at all takes ten seconds to end
        return Client(cluster, timeout=SECONDS_TO_ANSWER, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputError(
            f"{cluster}: expected the address of a Dask scheduler, such as tcp://head:8786, but nobody answers "
            f"({error}); `dask scheduler` starts one and says its address"
        ) from error


class ClusterPool:
    """Evaluates designs on Dask workers, which keep simulators warm; otherwise as a SimulationPool.

    A job whose Dask worker is lost is done again by another.
    """

    def __init__(self, client: Client, make: Callable[[], SimulationPool]) -> None:
        self._client = client
        self._name = f"simulators-{uuid4().hex}"
        client.register_plugin(_Simulators(make), name=self._name)
        self.version = ""
        """The simulator's, once one was asked."""
        self._tickets = count()
        self._waiting: dict[Ticket, Job] = {}
        self._in_flight: dict[DaskFuture[Any], Ticket] = {}
        self._done = as_completed(loop=client.loop)
        self._outcomes: dict[Ticket, Outcome] = {}

    def load(self, job: Job) -> None:
        """Read the decks on one worker without simulating; raises SimulationError where the simulator refuses one."""
        with _losses_told():
            self.version = self._client.submit(_load, job, self._name, pure=False).result()

    def run(self, jobs: Sequence[Job]) -> list[Outcome]:
        """The outcome of every job, in their order."""
        return list(in_order(self, jobs))

    def submit(self, job: Job) -> Ticket:
        """Have a job done by a Dask worker."""
        ticket = next(self._tickets)
        self._waiting[ticket] = job
        return ticket

    def next_done(self) -> tuple[Ticket, Outcome]:
        """The next outcome; raises SimulationError where workers are gone, IndexError where there is no job."""
        while not self._outcomes:
            if not (self._waiting or self._in_flight):
                raise IndexError("expected a submitted job to wait for, got none")
            self._hand_out()
            tasks = [task for task in self._done.next_batch() if task in self._in_flight]  # others were given up
            with _losses_told():
                answers = self._client.gather(tasks)  # together: each call takes some milliseconds
            for task, answer in zip(tasks, answers, strict=True):
                self._outcomes[self._in_flight.pop(task)] = self._same_simulator(*answer)
        ticket = next(iter(self._outcomes))
        return ticket, self._outcomes.pop(ticket)

    def abandon(self, tickets: Collection[Ticket]) -> None:
        """Cancel these, and forget them."""
        given_up = [task for task, ticket in self._in_flight.items() if ticket in tickets]
        for task in given_up:
            del self._in_flight[task]
        self._client.cancel(given_up)
        for ticket in tickets:
            self._waiting.pop(ticket, None)
            self._outcomes.pop(ticket, None)

    def _hand_out(self) -> None:
        """Let the scheduler know of more jobs."""
        new = list(islice(self._waiting, max(0, MOST_IN_FLIGHT - len(self._in_flight))))
        if new:
            jobs = [self._waiting.pop(ticket) for ticket in new]
            tasks = self._client.map(_simulate, jobs, name=self._name, pure=False)
            self._in_flight.update(zip(tasks, new, strict=True))
            self._done.update(tasks)

    def close(self) -> None:
        """End the simulators on all workers; those at a job end when it is done."""
        with suppress(OSError):  # where the scheduler or a worker is gone, and the simulators with them
            self._client.unregister_worker_plugin(self._name)

    def __enter__(self) -> "ClusterPool":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _same_simulator(self, version: str, outcome: Outcome) -> Outcome:
        self.version = self.version or version
        if version != self.version:
            raise InputError(f"expected one version of the simulator on all workers, got {self.version} and {version}")
        return outcome


class ClusterExecutor(Executor):
    """Calls functions on Dask workers, each in a fresh process there and in this process's current folder.

    That process ends when the future is cancelled, and when this process or its Dask worker end. A call whose Dask
    worker is lost is made again by another. `initializer` is called in the process before the function.
    """

    def __init__(self, client: Client, initializer: Callable[[], None]) -> None:
        self._client = client
        self._initializer = initializer
        self._answers: list[Future[Any]] = []

    def submit(self, function: Callable[P, T], /, *arguments: P.args, **keywords: P.kwargs) -> Future[T]:
        """The future of a call."""
        call = partial(function, *arguments, **keywords)
        task = self._client.submit(_in_a_process, self._initializer, Path.cwd(), call, pure=False)
        answer: Future[T] = Future()
        self._answers.append(answer)
        answer.add_done_callback(lambda answer: task.cancel() if answer.cancelled() else None)
        task.add_done_callback(lambda task: _hand_over(task, answer))
        return answer

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """As every executor's; a call under way is cancelled like those that wait."""
        for answer in self._answers if cancel_futures else ():
            answer.cancel()
        for answer in self._answers if wait else ():
            if not answer.cancelled():
                answer.exception()


def _hand_over(task: DaskFuture[Any], answer: Future[Any]) -> None:
    if answer.set_running_or_notify_cancel():
        try:
            with _losses_told():
                answer.set_result(task.result())
        except Exception as error:
            answer.set_exception(error)


@contextmanager
def _losses_told() -> Iterator[None]:
    """Errors of Dask's own are told as what they mean for a run."""
    try:
        yield
        return
    except KilledWorker as error:
        lost, last = error.allowed_failures + 1, error.last_worker.address
        message = f"{lost} Dask workers were lost, one after another, at the same job, the last at {last}"
    except CancelledError:
        message = "the connection to the Dask scheduler was lost"
    raise SimulationError("crash", f"{message}; nothing that was simulated is lost, the run can be taken up")


class _Simulators(WorkerPlugin):
    """On a Dask worker: the simulators of a run, one for each thread that has needed one, kept warm between jobs."""

    def __init__(self, make: Callable[[], SimulationPool]) -> None:
        self._make = make

    def setup(self, worker: Worker) -> None:
        """Begin without any."""
        self._idle: list[SimulationPool] = []
        self._used = time.monotonic()
        self._ended = False
        self._watch = PeriodicCallback(self._end_unused, SECONDS_WARM * 1000)
        self._watch.start()

    def teardown(self, worker: Worker) -> None:
        """End them with the run, or with the worker."""
        self._ended = True
        self._watch.stop()
        self._end_idle()

    @contextmanager
    def one(self) -> Iterator[SimulationPool]:
        """A simulator for one job."""
        _check_processes_are_allowed()
        try:
            pool = self._idle.pop()  # in one step, so that no two threads get the same
        except IndexError:
            pool = self._make()
        try:
            yield pool
        except BaseException:
            pool.close()
            raise
        self._used = time.monotonic()
        self._idle.append(pool)
        if self._ended:
            self._end_idle()

    def _end_unused(self) -> None:
        if time.monotonic() - self._used > SECONDS_WARM:
            self._end_idle()

    def _end_idle(self) -> None:
        while self._idle:
            self._idle.pop().close()


def _load(job: Job, name: str) -> str:
    """On a Dask worker: read the decks; the simulator's version."""
    with _simulators(name).one() as pool:
        pool.load(job)
        return pool.version


def _simulate(job: Job, name: str) -> tuple[str, Outcome]:
    """On a Dask worker: one job, and the version of the simulator that did it."""
    with _simulators(name).one() as pool:
        (outcome,) = pool.run([job])
        return pool.version, outcome


def _simulators(name: str) -> _Simulators:
    plugin = get_worker().plugins[name]
    assert isinstance(plugin, _Simulators)
    return plugin


def _in_a_process(initializer: Callable[[], None], folder: Path, call: Callable[[], T]) -> T:
    """On a Dask worker: call this in a process of its own, killed when nobody wants the result any more."""
    _check_processes_are_allowed()
    if not folder.is_dir():
        raise InputError(f"{folder}: expected this folder on {os.uname().nodename} too: runs need one that all share")
    with ProcessPoolExecutor(1, get_context("spawn"), initializer) as executor:
        executor.submit(os.chdir, folder).result()
        process = executor.submit(os.getpid).result()
        answer = executor.submit(call)
        while not wait([answer], SECONDS_BETWEEN_LOOKS).done:
            if not _wanted():
                os.kill(process, SIGKILL)
                raise Reschedule  # elsewhere, where it is this worker that closes
        try:
            return answer.result()
        except BrokenProcessPool:
            raise SimulationError("crash", "the run's process was killed; it can be taken up") from None


def _wanted() -> bool:
    """Whether the task of this thread is still to be done, and by this worker."""
    worker = get_worker()
    task = worker.state.tasks.get(worker.get_current_task())
    closing = worker.status in (Status.closing, Status.closed)
    return not closing and task is not None and task.state != "cancelled"


def _check_processes_are_allowed() -> None:
    if current_process().daemon:
        raise InputError(
            f"the Dask worker at {get_worker().address} may not start simulators: expected one that was started with "
            "`dask worker --no-nanny`, or with DASK_DISTRIBUTED__WORKER__DAEMON=False in its environment"
        )

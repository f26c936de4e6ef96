"""What runs in a worker process: take a request, simulate, measure, answer."""

import os
import resource
import shutil
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from pathlib import Path

from sizing.simulation.simulator import Failed, Measured, Outcome, SimulationError, Simulator, measured
from sizing.task.bench import Task
from sizing.task.job import Job

WORDS = "words"
"""The file in a worker's folder with what was said during its latest request; it outlives the process."""


@dataclass(frozen=True)
class Request:
    """A job to simulate, or only to read the decks of."""

    job: Job
    simulate: bool = True


@dataclass(frozen=True)
class Ready:
    """The simulator has started."""

    version: str


def serve(pipe: Connection, make: Callable[[Task], Simulator], task: Task, folder: Path, pause: float) -> None:
    """Start after `pause` seconds, say Ready, and answer requests until the other end closes.

    `folder`, in which it works, is made, and removed where the main process is killed. Ctrl-C is for the main process,
    which ends its workers itself.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.setpgid(0, 0)  # so that programs it starts end with it
    threading.Thread(target=_end_with_the_main_process, args=(folder,), daemon=True).start()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # many crashes must not fill a disk
    try:
        folder.mkdir(exist_ok=True)
        os.chdir(folder)  # some device models of ngspice write report files where they run
    except FileNotFoundError:
        return  # the main process is gone, and its files with it
    words = os.open(folder / WORDS, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for descriptor in (1, 2):  # also what libraries say when they abort
        os.dup2(words, descriptor)
    time.sleep(pause)
    simulator = make(task)
    simulator.start(words)
    try:
        pipe.send(Ready(simulator.version))
        while not simulator.unusable:
            request = pipe.recv()
            os.ftruncate(words, 0)
            pipe.send(_outcome(simulator, task, request))
    except (EOFError, BrokenPipeError):
        return  # the main process is gone


def _end_with_the_main_process(folder: Path) -> None:
    """Wait for it, also while a simulator hangs."""
    main = parent_process()
    assert main is not None
    wait([main.sentinel])
    shutil.rmtree(folder.parent, ignore_errors=True)
    os.killpg(0, signal.SIGKILL)


def _outcome(simulator: Simulator, task: Task, request: Request) -> Outcome:
    before = simulator.seconds
    try:
        if not request.simulate:
            simulator.load(request.job)
            return Measured((), {})
        results = simulator.simulate(request.job)
    except SimulationError as error:
        return Failed(error.reason, error.message, simulator.seconds - before)
    outcome = measured(task.measures, results, simulator.seconds - before)
    return replace(outcome, waveforms=results) if task.keep_waveforms else outcome

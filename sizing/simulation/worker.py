"""What runs in a worker process: take a request, simulate, measure, answer."""

import os
import resource
import shutil
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from pathlib import Path

import numpy as np

from sizing.measures.waveforms import Results, Waveforms
from sizing.plugins import raised
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
    wanted = task.vectors
    try:
        pipe.send(Ready(simulator.version))
        while not simulator.unusable:
            request = pipe.recv()
            os.ftruncate(words, 0)
            pipe.send(_outcome(simulator, task, wanted, request))
    except (EOFError, BrokenPipeError):
        return  # the main process is gone


def _end_with_the_main_process(folder: Path) -> None:
    """Wait for it, also while a simulator hangs."""
    main = parent_process()
    assert main is not None
    wait([main.sentinel])
    shutil.rmtree(folder.parent, ignore_errors=True)
    os.killpg(0, signal.SIGKILL)


def _outcome(simulator: Simulator, task: Task, wanted: Mapping[str, Sequence[str]], request: Request) -> Outcome:
    """What became of a request; `wanted` are the vectors that the measurements read, by analysis."""
    before = simulator.seconds
    try:
        if not request.simulate:
            simulator.load(request.job)
            return Measured((), {})
        results = simulator.simulate(request.job)
        if wrong := _wrong_with(results, wanted):
            raise SimulationError("invalid", f"simulator {_called(simulator)}: {wrong}")
        outcome = measured(task.measures, results, simulator.seconds - before)
    except SimulationError as error:
        return Failed(error.reason, error.message, simulator.seconds - before)
    except Exception as error:  # whatever somebody else's simulator raises
        return Failed("crash", f"simulator {_called(simulator)}: {raised(error)}", simulator.seconds - before)
    return replace(outcome, waveforms=results) if task.keep_waveforms else outcome


def _wrong_with(results: Results, wanted: Mapping[str, Sequence[str]]) -> str:
    """What the results lack of the vectors that the measurements read, if anything."""
    if not isinstance(results, Mapping):
        return f"expected Waveforms by analysis, got {results!r:.80}"
    for analysis, names in wanted.items():
        found = results.get(analysis)
        if not isinstance(found, Waveforms) or np.ndim(found.axis) != 1:
            return f"expected Waveforms along an axis for {analysis}, got {found!r:.80}"
        for name in names:
            vector = found.vectors.get(name)
            if vector is None or np.shape(vector) != np.shape(found.axis):
                given = "none" if vector is None else np.shape(vector)
                return f"expected {name} of {analysis} with the shape of its axis, {np.shape(found.axis)}, got {given}"
    return ""


def _called(simulator: Simulator) -> str:
    return f"{type(simulator).__name__} ({type(simulator).__module__})"

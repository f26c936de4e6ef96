"""What runs in a worker process: take a request, simulate, measure, answer."""

import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection

from sizing.bench import Task
from sizing.simulation.ngspice import NgSpice
from sizing.simulation.simulator import Failed, Measured, Outcome, SimulationError, measured


@dataclass(frozen=True)
class Request:
    """Variable values to simulate, or only to read the decks with."""

    values: Mapping[str, float]
    simulate: bool = True


def serve(pipe: Connection, task: Task, scratch: str) -> None:
    """Answer requests until the other end closes. Ctrl-C is for the main process, which ends its workers itself."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.chdir(scratch)  # some device models of ngspice write report files where they run
    simulator = NgSpice(task)
    try:
        pipe.send(None)
        while not simulator.unusable:
            pipe.send(_outcome(simulator, task, pipe.recv()))
    except (EOFError, BrokenPipeError):
        return  # the main process is gone


def _outcome(simulator: NgSpice, task: Task, request: Request) -> Outcome:
    before = simulator.seconds
    try:
        if not request.simulate:
            simulator.load(request.values)
            return Measured((), {})
        results = simulator.simulate(request.values)
    except SimulationError as error:
        return Failed(error.reason, error.message, simulator.seconds - before)
    return measured(task.measures, results, simulator.seconds - before)

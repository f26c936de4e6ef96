"""ngspice with the faults of simulators, for what must survive them: give `partial(Faulty, faults=…)` to the pool."""

import ctypes
import json
import os
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sizing.measures.waveforms import Results, Vector
from sizing.simulation.ngspice import NgSpice
from sizing.simulation.simulator import SimulationError
from sizing.task.bench import Task
from sizing.task.job import Job

LAST_WORDS = "Fatal error: the matrix is haunted"
LOG = "log"
DEADLY = ("segfault", "abort", "leave", "kill")
GARBAGE = ("nan", "short", "wild")


@dataclass(frozen=True)
class Faults:
    """What goes wrong: a share `rate` of designs, drawn by `seed`, meets one of `kinds`, and the first `starts` fail.

    `folder` remembers what has happened, so that a design meets its fault once, whatever process simulates it:
    the fault is transient. With `always`, it meets it every time.
    """

    folder: Path
    kinds: tuple[str, ...]
    rate: float = 1.0
    seed: int = 0
    always: bool = False
    starts: int = 0

    def of(self, job: Job) -> str | None:
        """The fault that this design meets now, if any."""
        name = json.dumps([self.seed, *job.variables.values()])
        draw = random.Random(name)
        if draw.random() >= self.rate or not self.kinds:
            return None
        fault = draw.choice(self.kinds)
        return fault if self._first(f"{fault} {name}") or self.always else None

    def note(self, text: str) -> None:
        """Append a line to the log of what has happened."""
        with (self.folder / LOG).open("a") as log:
            log.write(f"{text}\n")

    def start(self) -> bool:
        """Whether a process may start."""
        return not any(self._first(f"start {number}") for number in range(self.starts))

    def happened(self) -> Counter[str]:
        """How often each kind of fault has been met; what met one is marked in one step, so that a kill loses none."""
        return Counter(mark.name.split()[0] for mark in self.folder.iterdir() if mark.name != LOG)

    def _first(self, name: str) -> bool:
        try:
            (self.folder / name).touch(exist_ok=False)
        except FileExistsError:
            return False
        return True


class Faulty(NgSpice):
    """ngspice, but for the designs that meet a fault."""

    def __init__(self, task: Task, faults: Faults) -> None:
        super().__init__(task)
        self._faults = faults
        self._garbage = ""

    def start(self, words: int | None = None) -> None:
        if not self._faults.start():
            raise OSError("no licence: all 4 in use")
        super().start(words)

    def simulate(self, job: Job) -> Results:
        fault = self._faults.of(job)
        self._garbage = fault if fault in GARBAGE else ""
        if fault in DEADLY:
            os.write(2, f"{LAST_WORDS}\n".encode())
        match fault:
            case "segfault":
                ctypes.string_at(0)
            case "abort":
                os.abort()
            case "leave":
                sys.exit(3)
            case "kill":
                os.kill(os.getpid(), 9)
            case "hang":
                time.sleep(1000)
            case "swell":
                self._held = [b"x" * 10_000_000 for _ in range(40)]
                time.sleep(10)
            case "diverge":
                raise SimulationError("convergence", "no solution")
        results = super().simulate(job)
        self._faults.note(f"simulated {json.dumps([*job.variables.values()])}")
        return results

    def _vector(self, plot: str, name: str) -> Vector:
        vector = super()._vector(plot, name)
        if self._garbage == "nan":
            return np.full_like(vector, np.nan)
        if self._garbage == "wild" and not name.startswith("i("):
            return vector * 1e6
        return np.append(vector, vector[-1:]) if self._garbage == "short" and name != "frequency" else vector

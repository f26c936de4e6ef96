"""A simulator that takes as long as it is told and uses no processor, so that many fit on few cores."""

import time

from sizing.measures.waveforms import Results
from sizing.task.bench import Task
from sizing.task.job import Job

NOTHING = Task((), (), ("seconds",))


class Sleeper:
    """Sleeps for the value of `seconds`."""

    seconds = 0.0
    version = "sleeper"
    unusable = False

    def __init__(self, task: Task) -> None:
        pass

    def start(self, words: int | None = None) -> None:
        pass

    def load(self, job: Job) -> None:
        pass

    def simulate(self, job: Job) -> Results:
        time.sleep(job.variables["seconds"])
        return {}

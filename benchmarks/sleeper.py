"""A simulator that takes as long as it is told and uses no processor, so that many fit on few cores."""

import time
from collections.abc import Mapping

from sizing.measures.waveforms import Results
from sizing.task.bench import Task

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

    def load(self, values: Mapping[str, float]) -> None:
        pass

    def simulate(self, values: Mapping[str, float]) -> Results:
        time.sleep(values["seconds"])
        return {}

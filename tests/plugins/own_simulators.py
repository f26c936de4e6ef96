"""Simulators that break their promises, each in its way."""

import numpy as np

from sizing.measures.waveforms import Results, Waveforms
from sizing.task.bench import Task
from sizing.task.job import Job


class Flat:
    """Zero volts everywhere."""

    seconds, version, unusable = 0.0, "flat 1", False

    def __init__(self, task: Task) -> None:
        self._wanted = task.vectors

    def start(self, words: int | None = None) -> None:
        pass

    def load(self, job: Job) -> None:
        pass

    def simulate(self, job: Job) -> Results:
        return {of: Waveforms(np.zeros(1), {name: np.zeros(1) for name in names}) for of, names in self._wanted.items()}


class Raising(Flat):
    def simulate(self, job: Job) -> Results:
        raise KeyError("lost")


class WithoutVectors(Flat):
    def simulate(self, job: Job) -> Results:
        return {of: Waveforms(np.zeros(1), {}) for of in self._wanted}


class TooLong(Flat):
    def simulate(self, job: Job) -> Results:
        return {of: Waveforms(np.zeros(1), {name: np.zeros(3) for name in names}) for of, names in self._wanted.items()}


class WithoutAnalyses(Flat):
    def simulate(self, job: Job) -> Results:
        return {}


class Nothing(Flat):
    def simulate(self, job: Job) -> Results:
        return None  # type: ignore[return-value]


class NotLoading(Flat):
    def load(self, job: Job) -> None:
        raise OSError("no licence")

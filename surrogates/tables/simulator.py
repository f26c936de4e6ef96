"""Device tables behind the protocol of simulators, to explore with and to hold to the same contracts."""

import time
from contextlib import suppress

import numpy as np

from sizing.measures.measure import Missing
from sizing.measures.waveforms import Results
from sizing.simulation.simulator import SimulationError
from sizing.task.bench import Task
from sizing.task.job import Job
from surrogates.tables.characterisation import Tables
from surrogates.tables.deck import Unmeasurable, ngspice_version
from surrogates.tables.model import TableModel
from surrogates.tables.network import NoSolution, Unmodelled
from surrogates.tables.responses import NO_OPERATING_POINT
from surrogates.tables.store import VERSION


class TablesSimulator:
    """The benches of one task, each device of each design measured at its very geometry.

    What an analysis cannot tell is missing when it is measured, with the reason.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self._model: TableModel | None = None
        self.seconds = 0.0
        self.version = ""
        self.unusable = False

    def start(self, words: int | None = None) -> None:
        """Find ngspice, which measures devices; raises SimulatorMissing."""
        self.version = f"device tables {VERSION} of {ngspice_version()}"

    def load(self, job: Job) -> None:
        """Have the devices measured; raises SimulationError("netlist") for what tables cannot tell."""
        with suppress(NoSolution):
            self._prepared(job)

    def simulate(self, job: Job) -> Results:
        """Waveforms by "bench.analysis"; raises SimulationError."""
        try:
            model = self._prepared(job)
        except NoSolution as error:
            raise SimulationError("convergence", f"{next(iter(self._task.vectors))}: {error}") from None
        began = time.perf_counter()
        (results,) = model.results(job.variables, job.conditions)
        self.seconds += time.perf_counter() - began
        for reference in results:
            try:
                results[reference]
            except Missing as reason:
                if str(reason) == NO_OPERATING_POINT:
                    raise SimulationError("convergence", f"{reference}: {reason}") from None
        return results

    def _prepared(self, job: Job) -> TableModel:
        """The model with its tables; raises NoSolution, and SimulationError("netlist") for what tables cannot tell."""
        try:
            model = self._of(job)
            model.prepare(job.conditions)
        except NoSolution:
            raise
        except (Unmodelled, Unmeasurable) as error:
            benches = ", ".join(bench.name for bench in self._task.benches)
            raise SimulationError("netlist", f"bench {benches}: {error}") from None
        return model

    def _of(self, job: Job) -> TableModel:
        samples = {name: np.array([job.variables[name]]) for name in self._task.variables}
        if self._model is None:
            self._model = TableModel(self._task, samples, Tables())
        return self._model.spanning(samples)

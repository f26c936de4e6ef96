"""The simulators that a spec can name."""

from collections.abc import Callable
from dataclasses import dataclass

from sizing.simulation.ngspice import NgSpice, library_path
from sizing.simulation.ngspice_batch import NgSpiceBatch, program_path
from sizing.simulation.pool import SimulationPool
from sizing.simulation.simulator import Simulator
from sizing.task.bench import Task
from sizing.task.settings import RunSettings


@dataclass(frozen=True)
class SimulatorEntry:
    """How to make a simulator in a worker, and where it is installed."""

    make: Callable[[Task], Simulator]
    path: Callable[[], str]
    """Raises SimulatorMissing where it is not."""


SIMULATORS = {
    "ngspice": SimulatorEntry(NgSpice, library_path),
    "ngspice-batch": SimulatorEntry(NgSpiceBatch, program_path),
}
"""By the name that `simulator` in the run settings has."""


def pool_for(task: Task, settings: RunSettings, workers: int) -> SimulationPool:
    """Workers with the simulator and the limits of these settings; raises SimulatorMissing."""
    simulator = SIMULATORS[settings.simulator]
    simulator.path()
    return SimulationPool(task, workers, settings.timeout, settings.memory, simulator.make)

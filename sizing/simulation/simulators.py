"""The simulators that a spec can name."""

from collections.abc import Callable
from dataclasses import dataclass

from sizing.errors import InputError, nearest
from sizing.plugins import Named
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


def _no_simulator(name: str, found: object) -> str:
    return "" if isinstance(found, SimulatorEntry) else f"expected a sizing.SimulatorEntry, got {found!r}"


SIMULATORS: Named[SimulatorEntry] = Named(
    "simulators",
    {
        "ngspice": SimulatorEntry(NgSpice, library_path),
        "ngspice-batch": SimulatorEntry(NgSpiceBatch, program_path),
    },
    _no_simulator,
)
"""By the name that `simulator` in the run settings has: those that are shipped, and those of plug-ins."""


def simulator_named(name: str) -> SimulatorEntry:
    """The simulator of this name; raises InputError where there is none."""
    if name not in SIMULATORS:
        raise InputError(f"simulator: no simulator {name!r}{nearest(name, SIMULATORS)}")
    return SIMULATORS[name]


def pool_for(task: Task, settings: RunSettings, workers: int) -> SimulationPool:
    """Workers with the simulator and the limits of these settings; raises InputError and SimulatorMissing."""
    simulator = simulator_named(settings.simulator)
    simulator.path()
    return SimulationPool(task, workers, settings.timeout, settings.memory, simulator.make)

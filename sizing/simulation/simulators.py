"""The simulators that a spec can name."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from sizing.errors import InputError, nearest
from sizing.plugins import Named, raised
from sizing.simulation.ngspice import NgSpice, SimulatorMissing, library_path
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


def _on_tables(task: Task) -> Simulator:
    """Device tables, which the ngspice program makes; the engine knows them by name alone."""
    simulator: Simulator = import_module("surrogates.tables.simulator").TablesSimulator(task)
    return simulator


def _no_simulator(name: str, found: object) -> str:
    return "" if isinstance(found, SimulatorEntry) else f"expected a sizing.SimulatorEntry, got {found!r}"


SIMULATORS: Named[SimulatorEntry] = Named(
    "simulators",
    {
        "ngspice": SimulatorEntry(NgSpice, library_path),
        "ngspice-batch": SimulatorEntry(NgSpiceBatch, program_path),
        "tables": SimulatorEntry(_on_tables, program_path),
    },
    _no_simulator,
)
"""By the name that `simulator` in the run settings has: those that are shipped, and those of plug-ins."""


def simulator_named(name: str) -> SimulatorEntry:
    """The simulator of this name; raises InputError where there is none."""
    if name not in SIMULATORS:
        raise InputError(f"simulator: no simulator {name!r}{nearest(name, SIMULATORS)}")
    return SIMULATORS[name]


def installed_at(name: str, simulator: SimulatorEntry) -> str:
    """Where a simulator is; raises SimulatorMissing, and InputError where a plug-in cannot say."""
    try:
        return simulator.path()
    except (SimulatorMissing, InputError):
        raise
    except Exception as error:  # whatever somebody else's code raises
        brought = f" of {SIMULATORS.package(name)}" if SIMULATORS.package(name) else ""
        raise InputError(f"simulator {name!r}{brought}: path {raised(error)}") from error


def pool_for(
    task: Task, settings: RunSettings, workers: int, simulator: SimulatorEntry | None = None
) -> SimulationPool:
    """Workers with the limits of these settings and this simulator, or the one that they name.

    Raises InputError and SimulatorMissing.
    """
    simulator = simulator or simulator_named(settings.simulator)
    installed_at(settings.simulator, simulator)
    return SimulationPool(task, workers, settings.timeout, settings.memory, simulator.make)

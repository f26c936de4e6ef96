"""Sizes analog circuits in as few SPICE simulations as possible.

import sizing
result = sizing.run("specs/opamp_cc.yaml", seed=10)
result.designs, result.table

Commands are functions (`run`, `resume`, `check`, `compare`, `verify`, `report`, `export`, `init`, `study`), what they
leave is read by `load_run`, and `evaluate` simulates designs of your own. The others are what methods, judges,
measurements, simulators and kits of your own are made of; `sizing.testing` holds them to what they promise.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sizing.errors import InputError
    from sizing.evaluation.evaluator import Evaluation, designs_of, values_of
    from sizing.first_spec.write import write_first_spec as init
    from sizing.measures.measure import Measure, Missing
    from sizing.measures.waveforms import Waveforms
    from sizing.paper.studies import study
    from sizing.plugins import PlugInError
    from sizing.reports.report import report
    from sizing.reports.verified import verify
    from sizing.runs import events
    from sizing.runs.compare import compare
    from sizing.runs.evaluate import evaluate
    from sizing.runs.events import Progress
    from sizing.runs.export import export
    from sizing.runs.run import Result, check, load_run, resume, run
    from sizing.search.context import Context
    from sizing.search.discriminator import Discriminator
    from sizing.search.evolution import deap_operator, toolbox
    from sizing.search.method import Method, evolution
    from sizing.search.optimizer import Optimizer, Proposal, initial_proposal
    from sizing.search.variation import random_designs
    from sizing.simulation.simulator import SimulationError, Simulator
    from sizing.simulation.simulators import SimulatorEntry
    from sizing.specfile.load import Spec, load_spec
    from sizing.specfile.mistakes import SpecError
    from sizing.spice.kits import Kit
    from sizing.task.objectives import cost, meets, no_worse
    from sizing.task.settings import Settings

__all__ = [
    "Context",
    "Discriminator",
    "Evaluation",
    "InputError",
    "Kit",
    "Measure",
    "Method",
    "Missing",
    "Optimizer",
    "PlugInError",
    "Progress",
    "Proposal",
    "Result",
    "Settings",
    "SimulationError",
    "Simulator",
    "SimulatorEntry",
    "Spec",
    "SpecError",
    "Waveforms",
    "check",
    "compare",
    "cost",
    "deap_operator",
    "designs_of",
    "evaluate",
    "events",
    "evolution",
    "export",
    "init",
    "initial_proposal",
    "load_run",
    "load_spec",
    "meets",
    "no_worse",
    "random_designs",
    "report",
    "resume",
    "run",
    "study",
    "toolbox",
    "values_of",
    "verify",
]

_HOMES = {
    "Context": "sizing.search.context",
    "Discriminator": "sizing.search.discriminator",
    "Evaluation": "sizing.evaluation.evaluator",
    "InputError": "sizing.errors",
    "Kit": "sizing.spice.kits",
    "Measure": "sizing.measures.measure",
    "Method": "sizing.search.method",
    "Missing": "sizing.measures.measure",
    "Optimizer": "sizing.search.optimizer",
    "PlugInError": "sizing.plugins",
    "Progress": "sizing.runs.events",
    "Proposal": "sizing.search.optimizer",
    "Result": "sizing.runs.run",
    "Settings": "sizing.task.settings",
    "SimulationError": "sizing.simulation.simulator",
    "Simulator": "sizing.simulation.simulator",
    "SimulatorEntry": "sizing.simulation.simulators",
    "Spec": "sizing.specfile.load",
    "SpecError": "sizing.specfile.mistakes",
    "Waveforms": "sizing.measures.waveforms",
    "check": "sizing.runs.run",
    "compare": "sizing.runs.compare",
    "cost": "sizing.task.objectives",
    "deap_operator": "sizing.search.evolution",
    "designs_of": "sizing.evaluation.evaluator",
    "evaluate": "sizing.runs.evaluate",
    "evolution": "sizing.search.method",
    "export": "sizing.runs.export",
    "initial_proposal": "sizing.search.optimizer",
    "load_run": "sizing.runs.run",
    "load_spec": "sizing.specfile.load",
    "meets": "sizing.task.objectives",
    "no_worse": "sizing.task.objectives",
    "random_designs": "sizing.search.variation",
    "report": "sizing.reports.report",
    "resume": "sizing.runs.run",
    "run": "sizing.runs.run",
    "study": "sizing.paper.studies",
    "toolbox": "sizing.search.evolution",
    "values_of": "sizing.evaluation.evaluator",
    "verify": "sizing.reports.verified",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that simulator processes load only what they need."""
    if name == "events":
        return import_module("sizing.runs.events")
    if name == "init":
        return import_module("sizing.first_spec.write").write_first_spec
    if name not in _HOMES:
        raise AttributeError(f"module 'sizing' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)

"""What a run is to be: its method, settings, checkpoint, evidence and simulator, settled once and checked together.

Whatever runs, checks or takes up a run begins with its plan, so that all of them refuse the same.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

from sizing.errors import InputError
from sizing.evaluation.evidence import Before, Evidence
from sizing.runs.records.evidence import evidence_of
from sizing.runs.records.reading import read_run
from sizing.search.method import Method
from sizing.search.methods import METHODS, method_named
from sizing.search.settling import (
    check_objectives,
    checkpoint_of,
    flat,
    own_settings,
    settled,
    unheeded,
    unheeded_words,
    variant,
    without,
)
from sizing.simulation.dialect import alterable
from sizing.simulation.simulators import SimulatorEntry, installed_at, simulator_named
from sizing.specfile.load import Spec
from sizing.specfile.mistakes import SpecError
from sizing.task.settings import AUTO, Settings


@dataclass(frozen=True)
class RunPlan:
    """A run before it begins."""

    spec: Spec
    """With every run setting settled, and those left out that the method does not heed."""
    method: Method
    own: Settings | None
    """The method's own settings."""
    variant: str
    """The method's name and the settings by which it differs from itself."""
    checkpoint: Mapping[str, Any] | None
    evidence: tuple[Evidence, ...]
    """What the earlier runs that it learns from measured."""
    simulator: SimulatorEntry
    simulator_path: str
    """Where it is."""


def plan(
    spec: Spec,
    method: Method | None = None,
    simulator: SimulatorEntry | None = None,
    *,
    evidence: tuple[Evidence, ...] | None = None,
) -> RunPlan:
    """The plan of a run with a spec's settings, by the method and simulator that they name or by those given.

    `evidence` is that of a run that is taken up, which was settled when it began. Raises SpecError for settings that
    are mistaken or that the method does not heed, InputError for what it cannot do, and SimulatorMissing.
    """
    asked = spec.run.method
    if method is None:
        if asked == AUTO:
            spec = spec.with_run(method=usual_method(spec)[0])
        method = _placed(spec, "method", lambda: method_named(spec.run.method))
    if simulator is None:
        simulator = _placed(spec, "simulator", lambda: simulator_named(spec.run.simulator))
    if evidence is None:
        _refuse_unheeded(spec, method, asked)
    check_objectives(spec.run, method, spec.problem)
    own = own_settings(spec.run, method)
    given = without(spec.run, unheeded(spec.run, method))
    spec = replace(spec, run=settled(given, method))
    _refuse_unless_looking(spec, method)
    found = evidence
    if found is None:
        found = tuple(evidence_of(read_run(path), spec.problem) for path in spec.run.warm_start)
    named = variant(spec.run, spec.own_run, method)
    checkpoint, where = checkpoint_of(spec.run, method), installed_at(spec.run.simulator, simulator)
    return RunPlan(spec, method, own, named, checkpoint, found, simulator, where)


def usual_method(spec: Spec) -> tuple[str, str]:
    """The method of a spec that names none, the one that needs the fewest simulations, and why it is that.

    `tables` where device tables tell the circuit. Else `gp-op`, unless thousands of looks would take longer than they
    save: with a process kit, and as a program of its own, ngspice reads a deck for each. Of these only `gp` learns from
    earlier runs, and only `gp` may filter.
    """
    if spec.run.warm_start:
        return "gp", "it learns from earlier runs"
    if settled(spec.with_run(method="gp-op").run, METHODS["gp-op"]).search.acceptance != "ranking":
        return "gp", "children are filtered"
    if spec.run.simulator not in ("ngspice", "ngspice-batch"):
        return "gp", f"device tables know what ngspice does, not {spec.run.simulator}"
    if shutil.which("ngspice") is None:
        untold = "the ngspice program, which measures devices, is not installed"
    else:
        untold = import_module("surrogates.tables.reach").untold(spec.task)
    if not untold:
        return "tables", "device tables tell what this circuit does before it is simulated"
    look = spec.task.look
    if look is not None and alterable(look) and spec.run.simulator == "ngspice":
        return "gp-op", f"device tables do not help ({untold}), and a look at an operating point takes little time"
    return "gp", f"device tables do not help ({untold})"


def refuse_unless_learning(name: str, method: Method, before: Before) -> None:
    """Raise InputError where there is evidence of another circuit and the method does not learn from it."""
    if before.others and not method.warm:
        able = ", ".join(name for name, each in METHODS.shipped.items() if each.warm)
        raise InputError(
            f"warm_start: {name} does not learn from earlier runs; expected one of {able}, or a run of this very "
            f"circuit, which {before.others[0].run} is not (or it measured in another way, or with another ngspice)"
        )


def _placed(spec: Spec, key: str, look_up: Any) -> Any:
    """What is looked up by a setting, whose place in the file is told where there is no such thing."""
    try:
        return look_up()
    except InputError as error:
        if key not in spec.run_lines or getattr(spec.run, key) != getattr(spec.own_run, key):
            raise
        raise SpecError([f"{spec.path}:{spec.run_lines[key]}: run.{error}"]) from None


def _refuse_unheeded(spec: Spec, method: Method, asked: str) -> None:
    """Raise SpecError for settings that the method does not heed, unless they stand in the file for another method."""
    own = flat(spec.own_run.model_dump(exclude_unset=True))
    chosen = flat(spec.run.model_dump())
    for_another = asked != spec.own_run.method
    mistakes = []
    for key in unheeded(spec.run, method):
        in_file = key in own and own[key] == chosen[key]
        if in_file and for_another:
            continue
        where = f"{spec.path}:{spec.run_lines[key]}: run." if in_file and key in spec.run_lines else ""
        mistakes.append(f"{where}{unheeded_words(spec.run.method, key)}")
    if mistakes:
        raise SpecError(mistakes)


def _refuse_unless_looking(spec: Spec, method: Method) -> None:
    if not method.looks:
        return
    name, acceptance = spec.run.method, spec.run.search.acceptance
    if spec.task.look is None:
        raise InputError(f"method: {name} looks at operating points: expected a bench with an `op` analysis")
    if acceptance != "ranking":
        raise InputError(f"search.acceptance: {name} looks at what it ranks: expected ranking, got {acceptance}")

"""Writes a first spec: the netlist is read and recognised, the proposal simulated as it is, its results the targets."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from importlib import import_module
from importlib.resources import files
from math import isfinite
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from sizing.errors import InputError
from sizing.first_spec.benches.proposal import proposed_setups
from sizing.first_spec.benches.setup import MetricText, Setup
from sizing.first_spec.fixture import Fixture, fixture_of
from sizing.first_spec.places import edited, physical_lines
from sizing.first_spec.ranges import Inversion
from sizing.first_spec.recognition.classes import Structure, recognise
from sizing.first_spec.scalars import scalar
from sizing.first_spec.source import UserNetlist, models_named, read_user_netlist
from sizing.first_spec.variables import Sizing, propose_variables
from sizing.simulation.ngspice import SimulatorMissing
from sizing.simulation.simulator import Failed, Outcome
from sizing.simulation.simulators import pool_for
from sizing.specfile.entries import ModelsEntry
from sizing.specfile.load import load_spec
from sizing.task.job import Job
from sizing.units import format_quantity


@dataclass(frozen=True)
class FirstSpec:
    """What was written, and what it is about."""

    path: Path
    netlist: Path
    """The user's, or its copy with parameters."""
    copied: bool
    title: str
    recognised: bool
    """Whether the circuit is of a class with benches of its own."""
    variables: int
    missing: Mapping[str, str]
    """Metrics that could not be measured with the netlist as it is, and why."""
    set_aside: tuple[str, ...]
    """Lines of the netlist that say what a spec says, which the copy does not have."""


def write_first_spec(
    netlist: str | Path,
    out: str | Path | None = None,
    models: Sequence[str] = (),
    top: str | None = None,
    *,
    trust: bool = False,
) -> FirstSpec:
    """Write a spec for a netlist, beside it unless `out` says where, and a copy of it where that needs parameters.

    Both are new files. Raises InputError where the netlist cannot be used, or a file is there already.
    """
    netlist = Path(netlist)
    out = Path(out) if out else netlist.with_suffix(".yaml")
    copy = netlist.with_name(f"{out.stem}_sized{netlist.suffix}")
    if not out.parent.is_dir():
        raise InputError(f"--out: expected a folder {out.parent} for {out.name}, found none; make it first")
    _refuse_existing(out)
    entries = models_named(models, out.parent)
    user = read_user_netlist(netlist, out.parent, entries, top, trust=trust)
    structure = recognise(user.circuit, user.outer, f"{netlist.stem} {user.subcircuit}")
    sizing = propose_variables(user, structure)
    fixture = fixture_of(user, structure)
    copied = user.changed or bool(sizing.edits)
    if copied:
        _refuse_existing(copy)
    aside = tuple(f"{line.file}:{line.number}: {line.text}" for line in user.settings)
    draft = _Draft(out, copy if copied else netlist, netlist, entries, structure, sizing, fixture, trust, aside)
    written = []
    try:
        if copied:
            copy.write_text(_with_parameters(user, sizing), encoding="utf-8")
            written.append(copy)
        written.append(out)
        return draft.write()
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise


@dataclass(frozen=True)
class _Draft:
    """What a spec is made of, but for its targets."""

    out: Path
    netlist: Path
    original: Path
    models: Sequence[ModelsEntry]
    structure: Structure
    sizing: Sizing
    fixture: Fixture
    trust: bool
    set_aside: tuple[str, ...]

    def write(self) -> FirstSpec:
        """Write the setup in which most can be measured, with what was measured as targets."""
        best: tuple[int, Setup, Outcome] | None = None
        for setup in proposed_setups(self.structure, self.fixture):
            outcome = self._simulated(setup)
            lacking = len(setup.metrics) + 1 if isinstance(outcome, Failed) else len(outcome.missing)
            if best is None or lacking < best[0]:
                best = lacking, setup, outcome
            if lacking == 0:
                break
        assert best is not None
        _, setup, outcome = best
        self._save(setup, outcome)
        if not isinstance(outcome, Failed) and (known := self._inversions()):
            self._save(setup, outcome, known)
        names = [metric.name for metric in setup.metrics]
        if isinstance(outcome, Failed):
            missing = dict.fromkeys(names, f"{outcome.reason}: {outcome.message}")
        else:
            missing = {names[index]: why for index, why in outcome.missing.items()}
        return FirstSpec(
            path=self.out,
            netlist=self.netlist,
            copied=self.netlist != self.original,
            title=setup.title,
            recognised=self.structure.circuit_class is not None,
            variables=len(self.sizing.proposed),
            missing=missing,
            set_aside=self.set_aside,
        )

    def _simulated(self, setup: Setup) -> Outcome:
        """All benches with the values of the netlist as it is."""
        self._save(setup, None)
        spec = load_spec(self.out, trust=self.trust)
        job = Job(self.sizing.values)
        with pool_for(spec.task, spec.run, 1) as pool:
            pool.load(job)
            return pool.run([job])[0]

    def _inversions(self) -> Mapping[str, Sequence[Inversion]]:
        """How the transistors of each width are inverted as it is; nothing where device tables do not tell."""
        task = load_spec(self.out, trust=self.trust).task
        try:
            found: Mapping[str, Sequence[Inversion]] = import_module("surrogates.tables.inversion").inversions(
                task, self.sizing.values
            )
        except (InputError, SimulatorMissing):
            return {}
        return found

    def _save(
        self, setup: Setup, outcome: Outcome | None, inversions: Mapping[str, Sequence[Inversion]] | None = None
    ) -> None:
        values = [None] * len(setup.metrics) if outcome is None or isinstance(outcome, Failed) else outcome.values
        template = Environment(
            undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
        ).from_string((files(__package__) / "spec.yaml.j2").read_text(encoding="utf-8"))
        text = template.render(
            name=self.original.name,
            original=self.original.name,
            file=self.out,
            netlist=scalar(Path(os.path.relpath(self.netlist, self.out.parent)).as_posix()),
            models=", ".join(map(_models_text, self.models)),
            copied=self.netlist != self.original,
            setup=setup,
            variables=self.sizing.variables(inversions or {}),
            by_inversion=bool(inversions),
            measured=any(value is not None and isfinite(value) for value in values),
            metrics=[_targeted(metric, value) for metric, value in zip(setup.metrics, values, strict=True)],
        )
        self.out.write_text(text, encoding="utf-8")


def _models_text(entry: ModelsEntry) -> str:
    given = entry.model_dump(exclude_none=True)
    return "{" + ", ".join(f"{key}: {scalar(text)}" for key, text in given.items()) + "}"


def _targeted(metric: MetricText, value: float | None) -> Mapping[str, str]:
    """A metric with its target, from what it is now where that is known."""
    known = None if value is None or not isfinite(value) else value
    goal = known if known and metric.follows else metric.usual
    margin = 0.02 * abs(goal) if metric.bound == "around" else 0.0
    bounds = {"at_least": _rounded(goal - margin, ROUND_FLOOR), "at_most": _rounded(goal + margin, ROUND_CEILING)}
    target = ", ".join(
        f"{key}: {format_quantity(bound, metric.unit, digits=6)}"
        for key, bound in bounds.items()
        if metric.bound in (key, "around")
    )
    now = "could not be measured" if known is None else f"{format_quantity(known, metric.unit)} as it is"
    return {"name": metric.name, "entry": metric.entry, "target": target, "comment": now}


def _rounded(value: float, rounding: str) -> float:
    """The value in two digits."""
    exact = Decimal(repr(value))
    return float(exact.quantize(Decimal(1).scaleb(exact.adjusted() - 1), rounding=rounding))


def _with_parameters(user: UserNetlist, sizing: Sizing) -> str:
    """The user's text with the edits, and what they need after its first comments."""
    lines = physical_lines(edited(user.text, sizing.edits))
    at = next((index for index, line in enumerate(lines) if not line.lstrip().startswith("*")), len(lines))
    added = ["* Written by `sizing init`:", *sizing.parameters, "* The rest is as it was, but for these names."]
    if not sizing.parameters:
        added = [] if at else ["* Written by `sizing init`"]  # a first line that is a device would be a title
    return "".join([*lines[:at], *(f"{line}\n" for line in added), *lines[at:]])


def _refuse_existing(path: Path) -> None:
    if path.exists():
        raise InputError(f"{path} already exists, and nothing is overwritten: choose another --out, or move it away")

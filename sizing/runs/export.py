"""A run's design in the forms that other tools take: netlists, `.param` lines, JSON, a table of devices."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sizing.errors import InputError, nearest
from sizing.files import write_whole
from sizing.runs.records.reading import RunError, RunRecord, read_run
from sizing.runs.records.writing import OWN_FOLDER
from sizing.simulation.simulator import Failed
from sizing.spice.circuit import Circuit, parse_circuit
from sizing.spice.device import Device
from sizing.spice.expression import ExpressionError, resolve
from sizing.spice.netlist import Line, read_file, read_text
from sizing.spice.parameters import substitute_parameters
from sizing.task.objectives import cost, in_spec, meets
from sizing.units import spice_number

_VALUE = {("r", "r"), ("c", "c"), ("l", "l"), ("v", "dc"), ("i", "dc")}
"""(device kind, parameter) that schematic editors call the value of a component."""
_SIZES = frozenset({"w", "l", "m", "value"})
"""What is told of devices inside sub-circuits, which have much else from their models."""
_MODEL_LINE = re.compile(r'\.include "[^"]+"|\.lib "[^"]+" \w+|\.options wnflag=1')
"""What `spec.models.deck_lines` writes."""


def export(run: str | Path, *, rank: int = 1, form: str = "netlist", out: str | Path | None = None) -> str:
    """A run's design in a form of FORMS, written to `out` where that is given; what is written.

    The form "files", the user's own files, needs a new folder as `out`, and gives their paths, a line each. Raises
    InputError for another form, and where something would be overwritten.
    """
    if form not in (known := [*FORMS, "files"]):
        raise InputError(f"--format: no form {form!r}{nearest(form, known)}")
    out = None if out is None else Path(out)
    if out is not None and out.exists():
        raise InputError(f"{out} already exists, and nothing is overwritten: choose another --out")
    record = read_run(run)
    if form != "files":
        text = FORMS[form](record, rank)
        if out is not None:
            write_whole(out, text.encode())
        return text
    if out is None:
        raise InputError("--format files: expected --out FOLDER, a new folder for the changed files")
    contents = {out / place: content for place, content in sized_files(record, rank).items()}
    for path, content in contents.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return "".join(f"{path}\n" for path in contents)


@dataclass(frozen=True)
class Ranked:
    """A design of a run: its rank among them, its row in the population, and the values of its variables."""

    rank: int
    row: int
    values: Mapping[str, float]


def ranked(record: RunRecord, rank: int) -> Ranked:
    """The design of this rank, 1 for the best; raises RunError where there is none."""
    count = len(record.population)
    if not 1 <= rank <= count:
        raise RunError(f"{record.path}: expected a rank from 1 to {count}, got {rank}")
    row = int(record.ranked[rank - 1])
    return Ranked(rank, row, record.problem.values(record.population[row].design))


def sized_netlist(record: RunRecord, rank: int = 1) -> str:
    """The netlist as the user wrote it, included files in place, with the design's values: ready for ngspice.

    Process kits and other `models` of the spec are named, not brought along.
    """
    models = _model_lines(record)
    title = ["* with these models"] if models else []  # ngspice takes the first line for one
    sized = substitute_parameters(_netlist(record), ranked(record, rank).values)
    return "\n".join([*title, *models, sized])


def sized_files(record: RunRecord, rank: int = 1) -> dict[Path, bytes]:
    """The user's own files that give the variables their values, by their place below the folder they share, changed.

    Raises RunError for a run that did not keep them.
    """
    design, folder = ranked(record, rank), _inside(record, record.path / OWN_FOLDER)
    found = sorted(_inside(record, path) for path in folder.rglob("*") if path.is_file())
    if not found:
        raise RunError(
            f"{folder}: expected the files that have the variables' .param lines, found none: the run was made by an "
            "earlier version; the form netlist has everything in one file"
        )
    return {
        path.relative_to(folder): substitute_parameters(path.read_bytes().decode("utf-8-sig"), design.values).encode()
        for path in found
    }


def parameter_lines(record: RunRecord, rank: int = 1) -> str:
    """A `.param` line for each variable."""
    design = ranked(record, rank)
    good = "in spec" if in_spec(record.problem, record.values[design.row]) else "misses targets"
    manifest = record.manifest
    head = f"* {record.problem.name}, {manifest['method']}, seed {manifest['seed']}: design {rank}, {good}"
    head = " ".join(head.split())  # one line, whatever the manifest says
    return "\n".join([head, *(f".param {name}={spice_number(value)}" for name, value in design.values.items()), ""])


def design_json(record: RunRecord, rank: int = 1) -> str:
    """Values, metrics and targets in SI units (fractions for %), and which run they are of."""
    design, problem, manifest = ranked(record, rank), record.problem, record.manifest
    values, outcome = record.values[design.row], record.population[design.row].outcome
    met, total = meets(problem, values), float(cost(problem, values))
    reasons = outcome.message if isinstance(outcome, Failed) else outcome.missing
    metrics: dict[str, dict[str, Any]] = {}
    for index, (metric, value) in enumerate(zip(problem.metrics, values, strict=True)):
        bounds = {"at_least": metric.at_least, "at_most": metric.at_most}
        found = {"value": None if np.isnan(value) else float(value), "unit": metric.unit, **bounds}
        why = {"missing": reasons if isinstance(reasons, str) else reasons[index]} if np.isnan(value) else {}
        goal = {"goal": metric.goal} if metric.goal else {}
        metrics[metric.name] = found | goal | {"met": bool(met[index])} | why
    document = {
        "run": {
            **{name: manifest[name] for name in ("spec", "topology", "method", "seed", "created", "versions")},
            "folder": str(record.path),
            "journal": record.summary.get("seal"),
        },
        "design": {
            "rank": rank,
            "simulation": int(record.simulations_at[design.row]),
            "in_spec": bool(met.all()),
            "cost": total if np.isfinite(total) else None,
        },
        "variables": {
            variable.name: {"value": design.values[variable.name], "unit": variable.unit}
            for variable in problem.variables
        },
        "metrics": metrics,
    }
    return json.dumps(document, indent=1) + "\n"


def device_table(record: RunRecord, rank: int = 1) -> str:
    """Every device with the numbers that its parameters have, a row each, in columns separated by tabs.

    Devices and calls of the netlist's top level come first, as a schematic has them, under the names that the user
    wrote; then the sizes of the devices inside sub-circuits, by path. Empty where a device has no such parameter.
    """
    values = ranked(record, rank).values
    file = str(record.manifest["netlist"])
    lines = read_text(_netlist(record), file, record.path / "circuit", within=(record.path,))
    own = {line.text.split()[1].lower() for line in lines if line.keyword == ".subckt"}
    called = {word for line in lines if line.keyword[:1] == "x" for word in line.text.lower().split()}
    as_written = _names(lines)
    top = parse_circuit(lines, {name: {} for name in called | own})
    flat = parse_circuit(lines, {name: {} for name in called - own})  # calls of a process kit's are devices
    rows = list(_rows(top, values, as_written, lambda device, name: True))
    inner = _rows(flat, values, as_written, lambda device, name: "." in device.name and name in _SIZES)
    table: str = pd.DataFrame([*rows, *inner]).to_csv(sep="\t", index=False)
    return table


FORMS: Mapping[str, Callable[[RunRecord, int], str]] = {
    "netlist": sized_netlist,
    "param": parameter_lines,
    "json": design_json,
    "devices": device_table,
}
"""The forms that are one text."""


def _netlist(record: RunRecord) -> str:
    return read_file(_inside(record, record.path / str(record.manifest["netlist"])))


def _inside(record: RunRecord, path: Path) -> Path:
    """The path; raises RunError where it leads out of the run's folder, which may come from a stranger."""
    if not path.resolve().is_relative_to(record.path.resolve()):
        raise RunError(
            f"{path}: expected a file in the run's folder, got one elsewhere; no run that was made here has it"
        )
    return path


def _model_lines(record: RunRecord) -> list[str]:
    """The lines that name the `models` of the spec; raises RunError for anything else in their place."""
    lines = record.manifest.get("models", [])
    for line in lines:
        if not (isinstance(line, str) and _MODEL_LINE.fullmatch(line) and line.isprintable()):
            raise RunError(
                f"{record.path / 'manifest.json'}: models: expected lines that name files of models, got {line!r}"
            )
    return list(lines)


def _rows(
    circuit: Circuit, values: Mapping[str, float], names: Mapping[str, str], wanted: Callable[[Device, str], bool]
) -> Iterator[dict[str, str]]:
    for device in circuit.devices:
        row = {"name": ".".join(names.get(part, part) for part in device.name.split(".")), "model": device.model or ""}
        found = False
        for parameter, text in device.parameters.items():
            name = "value" if (device.kind, parameter) in _VALUE else parameter
            if not wanted(device, name) or device.names_device(parameter):
                continue
            try:
                number = float(resolve({**circuit.parameters, " ": text}, values, [" "])[" "])
            except (ExpressionError, ArithmeticError):
                continue  # a waveform, or words
            row[name], found = f"{number:.12g}", True
        if found:
            yield row


def _names(lines: tuple[Line, ...]) -> dict[str, str]:
    """The names of devices as they are written, by what they are in lower case; the first counts."""
    written: dict[str, str] = {}
    for line in lines:
        if line.keyword and not line.keyword.startswith("."):
            written.setdefault(line.keyword, line.text.split(maxsplit=1)[0])
    return written

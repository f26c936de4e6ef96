"""A user's netlist as `sizing init` takes it: the circuit alone, and what belongs to a test bench set aside."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sizing.circuit import Circuit, parse_circuit
from sizing.device import Device, read_device
from sizing.first_spec.places import continued, physical_lines, words_by_line
from sizing.mistakes import InputError, nearest
from sizing.netlist import ANALYSES, Line, NetlistError, read_file, read_text
from sizing.recognition.transistors import model_type
from sizing.spec.shipped import shipped_specs
from sizing.trust import checked

CALL = "xdut"
"""The name of a sub-circuit's call in the test benches."""


@dataclass(frozen=True)
class UserNetlist:
    """A netlist that was read, and what is known of it before anything is recognised."""

    path: Path
    text: str
    """The user's text, its test bench (analyses, control blocks, sources to ground, a title) made comments."""
    changed: bool
    """Whether that changed anything."""
    lines: tuple[Line, ...]
    """What ngspice will read, includes expanded, models that were named apart included."""
    circuit: Circuit
    """The flat circuit, the call of its sub-circuit and sources to ground included."""
    outer: tuple[str, ...]
    """The nets that may be connected from outside: the sub-circuit's ports, else all of the top level."""
    subcircuit: str
    """The sub-circuit that is sized, if the netlist has nothing else at its top, else empty."""
    call: str
    """The line with which a test bench calls it."""
    sources: tuple[Line, ...]
    """The sources to ground that were set aside."""


def read_user_netlist(
    path: Path, folder: Path, models: Sequence[str] = (), top: str | None = None, *, trust: bool = False
) -> UserNetlist:
    """Read a netlist whose spec will stand in `folder`.

    `models` are `.include` and `.lib` lines to read first. `top` is the sub-circuit to size where several could be.
    Raises NetlistError for what cannot be read, for sub-circuits and models that are nowhere defined, and for what may
    do harm, unless there is `trust` in it.
    """
    within = None if trust else (folder, shipped_specs())
    given = read_file(path)
    first = read_text("\n".join(models), "--models", path.parent, within=within) if models else ()

    def read(text: str) -> tuple[Line, ...]:
        lines = (*first, *read_text(text, str(path), path.parent, within=within))
        if not trust:
            checked(lines)
        return lines

    text = _commented(given, _bench_lines(given))
    if (title := _first_line(text, path)) and _is_title(title, text):
        text = _commented(text, {title.number})
    lines = read(text)
    _check_definitions(lines)
    call = _call(lines, path, top)
    whole = (*lines, call) if call else lines
    circuit = parse_circuit(whole)
    sources = tuple(_sources_to_ground(lines, path))
    text = _commented(text, {number for line in sources for number in continued(text, line.number)})
    outer = tuple(net for net in circuit.nets if "." not in net)
    asked = call.text if call else ""
    return UserNetlist(
        path, text, text != given, read(text), circuit, outer, asked[asked.rfind(" ") + 1 :], asked, sources
    )


def model_lines(names: Sequence[str], folder: Path) -> tuple[str, ...]:
    """The lines that include files of models, each given as FILE or FILE:SECTION, for a netlist in `folder`.

    Raises InputError for a file that is not there.
    """
    found = []
    for name in names:
        file, _, section = (name, "", "") if Path(name).exists() else name.rpartition(":")
        if not Path(file or name).is_file():
            raise InputError(f"--models: expected a file, or FILE:SECTION of a library, found none at {name!r}")
        path = os.path.relpath(Path(file), folder)
        found.append(f'.lib "{path}" {section}' if section else f'.include "{path}"')
    return tuple(found)


def _bench_lines(text: str) -> set[int]:
    """The numbers of physical lines with analyses, what they print, and control blocks."""
    found: set[int] = set()
    block = False
    for number, physical in enumerate(physical_lines(text), 1):
        keyword = "".join(physical.split()[:1]).lower()
        block = block or keyword == ".control"
        if block:
            found.add(number)
        elif keyword in ANALYSES:
            found.update(continued(text, number))
        block = block and keyword != ".endc"
        if keyword == ".end":
            break
    return found


def _commented(text: str, numbers: set[int]) -> str:
    lines = enumerate(physical_lines(text), 1)
    return "".join(f"* {line}" if number in numbers and line.strip() else line for number, line in lines)


def _first_line(text: str, path: Path) -> Line | None:
    """The first line, which is a deck's title to SPICE, if it is no comment and no command."""
    for number, physical in enumerate(physical_lines(text), 1):
        if physical.strip():
            return None if physical.lstrip()[0] in "*.+$;" else Line(physical.strip(), str(path), number)
    return None


def _is_title(line: Line, text: str) -> bool:
    """Whether a first line is no device: unreadable as one, or with a model and nets that nothing else mentions."""
    try:
        device = read_device(line, ())
    except NetlistError:
        return True
    others = (words for number, words in words_by_line(text).items() if number != line.number)
    rest = {word.text.lower() for words in others for word in words.alone}
    return device.model is not None and device.model not in rest and not set(device.nets) <= rest


def _check_definitions(lines: Sequence[Line]) -> None:
    """Raise NetlistError at the first device whose model or sub-circuit is nowhere defined."""
    calls = {line.text.lower().split()[1] for line in lines if line.keyword == ".subckt" and len(line.text.split()) > 1}
    models = parse_models(lines)
    for line in lines:
        if not line.keyword or line.keyword.startswith("."):
            continue
        device = read_device(line, models)
        if device.kind == "x" and device.model not in calls:
            raise line.error(
                f"expected a sub-circuit {device.model!r}, found none{nearest(device.model or '', calls)}; give the "
                "file that defines it with --models FILE, or FILE:SECTION of a library"
            )
        if device.kind != "x" and device.model and model_type(device.model, models) is None:
            raise line.error(
                f"expected a model {device.model!r}, found none{nearest(device.model, models)}; give the file that "
                "defines it with --models FILE, or FILE:SECTION of a library"
            )


def parse_models(lines: Sequence[Line]) -> Mapping[str, str]:
    """The type of every model by name."""
    return parse_circuit([line for line in lines if line.keyword == ".model"]).models


def _call(lines: Sequence[Line], path: Path, top: str | None) -> Line | None:
    """The call of the one sub-circuit that no other calls, where the netlist has no devices outside sub-circuits."""
    ports: dict[str, list[str]] = {}
    called: set[str] = set()
    depth, outside = 0, 0
    for line in lines:
        words = line.text.lower().split()
        if line.keyword == ".subckt":
            if depth == 0 and line.file == str(path):
                stop = next((at for at, word in enumerate(words) if "=" in word or word.startswith("params:")), None)
                names = words[2:stop]
                ports[words[1]] = names[:-1] if stop is not None and words[stop].startswith("=") else names
            depth += 1
        elif line.keyword == ".ends":
            depth -= 1
        elif line.keyword and not line.keyword.startswith("."):
            outside += depth == 0
            if line.keyword.startswith("x"):
                called.add(read_device(line, ()).model or "")
    if top is not None and top.lower() not in ports:
        raise InputError(f"{path}: --top: expected a sub-circuit of this file, got {top!r}{nearest(top, ports)}")
    if outside and top is not None:
        raise InputError(f"{path}: --top: expected devices in sub-circuits only, got others; remove them or --top")
    if outside:
        return None
    uncalled = [top.lower()] if top else [name for name in ports if name not in called]
    if not uncalled:
        raise InputError(f"{path}: expected a circuit, found neither devices nor a sub-circuit; nothing to size")
    if len(uncalled) > 1:
        raise InputError(
            f"{path}: expected one sub-circuit that no other calls, got {', '.join(uncalled)}; say which one to size "
            "with --top NAME"
        )
    nets = ["gnd" if net == "0" else net for net in ports[uncalled[0]]]
    return Line(f"{CALL} {' '.join(nets)} {uncalled[0]}", str(path), 0)


def _sources_to_ground(lines: Sequence[Line], path: Path) -> Iterator[Line]:
    """Voltage sources at the top level of the user's own file with one end at ground."""
    depth = 0
    for line in lines:
        depth += (line.keyword == ".subckt") - (line.keyword == ".ends")
        if depth == 0 and line.keyword.startswith("v") and line.file == str(path):
            device: Device = read_device(line, ())
            if {"0", "gnd"} & set(device.nets):
                yield line

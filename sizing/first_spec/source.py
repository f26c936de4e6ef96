"""A user's netlist as `sizing init` takes it: the circuit alone, and what belongs to a test bench set aside."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sizing.errors import InputError, nearest
from sizing.first_spec.definitions import Definition, definitions, model_types
from sizing.first_spec.places import continued, physical_lines, words_by_line
from sizing.first_spec.recognition.rails import is_ground
from sizing.first_spec.recognition.transistors import model_type
from sizing.specfile.entries import ModelsEntry
from sizing.specfile.models import model_files, read_models
from sizing.specfile.settled import is_settled
from sizing.specfile.shipped import shipped_specs
from sizing.spice.circuit import Circuit, parse_circuit, read_header
from sizing.spice.device import Device, read_device
from sizing.spice.kits import KITS
from sizing.spice.netlist import ANALYSES, Line, NetlistError, read_file, read_text
from sizing.spice.trust import checked, options_in, unknown_option

CALL = "xdut"
"""The name of a sub-circuit's call in the test benches."""


@dataclass(frozen=True)
class UserNetlist:
    """A netlist that was read, and what is known of it before anything is recognised."""

    path: Path
    text: str
    """The user's text, its test bench (analyses, control blocks, sources to ground, a title) made comments."""
    changed: bool
    """Whether that changed anything, or a comment has to come before a first line that is a device."""
    definitions: Mapping[str, Definition]
    """What ngspice will read of this file: the top level, by the empty name, and sub-circuits."""
    circuit: Circuit
    """The flat circuit, the call of its sub-circuit and sources to ground included."""
    outer: tuple[str, ...]
    """The nets that may be connected from outside: the sub-circuit's ports, else all of the top level."""
    subcircuit: str
    """The sub-circuit that is sized, if that was asked for or nothing else is there, else empty."""
    call: str
    """The line with which a test bench calls it."""
    sources: tuple[Line, ...]
    """The sources to ground that were set aside."""
    settings: tuple[Line, ...]
    """The first physical lines of what a spec says, such as a temperature, which were set aside too."""


def read_user_netlist(
    path: Path, folder: Path, models: Sequence[ModelsEntry] = (), top: str | None = None, *, trust: bool = False
) -> UserNetlist:
    """Read a netlist whose spec will stand in `folder`.

    `models` are the spec's. `top` is the sub-circuit to size where several could be, or where the top level is a test
    bench, which is then set aside. Raises NetlistError for what cannot be read, for sub-circuits and models that are
    nowhere defined, and for what may do harm, unless there is `trust` in it.
    """
    within = None if trust else (folder, shipped_specs())
    given = read_file(path)
    library = read_models(model_files(models, folder), within)

    def read(text: str) -> tuple[Line, ...]:
        own = read_text(text, str(path), path.parent, within=within)
        return (*library.reached(own), *own)

    _check_is_netlist(given, path)
    settings = tuple(_settings(given, str(path)))
    text = _without(_commented(given, _bench_lines(given)), settings)
    if (title := _first_line(text, path)) and _is_title(title, text):
        text = _commented(text, {title.number})
    lines = read(text)
    _check_definitions(lines)
    scopes = definitions(lines, str(path))
    outside = [line for _, line in scopes[""].devices.values()]
    name = _sub_circuit(scopes, path, top) if top or not outside else ""
    call = _call(scopes[name], path) if name else None
    if call:
        text = _without(text, outside)
    lines = (*read(text), call) if call else lines
    circuit = parse_circuit(lines)
    if not trust:
        checked(lines)
    sources = () if call else tuple(line for device, line in scopes[""].devices.values() if _is_from_ground(device))
    text = _without(text, sources)
    return UserNetlist(
        path=path,
        text=text,
        changed=text != given or title is not None,
        definitions=definitions(read(text), str(path)),
        circuit=circuit,
        outer=tuple(net for net in circuit.nets if "." not in net),
        subcircuit=name,
        call=call.text if call else "",
        sources=sources,
        settings=settings,
    )


def models_named(names: Sequence[str], folder: Path, given_as: str = "--models") -> tuple[ModelsEntry, ...]:
    """The models of a spec in `folder`, each given as KIT, KIT:CORNER, FILE or FILE:SECTION.

    Raises InputError, which names what they were `given_as`, for a file that is not there.
    """
    found = []
    for name in names:
        kit, _, corner = name.partition(":")
        file, _, section = (name, "", "") if Path(name).exists() else name.rpartition(":")
        if kit in KITS:
            found.append(ModelsEntry(kit=kit, corner=corner or None))
        elif Path(file or name).is_file():
            found.append(ModelsEntry(path=os.path.relpath(Path(file), folder), section=section or None))
        else:
            kits = ", ".join(KITS)
            raise InputError(
                f"{given_as}: expected a kit ({kits}), a file, or FILE:SECTION of a library, found none at {name!r}"
            )
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
        elif keyword in ANALYSES or _is_foreign(physical):
            found.update(continued(text, number))
        block = block and keyword != ".endc"
        if keyword == ".end":
            break
    return found


def _settings(text: str, file: str) -> Iterator[Line]:
    """What a spec says instead: temperatures, seeds, voltages to start from."""
    for number, physical in enumerate(physical_lines(text), 1):
        line = Line(physical.strip(), file, number)
        if is_settled(line):
            yield line
        if line.keyword == ".end":
            return


def _is_foreign(physical: str) -> bool:
    """Whether this line has nothing but options that other simulators know, such as `.option post`."""
    line = Line(physical.strip(), "", 0)
    return line.keyword in (".option", ".options") and all(map(unknown_option, options_in(line)))


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
    device = _device(line)
    if device is None:
        return True
    others = (words for number, words in words_by_line(text).items() if number != line.number)
    rest = {word.text.lower() for words in others for word in words.alone}
    return device.model is not None and device.model not in rest and rest.isdisjoint(device.nets)


def _check_is_netlist(text: str, path: Path) -> None:
    """Raise InputError for a text none of whose lines is a command or a device."""
    lines = [Line(physical.strip(), str(path), 0) for physical in physical_lines(text)]
    if not any(line.keyword.startswith(".") or _device(line) for line in lines):
        raise InputError(
            f"{path}: expected a SPICE netlist, found no line that is a device or a command; nothing to size"
        )


def _device(line: Line) -> Device | None:
    """The device that a line reads as, if it does."""
    try:
        return read_device(line, ()) if line.keyword else None
    except NetlistError:
        return None


def _check_definitions(lines: Sequence[Line]) -> None:
    """Raise NetlistError at the first device whose model or sub-circuit is nowhere defined."""
    models = model_types(lines)
    calls = {read_header(line)[0] for line in lines if line.keyword == ".subckt"}
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


def _sub_circuit(scopes: Mapping[str, Definition], path: Path, top: str | None) -> str:
    """The one sub-circuit that no other calls, or the one that was asked for."""
    names = [name for name in scopes if name]
    if top is not None and top.lower() not in names:
        raise InputError(f"{path}: --top: expected a sub-circuit of this file, got {top!r}{nearest(top, names)}")
    called = {device.model for scope in scopes.values() for device, _ in scope.devices.values() if device.kind == "x"}
    uncalled = [top.lower()] if top else [name for name in names if name not in called]
    if not uncalled:
        raise InputError(f"{path}: expected a circuit, found neither devices nor a sub-circuit; nothing to size")
    if len(uncalled) > 1:
        raise InputError(
            f"{path}: expected one sub-circuit that no other calls, got {', '.join(uncalled)}; say which one to size "
            "with --top NAME"
        )
    return uncalled[0]


def _call(definition: Definition, path: Path) -> Line:
    """The line with which a test bench calls a sub-circuit, every port on a net of its own name."""
    assert definition.line is not None
    name, ports, _ = read_header(definition.line)
    if not ports:
        raise definition.line.error(f"expected ports of {name!r} to connect a test bench to, found none; add them")
    nets = ["gnd" if port == "0" else port for port in ports]
    return Line(" ".join((CALL, *nets, name)), str(path), 0)


def _is_from_ground(device: Device) -> bool:
    return device.kind == "v" and any(map(is_ground, device.nets))


def _without(text: str, lines: Iterable[Line]) -> str:
    return _commented(text, {number for line in lines for number in continued(text, line.number)})

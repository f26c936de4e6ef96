"""The lines of a user's file, sorted by where they stand: at the top level, or in one of its sub-circuits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sizing.spice.circuit import parse_circuit, read_header
from sizing.spice.device import Device, read_device
from sizing.spice.netlist import Line


@dataclass(frozen=True)
class Definition:
    """The lines of a sub-circuit, or of the top level: devices by name, `.param` lines, and how it begins."""

    line: Line | None = None
    devices: dict[str, tuple[Device, Line]] = field(default_factory=dict)
    parameters: list[Line] = field(default_factory=list)


def model_types(lines: Sequence[Line]) -> Mapping[str, str]:
    """The type of every model by name; raises NetlistError for sub-circuits that do not begin and end in turn."""
    return parse_circuit([line for line in lines if line.keyword.startswith(".")]).models


def definitions(lines: Sequence[Line], file: str) -> dict[str, Definition]:
    """The top level, by the empty name, and the sub-circuits that `file` defines, as `lines` have them.

    The lines are whole, includes expanded: their models tell how many nets a device has. Raises NetlistError.
    """
    scopes = [""]
    found = {"": Definition()}
    models = model_types(lines)
    for line in lines:
        if line.file != file:
            continue
        if line.keyword == ".subckt":
            scopes.append(read_header(line)[0])
            found.setdefault(scopes[-1], Definition(line))
        elif line.keyword == ".ends":
            scopes.pop()
        elif line.keyword.startswith(".para"):
            found[scopes[-1]].parameters.append(line)
        elif line.keyword and not line.keyword.startswith("."):
            device = read_device(line, models)
            found[scopes[-1]].devices[device.name] = device, line
    return found

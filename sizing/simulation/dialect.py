"""What is ngspice's own: what it calls devices and vectors, and what it can alter in a circuit that it has read."""

import re
from collections.abc import Mapping, Sequence

from sizing.simulation.simulator import SimulationError
from sizing.spice.device import Device
from sizing.task.bench import Analysis, Bench, Task, transistors

ALTERABLE = {("r", "r"), ("c", "c"), ("l", "l"), ("m", "m"), ("v", "dc"), ("v", "ac"), ("i", "dc"), ("i", "ac")}
"""(device kind, parameter) whose change in place gives what a reload gives, up to the last bit of the number read."""
_PLAIN_TARGET = re.compile(r"@[\w.]+\[m\]|[\w.]+( acmag)?")
"""What `alter` takes literally; ngspice's command line gives other characters, such as backquotes, a meaning."""
_AXES = {"ac": "frequency", "noise": "frequency", "tran": "time"}
_SWEPT = {"v": "v-sweep", "i": "i-sweep", "r": "res-sweep", "t": "temp-sweep"}
"""By the first letter of what a dc analysis sweeps: a source, a resistor or temp."""
_QUANTITY = re.compile(r"@(.+)\[(\w+)\]")
_ALSO_CALLED = {"vth": "von"}
"""In the simplest models."""
_REMEMBERS = re.compile(r"^k|(?<![\w.])(hertz|ddt)(?![\w.])", re.IGNORECASE)
"""Lines of coupled inductors, and of what depends on the frequency or on a derivative."""


def axis_name(analysis: Analysis) -> str | None:
    """The vector along which an analysis goes; None for an operating point."""
    if analysis.kind == "dc":
        return _SWEPT.get(analysis.command.split()[1][0].lower())
    return _AXES.get(analysis.kind)


def quantity_names(task: Task) -> Mapping[str, Mapping[str, Sequence[str]]]:
    """For each "bench.analysis" the quantities of devices to read ("@x1.m3[vth]"), and ngspice's names for each.

    The likeliest name comes first.
    """
    found: dict[str, dict[str, Sequence[str]]] = {}
    for bench in task.benches:
        called = {name: transistor_name(device) for name, device in transistors(bench.circuit).items()}
        for analysis in bench.analyses:
            reference = f"{bench.name}.{analysis.name}"
            matches = filter(None, map(_QUANTITY.fullmatch, task.vectors[reference]))
            found[reference] = {match[0]: _names(called[match[1]], match[2]) for match in matches}
    return found


def transistor_name(device: Device) -> str:
    """What ngspice calls a MOS transistor; that of a process kit's sub-circuit is named after it."""
    return f"m.{device.name}.m{device.model}" if device.kind == "x" else _instance(device)


def alterations(bench: Bench, variables: Sequence[str]) -> dict[str, tuple[str, ...]] | None:
    """For every variable, the targets of ngspice's `alter` that together mean setting it in a loaded deck.

    None where a variable reaches anything but whole values of ALTERABLE, so that the deck must be expanded again.
    """
    targets: dict[str, list[str]] = {name: [] for name in variables}
    mention = re.compile(rf"(?<![\w.])({'|'.join(map(re.escape, variables))})(?![\w.])")
    for device in bench.circuit.devices:
        for parameter, expression in device.parameters.items():
            if mention.search(expression):
                name = expression.strip("() ")
                if name not in targets or (device.kind, parameter) not in ALTERABLE:
                    return None
                target = _alter_target(device, parameter)
                if not _PLAIN_TARGET.fullmatch(target):
                    return None
                targets[name].append(target)
    lines = [line for each in (bench, *bench.processes.values()) for line in each.lines]
    for line in lines:  # what is no device: parameters that depend on a variable, calls, models
        if line.keyword[0] in ".x" and mention.search(re.sub(r"\w+\s*=(?!=)", "", line.text.lower())):
            return None
    return {name: tuple(found) for name, found in targets.items()}


def alterable(task: Task) -> bool:
    """Whether ngspice can go from design to design in decks it has loaded, instead of reading them anew."""
    return all(alterations(bench, task.variables) is not None for bench in task.benches)


def keeps_state(bench: Bench) -> bool:
    """Whether an analysis leaves something in the loaded deck that changes another one, the same of a design later on.

    Found in ngspice 39 by analyses of all kinds of devices in shuffled orders: coupled inductors keep the fluxes of a
    transient, `ddt` what it differentiated there, `hertz` the last frequency of a sweep; and in a dc sweep after a
    transient, charges of junctions carry a current, as if time went on.
    """
    kinds = {analysis.kind for analysis in bench.analyses}
    lines = (line for each in (bench, *bench.processes.values()) for line in each.lines)
    return kinds >= {"dc", "tran"} or (kinds != {"op"} and any(_REMEMBERS.search(line.text) for line in lines))


def no_result(vector: str) -> SimulationError:
    """The error for a vector that an analysis did not give; where it is a device's quantity, its model has none."""
    return SimulationError("netlist" if vector.startswith("@") else "convergence", f"no result for {vector}")


def _names(device: str, quantity: str) -> list[str]:
    return [f"@{device}[{name}]" for name in (quantity, _ALSO_CALLED.get(quantity)) if name]


def _instance(device: Device) -> str:
    """What ngspice calls a device."""
    return f"{device.kind}.{device.name}" if "." in device.name else device.name


def _alter_target(device: Device, parameter: str) -> str:
    name = _instance(device)
    if parameter == "ac":
        return f"{name} acmag"
    return f"@{name}[m]" if parameter == "m" else name

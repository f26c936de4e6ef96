"""What ngspice calls the vectors that measurements name after the netlist, and the axis of an analysis."""

import re
from collections.abc import Mapping, Sequence

from sizing.simulation.simulator import SimulationError
from sizing.task.bench import Analysis, Task, transistors

_AXES = {"ac": "frequency", "noise": "frequency", "tran": "time"}
_SWEPT = {"v": "v-sweep", "i": "i-sweep", "r": "res-sweep", "t": "temp-sweep"}
"""By the first letter of what a dc analysis sweeps: a source, a resistor or temp."""
_QUANTITY = re.compile(r"@(.+)\[(\w+)\]")
_ALSO_CALLED = {"vth": "von"}
"""In the simplest models."""


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
        called = transistors(bench.circuit)
        for analysis in bench.analyses:
            reference = f"{bench.name}.{analysis.name}"
            matches = filter(None, map(_QUANTITY.fullmatch, task.vectors[reference]))
            found[reference] = {match[0]: _names(called[match[1]], match[2]) for match in matches}
    return found


def no_result(vector: str) -> SimulationError:
    """The error for a vector that an analysis did not give; where it is a device's quantity, its model has none."""
    return SimulationError("netlist" if vector.startswith("@") else "convergence", f"no result for {vector}")


def _names(device: str, quantity: str) -> list[str]:
    return [f"@{device}[{name}]" for name in (quantity, _ALSO_CALLED.get(quantity)) if name]

"""Test benches: the circuit, a stimulus around it, and the analyses to run; decks as any SPICE simulator takes them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sizing.circuit import Circuit
from sizing.device import Device
from sizing.netlist import Line
from sizing.units import spice_number

ALTERABLE = {("r", "r"), ("c", "c"), ("l", "l"), ("m", "m")}
"""(device kind, parameter) whose change in place gives what a reload gives."""


@dataclass(frozen=True)
class Analysis:
    """One ngspice analysis command, the source whose AC magnitude is 1 during it, and `.meas` lines to run after it."""

    name: str
    command: str
    excite: str | None = None
    meas: tuple[tuple[str, str], ...] = ()

    @property
    def kind(self) -> str:
        """The analysis' first word: op, ac, tran, dc or noise."""
        return self.command.split()[0].lower()


@dataclass(frozen=True)
class Bench:
    """A deck without analyses (circuit, stimulus, options), what it contains, and what is run on it."""

    name: str
    lines: tuple[Line, ...]
    circuit: Circuit
    analyses: tuple[Analysis, ...]

    def deck(self, values: Mapping[str, float], analysis: Analysis | None = None) -> str:
        """A whole SPICE file with these variable values, ready for `ngspice -b` where an analysis is named."""
        text = [f"* {self.name}", substitute_parameters("\n".join(line.text for line in self.lines), values)]
        if analysis is not None:
            text += [f".meas {analysis.kind} {name} {what}" for name, what in analysis.meas]
            text.append(f".{analysis.command}")
        if analysis is not None and analysis.excite is not None:
            text = [_excited(line, analysis.excite) for line in "\n".join(text).split("\n")]
        return "\n".join([*text, ".end", ""])


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
                targets[name].append(_alter_target(device, parameter))
    for line in bench.lines:  # what is no device: parameters that depend on a variable, calls, models
        if line.keyword[0] in ".x" and mention.search(re.sub(r"\w+\s*=", "", line.text.lower())):
            return None
    return {name: tuple(found) for name, found in targets.items()}


def substitute_parameters(text: str, values: Mapping[str, float]) -> str:
    """The same netlist text, to the letter, but for the values that its `.param` lines give to these names."""
    if not values:
        return text
    names = "|".join(re.escape(name) for name in values)
    assignment = re.compile(rf"(?<![\w.])({names})(\s*=\s*)(\{{[^}}]*\}}|'[^']*'|[^\s;$,]+)", re.IGNORECASE)
    lower = {name.lower(): value for name, value in values.items()}
    result, inside = [], False
    for line in text.split("\n"):
        inside = line.lstrip().lower().startswith(".param") or (inside and line.lstrip()[:1] in ("+", "*"))
        if inside and not line.lstrip().startswith("*"):
            line = assignment.sub(lambda m: f"{m[1]}{m[2]}{spice_number(lower[m[1].lower()])}", line)
        result.append(line)
    return "\n".join(result)


def _alter_target(device: Device, parameter: str) -> str:
    name = f"{device.kind}.{device.name}" if "." in device.name else device.name
    return f"@{name}[m]" if parameter == "m" and device.kind == "m" else name


def _excited(line: str, source: str) -> str:
    return f"{line} ac 1" if line.split(maxsplit=1)[:1] and line.split()[0].lower() == source else line

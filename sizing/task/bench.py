"""Test benches: the circuit, a stimulus around it, and the analyses to run; decks as any SPICE simulator takes them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from sizing.measures.operating_point import DcValue
from sizing.measures.table import AnyMeasure
from sizing.spice.bins import Bins
from sizing.spice.circuit import Circuit
from sizing.spice.device import Device
from sizing.spice.netlist import Line
from sizing.task.problem import PROCESS, SAMPLE, TEMPERATURE
from sizing.units import spice_number

ALTERABLE = {("r", "r"), ("c", "c"), ("l", "l"), ("m", "m"), ("v", "dc"), ("v", "ac"), ("i", "dc"), ("i", "ac")}
"""(device kind, parameter) whose change in place gives what a reload gives, up to the last bit of the number read."""
_PLAIN_TARGET = re.compile(r"@[\w.]+\[m\]|[\w.]+( acmag)?")
"""What `alter` takes literally; ngspice's command line gives other characters, such as backquotes, a meaning."""

_DRAWN = re.compile(r"\b(agauss|gauss|aunif|unif)\s*\(", re.IGNORECASE)
_COMMENT = re.compile(r"^\s*\*.*|(?:;|(?:(?<=[\s,])|^)\$|//).*")
_BRACES = r"\{[^{}]*\}"
_PARENTHESES = r"\([^()]*\)"
for _ in range(4):  # expressions may nest
    _BRACES = rf"\{{(?:[^{{}}]|{_BRACES})*\}}"
    _PARENTHESES = rf"\((?:[^()]|{_PARENTHESES})*\)"
_ASSIGNMENT = re.compile(
    rf"""(?<![\w.])(?P<name>[^\W\d]\w*)\s*=(?!=)\s*(?P<value>(?:'[^']*'|"[^"]*"|{_BRACES}|{_PARENTHESES}|[^\s=,'"{{}}()])+)"""
)


@dataclass(frozen=True)
class Analysis:
    """One ngspice analysis command, the sources with an AC magnitude during it, and `.meas` lines to run after it.

    `excite` has (source, magnitude) pairs; a negative magnitude is one in opposite phase.
    """

    name: str
    command: str
    excite: tuple[tuple[str, float], ...] = ()
    meas: tuple[tuple[str, str], ...] = ()

    @property
    def kind(self) -> str:
        """The analysis' first word: op, ac, tran, dc or noise."""
        return self.command.split()[0].lower()


@dataclass(frozen=True)
class Bench:
    """A deck without analyses (models, circuit, stimulus, options), what it contains, and what is run on it.

    In `circuit` a sub-circuit of a process kit is one device.
    """

    name: str
    lines: tuple[Line, ...]
    circuit: Circuit
    analyses: tuple[Analysis, ...]
    bins: Bins | None = None
    processes: tuple["Bench", ...] = ()
    """The same with the models of each of the processes that a corner may set."""

    def needed(self, values: Mapping[str, float]) -> tuple[Line, ...]:
        """The lines with these values' process, but for the models that no device has then; raises OutsideBins."""
        if PROCESS in values and self.processes:
            return self.processes[int(values[PROCESS])].needed(values)
        if self.bins is None:
            return self.lines
        unused = self.bins.unused(values)
        return tuple(line for index, line in enumerate(self.lines) if index not in unused)

    def deck(self, values: Mapping[str, float], analysis: Analysis | None = None) -> str:
        """A whole SPICE file with the values of a job, ready for `ngspice -b` where an analysis is named.

        Raises OutsideBins.
        """
        lines = [line.text for line in self.needed(values)]
        if analysis is not None:
            lines = _excited(lines, dict(analysis.excite))
        text = [f"* {self.name}", substitute_parameters("\n".join(lines), values)]
        if TEMPERATURE in values:  # of several, the last counts
            text.append(f".options temp={spice_number(values[TEMPERATURE])}")
        if SAMPLE in values:  # the same for every bench, so that its circuit is the same sample
            text.append(f".options seed={int(values[SAMPLE])}")
        if analysis is not None:
            text += [f".meas {analysis.kind} {name} {what}" for name, what in analysis.meas]
            text.append(f".{analysis.command}")
        return "\n".join([*text, ".end", ""])


@dataclass(frozen=True)
class Task:
    """All that a worker needs to turn variable values into metrics."""

    benches: tuple[Bench, ...]
    measures: tuple[AnyMeasure, ...]
    variables: tuple[str, ...]
    keep_waveforms: bool = False
    """Whether outcomes hold what the measurements read, too."""

    def corner(self, values: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
        """What the values of a job set that is no variable."""
        return tuple((name, value) for name, value in values.items() if name not in self.variables)

    @property
    def draws(self) -> bool:
        """Whether something in the decks is drawn at random when ngspice reads them."""
        return any(_DRAWN.search(line.text) for bench in self.benches for line in bench.lines)

    @property
    def alterable(self) -> bool:
        """Whether ngspice can go from design to design in decks it has loaded, instead of reading them anew."""
        return all(alterations(bench, self.variables) is not None for bench in self.benches)

    @property
    def vectors(self) -> Mapping[str, tuple[str, ...]]:
        """The vectors that the measurements read, by "bench.analysis"; none where nothing is measured."""
        wanted: dict[str, tuple[str, ...]] = {f"{b.name}.{a.name}": () for b in self.benches for a in b.analyses}
        for measure in self.measures:
            for reference in measure.references:
                wanted[reference] = tuple(dict.fromkeys((*wanted[reference], *measure.vectors)))
        return wanted

    @property
    def look(self) -> "Task | None":
        """The task of its first operating point alone: what each net's voltage is that no source sets.

        It tells of a design at a small part of a simulation's cost. None where no bench has an operating point.
        """
        for bench in self.benches:
            for analysis in bench.analyses:
                if analysis.kind == "op":
                    held = {net for device in bench.circuit.devices if device.kind == "v" for net in device.nets}
                    nets = [net for net in bench.circuit.nets if net not in held | {"0"}]
                    of = f"{bench.name}.{analysis.name}"
                    voltages = tuple(DcValue.model_construct(measure="dc_value", of=of, output=net) for net in nets)
                    return Task((replace(bench, analyses=(analysis,)),), voltages, self.variables)
        return None


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
    lines = [line for each in (bench, *bench.processes) for line in each.lines]
    for line in lines:  # what is no device: parameters that depend on a variable, calls, models
        if line.keyword[0] in ".x" and mention.search(re.sub(r"\w+\s*=(?!=)", "", line.text.lower())):
            return None
    return {name: tuple(found) for name, found in targets.items()}


def transistors(circuit: Circuit) -> dict[str, str]:
    """What ngspice calls every MOS transistor, by its name in the circuit and by that of a call that holds no other.

    A call that is one device of the circuit is taken for one of a process kit, whose transistor is named after its
    sub-circuit. Those whose names are no plain words are left out.
    """
    found = {device.name: _instance(device) for device in circuit.devices if device.kind == "m"}
    found |= {call.name: f"m.{call.name}.m{call.model}" for call in circuit.devices if call.kind == "x"}
    inside: dict[str, list[str]] = {}
    for name in found:
        for call in list(accumulate(name.split("."), "{}.{}".format))[:-1]:
            inside.setdefault(call, []).append(name)
    found |= {call: found[names[0]] for call, names in inside.items() if len(names) == 1}
    return {name: called for name, called in found.items() if _PLAIN_TARGET.fullmatch(called)}


def substitute_parameters(text: str, values: Mapping[str, float]) -> str:
    """The same netlist text, to the letter, but for the values that its `.param` lines give to these names."""
    given = {name.lower(): spice_number(value) for name, value in values.items()}
    parts, at = [], 0
    for match in _ASSIGNMENT.finditer(_parameter_lines(text)):
        if match["name"].lower() in given:
            parts += [text[at : match.start("value")], given[match["name"].lower()]]
            at = match.end("value")
    return "".join([*parts, text[at:]])


def parameter_files(lines: Sequence[Line], names: Sequence[str]) -> tuple[str, ...]:
    """The files in which `.param` lines of the top level give these names (lower case) their values, each once.

    Of several values of a name the last holds, so that its own netlist goes before models that have the name, too.
    """
    found: dict[str, str] = {}
    depth = 0
    for line in lines:
        depth += (line.keyword == ".subckt") - (line.keyword == ".ends")
        if depth == 0 and line.keyword.startswith(".para"):
            assigned = {match["name"].lower() for match in _ASSIGNMENT.finditer(line.text)}
            found |= dict.fromkeys(assigned.intersection(names), line.file)
    return tuple(dict.fromkeys(found.values()))


def _parameter_lines(text: str) -> str:
    """The text with spaces for all that is no `.param` line at the top level, keeping every character's position."""
    result, inside, depth = [], False, 0
    for line in text.split("\n"):
        content = _COMMENT.sub("", line)
        keyword = "".join(content.split()[:1]).lower()
        depth += (keyword == ".subckt") - (keyword == ".ends")
        continued = inside and (not keyword or keyword.startswith("+"))
        inside = continued or (depth == 0 and keyword.startswith(".para"))
        shown = content.replace("+", " ", 1) if continued else content
        result.append((shown if inside else "").ljust(len(line)))
    return " ".join(result)


def _instance(device: Device) -> str:
    """What ngspice calls a device."""
    return f"{device.kind}.{device.name}" if "." in device.name else device.name


def _alter_target(device: Device, parameter: str) -> str:
    name = _instance(device)
    if parameter == "ac":
        return f"{name} acmag"
    return f"@{name}[m]" if parameter == "m" else name


def _excited(lines: Sequence[str], magnitudes: Mapping[str, float]) -> list[str]:
    """The lines with these AC magnitudes at sources of the top level."""
    result, depth = [], 0
    for line in lines:
        keyword = line.split(maxsplit=1)[0].lower()
        depth += (keyword == ".subckt") - (keyword == ".ends")
        excited = depth == 0 and keyword in magnitudes
        result.append(f"{line} ac {spice_number(magnitudes[keyword])}" if excited else line)
    return result

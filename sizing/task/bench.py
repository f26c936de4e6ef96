"""Test benches: the circuit, a stimulus around it, and the analyses to run; decks as any SPICE simulator takes them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate

from sizing.measures.measure import Measure
from sizing.measures.operating_point import DcValue
from sizing.spice.bins import Bins
from sizing.spice.circuit import Circuit
from sizing.spice.device import Device
from sizing.spice.draws import draws, nominal
from sizing.spice.netlist import Line
from sizing.spice.parameters import substitute_parameters
from sizing.task.job import Job
from sizing.units import spice_number

_PLAIN = re.compile(r"[\w.]+")


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
    processes: Mapping[str, "Bench"] = field(default_factory=dict)
    """The same with the models of each of the processes that a corner may set, by the process's name."""

    def needed(self, job: Job) -> tuple[Line, ...]:
        """The lines with the job's process, but for the models that no device has then; raises OutsideBins."""
        bench = self if job.conditions.process is None else self.processes[job.conditions.process]
        if bench.bins is None:
            return bench.lines
        unused = bench.bins.unused(job.values)
        return tuple(line for index, line in enumerate(bench.lines) if index not in unused)

    def deck(self, job: Job, analysis: Analysis | None = None) -> str:
        """A whole SPICE file for a job, ready for `ngspice -b` where an analysis is named; raises OutsideBins.

        Nothing is drawn at random in it, unless the job is a sample.
        """
        lines = [line.text for line in self.needed(job)]
        if job.sample is None:
            lines = nominal(lines)
        if analysis is not None:
            lines = _excited(lines, dict(analysis.excite))
        text = [f"* {self.name}", substitute_parameters("\n".join(lines), job.values)]
        if job.conditions.temperature is not None:  # of several, the last counts
            text.append(f".options temp={spice_number(job.conditions.temperature)}")
        if job.sample is not None:  # the same for every bench, so that its circuit is the same sample
            text.append(f".options seed={job.sample}")
        if analysis is not None:
            text += [f".meas {analysis.kind} {name} {what}" for name, what in analysis.meas]
            text.append(f".{analysis.command}")
        return "\n".join([*text, ".end", ""])


@dataclass(frozen=True)
class Task:
    """All that a worker needs to turn variable values into metrics."""

    benches: tuple[Bench, ...]
    measures: tuple[Measure, ...]
    variables: tuple[str, ...]
    keep_waveforms: bool = False
    """Whether outcomes hold what the measurements read, too."""

    @property
    def draws(self) -> bool:
        """Whether something in the decks is drawn at random when ngspice reads them."""
        return any(draws([line.text for line in bench.lines]) for bench in self.benches)

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


def transistors(circuit: Circuit) -> dict[str, Device]:
    """Every MOS transistor by its name in the circuit, and by that of a call that holds no other.

    A call that is one device of the circuit is taken for one of a process kit. Those whose names are no plain words
    are left out: a simulator's command line may give other characters a meaning.
    """
    found = {device.name: device for device in circuit.devices if device.kind in "mx" and _PLAIN.fullmatch(device.name)}
    inside: dict[str, list[Device]] = {}
    for name, device in found.items():
        for call in list(accumulate(name.split("."), "{}.{}".format))[:-1]:
            inside.setdefault(call, []).append(device)
    return found | {call: devices[0] for call, devices in inside.items() if len(devices) == 1}


def _excited(lines: Sequence[str], magnitudes: Mapping[str, float]) -> list[str]:
    """The lines with these AC magnitudes at sources of the top level."""
    result, depth = [], 0
    for line in lines:
        keyword = line.split(maxsplit=1)[0].lower()
        depth += (keyword == ".subckt") - (keyword == ".ends")
        excited = depth == 0 and keyword in magnitudes
        result.append(f"{line} ac {spice_number(magnitudes[keyword])}" if excited else line)
    return result

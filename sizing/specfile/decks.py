"""What of a spec is SPICE: netlist, models and stimulus, read, and benches made of them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from sizing.errors import InputError, nearest
from sizing.specfile.corners import named_processes, nominal_process
from sizing.specfile.entries import SpecModel
from sizing.specfile.mistakes import Location
from sizing.specfile.models import (
    OPTIONS,
    ModelFile,
    model_files,
    of_process,
    read_models,
    with_mismatch,
)
from sizing.specfile.settled import OPTIONS as SETTLED
from sizing.specfile.settled import check_options, check_settled, check_starts, check_variables
from sizing.specfile.shipped import shipped_specs
from sizing.specfile.source import SpecSource
from sizing.spice.bins import find_bins, without_values
from sizing.spice.circuit import Circuit, NotMultiplied, parse_circuit
from sizing.spice.kits import Library, subcircuits, top_level
from sizing.spice.netlist import Line, NetlistError, check_title, read_netlist, read_text
from sizing.spice.trust import UNTRUSTED, checked, unknown_option
from sizing.task.bench import Analysis, Bench


@dataclass(frozen=True)
class DeckReader:
    """Reads the decks of a spec; what is mistaken in them is added to `mistakes`."""

    source: SpecSource
    model: SpecModel
    mistakes: list[tuple[Location, str]]
    trust: bool
    mismatch: bool

    def netlist(self, path: Path) -> tuple[Line, ...] | None:
        """The lines of the circuit's file; None where it cannot be one."""
        try:
            what = "" if path.is_file() else "a directory" if path.is_dir() else "no such file"
        except OSError as error:
            what = str(error.strerror)
        if what:
            self.mistakes.append((("netlist",), f"expected a SPICE netlist at {path}: {what}"))
            return None
        try:
            lines = read_netlist(path, within=self._folders)
            check_title(lines, path)
            check_settled(lines)
            check_starts(lines)
            return lines
        except NetlistError as error:
            self.mistakes.append((("netlist",), str(error)))
            return None

    def libraries(self) -> dict[str | None, Library] | None:
        """The models at the nominal corner and of every process, by its name."""
        places = named_processes(self.model.corners)
        if places and not any(entry.kit or entry.section for entry in self.model.models):
            message = "expected `models` with a kit or a file's section, which this takes the place of, got none"
            self.mistakes.append((next(iter(places.values())), message))
            return None
        found: dict[str | None, Library] = {}
        for process in dict.fromkeys((self.nominal, *places)):
            try:
                if process and not re.fullmatch(r"\w+", process):
                    raise InputError(f"expected the name of a section, got {process!r:.80}")
                found[process] = read_models(self.model_files(process), self._folders)
            except InputError as error:
                self.mistakes.append((places[process] if process else ("models",), str(error)))
        return found if len(found) == len({self.nominal, *places}) else None

    def model_files(self, process: str | None) -> tuple[ModelFile, ...]:
        """The files of a process, of None those that are given."""
        models = self.model.models if process is None else of_process(self.model.models, process)
        return model_files(with_mismatch(models) if self.mismatch else models, self.source.path.parent)

    def bench(self, name: str, netlist: tuple[Line, ...], libraries: Mapping[str | None, Library]) -> Bench | None:
        """A bench around the circuit with these models by process; None where it is mistaken."""
        entry = self.model.benches[name]
        loc: Location = ("benches", name, "stimulus")
        path = self.source.path
        try:
            first = (self.source.line(loc) or 0) + ("\n" in entry.stimulus)
            stimulus = read_text(entry.stimulus, str(path), path.parent, first, within=self._folders)
            check_variables(stimulus, self.model.variables)
            models = {process: library.reached((*netlist, *stimulus)) for process, library in libraries.items()}
            for each in (stimulus, *models.values()):
                check_settled(each)
        except NetlistError as error:
            self.mistakes.append((loc, str(error)))
            return None
        for option in () if self.trust else filter(unknown_option, entry.options):
            self.mistakes.append((("benches", name, "options", option), UNTRUSTED.format(f"the option {option}")))
        for option in entry.options:
            if where := SETTLED.get(option.lower()):
                self.mistakes.append((("benches", name, "options", option), f"is set elsewhere; remove it: {where}"))
        options = {"temp": entry.temperature, **(OPTIONS if self.model.models else {}), **entry.options}
        option_line = Line(".options " + " ".join(f"{k}={v}" for k, v in options.items()), str(path), first)
        lines = (*netlist, *stimulus, option_line)
        try:
            for found in models.values():
                check_options((*found, *lines))
        except NetlistError as error:
            self.mistakes.append((loc, str(error)))
            return None
        circuits = {process: self.circuit(loc, lines, library) for process, library in libraries.items()}
        circuit = circuits[self.nominal]
        if circuit is None or not self.harmless(loc, chain(stimulus, *models.values())):
            return None
        sources = {device.name: device for device in circuit.devices if device.kind in "vi"}
        excitable = [source for source in sources if "." not in source]  # ngspice names inner sources differently
        for key, analysis in entry.analyses.items():
            at = ("benches", name, "analyses", key, "excite")
            for source in analysis.excite:
                if source not in excitable:
                    self.mistakes.append((at, f"no source {source!r}{nearest(source, excitable)}"))
            for other in sources.values():
                if analysis.excite and "ac" in other.parameters:
                    self.mistakes.append((at, f"source {other.name} also has an AC value; take it out of the netlist"))
        analyses = tuple(
            Analysis(key, a.run, tuple(a.excite.items()), tuple((n.lower(), text) for n, text in a.meas.items()))
            for key, a in entry.analyses.items()
        )
        decks = {process: (*found, *lines) for process, found in models.items()}
        variants = {
            process: Bench(name, deck, each, analyses, find_bins(deck))
            for (process, deck), each in zip(decks.items(), circuits.values(), strict=True)
            if each is not None
        }
        named = named_processes(self.model.corners)
        processes = {process: bench for process, bench in variants.items() if process in named}
        return replace(variants[self.nominal], processes=processes)

    def circuit(self, loc: Location, lines: tuple[Line, ...], library: Library) -> Circuit | None:
        """The circuit of these lines; a sub-circuit of the library is one device."""
        models = library.reached(lines)
        try:
            circuit = parse_circuit((*top_level(models), *lines), subcircuits(models))
            if any(device.kind == "x" and "m" in device.parameters for device in circuit.devices):
                _check_multiplied((*models, *lines))
            return circuit
        except NetlistError as error:
            if loc == ("netlist",) or str(error) not in {message for _, message in self.mistakes}:
                self.mistakes.append((loc, str(error)))
            return None

    def harmless(self, loc: Location, lines: Iterable[Line]) -> bool:
        """Whether lines that could be read as a circuit are known to do no harm, or trusted."""
        try:
            if not self.trust:
                checked(lines)
        except NetlistError as error:
            self.mistakes.append((loc, str(error)))
            return False
        return True

    @property
    def nominal(self) -> str | None:
        """The process of the nominal corner; None for the models as they are given."""
        return nominal_process(self.model.corners)

    @property
    def _folders(self) -> tuple[Path, ...] | None:
        """Where netlists may be read."""
        return None if self.trust else (self.source.path.parent, shipped_specs())


def _check_multiplied(lines: Sequence[Line]) -> None:
    """Raise NotMultiplied where an `m` does not reach a device inside a library's sub-circuit.

    What is in one may be in a language that `parse_circuit` does not read: that is the library's to get right.
    """
    try:
        parse_circuit([without_values(line) for line in lines])
    except NotMultiplied:
        raise
    except NetlistError:
        pass

"""Which numbers of a netlist become variables: its own parameters, and sizes that are plain numbers in device lines."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sizing.errors import InputError
from sizing.first_spec.places import Edit, Word, Words, words_by_line
from sizing.first_spec.ranges import KINDS, Inversion, Kind, VariableText, inversion_text, range_entry
from sizing.first_spec.recognition.classes import Structure
from sizing.first_spec.recognition.matching import Match
from sizing.first_spec.recognition.transistors import number
from sizing.first_spec.source import UserNetlist
from sizing.spice.device import Device
from sizing.spice.expression import ExpressionError, parse_expression
from sizing.spice.netlist import Line, unwrap
from sizing.units import spice_text

_SIZES = (("w", Kind.WIDTH), ("l", Kind.LENGTH))
_COUNTS = ("m", "nf", "mult")


@dataclass(frozen=True)
class Proposed:
    """A variable: what it is, its value in the netlist as it is, and the devices that have it."""

    name: str
    kind: Kind
    value: float
    comment: str


@dataclass(frozen=True)
class Sizing:
    """The variables of a netlist, and what makes parameters of numbers that were none."""

    proposed: tuple[Proposed, ...]
    edits: tuple[Edit, ...]
    parameters: tuple[str, ...]
    """`.param` lines, with comments, that the edits need."""

    @property
    def values(self) -> dict[str, float]:
        """The value of every variable in the netlist as it is."""
        return {each.name: each.value for each in self.proposed}

    def variables(self, inversions: Mapping[str, Sequence[Inversion]]) -> list[VariableText]:
        """All with ranges; `inversions` are those of the transistors of some widths, by the variable's name."""
        shortest = min((each.value for each in self.proposed if each.kind is Kind.LENGTH), default=1.0)
        found = []
        for each in self.proposed:
            known = inversions.get(each.name, ()) if each.kind is Kind.WIDTH else ()
            entry = range_entry(each.kind, each.value, shortest, known)
            entry += f", start: {spice_text(each.value)}"
            found.append(VariableText(each.name, entry, each.comment + inversion_text(known)))
        return found


def propose_variables(netlist: UserNetlist, structure: Structure) -> Sizing:
    """The netlist's own parameters that decide sizes, and new ones for transistors and other devices that use none.

    A device one of whose sizes is a parameter is left as it is, and so are resistors, capacitors and bias currents of
    a netlist whose transistors are. Raises InputError where nothing can be sized.
    """
    proposal = _Proposal(netlist, structure)
    own = proposal.own_parameters()
    proposal.sub_circuit_parameters()
    sized = [proposal.transistors(match) for match in structure.matches]
    if any(sized) or not own:
        proposal.other_devices()
    found = [Proposed(name, kind, value, _users(name, netlist)) for name, (kind, value) in own.items()]
    found += proposal.found
    if not found:
        raise InputError(
            f"{netlist.path}: expected sizes to vary, found none: no W, L, R, C or current is a number above 0 or a "
            ".param in this file; nothing to size"
        )
    return Sizing(tuple(found), tuple(proposal.edits), tuple(proposal.parameters))


def _users(name: str, netlist: UserNetlist) -> str:
    """The devices and calls whose sizes name a parameter, as `w of m1 m2`; what else there is to say of it."""
    found: dict[str, list[str]] = defaultdict(list)
    for device in netlist.circuit.devices:
        for key, text in device.parameters.items():
            if (device.kind, key) in KINDS and name in _names(text):
                found[key].append(device.name.split(".")[1 if netlist.subcircuit else 0])
    return (
        ", ".join(f"{key} of {' '.join(dict.fromkeys(names))}" for key, names in found.items())
        or "used in other parameters"
    )


class _Proposal:
    """Collects variables and the edits that make them."""

    def __init__(self, netlist: UserNetlist, structure: Structure) -> None:
        self.circuit, self.structure, self.subcircuit = netlist.circuit, structure, netlist.subcircuit
        self.words = words_by_line(netlist.text)
        self.definitions = netlist.definitions
        self.taken = set(netlist.circuit.used_names) | set(netlist.circuit.parameters)
        self.found: list[Proposed] = []
        self.edits: list[Edit] = []
        self.parameters: list[str] = []
        self.edited: set[int] = set()

    def own_parameters(self) -> dict[str, tuple[Kind, float]]:
        """The file's parameters that are plain numbers and that sizes depend on, what they are and their values."""
        lines = self.definitions[""].parameters
        texts = {key: word.text for line in lines for key, word in self.words[line.number].assigned.items()}
        waiting = [
            (name, KINDS[device.kind, key])
            for device in self.circuit.devices
            for key, text in device.parameters.items()
            if (device.kind, key) in KINDS
            for name in _names(text)
        ]
        found: dict[str, tuple[Kind, float]] = {}
        for name, kind in waiting:  # grows while it is read
            if name in found or name not in texts:
                continue
            found[name] = kind, number(texts[name], self.circuit) or 0.0
            waiting += ((each, kind) for each in _names(texts[name]))
        plain = (name for name in texts if name in found and not _names(texts[name]))
        return {name: found[name] for name in plain if found[name][1] > 0}

    def transistors(self, match: Match) -> bool:
        """Parameters for width and length of matched transistors; whether there are any now."""
        lines = {found[1].number: found for each in match.transistors if (found := self._line(each.device))}
        sizes: dict[str, list[tuple[Word, float]]] = {key: [] for key, _ in _SIZES}
        changed: dict[str, None] = {}
        for device, line in lines.values():
            words = self.words[line.number].assigned
            if device.kind not in "mx" or any(_names(words[key].text) for key in ("w", *_COUNTS) if key in words):
                continue
            for key, _ in _SIZES:
                if key in words and (value := _plain(words[key])):
                    sizes[key].append((words[key], value))
                    changed[device.name] = None
        comment = f"{' '.join(changed)}{f': {match.role}' if match.role and len(changed) > 1 else ''}"
        for key, kind in _SIZES:
            self._add(f"{key}_{next(iter(changed), '')}", kind, sizes[key], comment)
        return bool(changed)

    def other_devices(self) -> None:
        """Parameters for plain resistances, capacitances, inductances and bias currents, without loads."""
        loads = {device.name for device in self.structure.loads}
        rails = self.structure.rails
        shared = dict(self._together())
        groups: dict[str, list[Device]] = defaultdict(list)
        for device in self.circuit.devices:
            decoupling = device.kind == "c" and all(net in rails for net in device.nets)
            if device.kind in "rcli" and device.name not in loads and not decoupling:
                groups[shared.get(device.name, device.name)].append(device)
        for devices in groups.values():
            lines = {found[1].number: found for device in devices if (found := self._line(device))}
            places = [place for device, line in lines.values() if (place := _value(device, self.words[line.number]))]
            if places:
                kind = KINDS[devices[0].kind, "dc" if devices[0].kind == "i" else devices[0].kind]
                names = " ".join(dict.fromkeys(device.name.rpartition(".")[2] for device in devices))
                self._add(names.split()[0], kind, places, f"{names}{self._role(devices)}")

    def sub_circuit_parameters(self) -> None:
        """Parameters for the plain numbers that sub-circuits are given: in calls, by default, and in their `.param`."""
        equal: dict[tuple[str, str, float], list[tuple[str, Word]]] = defaultdict(list)
        for name, where, assigned in self._given():
            for key, word in assigned.items():
                if self._kind(name, key) is not None and (value := _plain(word)):
                    equal[name, key, value].append((where, word))
        for (name, key, value), given in equal.items():
            kind, where = self._kind(name, key), " ".join(dict.fromkeys(where for where, _ in given))
            assert kind is not None
            self._add(f"{key}_{given[0][0]}", kind, [(word, value) for _, word in given], f"{key} of {where}")

    def _given(self) -> Iterator[tuple[str, str, Mapping[str, Word]]]:
        """Sub-circuits with what assigns them parameters: themselves or a call, by name, and the assignments."""
        for name, definition in self.definitions.items():
            if name and definition.line is not None:
                overridden = self._always_given(name)
                words = self.words[definition.line.number].assigned
                yield name, name, {key: word for key, word in words.items() if key not in overridden}
                for line in definition.parameters:
                    yield name, name, self.words[line.number].assigned
        for definition in self.definitions.values():
            for device, line in definition.devices.values():
                if device.kind == "x":
                    yield device.model or "", device.name, self.words[line.number].assigned

    def _always_given(self, name: str) -> set[str]:
        calls = [
            set(self.words[line.number].assigned)
            for definition in self.definitions.values()
            for device, line in definition.devices.values()
            if device.kind == "x" and device.model == name
        ]
        return set.intersection(*calls) if calls else set()

    def _kind(self, name: str, parameter: str, seen: frozenset[tuple[str, str]] = frozenset()) -> Kind | None:
        """What a sub-circuit's parameter is, by the devices in it that use it."""
        definition = self.definitions.get(name)
        if definition is None or (name, parameter) in seen:
            return None
        seen |= {(name, parameter)}
        found: list[Kind | None] = []
        for device, _ in definition.devices.values():
            for key, text in device.parameters.items():
                if parameter in _names(text):
                    inner = self._kind(device.model or "", key, seen) if device.kind == "x" else None
                    found.append(inner or KINDS.get((device.kind, key)))
        for line in definition.parameters:
            for key, word in self.words[line.number].assigned.items():
                if parameter in _names(word.text):
                    found.append(self._kind(name, key, seen))
        return next((kind for kind in found if kind is not None), None)

    def _together(self) -> Iterator[tuple[str, str]]:
        """Devices that share a parameter, with the one that names it: dividers, and equal ones at a pair's drains."""
        for upper, lower in self.structure.dividers:
            yield upper.name, upper.name
            yield lower.name, upper.name
        passive = [device for device in self.circuit.devices if device.kind in "rc"]
        for pair in self.structure.pairs:
            drains = {pair.first.drain, pair.second.drain}
            at = [device for device in passive if len(set(device.nets) & drains) == 1]
            for first in at:
                for second in at[at.index(first) + 1 :]:
                    common = set(first.nets) & set(second.nets) - drains
                    if common and first.parameters == second.parameters:
                        yield first.name, first.name
                        yield second.name, first.name

    def _role(self, devices: Sequence[Device]) -> str:
        names = {device.name for device in devices}
        if names & {device.name for device in self.structure.compensation}:
            return ": compensation"
        if names & {device.name for pair in self.structure.dividers for device in pair}:
            return ": divider, its ratio is kept"
        return ": bias current" if devices[0].kind == "i" else ""

    def _add(self, wanted: str, kind: Kind, places: Iterable[tuple[Word, float]], comment: str) -> None:
        """One parameter for numbers that stay in proportion."""
        places = [(word, value) for word, value in places if word.start not in self.edited]
        if not places:
            return
        name, value = self._free(wanted), places[0][1]
        for word, other in places:
            factor = f"{other / value:.6g}*" if other != value else ""
            self.edits.append(Edit(word, f"{{{factor}{name}}}"))
            self.edited.add(word.start)
        if f"* {comment}" not in self.parameters:
            self.parameters += (f"* {comment}", ".param")
        self.parameters[-1] += f" {name}={unwrap(places[0][0].text)}"
        self.found.append(Proposed(name, kind, value, comment))

    def _free(self, wanted: str) -> str:
        stem = re.sub(r"\W", "_", wanted)
        stem = stem if stem[0].isalpha() else f"p_{stem}"
        name, count = stem, 1
        while name in self.taken:
            count += 1
            name = f"{stem}_{count}"
        self.taken.add(name)
        return name

    def _line(self, device: Device) -> tuple[Device, Line] | None:
        """What the user's file has for a device of the flat circuit, with its line.

        That is a call where the sub-circuit is a library's, as a process kit's transistors are.
        """
        calls = device.name.split(".")
        scope, found = "", None
        if self.subcircuit:
            calls, scope = calls[1:], self.subcircuit
        for name in calls:
            if scope not in self.definitions:
                break
            found = self.definitions[scope].devices.get(name)
            if found is None:
                break
            scope = found[0].model or ""
        return found


def _value(device: Device, words: Words) -> tuple[Word, float] | None:
    """The plain number that is a device's resistance, capacitance, inductance or DC current."""
    key = "dc" if device.kind == "i" else device.kind
    at = 2 if words.alone[1].text.startswith("(") else 3
    alone = [word for word in words.alone[at:] if word.text.lower() != "dc"]
    word = words.assigned.get(key) or next(iter(alone), None)
    value = word and _plain(word)
    return (word, value) if word and value else None


def _plain(word: Word) -> float | None:
    """The value of a word that is a number above 0, or an expression of numbers alone."""
    try:
        expression = parse_expression(unwrap(word.text))
        value = expression({}) if not expression.names else 0.0
    except ExpressionError:
        return None
    return float(value) if float(value) > 0 else None


def _names(text: str) -> frozenset[str]:
    try:
        return parse_expression(unwrap(text)).names
    except ExpressionError:
        return frozenset()

"""Turns the logical lines of a netlist into a flat circuit: devices, their nets, their parameters."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from types import MappingProxyType

from sizing.spice.device import Device, checked_name, loosened, read_device, without_params
from sizing.spice.expression import ExpressionError, parse_expression
from sizing.spice.netlist import Line, NetlistError, lower, split_assignments, split_words, unwrap
from sizing.spice.reserved import IN_SOURCES, PARAMETERS, taken

# ngspice's own limit on calls inside calls.
DEEPEST_CALL = 21
LONGEST_EXPRESSION = 10_000
LARGEST_CIRCUIT = 10_000_000
"""Characters of the expressions of all devices and calls, LEAST_CHARACTERS more for each: ten calls in ten levels are
10^10."""
LEAST_CHARACTERS = 100


Opaque = Mapping[str, Mapping[str, str]]
"""Sub-circuits by name, with the values of parameters that a call need not give."""


@dataclass(frozen=True)
class Circuit:
    """A flattened netlist: its devices in order, and its top-level parameters as expression text.

    `used_names` has every identifier that occurs in an expression anywhere in the netlist, sub-circuits included.
    `models` has the type (`nmos`, `pnp`, `d`, …) of every `.model` by name, in lower case, sub-circuits included; the
    first of a name counts. `scale` multiplies the widths and lengths of all devices (`.option scale`).
    """

    devices: tuple[Device, ...]
    parameters: Mapping[str, str]
    used_names: frozenset[str]
    models: Mapping[str, str]
    scale: float = 1.0

    @property
    def nets(self) -> tuple[str, ...]:
        """The distinct nets in order of first appearance; ground is `0`."""
        return tuple(dict.fromkeys(net for device in self.devices for net in device.nets))


def parse_circuit(lines: Sequence[Line], opaque: Opaque = MappingProxyType({})) -> Circuit:
    """Flatten logical lines, from `read_netlist` or `read_text`, into a circuit.

    A call of a sub-circuit named in `opaque` (lower case) stays one device of kind `x` with terminals `1`, `2`, and so
    on, and with the parameters given there that the call does not set. Parameters passed down are put, in parentheses,
    into the expressions that use them; `m` of a call is the `m` of the devices inside. As in ngspice, a name that a
    sub-circuit does not define has the meaning it has for the caller, and global nets win over ports.

    Raises NetlistError, with file and line, for what cannot be read, and for conditional blocks; NotMultiplied for what
    a call's `m` does not reach.
    """
    scopes = _collect(lines)
    used = {name for line in lines for name in _names_in_command(line)}
    for scope in scopes:
        _read_devices(scope)
        used.update(name for device, _ in scope.devices for name in _names_in_device(device))
    shared = {net for line in lines if line.keyword == ".global" for net in lower(line.text).split()[1:]}
    top = _Place("", {}, {}, None, frozenset(shared | {"0"}))
    parameters = {name: unwrap(text) for name, text in scopes[0].parameters.items()}
    models = {name: kind for scope in reversed(scopes) for name, kind in scope.models.items()}
    devices = tuple(_flatten(scopes[0], top, (), opaque, _Budget()))
    return Circuit(devices, parameters, frozenset(used), models, scale_of(lines))


def read_header(line: Line) -> tuple[str, tuple[str, ...], dict[str, str]]:
    """The name, the ports and the defaults of a `.subckt` line; raises NetlistError."""
    words, defaults = split_assignments(line, without_params(split_words(line))[1:])
    words = loosened(line, words)
    if not words:
        raise line.error("expected a name and nets after .subckt, got neither; write .subckt name net1 net2")
    if wrong := taken(defaults, PARAMETERS):
        raise line.error(f"expected the name of a parameter, {wrong}")
    ports = tuple("0" if port == "gnd" else port for port in words[1:])
    return checked_name(line, words[0], "sub-circuit"), ports, defaults


class NotMultiplied(NetlistError):
    """A device that ngspice does not have as often as a call around it says by its m."""


# What the m of a call multiplies in ngspice 39, found by comparing with as many calls; one ideal voltage is as good as
# many. What reads a current, as `f`, `h` and `w` do, reads that of all.
_MULTIPLIED = frozenset("cdgijlmqrxz")
_VOLTAGES = frozenset("ev")
_CURRENT = re.compile(r"(?<![\w.$])i\s*\(")
_EXPECTED_MULTIPLIED = (
    "expected what ngspice multiplies by the m of a call around it, got {}; give the sub-circuit a parameter of "
    "another name, `mult=1`, for m={{mult}} at each device that has one, or write as many calls (m=1: leave it away)"
)


_REFERENCE = re.compile(
    r'"[^"]*"'
    r"|(?<![\w.$])(?P<probe>[vi])\s*\((?P<probed>[^()]*)\)"
    r"|(?<![\w.$])(?P<name>[a-z_]\w*)(?![\w.$]|\s*\()"
)


@dataclass(frozen=True, eq=False)
class _Scope:
    """The top of a netlist, or the body of a sub-circuit that stands in `outer`; filled while it is read."""

    name: str
    line: Line
    outer: "_Scope | None"
    ports: tuple[str, ...] = ()
    defaults: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)
    definitions: dict[str, "_Scope"] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    devices: list[tuple[Device, Line]] = field(default_factory=list)

    def outwards(self) -> Iterator["_Scope"]:
        scope: _Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.outer


@dataclass
class _Budget:
    """How much larger a circuit may still get."""

    left: int = LARGEST_CIRCUIT

    def spend(self, line: Line, expressions: Iterable[str]) -> None:
        self.left -= LEAST_CHARACTERS + sum(len(_short(line, text)) for text in expressions)
        if self.left < 0:
            raise line.error("expected a circuit of less than some 100 000 devices, got more; call fewer sub-circuits")


@dataclass(frozen=True)
class _Place:
    """Where a scope is expanded: what its nets, devices and parameters are there."""

    path: str
    port_nets: Mapping[str, str]
    values: dict[str, str]
    multiplier: str | None
    global_nets: frozenset[str]

    def net(self, name: str) -> str:
        name = "0" if name == "gnd" else name
        return name if name in self.global_nets else self.port_nets.get(name, self.path + name)

    def expression(self, text: str) -> str:
        inner = unwrap(text)
        if text.startswith('"'):
            return inner
        return self.values[inner] if inner in self.values else _REFERENCE.sub(self._replacement, inner)

    def device(self, device: Device) -> Device:
        parameters = {
            name: self.path + text if device.names_device(name) else self.expression(text)
            for name, text in device.parameters.items()
        }
        if device.kind in _MULTIPLIED and self.multiplier is not None:
            parameters["m"] = self.multiplier
        nets = tuple(self.net(net) for net in device.nets)
        return Device(self.path + device.name, device.kind, device.terminals, nets, device.model, parameters)

    def _replacement(self, match: re.Match[str]) -> str:
        if probe := match["probe"]:
            probed = (name.strip() for name in match["probed"].split(","))
            return f"{probe}({','.join(self.net(name) if probe == 'v' else self.path + name for name in probed)})"
        value = self.values.get(match["name"] or "")
        return match[0] if value is None else f"({value})"


def _collect(lines: Sequence[Line]) -> list[_Scope]:
    """The scopes of a netlist, the top first, with their device lines not yet read."""
    scope = _Scope("", Line("", "", 0), None)
    scopes = [scope]
    for line in lines:
        keyword = line.keyword
        if keyword == ".subckt":
            scope = _subcircuit(line, scope)
            scopes.append(scope)
        elif keyword == ".ends":
            scope = _ended(line, scope)
        elif keyword.startswith(".para"):
            words, assigned = split_assignments(line, split_words(line)[1:])
            if words:
                raise line.error(f"expected name=expression pairs, got {words[0]!r}; put {{}} around expressions")
            if wrong := taken(assigned, PARAMETERS):
                raise line.error(f"expected the name of a parameter, {wrong}")
            scope.parameters.update(assigned)
        elif keyword == ".model":
            name, kind = _model(line)
            scope.models.setdefault(name, kind)
        elif keyword in (".if", ".elseif", ".else", ".endif"):
            raise line.error(
                f"expected no conditional blocks, got {keyword}; ngspice reads them, this parser does not: "
                "keep the branch that holds"
            )
        elif keyword and not keyword.startswith("."):
            scope.lines.append(line)
    if scope.outer is not None:
        raise scope.line.error(f"expected .ends after .subckt {scope.name}, got the end of the netlist; add .ends")
    return scopes


def scale_of(lines: Sequence[Line]) -> float:
    """What the first line with an `.option scale` says, as ngspice takes it."""
    for line in lines:
        if line.keyword in (".option", ".options"):
            text = split_assignments(line, split_words(line))[1].get("scale", "")
            try:
                if text:
                    return float(parse_expression(unwrap(text))({}))
            except ExpressionError as error:
                raise line.error(f"scale: {error}") from error
    return 1.0


def _model(line: Line) -> tuple[str, str]:
    """The name and the type of a model."""
    # ngspice takes commas and parentheses for spaces here.
    words = re.findall(r"[^\s(),]+", lower(line.text))[1:3]
    if len(words) < 2:
        raise line.error(
            f"expected a name and a type after .model, got {' '.join(words) or 'neither'}; add what is missing"
        )
    return words[0], words[1]


def _subcircuit(line: Line, outer: _Scope) -> _Scope:
    name, ports, defaults = read_header(line)
    scope = _Scope(name, line, outer, ports, defaults)
    # A file included twice defines the same lines twice, which does no harm.
    first = outer.definitions.setdefault(scope.name, scope)
    if first.line != line:
        raise line.error(
            f"expected one sub-circuit {scope.name!r} here, got a second; the first is at "
            f"{first.line.file}:{first.line.number}: rename one"
        )
    return scope


def _ended(line: Line, scope: _Scope) -> _Scope:
    name = "".join(lower(line.text).split()[1:2])
    if scope.outer is None:
        raise line.error("expected .ends only after .subckt, got one without; remove it or add the .subckt line")
    if name not in ("", scope.name):
        raise line.error(
            f"expected .ends {scope.name} for the .subckt at {scope.line.file}:{scope.line.number}, got {name!r}; "
            "close the inner sub-circuit first"
        )
    return scope.outer


def _read_devices(scope: _Scope) -> None:
    models = frozenset().union(*(outer.models for outer in scope.outwards()))
    parameters = {name for outer in scope.outwards() for name in (*outer.parameters, *outer.defaults)}
    first: dict[str, Line] = {}
    for line in scope.lines:
        device = read_device(line, models)
        if device.behaves and (wrong := taken(parameters & _names_in_device(device), IN_SOURCES)):
            raise line.error(f"expected parameters that a source's expression can use, {wrong}")
        if device.name in first:
            other = first[device.name]
            raise line.error(
                f"expected one device {device.name!r} here, got a second; the first is at "
                f"{other.file}:{other.number}: rename one"
            )
        first[device.name] = line
        scope.devices.append((device, line))


def _flatten(
    scope: _Scope, place: _Place, opened: tuple[_Scope, ...], opaque: Opaque, budget: _Budget
) -> Iterator[Device]:
    for device, line in scope.devices:
        if what := _not_multiplied(device, place):
            raise NotMultiplied(str(line.error(_EXPECTED_MULTIPLIED.format(what))))
        if device.kind != "x" or device.model in opaque:
            flat = place.device(device)
            if device.kind == "x":
                flat = replace(flat, parameters={**opaque[device.model or ""], **flat.parameters})
            budget.spend(line, flat.parameters.values())
            yield flat
            continue
        definition = _definition(scope, device, line)
        names = " > ".join(outer.name for outer in (*opened, definition))
        if definition in opened:
            raise line.error(f"expected sub-circuits that do not contain themselves, got {names}; remove one call")
        if len(opened) >= DEEPEST_CALL:
            raise line.error(f"expected at most {DEEPEST_CALL} calls inside one another, got {names}; use fewer levels")
        inner = _called(definition, device, line, place)
        budget.spend(line, inner.values.values())
        yield from _flatten(definition, inner, (*opened, definition), opaque, budget)


def _not_multiplied(device: Device, place: _Place) -> str:
    """What of a device is lost inside a call with m, be it 1: ngspice puts the outer m in the place of one's own."""
    if place.multiplier is None:
        return ""
    if not _is_one(place.expression(device.parameters.get("m", "1"))):
        return f"{device.name!r} with an m of its own, which is lost"
    if device.kind == "x" and "m" not in device.parameters:
        return f"the call {device.name!r} without m, which is an error there"
    if _is_one(place.multiplier):
        return ""
    multiplied = device.kind in _MULTIPLIED | _VOLTAGES or (device.kind == "b" and "v" in device.parameters)
    if not multiplied or any(map(_CURRENT.search, device.parameters.values())):
        return f"{device.name!r}, which is not"
    return ""


def _is_one(text: str) -> bool:
    """Whether an expression is 1 whatever the parameters of the circuit are."""
    try:
        expression = parse_expression(unwrap(text))
        return not expression.names and float(expression({})) == 1.0
    except ExpressionError:
        return False


def _definition(scope: _Scope, device: Device, line: Line) -> _Scope:
    name = device.model or ""
    for outer in scope.outwards():
        if name in outer.definitions:
            return outer.definitions[name]
    known = {known for outer in scope.outwards() for known in outer.definitions}
    nearest = ", ".join(difflib.get_close_matches(name, sorted(known), cutoff=0.0)) or "none"
    raise line.error(
        f"expected a defined sub-circuit, got {name!r} (nearest defined: {nearest}); "
        "correct the name, include its file or pass it as opaque"
    )


def _called(definition: _Scope, device: Device, line: Line, caller: _Place) -> _Place:
    """The place of a sub-circuit's body: ports joined to the caller's nets, parameters in the caller's terms."""
    if len(device.nets) != len(definition.ports):
        raise line.error(
            f"expected {len(definition.ports)} nets for {definition.name!r} ({' '.join(definition.ports)}), "
            f"got {len(device.nets)}; correct the call"
        )
    actual = {name: caller.expression(text) for name, text in device.parameters.items()}
    own = definition.defaults | definition.parameters  # a call may set both, as ngspice has it
    multiplier = caller.multiplier
    if "m" in actual and "m" not in own:
        multiplier = multiplier or actual["m"]
        del actual["m"]
    if unknown := actual.keys() - own.keys():
        known = ", ".join(own) or "none"
        raise line.error(
            f"expected a parameter of {definition.name!r} ({known}), got {min(unknown)!r}; correct the name"
        )
    texts = {name: text for name, text in own.items() if name not in actual}
    needed = {name: _identifiers(text) & texts.keys() for name, text in texts.items()}
    try:
        order = tuple(TopologicalSorter(needed).static_order())
    except CycleError as error:
        cycle = " > ".join(error.args[1])
        raise definition.line.error(f"expected parameters without a cycle, got {cycle}; rename one of them") from error
    port_nets = dict(zip(definition.ports, map(caller.net, device.nets), strict=True))
    path = f"{caller.path}{device.name}."
    place = _Place(path, port_nets, caller.values | actual, multiplier, caller.global_nets)
    for name in order:
        place.values[name] = _short(definition.line, place.expression(texts[name]))
    return place


def _short(line: Line, text: str) -> str:
    """The expression, if parameters in terms of parameters have not made it endless."""
    if len(text) > LONGEST_EXPRESSION:
        raise line.error(
            f"expected expressions of at most {LONGEST_EXPRESSION} characters once parameters are put in, got "
            f"{text[:40]!r}…; simplify them"
        )
    return text


def _identifiers(text: str) -> set[str]:
    return {match["name"] for match in _REFERENCE.finditer(text.lower()) if match["name"]}


def _names_in_device(device: Device) -> set[str]:
    texts = (text for name, text in device.parameters.items() if not device.names_device(name))
    return {name for text in texts for name in _identifiers(text)}


def _names_in_command(line: Line) -> set[str]:
    """Identifiers in the values that a dot line assigns, or anywhere in one that assigns nothing by name."""
    keyword = line.keyword
    if not keyword.startswith("."):
        return set()
    text = lower(line.text)
    values = text[len(keyword) :] if keyword in (".func", ".temp") else text.partition("=")[2]
    return _identifiers(re.sub(r"[a-z_]\w*\s*=(?!=)", " ", values))

"""The corners of a spec: all combinations of lists of values, or sets of values by name."""

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sizing.errors import nearest
from sizing.specfile.mistakes import Location
from sizing.task.job import Conditions
from sizing.task.problem import Corner
from sizing.units import parse_celsius, parse_quantity

MOST_CORNERS = 1000
TEMPERATURE = "temperature"
PROCESS = "process"
"""What corners can set besides parameters, by the names that it has there."""
Scalar = str | int | float
Setting = float | str
"""A number, or the name of a process."""
Entries = Mapping[str, Sequence[Scalar] | Mapping[str, Scalar]]


def named_processes(entries: Entries) -> dict[str, Location]:
    """The processes that corners name, in lower case, and where in the file each is named first."""
    places: dict[str, Location] = {}
    for key, entry in entries.items():
        pairs = entry.items() if isinstance(entry, Mapping) else ((key, value) for value in entry)
        for place, (name, value) in enumerate(pairs):
            if name.lower() == PROCESS:
                loc = (key, name if isinstance(entry, Mapping) else place)
                places.setdefault(str(value).lower(), ("corners", *loc))
    return places


def nominal_process(entries: Entries) -> str | None:
    """The process that the nominal corner sets, if it sets one."""
    first = next(iter(entries.values()), {})
    lists = ((name, entry[0]) for name, entry in entries.items() if not isinstance(entry, Mapping))
    settings = first.items() if isinstance(first, Mapping) else lists
    return next((str(value).lower() for name, value in settings if name.lower() == PROCESS), None)


def nominal_alone(entries: Entries) -> Entries:
    """The nominal one of these corners."""
    first = next(iter(entries.items()), None)
    if first is not None and isinstance(first[1], Mapping):
        return dict([first])
    return {name: entry if isinstance(entry, Mapping) else entry[:1] for name, entry in entries.items()}


@dataclass(frozen=True)
class CornerReader:
    """Reads corners against what a circuit and its benches have.

    `parameters` are those that something in them uses, `processes` those that were found; mistakes are added to
    `mistakes`, at their place in the file.
    """

    variables: Collection[str]
    parameters: Collection[str]
    processes: Sequence[str]
    mistakes: list[tuple[Location, str]]

    def corners(self, entries: Entries) -> tuple[Corner, ...]:
        """The corners, the nominal one first; what is mistaken is left out."""
        if not entries:
            return (Corner("nominal"),)
        lists = {name: entry for name, entry in entries.items() if not isinstance(entry, Mapping)}
        if not lists:
            named = {name: entry for name, entry in entries.items() if isinstance(entry, Mapping)}
            return tuple(self._named(name, entry) for name, entry in named.items())
        if len(lists) < len(entries):
            other = next(name for name in entries if name not in lists)
            self._note((other,), "expected a list, as the others are; or write all corners as mappings by name")
            return ()
        axes = [list(self._axis(name, entry)) for name, entry in lists.items()]
        combinations = list(itertools.islice(itertools.product(*axes), MOST_CORNERS + 1))
        if len(combinations) > MOST_CORNERS:
            self._note((), f"expected at most {MOST_CORNERS} combinations, got more")
        return tuple(self._corner(settings, axes) for settings in combinations)

    def _axis(self, name: str, values: Sequence[Scalar]) -> Iterator[tuple[str, Setting]]:
        """The settings that a list stands for."""
        if not self._known((name,), name):
            return
        found: list[Setting] = []
        for index, value in enumerate(values):
            setting = self._setting((name, index), name, value)
            if setting in found:
                self._note((name, index), f"expected distinct values, got {value} twice")
            elif setting is not None:
                found.append(setting)
                yield name.lower(), setting

    def _named(self, corner: str, entry: Mapping[str, Scalar]) -> Corner:
        settings: dict[str, Setting] = {}
        for name, value in entry.items():
            setting = self._setting((corner, name), name, value)
            if self._known((corner, name), name) and setting is not None:
                settings[name.lower()] = setting
        return Corner(corner, _conditions(settings))

    def _setting(self, loc: Location, name: str, value: Scalar) -> Setting | None:
        if name.lower() == PROCESS:  # what is wrong with one that was not found has been told
            return str(value).lower() if str(value).lower() in self.processes else None
        try:
            return parse_celsius(value) if name.lower() == TEMPERATURE else float(parse_quantity(value, ""))
        except ValueError as error:
            self._note(loc, str(error))
            return None

    def _known(self, loc: Location, written: str) -> bool:
        """Whether a corner may set this."""
        name = written.lower()
        if name in (TEMPERATURE, PROCESS) and name in (*self.variables, *self.parameters):
            self._note(
                loc, f"means the simulation's {name} here, and the netlist has a parameter of that name: rename it"
            )
        elif name in self.variables:
            self._note(loc, "expected what a design does not choose, got a variable")
        elif name not in (TEMPERATURE, PROCESS, *self.parameters):
            known = [TEMPERATURE, PROCESS, *(each for each in self.parameters if each not in self.variables)]
            self._note(loc, f"no parameter {name!r} is used in the netlist or a stimulus{nearest(name, known)}")
        else:
            return True
        return False

    def _note(self, loc: Location, message: str) -> None:
        self.mistakes.append((("corners", *loc), message))

    def _corner(self, settings: Sequence[tuple[str, Setting]], axes: Sequence[Sequence[object]]) -> Corner:
        """A corner named after what differs between corners."""
        words = [_word(*each) for each, axis in zip(settings, axes, strict=True) if len(axis) > 1]
        return Corner(" ".join(words) or "nominal", _conditions(dict(settings)))


def _conditions(settings: Mapping[str, Setting]) -> Conditions:
    numbers = {name: value for name, value in settings.items() if not isinstance(value, str)}
    temperature, process = numbers.pop(TEMPERATURE, None), settings.get(PROCESS)
    return Conditions(temperature, None if process is None else str(process), tuple(numbers.items()))


def _word(name: str, value: Setting) -> str:
    if isinstance(value, str):
        return value
    return f"{value:g}C" if name == TEMPERATURE else f"{name}={value:g}"

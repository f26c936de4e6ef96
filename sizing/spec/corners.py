"""The corners of a spec: all combinations of lists of values, or sets of values by name."""

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sizing.bench import TEMPERATURE
from sizing.mistakes import nearest
from sizing.problem import Corner
from sizing.spec.mistakes import Location
from sizing.units import parse_quantity

MOST_CORNERS = 1000
ABSOLUTE_ZERO = -273.15
Scalar = str | int | float
Entries = Mapping[str, Sequence[Scalar] | Mapping[str, Scalar]]


@dataclass(frozen=True)
class CornerReader:
    """Reads corners against what a circuit and its benches have.

    `parameters` are those that something in them uses; mistakes are added to `mistakes`, at their place in the file.
    """

    variables: Collection[str]
    parameters: Collection[str]
    mistakes: list[tuple[Location, str]]

    def corners(self, entries: Entries) -> tuple[Corner, ...]:
        """The corners, the nominal one first; what is mistaken is left out."""
        if not entries:
            return (Corner("nominal"),)
        lists = {name: entry for name, entry in entries.items() if not isinstance(entry, Mapping)}
        if not lists:
            named = {name: entry for name, entry in entries.items() if isinstance(entry, Mapping)}
            return tuple(Corner(name, dict(self._settings((name,), entry))) for name, entry in named.items())
        if len(lists) < len(entries):
            other = next(name for name in entries if name not in lists)
            self._note((other,), "expected a list, as the others are; or write all corners as mappings by name")
            return ()
        axes = [list(self._axis(name, entry)) for name, entry in lists.items()]
        combinations = list(itertools.islice(itertools.product(*axes), MOST_CORNERS + 1))
        if len(combinations) > MOST_CORNERS:
            self._note((), f"expected at most {MOST_CORNERS} combinations, got more")
        return tuple(_corner(settings, axes) for settings in combinations)

    def _axis(self, name: str, values: Sequence[Scalar]) -> Iterator[tuple[str, float]]:
        found: list[float] = []
        for index, value in enumerate(values):
            for setting, number in self._settings((name, index), {name: value}, inner=False):
                if number in found:
                    self._note((name, index), f"expected distinct values, got {value} twice")
                found.append(number)
                yield setting, number

    def _settings(
        self, loc: Location, entry: Mapping[str, Scalar], *, inner: bool = True
    ) -> Iterator[tuple[str, float]]:
        """Names and values; `inner` says that the names stand below `loc`."""
        for written, value in entry.items():
            name, at = written.lower(), (*loc, written) if inner else loc
            problem = self._name_problem(name)
            try:
                number = float(parse_quantity(value, ""))
            except ValueError as error:
                problem, number = problem or str(error), 0.0
            if not problem and name == TEMPERATURE and number <= ABSOLUTE_ZERO:
                problem = f"expected degrees Celsius above {ABSOLUTE_ZERO}, got {value}"
            if problem:
                self._note(at, problem)
            else:
                yield name, number

    def _name_problem(self, name: str) -> str:
        if name in self.variables:
            return "expected what a design does not choose, got a variable"
        if name == TEMPERATURE or name in self.parameters:
            return ""
        known = [TEMPERATURE, *(each for each in self.parameters if each not in self.variables)]
        return f"no parameter {name!r} is used in the netlist or a stimulus{nearest(name, known)}"

    def _note(self, loc: Location, message: str) -> None:
        self.mistakes.append((("corners", *loc), message))


def _corner(settings: Sequence[tuple[str, float]], axes: Sequence[Sequence[object]]) -> Corner:
    """A corner named after what differs between corners."""
    words = [_word(*each) for each, axis in zip(settings, axes, strict=True) if len(axis) > 1]
    return Corner(" ".join(words) or "nominal", dict(settings))


def _word(name: str, value: float) -> str:
    return f"{value:g}C" if name == TEMPERATURE else f"{name}={value:g}"

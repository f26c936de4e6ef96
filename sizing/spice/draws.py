"""Functions whose values ngspice draws at random as it reads a deck: their nominal values where no sample is wanted."""

import re
from collections.abc import Sequence

ARGUMENTS = {"agauss": 3, "gauss": 3, "aunif": 2, "unif": 2, "limit": 2}
"""How many each has; the first is the nominal value."""

_CALL = rf"(?<![\w.])(?:{'|'.join(ARGUMENTS)})\s*\("
_CALLED = re.compile(_CALL, re.IGNORECASE)
_PART = re.compile(rf"{_CALL}|[(){{}},]", re.IGNORECASE)
_FUNCTION = re.compile(r"\s*\.func\s+(\w+)", re.IGNORECASE)


def nominal(lines: Sequence[str]) -> list[str]:
    """The logical lines of a deck with the first argument of each call in its place.

    A function that the deck defines itself is its own, and a call with other arguments is none of these.
    """
    own = {match[1].lower() for line in lines if (match := _FUNCTION.match(line))}
    return [_nominal(line, own) if _CALLED.search(line) else line for line in lines]


def draws(lines: Sequence[str]) -> bool:
    """Whether something in a deck of these logical lines is drawn."""
    return nominal(lines) != list(lines)


def _nominal(line: str, own: set[str]) -> str:
    opened = [("", [""])]  # what opened a bracket, and what stands in it between commas
    at = 0
    for part in _PART.finditer(line):
        opened[-1][1][-1] += line[at : part.start()]
        at = part.end()
        if part[0][-1] in "({":
            opened.append((part[0], [""]))
        elif part[0] == ",":
            opened[-1][1].append("")
        elif len(opened) > 1:
            opening, arguments = opened.pop()
            name = opening[:-1].strip().lower()
            nominal = name not in own and ARGUMENTS.get(name) == len(arguments)
            opened[-1][1][-1] += f"({arguments[0].strip()})" if nominal else opening + ",".join(arguments) + part[0]
        else:
            opened[-1][1][-1] += part[0]
    return "".join(opening + ",".join(arguments) for opening, arguments in opened) + line[at:]

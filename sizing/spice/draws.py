"""Functions whose values ngspice draws at random as it reads a deck: their nominal values where no sample is wanted."""

import re
from collections.abc import Sequence

ARGUMENTS = {"agauss": 3, "gauss": 3, "aunif": 2, "unif": 2, "limit": 2}
"""How many each has; the first is the nominal value."""

_CALL = re.compile(rf"(?<![\w.])({'|'.join(ARGUMENTS)})\s*\(", re.IGNORECASE)
_FUNCTION = re.compile(r"\s*\.func\s+(\w+)", re.IGNORECASE)
_PART = re.compile(r"[(){},]")


def nominal(lines: Sequence[str]) -> list[str]:
    """The logical lines of a deck with the first argument of each call in its place.

    A function that the deck defines itself is its own, and a call with other arguments is none of these.
    """
    own = {match[1].lower() for line in lines if (match := _FUNCTION.match(line))}
    return [_nominal(line, own) if _CALL.search(line) else line for line in lines]


def draws(lines: Sequence[str]) -> bool:
    """Whether something in a deck of these logical lines is drawn."""
    return nominal(lines) != list(lines)


def _nominal(line: str, own: set[str]) -> str:
    for call in reversed(list(_CALL.finditer(line))):  # what is inside another call first
        name = call[1].lower()
        arguments, end = _arguments(line, call.end())
        if name not in own and len(arguments) == ARGUMENTS[name]:
            line = f"{line[: call.start()]}({arguments[0].strip()}){line[end:]}"
    return line


def _arguments(line: str, start: int) -> tuple[list[str], int]:
    """The arguments of the call whose bracket opens before `start`, and where it ends; none where it does not."""
    found, depth = [], 1
    begin = start
    for part in _PART.finditer(line, start):
        depth += (part[0] in "({") - (part[0] in ")}")
        if depth == 0 or (depth == 1 and part[0] == ","):
            found.append(line[begin : part.start()])
            begin = part.end()
        if depth == 0:
            return found, begin
    return [], start

"""The transistors that a library of models has, and the lengths that there are models for."""

import re
from collections.abc import Sequence

import numpy as np

from sizing.errors import InputError, nearest
from sizing.spice.kits import Definition, Library
from sizing.spice.netlist import split_words

_TERMINALS = 4
_LENGTHS = (1, 2, 4, 8, 16)
"""Times the shortest length, those that are looked at unless told otherwise."""
_LIMIT = re.compile(r"(?<![\w.])([lw]m(?:in|ax))\s*=\s*([-+.\deE]+)", re.IGNORECASE)
_MOST_MEANT = 6
"""Transistors, more of which are not all meant."""
_MOST_SHOWN = 12


def transistors_in(library: Library, wanted: Sequence[str]) -> dict[str, Definition]:
    """The transistors of these names, or all, by name; raises InputError where there is no such one, or too many."""
    known = {each.name: each for each in library.definitions if each.name and _is_one(each)}
    if not known:
        raise InputError("MODELS: expected models of MOS transistors, or sub-circuits that are one, found none")
    for name in wanted:
        if name.lower() not in known:
            raise InputError(f"DEVICE: no transistor {name!r} in these models{nearest(name.lower(), known)}")
    if not wanted and len(known) > _MOST_MEANT:
        names = ", ".join([*list(known)[:_MOST_SHOWN], "…"])
        raise InputError(f"DEVICE: expected one or more of {len(known)} transistors by name: {names}")
    return {name.lower(): known[name.lower()] for name in wanted or known}


def usual_lengths(transistor: Definition, width: float) -> tuple[float, ...]:
    """The shortest length in metres that a transistor of this width has a bin for, and multiples of it; else none."""
    found = []
    for line in transistor.lines:
        limits = {name.lower(): float(value) for name, value in _LIMIT.findall(line.text)}
        if line.keyword == ".model" and len(limits) == _TERMINALS and limits["wmin"] <= width <= limits["wmax"]:
            found.append((limits["lmin"], limits["lmax"]))
    if not found:
        return ()
    shortest, longest = min(low for low, _ in found), max(high for _, high in found)
    shortest = float(np.ceil(shortest * 1e9 - 0.5) * 1e-9)  # a bin begins a little below the length that it is for
    return tuple(each * shortest for each in _LENGTHS if each * shortest <= longest)


def _is_one(definition: Definition) -> bool:
    first = definition.lines[0]
    words = split_words(first)
    if first.keyword == ".model":
        return len(words) > 2 and words[2].lower().split("(")[0] in ("nmos", "pmos")
    ports = [word for word in words[2:] if "=" not in word and word.lower() != "params:"]
    has_channel = any(line.keyword.startswith("m") for line in definition.lines[1:])
    return first.keyword == ".subckt" and len(ports) == _TERMINALS and has_channel

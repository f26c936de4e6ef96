"""The `.param` lines of a netlist's text: where a parameter gets its value, and the same text with another one."""

import re
from collections.abc import Mapping, Sequence

from sizing.spice.netlist import Line
from sizing.units import spice_number

_COMMENT = re.compile(r"^\s*\*.*|(?:;|(?:(?<=[\s,])|^)\$|//).*")
_BRACES = r"\{[^{}]*\}"
_PARENTHESES = r"\([^()]*\)"
for _ in range(4):  # expressions may nest
    _BRACES = rf"\{{(?:[^{{}}]|{_BRACES})*\}}"
    _PARENTHESES = rf"\((?:[^()]|{_PARENTHESES})*\)"
_ASSIGNMENT = re.compile(
    rf"""(?<![\w.])(?P<name>[^\W\d]\w*)\s*=(?!=)\s*(?P<value>(?:'[^']*'|"[^"]*"|{_BRACES}|{_PARENTHESES}|[^\s=,'"{{}}()])+)"""
)


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
    return tuple(dict.fromkeys(found[-1].file for found in parameter_lines(lines, names).values()))


def parameter_lines(lines: Sequence[Line], names: Sequence[str]) -> dict[str, list[Line]]:
    """By name the lines of the top level that give it a value, once for each value, of those that get one."""
    found: dict[str, list[Line]] = {}
    depth = 0
    for line in lines:
        depth += (line.keyword == ".subckt") - (line.keyword == ".ends")
        if depth == 0 and line.keyword.startswith(".para"):
            for match in _ASSIGNMENT.finditer(line.text):
                if (name := match["name"].lower()) in names:
                    found.setdefault(name, []).append(line)
    return found


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

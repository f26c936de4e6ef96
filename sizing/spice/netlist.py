"""Reads netlist text into logical lines: continuations joined, comments gone, includes and libraries expanded."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from sizing.errors import InputError

DEEPEST_INCLUDE = 20
LARGEST_FILE = 64_000_000
"""Bytes; a process kit's largest is a tenth of it."""
LONGEST_LINE = 1_000_000
"""Characters of a logical line; SkyWater's largest list of parameters has a third of it."""
MOST_LINES = 1_000_000
"""Logical lines of a netlist with everything that it includes."""
LINES_OF_A_FILE = 500
"""What opening a file counts for."""
MOST_WRAPPERS = 100
ANALYSES = frozenset(
    {".op", ".ac", ".tran", ".dc", ".noise", ".four", ".fourier", ".tf", ".sens", ".pz", ".disto", ".sp", ".pss"}
    | {".print", ".plot", ".probe", ".save", ".measure", ".meas"}
)

_CLOSERS: Mapping[str, str] = {"{": "}", "(": ")", "'": "'", '"': '"'}
_QUOTES = "'\""
_WRAPPERS = ("{", "'", '"')
_STRING_OR_REST = re.compile(r'"[^"]*"|[^"]+')
_WORD_ENDS = re.compile(r"""[{}()'"\s]|(?<![=<>!])=(?!=)""")
# ngspice takes "//" for a comment too, but not where a path is expected.
COMMENT = re.compile(r"(?:;|(?:(?<=[\s,])|^)\$|//).*")
_COMMENT_SIGN = re.compile(r";|\$|//")
_COMMENT_AFTER_PATH = re.compile(r"(?:;|(?<=[\s,])\$).*")
_TAKES_PATH = re.compile(r"\.(?:inc|include|lib)\b", re.IGNORECASE)
# Other characters that Python takes for line ends, such as form feeds, are none to ngspice.
_PHYSICAL_LINES = re.compile(r"\r\n|\r|\n")
# ngspice takes a file that begins with the second for a script of its commands.
_EXECUTED = re.compile(r"\s*\*(?:#|\s*ng_script)", re.IGNORECASE)
_ARGUMENT = re.compile(r""""([^"]*)"|'([^']*)'|(\S+)""")


class NetlistError(InputError):
    """A netlist that cannot be read; the message begins with `file:line: `."""


@dataclass(frozen=True)
class Line:
    """One logical line, with the file and the number of its first physical line (counted from 1)."""

    text: str
    file: str
    number: int

    @property
    def keyword(self) -> str:
        """The first word in lower case, such as `.param` or `m1`; empty for a blank line."""
        return (self.text.split(maxsplit=1) or [""])[0].lower()

    def error(self, message: str) -> NetlistError:
        """The error that says where this line stands; the caller raises it."""
        return NetlistError(f"{self.file}:{self.number}: {message}")


Folders = Sequence[Path] | None
"""Where files may be read, links followed; anywhere if None."""


@dataclass
class _Budget:
    """Lines that may still be read: files that include the next one twice would double them at every level."""

    left: int = MOST_LINES

    def spend(self, lines: Sequence[Line], include: Line | None = None) -> None:
        self.left -= len(lines) + (LINES_OF_A_FILE if include else 0)
        if self.left < 0:
            raise (include or lines[0]).error(
                f"expected at most {MOST_LINES} lines with all includes, got more; include less"
            )


@dataclass(frozen=True)
class _Source:
    """What is being read: where its relative paths start, and the (file, section) pairs open around it."""

    folder: Path
    open: tuple[tuple[Path, str], ...]
    drop_analyses: bool = False
    within: Folders = None
    budget: _Budget = field(default_factory=_Budget)


def read_netlist(path: Path, *, drop_analyses: bool = False, within: Folders = None) -> tuple[Line, ...]:
    """The logical lines of a netlist file, its includes and library sections in place of the lines that name them.

    The first line is content, not a title. `.title` is dropped and `.end` ends a file. Analysis and output lines are
    refused, or left out with `drop_analyses`.

    Raises NetlistError for a file that cannot be read or is not in a folder `within` (at the line that includes it),
    an include cycle, a `.control` block, a continuation of nothing, and a netlist too large.
    """
    text = _load(path, Line("", str(path), 1), within)
    source = _Source(path.parent, ((path.resolve(), ""),), drop_analyses, within)
    return _expanded(_logical_lines(text, str(path), 1), source)


def check_title(lines: Sequence[Line], path: Path) -> None:
    """Raise NetlistError where the first line of a netlist, its title to SPICE, would be taken for a device."""
    for line in lines[:1]:
        if (line.file, line.number) == (str(path), 1) and not line.keyword.startswith("."):
            raise line.error(
                f"expected a title after *, or a comment, got {line.text!r:.80}, which is the title to SPICE and a "
                "device here; write * before a title, or begin a netlist without one with a comment"
            )


def read_text(
    text: str, file: str, folder: Path, first_line: int = 1, *, drop_analyses: bool = False, within: Folders = None
) -> tuple[Line, ...]:
    """Like `read_netlist`, for netlist text that stands inside `file` from line `first_line` on.

    Relative includes start at `folder`. Raises what `read_netlist` raises.
    """
    source = _Source(folder, ((Path(file), ""),), drop_analyses, within)
    return _expanded(_logical_lines(text, file, first_line), source)


def read_file(path: Path) -> str:
    """The text of a netlist file as it is; raises NetlistError where it cannot be read."""
    return _load(path, Line("", str(path), 1))


def inline_includes(text: str, folder: Path) -> str:
    """The same netlist text, comments and all, with the text of included files in place of the lines that name them.

    Of library sections only what they say is kept, without comments. Comments that ngspice would execute go. For text
    that `read_text` accepts.
    """
    result: list[str] = []
    for physical in _PHYSICAL_LINES.split(text):
        line = Line(_content(physical), "", 0)
        if line.keyword == ".end":
            break
        if line.keyword in (".include", ".inc"):
            path = folder / _arguments(line)[0]
            inner = inline_includes(_load(path, line), path.parent)
            result += [f"* included from {path.name}", inner.rstrip("\n"), f"* end of {path.name}"]
        elif line.keyword == ".lib":
            expanded = _library(line, _Source(folder, ()))
            result += [f"* from {line.text}", *(each.text for each in expanded), f"* end of {line.text}"]
        elif not _EXECUTED.match(physical):
            result.append(physical)
    return "\n".join(result).rstrip("\n") + "\n"


def split_words(line: Line, text: str | None = None) -> list[str]:
    """Words, in lower case, of a line or of a part of it, `text`.

    What {}, (), '' or "" enclose stays in one word, and a lone `=` is a word. Raises NetlistError for a bracket or
    quote that is not closed, or closed without having been opened.
    """
    text = lower(line.text if text is None else text)
    words: list[str] = []
    begin = start = 0
    while found := _WORD_ENDS.search(text, start):
        index, char = found.start(), found[0]
        start = index + 1
        if char in _CLOSERS:
            end = _closing(text, index)
            if end < 0:
                raise line.error(f"expected a closing {_CLOSERS[char]} after {text[index:]!r}, got none; add it")
            start = end + 1
        elif char in ("}", ")"):
            raise line.error(f"expected no {char} without an opening one, got {text[begin : index + 1]!r}; remove it")
        else:
            words.extend(filter(None, (text[begin:index], char.strip())))
            begin = start
    return [*words, text[begin:]] if text[begin:] else words


def split_assignments(line: Line, words: Sequence[str], *, spaces: bool = False) -> tuple[list[str], dict[str, str]]:
    """The words that stand alone, and the values by name of those around an `=`.

    A value is one word, or with `spaces` all words up to the next name; of two values for a name the last one counts.
    Raises NetlistError for an `=` without a name or a value.
    """
    alone: list[str] = []
    assigned: dict[str, str] = {}
    equals = [index for index, word in enumerate(words) if word == "="]
    begin = 0
    for at, following in zip(equals, [*equals, len(words) + 1][1:], strict=True):
        value = words[at + 1 : following - 1]
        if at == begin or not value:
            raise line.error(f"expected name=value, got {' '.join(words[max(at - 1, 0) : at + 2])!r}; complete it")
        alone.extend(words[begin : at - 1])
        begin = following - 1 if spaces else at + 2
        assigned[words[at - 1]] = " ".join(value) if spaces else value[0]
    return [*alone, *words[begin:]], assigned


def unwrap(text: str) -> str:
    """An expression, or a string, without the braces or quotes around the whole of it."""
    text = text.strip()
    for _ in range(MOST_WRAPPERS):
        if text[:1] not in _WRAPPERS or _closing(text, 0) != len(text) - 1:
            break
        text = text[1:-1].strip()
    return text


def lower(text: str) -> str:
    """Text in lower case, except what stands in double quotes: it may be the path of a file."""
    return _STRING_OR_REST.sub(lambda match: match[0] if match[0].startswith('"') else match[0].lower(), text)


def _closing(text: str, start: int) -> int:
    """Index of the bracket or quote that closes the one at `start`; -1 where there is none."""
    expected = [_CLOSERS[text[start]]]
    for index in range(start + 1, len(text)):
        char = text[index]
        if char == expected[-1]:
            expected.pop()
            if not expected:
                return index
        elif char in _CLOSERS and expected[-1] not in _QUOTES:
            expected.append(_CLOSERS[char])
    return -1


def _logical_lines(text: str, file: str, first_line: int) -> Iterator[Line]:
    parts: list[str] = []
    begin = length = 0
    for number, physical in enumerate(_PHYSICAL_LINES.split(text), first_line):
        content = _content(physical)
        if not content:
            continue
        if content.startswith("+"):
            if not parts or _TAKES_PATH.match(parts[0]):
                raise _wrongly_continued(Line(content, file, number), parts)
            parts.append(content[1:].strip())
            length += len(parts[-1]) + 1
            if length > LONGEST_LINE:
                raise Line(parts[0], file, begin).error(
                    f"expected lines of at most {LONGEST_LINE} characters, got more; split it"
                )
            continue
        if parts:
            yield Line(" ".join(parts), file, begin)
        if content.split(maxsplit=1)[0].lower() == ".end":
            return
        parts, begin, length = [content], number, len(content)
    if parts:
        yield Line(" ".join(parts), file, begin)


def _wrongly_continued(line: Line, continued: Sequence[str]) -> NetlistError:
    if not continued:
        return line.error(
            f"expected a line to continue, got {line.text!r} first; remove the + or write the line before it"
        )
    keyword = Line(continued[0], "", 0).keyword
    return line.error(f"expected {keyword} on one line, got it continued; write it on one")


def _content(physical: str) -> str:
    """A physical line without its comment."""
    stripped = physical.strip()
    if stripped.startswith("*"):
        return ""
    if not _COMMENT_SIGN.search(stripped):  # of a process kit's lines, almost none has a comment
        return stripped
    comment = _COMMENT_AFTER_PATH if _TAKES_PATH.match(stripped) else COMMENT
    return comment.sub("", stripped).rstrip()


def _expanded(lines: Iterable[Line], source: _Source) -> tuple[Line, ...]:
    first = tuple(lines)
    source.budget.spend(first)
    return tuple(_expand(first, source))


def _expand(lines: Iterable[Line], source: _Source) -> Iterator[Line]:
    for line in lines:
        keyword = line.keyword
        if keyword in (".include", ".inc"):
            yield from _included(line, source)
        elif keyword == ".lib":
            yield from _library(line, source)
        elif keyword in (".control", ".endc"):
            raise line.error(
                f"expected a netlist without control blocks, got {keyword}; a control block is a program, remove it"
            )
        elif keyword in ANALYSES:
            if not source.drop_analyses:
                raise line.error(
                    f"expected devices and models, got {keyword}; analyses belong in the spec's test bench"
                )
        elif keyword == ".endl":
            raise line.error("expected .endl only after the .lib that opens its section; remove it")
        elif keyword != ".title":
            yield line


def _included(line: Line, source: _Source) -> Iterator[Line]:
    arguments = _arguments(line)
    if len(arguments) != 1:
        raise line.error(f'expected one path, got {len(arguments)}; write {line.keyword} "path"')
    inner, lines = _open(line, arguments[0], "", source)
    yield from _expand(lines, inner)


def _library(line: Line, source: _Source) -> Iterator[Line]:
    arguments = _arguments(line)
    if len(arguments) != 2:
        raise line.error(f'expected a path and a section, got {len(arguments)} of them; write .lib "path" section')
    section = arguments[1].lower()
    inner, lines = _open(line, arguments[0], section, source)
    yield from _expand(_section(line, lines, section), inner)


def _section(reference: Line, lines: Sequence[Line], name: str) -> Sequence[Line]:
    """The lines between `.lib name` and `.endl`; the first such section counts."""
    opened: dict[str, int] = {}
    for index, line in enumerate(lines):
        if line.keyword == ".lib" and len(arguments := _arguments(line)) == 1:
            opened.setdefault(arguments[0].lower(), index)
    if name not in opened:
        known = ", ".join(opened) or "none"
        raise reference.error(f"expected one of the library's sections ({known}), got {name!r}; correct the name")
    start = opened[name]
    for index in range(start + 1, len(lines)):
        if lines[index].keyword == ".endl":
            return lines[start + 1 : index]
    raise lines[start].error(f"expected .endl after the section {name!r}, got the end of the file; add .endl")


def _arguments(line: Line) -> list[str]:
    found = _ARGUMENT.finditer(line.text, len(line.keyword))
    return [next((group for group in match.groups() if group is not None), "") for match in found]


def _open(line: Line, name: str, section: str, source: _Source) -> tuple[_Source, Sequence[Line]]:
    path = source.folder / name
    text = _load(path, line, source.within)
    here = (path.resolve(), section)
    if here in source.open:
        files = " > ".join(file.name for file, _ in (*source.open[source.open.index(here) :], here))
        raise line.error(f"expected includes without a cycle, got {files}; remove one of these includes")
    if len(source.open) > DEEPEST_INCLUDE:
        raise line.error(f"expected at most {DEEPEST_INCLUDE} files inside one another, got more; include fewer levels")
    lines = tuple(_logical_lines(text, str(path), 1))
    source.budget.spend(lines, line)
    return replace(source, folder=path.parent, open=(*source.open, here)), lines


def _outside(path: Path, folders: Sequence[Path]) -> bool:
    try:
        resolved = path.resolve()
    except (OSError, RuntimeError, ValueError):  # a loop of links, or a name that no file can have: not found
        return False
    return not any(resolved.is_relative_to(folder.resolve()) for folder in folders)


def _load(path: Path, line: Line, within: Folders = None) -> str:
    """The text of a file that `line` names; only a regular file is opened, so a device or a pipe cannot hold us up."""
    try:
        if path.is_dir():
            raise line.error(f'expected a file, got the directory "{path}"; name a file in it')
        if not path.is_file():
            raise line.error(f'expected a file at "{path}", found none; correct the path')
        if within is not None and _outside(path, within):
            raise line.error(
                f'expected a file in the folder of the spec, got "{path}"; copy it there, or say --trust if everything '
                "it includes is your own"
            )
        if path.stat().st_size > LARGEST_FILE:
            raise line.error(f'expected a file of at most {LARGEST_FILE} bytes, got "{path}"; include less')
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise line.error(f'expected a file that can be read, got "{path}": {error.strerror}; see to it') from error
    except UnicodeDecodeError as error:
        raise line.error(f'expected UTF-8 text, got bytes in "{path}" that are not; save it as UTF-8') from error
    if "\0" in text:
        raise line.error(f'expected text, got zero bytes in "{path}"; name a netlist, not a binary file')
    return text

"""Where words stand in a netlist's text, so that some may be changed and all else kept to the letter."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sizing.spice.netlist import COMMENT

_PHYSICAL = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|$)")
_WORD = re.compile(r"=|(?:\{[^{}]*\}|'[^']*'|\([^()]*\)|[^\s={}'()])+")


@dataclass(frozen=True)
class Word:
    """A word of a netlist and the characters it takes in the text."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Words:
    """The words of a logical line: those that stand alone, and the values by lower-case name of those around an `=`."""

    alone: tuple[Word, ...]
    assigned: Mapping[str, Word]


@dataclass(frozen=True)
class Edit:
    """New text for some characters of the old one."""

    word: Word
    text: str


def physical_lines(text: str) -> list[str]:
    """The lines of a text with their ends, as ngspice splits it."""
    return [match[0] for match in _PHYSICAL.finditer(text) if match[0]]


def words_by_line(text: str) -> dict[int, Words]:
    """The words of every logical line, by the number of its first physical one (from 1)."""
    found: dict[int, list[Word]] = {}
    begin, first = 0, 0
    for number, physical in enumerate(physical_lines(text), 1):
        content = "" if physical.lstrip().startswith("*") else COMMENT.sub("", physical.rstrip("\r\n"))
        stripped = content.lstrip()
        if stripped.startswith("+") and first:
            content = content.replace("+", " ", 1)
        elif stripped:
            first = number
        for match in _WORD.finditer(content):
            found.setdefault(first, []).append(Word(match[0], begin + match.start(), begin + match.end()))
        begin += len(physical)
    return {number: _sorted(words) for number, words in found.items()}


def continued(text: str, number: int) -> Iterator[int]:
    """The physical lines of the logical one that begins at this number, comments between them left out."""
    yield number
    for following, physical in enumerate(physical_lines(text)[number:], number + 1):
        stripped = physical.strip()
        if stripped.startswith("+"):
            yield following
        elif stripped and not stripped.startswith("*"):
            return


def edited(text: str, edits: Iterable[Edit]) -> str:
    """The text with the edits made; they must not overlap."""
    parts, at = [], 0
    for edit in sorted(edits, key=lambda edit: edit.word.start):
        parts += [text[at : edit.word.start], edit.text]
        at = edit.word.end
    return "".join([*parts, text[at:]])


def _sorted(words: Sequence[Word]) -> Words:
    equals = [index for index, word in enumerate(words) if word.text == "="]
    assigned = {words[at - 1].text.lower(): words[at + 1] for at in equals if 0 < at < len(words) - 1}
    around = {index for at in equals for index in (at - 1, at, at + 1)}
    return Words(tuple(word for index, word in enumerate(words) if index not in around), assigned)

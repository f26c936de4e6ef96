"""The YAML document of a spec with the line of every key."""

import difflib
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, ReusedAnchorWarning, YAMLError

from sizing.specfile.mistakes import Location, SpecError, dotted

LARGEST_FILE = 2_000_000
"""Bytes; a run folder's spec holds what its stimuli include."""
MOST_ENTRIES = 200_000
"""Keys and values with aliases expanded: ten in each of ten levels would be 10^10."""


@dataclass(frozen=True)
class SpecSource:
    """The YAML document with its positions."""

    path: Path
    document: Any
    is_file: bool = True
    """Whether mistakes are in this file, rather than in a document that somebody made."""

    def plain(self) -> Any:
        """The document as dicts, lists, numbers and strings."""
        try:
            return _plain(self.document, count(1))
        except (RecursionError, ValueError) as error:  # nested too deeply, or a key of thousands of digits
            raise SpecError([f"{self.path}: expected text, numbers, lists and mappings: {error}"]) from None

    def line(self, loc: Location) -> int | None:
        """Line number (from 1) of the deepest key of `loc` that exists."""
        node: Any = self.document
        line: int | None = None
        for key in loc:
            if isinstance(node, CommentedMap):
                written = next((each for each in node if _key(each) == key), None)
                if written is None:
                    break
                if written in (node.lc.data or {}):  # a merged key stands elsewhere
                    line = node.lc.key(written)[0] + 1
                node = node[written]
            elif isinstance(node, CommentedSeq) and isinstance(key, int) and key in (node.lc.data or {}):
                line, node = node.lc.item(key)[0] + 1, node[key]
            else:
                break
        return line

    def place(self, loc: Location, message: str) -> str:
        """The message with file, line and key before it."""
        line = self.line(loc)
        where = [f"{self.path}:{line}" if line else str(self.path)] if self.is_file else []
        return ": ".join([*where, *([dotted(loc)] if loc else []), message])


def read_source(path: Path) -> SpecSource:
    """The document at `path`; raises SpecError for what is no readable YAML file."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise SpecError(
                [f"{path}: expected a spec file of at most {LARGEST_FILE} bytes; put netlists in their own"]
            )
        if not (path.is_file() or path.is_dir()):
            raise SpecError([f"{path}: expected a spec file, got a device or pipe"])
        text = path.read_text(encoding="utf-8")
    except IsADirectoryError:
        raise SpecError([f"{path}: expected a spec file, got a directory"]) from None
    except FileNotFoundError:
        near = difflib.get_close_matches(path.name, [p.name for p in path.parent.glob("*.y*ml")], 1, 0.5)
        hint = f"; did you mean {path.parent / near[0]}?" if near else ""
        raise SpecError([f"{path}: no such file{hint}"]) from None
    except SpecError:
        raise
    except (OSError, ValueError) as error:
        raise SpecError([f"{path}: expected a YAML text file: {error}"]) from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ReusedAnchorWarning)
            return SpecSource(path, YAML(typ="rt", pure=True).load(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise SpecError([f"{where}: not YAML: {error.problem or error.context}"]) from None
    except (YAMLError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        # The last ones are ruamel's own stumbling over explicit tags that do not fit, such as `!!set 3`.
        raise SpecError([f"{path}: not YAML: {' '.join(str(error).split())}"]) from None


def _key(key: Any) -> str:
    return key if isinstance(key, str) else str(key)


def _plain(node: Any, counted: Iterator[int]) -> Any:
    if next(counted) > MOST_ENTRIES:
        raise ValueError(f"got more than {MOST_ENTRIES} entries, aliases expanded")
    if isinstance(node, Mapping):
        return {_key(key): _plain(value, counted) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [_plain(value, counted) for value in node]
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return node

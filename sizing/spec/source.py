"""The YAML document of a spec with the line of every key."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from sizing.spec.mistakes import Location, SpecError, dotted


@dataclass(frozen=True)
class SpecSource:
    """The YAML document with its positions."""

    path: Path
    document: Any

    def plain(self) -> Any:
        """The document as dicts, lists, numbers and strings."""
        return _plain(self.document)

    def line(self, loc: Location) -> int | None:
        """Line number (from 1) of the deepest key of `loc` that exists."""
        node: Any = self.document
        line: int | None = None
        for key in loc:
            if isinstance(node, CommentedMap) and key in node:
                line = node.lc.key(key)[0] + 1
            elif isinstance(node, CommentedSeq):
                line = node.lc.item(key)[0] + 1
            else:
                break
            node = node[key]
        return line

    def place(self, loc: Location, message: str) -> str:
        """The message with file, line and key before it."""
        line = self.line(loc)
        where = f"{self.path}:{line}" if line else str(self.path)
        return f"{where}: {dotted(loc)}: {message}" if loc else f"{where}: {message}"


def read_source(path: Path) -> SpecSource:
    """The document at `path`; raises SpecError for what is no readable YAML file."""
    if path.is_dir():
        raise SpecError([f"{path}: expected a spec file, got a directory"])
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        near = difflib.get_close_matches(path.name, [p.name for p in path.parent.glob("*.y*ml")], 1, 0.5)
        hint = f"; did you mean {path.parent / near[0]}?" if near else ""
        raise SpecError([f"{path}: no such file{hint}"]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError([f"{path}: expected a YAML text file: {error}"]) from None
    try:
        return SpecSource(path, YAML(typ="rt", pure=True).load(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise SpecError([f"{where}: not YAML: {error.problem or error.context}"]) from None
    except (YAMLError, ValueError, RecursionError) as error:
        raise SpecError([f"{path}: not YAML: {error}"]) from None


def _plain(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {(str(key) if not isinstance(key, str) else key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value) for value in node]
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return node

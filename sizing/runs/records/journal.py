"""A run's journal: one sealed line after another, so that a line that was damaged, removed or moved is noticed.

A line is a JSON object whose last entry is its seal, the BLAKE2b hash of the seal before it and of the line without
its own.
"""

import json
import os
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Self

from sizing.errors import InputError
from sizing.files import sync_folder

NAME = "journal.jsonl"
SECONDS_BETWEEN_SYNCS = 5.0
"""What a power cut may cost at most, where the simulations of one batch take longer."""
_SEAL = ',"seal":"'
_DIGEST_BYTES = 8


class RunError(InputError):
    """A run folder that cannot be made or read; the message says what was expected and what to do."""


@dataclass(frozen=True)
class Held:
    """What a journal holds: its lines as JSON text without their seals."""

    lines: tuple[str, ...]
    seal: str
    """That of the last line; empty where there is none, or where the journal has no seals."""
    size: int
    """Bytes of these lines in the file."""
    torn: int = 0
    """Bytes behind them: of a last line that was not written to its end."""
    damage: str = ""
    """What is wrong with the line behind them, where it is not the last; in words for a user."""


class JournalReader:
    """Reads a run's journal as it grows: what is sound so far, and what has come since, each line once."""

    def __init__(self, folder: Path, *, sealed: bool = True) -> None:
        self._path = folder / NAME
        self._sealed = sealed
        self._count = 0
        self.seal = ""
        self.size = 0
        self.torn = 0
        self.damage = ""

    def more(self) -> tuple[str, ...]:
        """The lines, without their seals, that have been written to their ends since; none behind a damaged one."""
        if self.damage or not self._path.exists():
            return ()
        with self._path.open("rb") as file:
            file.seek(self.size)
            content = file.read()
        *pieces, rest = content.split(b"\n")
        lines: list[str] = []
        self.torn = len(content)
        for number, piece in enumerate(pieces, 1):
            try:
                text, seal = opened_line(piece.decode(), self.seal) if self._sealed else (piece.decode(), "")
                json.loads(text)
            except ValueError as error:
                if number < len(pieces) or rest:  # else the disk got the end of this line before its beginning
                    self.damage, self.torn = self._words(error), 0
                break
            lines.append(text)
            self.seal = seal
            self.size += len(piece) + 1
            self.torn -= len(piece) + 1
            self._count += 1
        return tuple(lines)

    def _words(self, error: ValueError) -> str:
        return (
            f"{self._path}:{self._count + 1}: damaged line: {error}; restore the file, or keep only the {self._count} "
            "lines before this one, from which it can be resumed"
        )


def read_journal(folder: Path, *, sealed: bool = True) -> Held:
    """The whole lines of a run's journal, as far as they are sound."""
    reader = JournalReader(folder, sealed=sealed)
    return Held(reader.more(), reader.seal, reader.size, reader.torn, reader.damage)


class Journal:
    """The journal of one run, open for appending; nobody else may write it meanwhile.

    A run taken up again appends the same lines as before: those that the journal holds are compared, not written twice.
    Raises RunError for a journal that is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        held = read_journal(folder)
        if held.damage:
            raise RunError(held.damage)
        self._held = deque(held.lines)
        self.seal = held.seal
        self._file = (folder / NAME).open("ab", buffering=0)  # no buffer that fails again when it is closed
        self._file.truncate(held.size)
        self.sync()
        sync_folder(folder)

    @property
    def replaying(self) -> bool:
        """Whether lines that it held are still to come."""
        return bool(self._held)

    def append(self, line: Mapping[str, Any]) -> None:
        """Add a line, safe from a killed process at once and from a power cut within seconds.

        Raises RunError where it is not the line that the journal holds in this place, OSError where it cannot be
        written.
        """
        text = json.dumps(line, separators=(",", ":"))
        if self._held:
            if (held := self._held.popleft()) != text:
                raise RunError(
                    f"{self._folder}: cannot be taken up again: its journal has {held:.200} where this machine and "
                    f"these versions give {text:.200}; start a new run"
                )
            return
        sealed, self.seal = sealed_line(text, self.seal)
        left = memoryview(f"{sealed}\n".encode())
        while left:  # a disk that is nearly full takes a part
            left = left[self._file.write(left) :]
        if time.monotonic() - self._synced >= SECONDS_BETWEEN_SYNCS:
            self.sync()

    def sync(self) -> None:
        """Have on disk what has been appended."""
        os.fsync(self._file.fileno())
        self._synced = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def sealed_line(text: str, before: str = "") -> tuple[str, str]:
    """A JSON object's text with its seal as last entry, after a line with the seal `before`; and the seal."""
    seal = _seal(text, before)
    return f'{text[:-1]}{_SEAL}{seal}"}}', seal


def opened_line(line: str, before: str = "") -> tuple[str, str]:
    """A line without its seal, and the seal; raises ValueError where it is not the one that belongs here."""
    body, mark, end = line.rpartition(_SEAL)
    text, found = body + "}", end.removesuffix('"}')
    if not mark:
        raise ValueError("it has no seal")
    if found != (wanted := _seal(text, before)):
        raise ValueError(f"expected the seal {wanted}, got {found:.40}: it was changed, or lines before it are missing")
    return text, found


def _seal(text: str, before: str) -> str:
    return blake2b((before + text).encode(), digest_size=_DIGEST_BYTES).hexdigest()

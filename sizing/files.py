"""Files that are there whole or not at all, and folders that one process writes at a time."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sizing.errors import InputError

_LOCK = ".lock"


class CannotWrite(OSError):
    """A disk that is full or fails; the message says which folder, why, and what to do."""


class BeingWritten(InputError):
    """A folder that another process writes now."""


def write_whole(path: Path, content: bytes) -> None:
    """Write beside the place and move there when all is on disk: after a crash or full disk the old file is there."""
    write_all_whole({path: content})


def write_all_whole(contents: Mapping[Path, bytes]) -> None:
    """The same for files that belong together: the first is moved when the last is on disk."""
    beside = {path: path.with_name(f".{path.name}.part") for path in contents}
    try:
        for path, content in contents.items():
            with beside[path].open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        for path, part in beside.items():
            part.replace(path)
    except BaseException:
        for part in beside.values():
            part.unlink(missing_ok=True)
        raise
    for folder in {path.parent for path in contents}:
        sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Have on disk which files a folder holds: without it a power cut may undo that one was made, moved or removed."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_parts(folder: Path) -> None:
    """Remove what a process that was killed in the middle of a write left beside the place."""
    for part in folder.glob(".*.part"):
        part.unlink(missing_ok=True)


def holds_others(folder: Path) -> bool:
    """Whether a folder has files other than those that a process writing there leaves when it is killed at once."""
    return any(path.name != _LOCK and not path.match(".*.part") for path in folder.iterdir())


def refuse_others(folder: Path, what: str) -> None:
    """Raise InputError where something else than a `what` is there: a file, or a folder with files."""
    if folder.exists() and (not folder.is_dir() or holds_others(folder)):
        raise InputError(f"{folder}: expected a new folder or a {what} to go on with; choose another --out")


def claim(folder: Path, name: str, plan: Mapping[str, Any], what: str) -> None:
    """Make a folder this plan's, which its file `name` keeps, or find that it is.

    Raises InputError where another `what` was begun there or something else is, and where no folder can be.
    """
    path = folder / name
    if not path.exists():
        refuse_others(folder, what)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise cannot_make(folder, error) from None
        write_whole(path, (json.dumps(plan, indent=1) + "\n").encode())
        return
    try:
        begun = json.loads(path.read_bytes())
    except ValueError:
        begun = None
    if begun != json.loads(json.dumps(plan)):
        raise InputError(
            f"{folder}: expected the {what} begun there, got another one or other settings ({name} has the former); "
            "choose another --out"
        )


def cannot_make(folder: Path, error: OSError) -> InputError | CannotWrite:
    """What to raise where a folder cannot be made: its place is wrong, or the disk is."""
    wrong_place = isinstance(error, FileNotFoundError | NotADirectoryError | FileExistsError | PermissionError)
    kind = InputError if wrong_place else CannotWrite
    return kind(f"{folder}: cannot be made: {error.strerror}; put that right, or choose another --out")


@contextmanager
def only_writer(folder: Path, what: str) -> Iterator[None]:
    """Hold a folder, made if need be, for this process; raises BeingWritten where another writes this `what` now."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / _LOCK
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not os.path.samestat(os.fstat(file.fileno()), path.stat()):
                raise BlockingIOError  # another process ended and a third began since the file was opened
        except OSError:
            raise BeingWritten(f"{folder}: another process writes this {what}; wait for it or end it") from None
        try:
            yield
        finally:
            path.unlink(missing_ok=True)

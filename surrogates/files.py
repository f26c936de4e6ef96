"""Files that are there whole or not at all."""

import os
from collections.abc import Mapping
from pathlib import Path


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

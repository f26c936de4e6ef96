"""Measured devices on disk, by what was measured: shared by processes, bounded, and never trusted blindly."""

import hashlib
import os
import tempfile
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from surrogates.tables.deck import Part, UnitDevice, ngspice_version
from surrogates.tables.grids import Grids

VERSION = 5
"""Version of how devices are measured; another one is another measurement."""
LARGEST_BYTES = 2_000_000_000
"""Bytes of a folder, beyond which the files that have not been read for longest are deleted."""
Measurements = Mapping[str, NDArray[np.float64]]


def default_folder() -> Path:
    """Where tables are kept unless told otherwise."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sizing" / "tables"


@dataclass(frozen=True)
class Store:
    """A folder of measured devices."""

    folder: Path
    largest: int = LARGEST_BYTES

    def holds(self, key: str) -> bool:
        """Whether something was measured under this key; its file may be damaged."""
        return self._path(key).exists()

    def read(self, key: str) -> Measurements | None:
        """What was measured under this key; None where nothing was, or its file is damaged."""
        path = self._path(key)
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as found:
                arrays = {name: found[name] for name in found.files}
        except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
            return None
        with suppress(OSError):
            os.utime(path)
        return arrays

    def write(self, key: str, measurements: Measurements) -> None:
        """Keep measurements: whole, or, on a disk that takes no more, not at all."""
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self.folder, suffix=".part", delete=False) as file:
                try:
                    np.savez(file, allow_pickle=False, **dict(measurements))
                except BaseException:
                    Path(file.name).unlink()
                    raise
            Path(file.name).replace(self._path(key))

    def shrink(self) -> None:
        """Delete what has not been read for longest until the rest is not too large."""
        with suppress(OSError):
            files = sorted(
                ((path.stat(), path) for path in self.folder.glob("*.npz")), key=lambda each: -each[0].st_mtime
            )
            size = 0
            for stat, path in files:
                size += stat.st_size
                if size > self.largest:
                    path.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.npz"


def key_of(device: UnitDevice, part: Part, grids: Grids) -> str:
    """The digest of everything that a measurement depends on."""
    unit = device.unit
    definitions = "\n".join(line.text for line in unit.definitions)
    call = (unit.letter, unit.model, unit.roles, unit.parameters, device.values, unit.temperature)
    what = (VERSION, ngspice_version(), call, part, grids)
    return hashlib.sha256(f"{what!r}\n{definitions}".encode()).hexdigest()[:40]

"""Packages of plug-ins, made for a test and gone after it."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sizing.measures.catalogue import MEASURES
from sizing.search.methods import METHODS
from sizing.simulation.simulators import SIMULATORS
from sizing.spice.kits import KITS

Bring = Callable[..., None]


def forget() -> None:
    for named in (METHODS, MEASURES, SIMULATORS, KITS):
        named.__dict__.pop("_brought", None)
        named._loaded.clear()


@pytest.fixture
def bring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bring]:
    """Install a package with an entry point in a group; its name is "package1", and so on."""
    numbers = itertools.count(1)

    def bring(group: str, name: str, value: str) -> None:
        folder = tmp_path / "installed"
        metadata = folder / f"package{next(numbers)}-1.0.dist-info"
        metadata.mkdir(parents=True)
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {metadata.name.partition('-')[0]}\n")
        (metadata / "entry_points.txt").write_text(f"[sizing.{group}]\n{name} = {value}\n")
        monkeypatch.syspath_prepend(folder)
        forget()

    yield bring
    forget()

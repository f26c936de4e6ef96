"""The `models` of a spec: where its process kits and files of models are."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sizing.specfile.entries import ModelsEntry
from sizing.spice.kits import KITS, TYPICAL, Library, installed, joined, read_library
from sizing.spice.netlist import Folders

OPTIONS = {"wnflag": 1}
"""With models: a transistor of several fingers has the model for the width of one, as kits mean it."""


@dataclass(frozen=True)
class ModelFile:
    """A file of models, or one of its sections."""

    path: Path
    section: str = ""

    @property
    def line(self) -> str:
        """The line by which ngspice reads it."""
        return f'.lib "{self.path}" {self.section}' if self.section else f'.include "{self.path}"'


def deck_lines(files: Sequence[ModelFile]) -> list[str]:
    """What a deck begins with that has all of these models."""
    options = " ".join(f"{name}={value}" for name, value in OPTIONS.items())
    return [*(file.line for file in files), f".options {options}"] if files else []


def model_files(entries: Sequence[ModelsEntry], folder: Path) -> tuple[ModelFile, ...]:
    """Where the models of a spec in this folder are; raises InputError for a kit that is not installed."""
    return tuple(
        ModelFile(installed(entry.kit), entry.corner or TYPICAL)
        if entry.kit
        else ModelFile(_whole(entry, folder), entry.section or "")
        for entry in entries
    )


def of_process(entries: Sequence[ModelsEntry], section: str) -> list[ModelsEntry]:
    """The entries with another corner of every kit, and another section of every file of which one is taken."""
    return [
        entry.model_copy(update={"corner": section} if entry.kit else {"section": section} if entry.section else {})
        for entry in entries
    ]


def with_mismatch(entries: Sequence[ModelsEntry]) -> list[ModelsEntry]:
    """The entries with every kit at the corner where devices deviate from each other, if it has one."""
    return [
        entry.model_copy(update={"corner": f"{entry.corner or TYPICAL}{KITS[entry.kit].mismatch}"})
        if entry.kit
        else entry
        for entry in entries
    ]


def with_whole_paths(entries: Sequence[ModelsEntry], folder: Path) -> list[dict[str, Any]]:
    """The entries as a spec in any folder may have them."""
    return [
        entry.model_dump(exclude_none=True) | ({"path": str(_whole(entry, folder))} if entry.path else {})
        for entry in entries
    ]


def read_models(files: Sequence[ModelFile], within: Folders) -> Library:
    """All of them as one library. What lies in the folders of the spec, `within`, may include only from there.

    A file elsewhere was not brought by who wrote the spec: it includes what it likes. Raises NetlistError.
    """
    return joined(
        read_library(file.path, file.section, within if _inside(file.path, within) else None) for file in files
    )


def _whole(entry: ModelsEntry, folder: Path) -> Path:
    return (folder / (entry.path or "")).resolve()


def _inside(path: Path, folders: Folders) -> bool:
    return any(path.is_relative_to(folder.resolve()) for folder in folders or ())

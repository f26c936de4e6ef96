"""What a study is, and the folder that it is carried out in: a table, a plot and a page."""

import json
import os
import platform
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, Protocol, TypeVar

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from sizing.files import claim, write_whole
from sizing.runs.tables import markdown
from sizing.task.settings import Settings

Scale = Literal["small", "full"]
Row = Mapping[str, Any]
Observer = Callable[[str], None]
"""Told, in a line, of every part that is done."""


@dataclass(frozen=True)
class Options:
    """How a study is asked for. `data` is the folder of data sets, `models` that of the model cards."""

    scale: Scale
    data: Path
    models: Path
    seeds: tuple[int, ...] | None = None
    """The scale's own where there are none."""
    device: str = "cpu"
    jobs: int | None = None
    executor: str = "local"
    """Where runs are done, as `compare` has it."""


@dataclass(frozen=True)
class Section:
    """A part of a study's page: what is to be seen, and the table that shows it."""

    heading: str
    words: str
    table: pd.DataFrame


class StudySettings(Settings):
    """All that decides what a study measures."""

    seeds: tuple[int, ...] = (0, 1, 2)


AnySettings = TypeVar("AnySettings", bound=StudySettings)


def settings_for(options: Options, scales: Mapping[Scale, AnySettings]) -> AnySettings:
    """Those of the scale, with the seeds asked for."""
    settings = scales[options.scale]
    return settings if options.seeds is None else settings.model_copy(update={"seeds": options.seeds})


class Study(ABC):
    """One item of the paper."""

    title: str
    settings: StudySettings

    @abstractmethod
    def carried_out(self, folder: Path, observer: Observer) -> pd.DataFrame:
        """Measure what is left to measure in this folder; the whole table, `table.csv` there."""

    @abstractmethod
    def sections(self, table: pd.DataFrame) -> Sequence[Section]:
        """What the table says, ours beside the paper's; of a table that may not be complete."""

    @abstractmethod
    def figure(self, table: pd.DataFrame, folder: Path) -> Figure:
        """The plot."""


class Cell(Protocol):
    """What is measured at once, a frozen dataclass: its fields are the first columns of its rows."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


AnyCell = TypeVar("AnyCell", bound=Cell)


class CellStudy(Study, Generic[AnyCell]):
    """A study of cells, each measured by itself and written whole; those in the table are not measured again."""

    @abstractmethod
    def cells(self) -> Iterable[AnyCell]:
        """What to measure, in order."""

    @abstractmethod
    def measure(self, cell: AnyCell, scratch: Path) -> Sequence[Row]:
        """The rows of a cell, less its own fields. What is in the folder `scratch` outlives a kill, not the cell."""

    def carried_out(self, folder: Path, observer: Observer) -> pd.DataFrame:
        """Measure the cells that the table does not have."""
        path = folder / "table.csv"
        rows: list[dict[Any, Any]] = []
        if path.exists():
            rows = pd.read_csv(path, keep_default_na=False).to_dict("records")
        cells = list(self.cells())
        for number, cell in enumerate(cells, 1):
            key = asdict(cell)
            if any(all(str(row[name]) == str(value) for name, value in key.items()) for row in rows):
                continue
            measured = self.measure(cell, folder / "scratch")
            rows += [{**key, **row} for row in measured]
            write_whole(path, pd.DataFrame(rows).to_csv(index=False).encode())
            observer(f"{number}/{len(cells)} {' '.join(map(str, key.values()))}")
        return pd.read_csv(path)


@dataclass(frozen=True)
class Done:
    """A study carried out: its page on disk, and what that shows."""

    page: Path
    sections: tuple[Section, ...]


def carry_out(study: Study, folder: Path, command: str, observer: Observer) -> Done:
    """Measure what is left, and write the plot and the page.

    The same study again takes up what was left. Raises InputError where the folder holds something else.
    """
    claim(folder, "study.json", {"title": study.title, "settings": study.settings.model_dump(mode="json")}, "study")
    table = study.carried_out(folder, observer)
    with mpl.rc_context({"svg.hashsalt": "study", "svg.fonttype": "none"}):
        study.figure(table, folder).savefig(folder / "plot.svg", metadata={"Date": None})
    done = Done(folder / "page.md", tuple(study.sections(table)))
    write_whole(done.page, _page(study, done.sections, command).encode())
    return done


def _page(study: Study, sections: Sequence[Section], command: str) -> str:
    versions = ", ".join(f"{name} {version(name)}" for name in ("circuit-sizing", "numpy", "torch"))
    parts = [
        f"# {study.title}",
        f"`{command}`, {date.today().isoformat()}, on {os.cpu_count()} cores ({platform.machine()}), "
        f"Python {platform.python_version()}, {versions}.",
        "![plot](plot.svg)",
        *(f"## {each.heading}\n\n{each.words}\n\n{markdown(each.table)}" for each in sections),
        "## Settings",
        "\n".join(f"- {name}: `{json.dumps(value)}`" for name, value in study.settings.model_dump(mode="json").items()),
    ]
    return "\n\n".join(parts) + "\n"

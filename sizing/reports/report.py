"""Reports of runs on disk: a page, plots as files, and what a comparison leaves of itself."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from sizing.errors import InputError
from sizing.reports.page import page
from sizing.reports.plot import Plot
from sizing.reports.plots import plots as drawn
from sizing.reports.plots import plots_of_one
from sizing.reports.responses import response_plots
from sizing.reports.scatter import checked_pair
from sizing.runs.compare import Comparison, absent_runs
from sizing.runs.inspect import inspect_best
from sizing.runs.records.inspection import Inspection, read_inspection
from sizing.runs.records.reading import RunRecord, find_runs, read_runs
from sizing.runs.tables import runs_table


@dataclass(frozen=True)
class Report:
    """What was reported."""

    table: pd.DataFrame
    """One row of counts for each run."""
    written: tuple[Path, ...]
    """The page, and the folder of plots."""
    problems: tuple[str, ...]
    """What is wrong with some of the runs."""


def report(
    paths: str | Path | Sequence[str | Path],
    *,
    html: str | Path | None = None,
    plots: str | Path | None = None,
    waveforms: bool = False,
    sensitivities: bool = False,
    scatter: Sequence[str] = (),
    workers: int | None = None,
    trust: bool = False,
    announce: Callable[[int, Path], None] = lambda count, run: None,
) -> Report:
    """Report runs as one page `html` that needs no network, and every plot as SVG and PNG in a folder `plots`.

    `paths` are run folders, or folders of runs. Of one sound run, its best design may be simulated again for
    `waveforms`, and its neighbours on the grid for `sensitivities`, once: the run's folder keeps it; `scatter` has
    pairs of metrics to plot, each as "A,B". `announce` hears how many simulations there will be, and of which run.
    Raises InputError where nothing is asked for, or something would be overwritten.
    """
    paths = [paths] if isinstance(paths, str | Path) else list(paths)
    page_file, folder = (None if each is None else Path(each) for each in (html, plots))
    if page_file is None and folder is None:
        raise InputError("expected --html FILE, --plots FOLDER or both; for tables alone there is `sizing table`")
    for path in (page_file, folder):
        if path is not None and path.exists():
            raise InputError(f"{path} already exists, and nothing is overwritten: choose another name")
    records, problems = read_runs(find_runs(paths))
    problems += [problem for each in paths for problem in absent_runs(Path(each))]
    one = records[0] if len(records) == 1 and not records[0].damage else None
    if one is None and (waveforms or sensitivities or scatter):
        raise InputError("--waveforms, --sensitivities and --scatter are of one sound run: name its folder alone")
    pairs = [checked_pair(one, each) for each in scatter] if one else []
    inspection = _inspection(one, waveforms, sensitivities, workers, trust, announce) if one else None
    written = []
    if page_file is not None and records:
        text = page(records, problems, _title(paths), pairs, inspection)
        page_file.parent.mkdir(parents=True, exist_ok=True)
        page_file.write_text(text, encoding="utf-8")
        written.append(page_file)
    if folder is not None and records:
        made = plots_of_one(one, pairs) if one else drawn(records)
        made += response_plots(one, inspection) if one and inspection else []
        _write_plots(made, folder, (".svg", ".png"))
        written.append(folder)
    return Report(runs_table(records), tuple(written), tuple(problems))


def report_comparison(comparison: Comparison, problems: Sequence[str], out: Path) -> Path:
    """Leave plots and the page in the folder of a comparison, in place of those of an earlier call; the page."""
    _write_plots(drawn(comparison.records), out / "plots", (".svg",))
    path = out / "report.html"
    path.write_text(page(comparison.records, problems, _title([out])), encoding="utf-8")
    return path


def _write_plots(plots: Sequence[Plot], folder: Path, formats: Sequence[str]) -> None:
    """Write every plot as SPEC-KIND.svg, and .png where asked for."""
    folder.mkdir(parents=True, exist_ok=True)
    for plot in plots:
        name = re.sub(r"[^\w.-]+", "_", f"{plot.spec}-{plot.kind}")
        for each in formats:
            path = folder / f"{name}{each}"
            path.write_bytes(plot.png() if each == ".png" else plot.svg().encode())


def _inspection(
    record: RunRecord,
    waveforms: bool,
    sensitivities: bool,
    workers: int | None,
    trust: bool,
    announce: Callable[[int, Path], None],
) -> Inspection | None:
    """What the run's folder keeps of its best design, and what was asked for besides."""
    if not (waveforms or sensitivities):
        return read_inspection(record)
    return inspect_best(
        record,
        waveforms=waveforms,
        sensitivities=sensitivities,
        workers=workers,
        trust=trust,
        announce=lambda count: announce(count, record.path),
    )


def _title(paths: Sequence[str | Path]) -> str:
    """What a page of these folders is called."""
    return ", ".join(Path(path).resolve().name for path in paths)

"""The command that makes a page, or files of plots, from run folders; and what `sizing compare` leaves of itself."""

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sizing.cli.trust import TrustOption
from sizing.errors import InputError
from sizing.runs.records.reading import RunRecord

if TYPE_CHECKING:
    from sizing.reports.plot import Plot
    from sizing.runs.records.inspection import Inspection


def report(
    paths: Annotated[list[Path], typer.Argument(metavar="RUN_OR_DIR...", help="run folders, or folders of runs")],
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="page to write")] = None,
    plots: Annotated[Path | None, typer.Option(metavar="FOLDER", help="folder for every plot as SVG and PNG")] = None,
    waveforms: Annotated[bool, typer.Option("--waveforms", help="of one run: simulate its best design again")] = False,
    sensitivities: Annotated[
        bool, typer.Option("--sensitivities", help="of one run: simulate the best design's neighbours on the grid")
    ] = False,
    scatter: Annotated[
        list[str] | None, typer.Option(metavar="A,B", help="of one run: two metrics to plot; again for more")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="simulator processes [default: one per core]")] = None,
    trust: TrustOption = False,
) -> None:
    """Report runs: tables, plots and every run in detail as one page that needs no network, or plots as files.

    Nothing is simulated unless asked for, and then once: the run's folder keeps it for later reports.

    Example: sizing report runs/opamp_cc-gp-op-s0 --html opamp.html --waveforms --sensitivities
    """
    from sizing.reports.page import page
    from sizing.reports.plots import plots as drawn
    from sizing.reports.plots import plots_of_one
    from sizing.reports.responses import response_plots
    from sizing.reports.scatter import checked_pair
    from sizing.runs.compare import absent_runs
    from sizing.runs.records.reading import find_runs, read_runs

    if html is None and plots is None:
        raise InputError("expected --html FILE, --plots FOLDER or both; for tables alone there is `sizing table`")
    for path in (html, plots):
        if path is not None and path.exists():
            raise InputError(f"{path} already exists, and nothing is overwritten: choose another name")
    records, problems = read_runs(find_runs(paths))
    problems += [problem for path in paths for problem in absent_runs(path)]
    one = records[0] if len(records) == 1 and not records[0].damage else None
    if one is None and (waveforms or sensitivities or scatter):
        raise InputError("--waveforms, --sensitivities and --scatter are of one sound run: name its folder alone")
    pairs = [checked_pair(one, each) for each in scatter or ()] if one else []
    inspection = _inspection(one, waveforms, sensitivities, workers, trust) if one else None
    if html is not None and records:
        text = page(records, problems, title_of(paths), pairs, inspection)
        html.parent.mkdir(parents=True, exist_ok=True)
        html.write_text(text, encoding="utf-8")
        print(html)
    if plots is not None and records:
        made = plots_of_one(one, pairs) if one else drawn(records)
        made += response_plots(one, inspection) if one and inspection else []
        write_plots(made, plots, (".svg", ".png"))
        print(plots)
    tell(problems)


def write_comparison(records: Sequence[RunRecord], problems: Sequence[str], out: Path) -> None:
    """Leave tables, plots and the page in the folder of a comparison, in place of those of an earlier call."""
    from sizing.reports.page import page
    from sizing.reports.plots import plots
    from sizing.runs.tables import means_table, runs_table

    rows = runs_table(records)
    rows.to_csv(out / "table.csv", index=False)
    means_table(rows).to_csv(out / "means.csv", index=False)
    write_plots(plots(records), out / "plots", (".svg",))
    (out / "report.html").write_text(page(records, problems, title_of([out])), encoding="utf-8")


def write_plots(plots: Sequence["Plot"], folder: Path, formats: Sequence[str]) -> None:
    """Write every plot as SPEC-KIND.svg, and .png where asked for."""
    folder.mkdir(parents=True, exist_ok=True)
    for plot in plots:
        name = re.sub(r"[^\w.-]+", "_", f"{plot.spec}-{plot.kind}")
        for each in formats:
            path = folder / f"{name}{each}"
            path.write_bytes(plot.png() if each == ".png" else plot.svg().encode())


def _inspection(
    record: RunRecord, waveforms: bool, sensitivities: bool, workers: int | None, trust: bool
) -> "Inspection | None":
    """What the run's folder keeps of its best design, and what was asked for besides."""
    from sizing.runs.inspect import inspect_best
    from sizing.runs.records.inspection import read_inspection

    if not (waveforms or sensitivities):
        return read_inspection(record)

    def announce(count: int) -> None:
        what = "1 simulation" if count == 1 else f"{count} simulations"
        print(
            f"{what} of the best design and its neighbours, kept in {record.path}, none of the run's", file=sys.stderr
        )

    return inspect_best(
        record, waveforms=waveforms, sensitivities=sensitivities, workers=workers, trust=trust, announce=announce
    )


def title_of(paths: Sequence[Path]) -> str:
    """What a page of these folders is called."""
    return ", ".join(path.resolve().name for path in paths)


def tell(problems: Sequence[str]) -> None:
    """Say what is wrong with some of the runs, if anything, after all else was done: exit status 1."""
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    if problems:
        raise typer.Exit(1)

"""The command that makes a page, or files of plots, from run folders; and what `sizing compare` leaves of itself."""

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from sizing.mistakes import InputError
from sizing.records.reading import RunRecord


def report(
    paths: Annotated[list[Path], typer.Argument(metavar="RUN_OR_DIR...", help="run folders, or folders of runs")],
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="page to write")] = None,
    plots: Annotated[Path | None, typer.Option(metavar="FOLDER", help="folder for every plot as SVG and PNG")] = None,
) -> None:
    """Report runs: tables, plots and every run in detail as one page that needs no network, or plots as files.

    Example: sizing report runs/comparison --html comparison.html
    """
    from sizing.compare import absent_runs
    from sizing.records.reading import find_runs, read_runs
    from sizing.report.page import page

    if html is None and plots is None:
        raise InputError("expected --html FILE, --plots FOLDER or both; for tables alone there is `sizing table`")
    for path in (html, plots):
        if path is not None and path.exists():
            raise InputError(f"{path} already exists, and nothing is overwritten: choose another name")
    records, problems = read_runs(find_runs(paths))
    problems += [problem for path in paths for problem in absent_runs(path)]
    if html is not None and records:
        text = page(records, problems, title_of(paths))
        html.parent.mkdir(parents=True, exist_ok=True)
        html.write_text(text, encoding="utf-8")
        print(html)
    if plots is not None and records:
        write_plots(records, plots, (".svg", ".png"))
        print(plots)
    tell(problems)


def write_comparison(records: Sequence[RunRecord], problems: Sequence[str], out: Path) -> None:
    """Leave tables, plots and the page in the folder of a comparison, in place of those of an earlier call."""
    from sizing.report.page import page
    from sizing.report.tables import means_table, runs_table

    rows = runs_table(records)
    rows.to_csv(out / "table.csv", index=False)
    means_table(rows).to_csv(out / "means.csv", index=False)
    write_plots(records, out / "plots", (".svg",))
    (out / "report.html").write_text(page(records, problems, title_of([out])), encoding="utf-8")


def write_plots(records: Sequence[RunRecord], folder: Path, formats: Sequence[str]) -> None:
    """Write every plot as SPEC-KIND.svg, and .png where asked for."""
    from sizing.report.plots import plots

    folder.mkdir(parents=True, exist_ok=True)
    for plot in plots(records):
        name = re.sub(r"[^\w.-]+", "_", plot.spec)
        for each in formats:
            path = folder / f"{name}-{plot.kind}{each}"
            path.write_bytes(plot.png() if each == ".png" else plot.svg().encode())


def title_of(paths: Sequence[Path]) -> str:
    """What a page of these folders is called."""
    return ", ".join(path.resolve().name for path in paths)


def tell(problems: Sequence[str]) -> None:
    """Say what is wrong with some of the runs, if anything, after all else was done: exit status 1."""
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    if problems:
        raise typer.Exit(1)

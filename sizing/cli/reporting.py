"""The command that makes a page, or files of plots, from run folders."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from sizing.cli.trust import TrustOption


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

    Example: sizing report runs/opamp_cc-tables-s0 --html opamp.html --waveforms --sensitivities
    """
    from sizing.reports.report import report as report_runs

    done = report_runs(
        paths,
        html=html,
        plots=plots,
        waveforms=waveforms,
        sensitivities=sensitivities,
        scatter=scatter or (),
        workers=workers,
        trust=trust,
        announce=_announce,
    )
    for path in done.written:
        print(path)
    tell(done.problems)


def _announce(count: int, run: Path) -> None:
    what = "1 simulation" if count == 1 else f"{count} simulations"
    print(f"{what} of the best design and its neighbours, kept in {run}, none of the run's", file=sys.stderr)


def tell(problems: Sequence[str]) -> None:
    """Say what is wrong with some of the runs, if anything, after all else was done: exit status 1."""
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    if problems:
        raise typer.Exit(1)

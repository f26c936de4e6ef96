"""The command that does the published comparisons again."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from sizing.cli.executors import ExecutorOption, SchedulerOption
from sizing.cli.pretraining import DATA


def study(
    name: Annotated[str, typer.Argument(metavar="NAME", help="table1, table2, fig6, fig7, fig8, fig9 or fig11")],
    scale: Annotated[str, typer.Option(help="small: minutes on two cores; full: the paper's size")] = "small",
    seeds: Annotated[str | None, typer.Option(help="seeds by commas [default: three]")] = None,
    device: Annotated[str, typer.Option(help="cpu, or cuda")] = "cpu",
    jobs: Annotated[
        int | None, typer.Option(min=1, help="simulator processes, runs at a time [default: all cores]")
    ] = None,
    executor: ExecutorOption = "local",
    scheduler: SchedulerOption = None,
    out: Annotated[Path | None, typer.Option(help="folder [default: runs/NAME-SCALE]")] = None,
) -> None:
    """Do a table or figure of Hakhamaneshi et al. (2022) again: table.csv, plot.svg, and page.md beside the paper's.

    Interrupted, the same command goes on. Data sets that are not in runs/data are made first.

    Example: sizing study fig7 --scale small
    """
    from sizing.paper.studies import study as carry_out
    from sizing.runs.tables import markdown

    try:
        done = carry_out(
            name,
            scale=scale,
            seeds=_numbers(seeds),
            device=device,
            jobs=jobs,
            executor=scheduler or executor,
            out=out,
            data=DATA,
            command=shlex.join(["sizing", *sys.argv[1:]]),
            observer=lambda line: print(line, file=sys.stderr, flush=True),
        )
    except KeyboardInterrupt:
        print("interrupted; the same command goes on", file=sys.stderr)
        raise typer.Exit(130) from None
    for section in done.sections:
        print(f"{section.heading}:\n\n{markdown(section.table)}\n")
    print(done.page)


def _numbers(seeds: str | None) -> tuple[int, ...] | None:
    from sizing.errors import InputError

    if seeds is None:
        return None
    try:
        return tuple(int(seed) for seed in seeds.split(","))
    except ValueError:
        raise InputError(f"--seeds: expected numbers separated by commas, got {seeds!r}") from None

"""The command that hands a sized design to other tools."""

from pathlib import Path
from typing import Annotated

import typer


def export(
    path: Annotated[Path, typer.Argument(metavar="RUN", help="run folder")],
    rank: Annotated[int, typer.Option(min=1, help="which design, 1 is the best")] = 1,
    form: Annotated[str, typer.Option("--format", help="netlist, files, param, json or devices")] = "netlist",
    out: Annotated[Path | None, typer.Option(help="file to write, or folder for files [default: stdout]")] = None,
) -> None:
    """Write a sized design: the netlist ready for ngspice, or what other tools take.

    netlist: the user's text, included files in place, with the values. files: the user's own files that give the
    variables their values, each by itself, into a new folder. param: .param lines. json: values, metrics and targets.
    devices: the numbers of every device, separated by tabs, for schematic editors.

    Example: sizing export runs/opamp_cc-tables-s0 --rank 2 --out sized.cir
    """
    from sizing.runs.export import export as export_design

    text = export_design(path, rank=rank, form=form, out=out)
    if out is None or form == "files":
        print(text, end="")

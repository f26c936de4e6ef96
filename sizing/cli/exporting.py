"""The command that hands a sized design to other tools."""

from pathlib import Path
from typing import Annotated

import typer

from sizing.errors import InputError, nearest


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

    Example: sizing export runs/opamp_cc-gp-op-s0 --rank 2 --out sized.cir
    """
    from sizing.runs.export import FORMS, sized_files
    from sizing.runs.records.reading import read_run

    if form not in (known := [*FORMS, "files"]):
        raise InputError(f"--format: no form {form!r}{nearest(form, known)}")
    if out is not None and out.exists():
        raise InputError(f"{out} already exists, and nothing is overwritten: choose another --out")
    record = read_run(path)
    if form == "files":
        if out is None:
            raise InputError("--format files: expected --out FOLDER, a new folder for the changed files")
        _write_files(out, sized_files(record, rank))
    elif out is None:
        print(FORMS[form](record, rank), end="")
    else:
        out.write_text(FORMS[form](record, rank), encoding="utf-8")


def _write_files(folder: Path, contents: dict[Path, bytes]) -> None:
    for place, content in contents.items():
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        print(path)

"""The command that measures transistors: tables and charts of gm/Id and its kin."""

from collections.abc import Sequence
from importlib import import_module
from math import isfinite
from pathlib import Path
from typing import Annotated, Any

import typer

from sizing.cli.trust import TrustOption
from sizing.errors import InputError
from sizing.files import cannot_make

Lookup = Any
"""surrogates.tables.lookup.Lookup, which the engine does not import."""
_INVERSION = (5, 10, 15, 20, 25)
"""1/V, from strong to weak."""
_TABLES = (".mat", ".pkl")


def characterize(
    models: Annotated[
        str,
        typer.Argument(metavar="KIT[:CORNER]|FILE[:SECTION]", help="models, or a table that pygmid reads (.mat, .pkl)"),
    ],
    devices: Annotated[
        list[str] | None, typer.Argument(metavar="[DEVICE]...", help="transistors [default: all]")
    ] = None,
    lengths: Annotated[str | None, typer.Option(help="by commas, such as 0.15u,0.5u [default: from the bins]")] = None,
    width: Annotated[str, typer.Option(help="of one finger")] = "5u",
    supply: Annotated[str, typer.Option(help="highest voltage")] = "1.8",
    temperature: Annotated[float | None, typer.Option(help="degrees Celsius [default: the models']")] = None,
    out: Annotated[Path | None, typer.Option(help="folder [default: runs/characterize/MODELS]")] = None,
    picture: Annotated[str, typer.Option("--format", help="of the charts: svg or png")] = "svg",
    trust: TrustOption = False,
) -> None:
    """Measure transistors with ngspice: gm/Id, current density, transit frequency and self-gain by length.

    Prints them at half the supply, and writes for each transistor charts, a CSV file, and DEVICE.mat and DEVICE.pkl
    with all that was measured, as pygmid reads it. What was measured before is not measured again.

    Example: sizing characterize sky130 sky130_fd_pr__nfet_01v8 sky130_fd_pr__pfet_01v8
    """
    if f".{picture}" not in import_module("surrogates.tables.charts").FORMATS:
        raise typer.BadParameter(f"expected svg or png, got {picture!r}", param_hint="--format")
    volts = _quantity("--supply", supply, "V")
    if Path(models).suffix in _TABLES:
        if not Path(models).is_file():
            raise InputError(f"{models}: expected a table, found no such file")
        found = [import_module("surrogates.tables.lookup").read_lookup(Path(models))]
    else:
        asked = [_quantity("--lengths", each, "m") for each in lengths.split(",")] if lengths else []
        found = _measured(models, devices or (), asked, _quantity("--width", width, "m"), volts, temperature, trust)
    folder = out or Path("runs/characterize") / Path(models.replace(":", "-")).stem
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_make(folder, error) from error
    for lookup in found:
        vds = min(volts, float(lookup.axes["VDS"][-1])) / 2
        _tell(lookup, vds)
        _write(lookup, vds, folder, picture)
    print(folder)


def _measured(
    models: str,
    names: Sequence[str],
    lengths: Sequence[float],
    width: float,
    supply: float,
    temperature: float | None,
    trust: bool,
) -> list[Lookup]:
    from sizing.first_spec.source import models_named
    from sizing.specfile.models import OPTIONS, model_files, read_models
    from sizing.spice.netlist import Line
    from sizing.spice.trust import checked

    library = read_models(model_files(models_named([models], Path(), "MODELS"), Path()), None)
    options = " ".join(f"{name}={value}" for name, value in OPTIONS.items())
    lines = [line for each in library.definitions for line in each.lines] + [Line(f".options {options}", models, 1)]
    known, lookup = (import_module(f"surrogates.tables.{name}") for name in ("transistor_models", "lookup"))
    found = []
    for name, definition in known.transistors_in(library, names).items():
        if not trust:
            checked(library.reached([Line(f"x {name}", models, 1)]))
        chosen = lengths or known.usual_lengths(definition, width)
        if not chosen:
            raise InputError(
                f"--lengths: expected some, such as 0.15u,0.5u, since {name} has no bins for W = {width * 1e6:g} um"
            )
        found.append(lookup.measured(lines, name, lengths=chosen, width=width, supply=supply, temperature=temperature))
    return found


def _quantity(option: str, text: str, unit: str) -> float:
    from sizing.units import parse_quantity

    try:
        value = float(parse_quantity(text, unit))
    except ValueError as error:
        raise InputError(f"{option}: {error}") from None
    if not value > 0:
        raise InputError(f"{option}: expected more than 0 {unit}, got {text}")
    return value


def _tell(lookup: Lookup, vds: float) -> None:
    from rich.table import Table

    from sizing.cli.show import plain_console
    from sizing.units import format_quantity

    found = lookup.by_inversion(_INVERSION, vds, float(lookup.axes["VSB"][0]))
    grid = Table(title=f"{lookup.name}, W = {lookup.width * 1e6:g} um, Vds = {vds:g} V", title_justify="left")
    for heading in ("L", "gm/Id in 1/V", "Vgs", "Id/W", "fT", "gm/gds"):
        grid.add_column(heading, justify="right")
    for row, length in enumerate(lookup.axes["L"]):
        for column, inversion in enumerate(_INVERSION):
            value = {name: float(each[row, column]) for name, each in found.items()}
            if isfinite(value["VGS"]):
                grid.add_row(
                    format_quantity(float(f"{length:.6g}"), "m") if not column else "",
                    str(inversion),
                    f"{value['VGS']:.3f} V",
                    f"{value['ID/W']:.4g} uA/um",
                    format_quantity(float(f"{value['fT']:.4g}"), "Hz"),
                    f"{value['GM/GDS']:.4g}",
                )
        grid.add_section()
    plain_console().print(grid)


def _write(lookup: Lookup, vds: float, folder: Path, picture: str) -> None:
    import numpy as np
    import pandas as pd

    own = import_module("surrogates.tables.lookup")
    at = lookup.at(vds, float(lookup.axes["VSB"][0]))
    columns = {**own.figures_of(lookup, at), **at}
    length = np.repeat(lookup.axes["L"], len(lookup.axes["VGS"]))
    table = pd.DataFrame({"L": length, **{name: each.ravel() for name, each in columns.items()}})
    table.to_csv(folder / f"{lookup.name}.csv", index=False, float_format="%.6g")
    for suffix in _TABLES:
        own.write_lookup(lookup, folder / f"{lookup.name}{suffix}")
    import_module("surrogates.tables.charts").draw(lookup, vds, folder / f"{lookup.name}.{picture}")

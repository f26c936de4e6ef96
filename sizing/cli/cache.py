"""The commands of a cache of simulations."""

from pathlib import Path
from typing import Annotated

import typer

cache = typer.Typer(
    help="Look at a cache of simulations (`sizing run --cache DIR`), or make it smaller.\n\n"
    "Example: sizing cache info runs/cache",
    no_args_is_help=True,
    rich_markup_mode=None,
)
FolderArgument = Annotated[Path, typer.Argument(metavar="DIR", help="folder of the cache")]


@cache.command()
def info(folder: FolderArgument) -> None:
    """Say how many simulations a cache holds, and how large it is.

    Example: sizing cache info runs/cache
    """
    from sizing.simulation.cache import SimulationCache
    from sizing.units import format_quantity

    with SimulationCache(folder, make=False) as found:
        held = found.info()
    print(f"{held.path}: {held.outcomes} simulations, {format_quantity(held.bytes, 'B')}")


@cache.command()
def prune(
    folder: FolderArgument,
    megabytes: Annotated[int, typer.Option(min=0, help="how large it may stay")] = 0,
) -> None:
    """Drop the simulations that were used longest ago, by default all.

    Example: sizing cache prune runs/cache --megabytes 100
    """
    from sizing.simulation.cache import SimulationCache
    from sizing.units import format_quantity

    with SimulationCache(folder, make=False) as found:
        dropped = found.prune(megabytes * 1e6)
        held = found.info()
    print(f"{held.path}: dropped {dropped} simulations, {held.outcomes} left, {format_quantity(held.bytes, 'B')}")

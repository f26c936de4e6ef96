"""The options that say where simulations and runs are done."""

from typing import Annotated, Literal

import typer

ExecutorOption = Annotated[
    Literal["local", "dask"], typer.Option(help="local: processes of this machine; dask: a Dask cluster on it")
]
SchedulerOption = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="Dask scheduler whose workers are to do the work")
]

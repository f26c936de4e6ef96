"""Designs of anybody's choice, simulated: what an optimizer outside, an environment or a notebook needs."""

from collections.abc import Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sizing.errors import InputError, nearest
from sizing.runs.tables import simulations_table
from sizing.runs.verify import simulated
from sizing.simulation.simulators import SimulatorEntry
from sizing.specfile.load import Spec, load_spec

Designs = pd.DataFrame | Sequence[Mapping[str, float]]


def evaluate(
    spec: Spec | str | Path,
    designs: Designs,
    *,
    corners: bool = False,
    simulator: SimulatorEntry | None = None,
    workers: int | None = None,
    trust: bool = False,
) -> pd.DataFrame:
    """A row for every design, in their order: what was simulated at the nominal corner, or one for each of its corners.

    `designs` has the value of every variable by name, in SI units, on the grid or not: a row each, or a mapping each.
    The columns are `in_spec`, `cost`, the variables, the metrics in SI units (NaN where missing) and `failure`, why
    there is no value; with `corners`, before these the design's place among those given and `corner`. Rows of a
    DataFrame keep their index. `simulator` is one that has no name, `trust` is for `load_spec`. Raises InputError for
    what is no design.
    """
    spec = spec if isinstance(spec, Spec) else load_spec(spec, trust=trust)
    rows: list[Mapping[Any, Any]] = list(designs.to_dict("records") if isinstance(designs, pd.DataFrame) else designs)
    names = spec.task.variables
    chosen = [_checked(row, names, place) for place, row in enumerate(rows)]
    at = spec.problem.corners if corners else spec.problem.corners[:1]
    if not chosen:
        return pd.DataFrame(
            columns=["in_spec", "cost", *names, *(each.name for each in spec.problem.metrics), "failure"]
        )
    found = simulated(spec, chosen, {each.name: (each.conditions, None) for each in at}, workers, simulator)
    table = simulations_table(found, "corner")
    if corners:
        return table.assign(rank=table["rank"] - 1).rename(columns={"rank": "design"})
    return table.drop(columns=["rank", "corner"]).set_axis(
        designs.index if isinstance(designs, pd.DataFrame) else table.index
    )


def _checked(row: Mapping[Any, Any], names: Sequence[str], place: int) -> dict[str, float]:
    """The value of every variable; raises InputError."""
    if not isinstance(row, Mapping):
        raise InputError(f"designs: expected a mapping of variables to values at {place}, got {row!r:.80}")
    if unknown := [name for name in row if name not in names]:
        raise InputError(f"designs: no variable {unknown[0]!r} at {place}{nearest(str(unknown[0]), names)}")
    for name in names:
        value = row.get(name)
        if not isinstance(value, Real) or isinstance(value, bool) or not np.isfinite(float(value)):
            raise InputError(f"designs: expected a finite number for {name} at {place}, got {value!r:.80}")
    return {name: float(row[name]) for name in names}

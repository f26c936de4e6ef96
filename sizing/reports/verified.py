"""Verified designs: simulated once more, their tables and histograms kept in the run's folder."""

import json
import re
import shlex
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.ticker import FuncFormatter

from sizing.errors import InputError
from sizing.evaluation.corners import worst_rows
from sizing.files import write_all_whole
from sizing.measures.measure import Measure
from sizing.reports.calibration import wilson_interval
from sizing.reports.plot import Plot
from sizing.reports.styles import INK, figure_with_axes, number_axis, styles
from sizing.reports.words import target_words
from sizing.runs.records.reading import read_run
from sizing.runs.tables import simulations_table
from sizing.runs.verify import Verification, at_corners, best_designs, monte_carlo
from sizing.specfile.load import load_spec
from sizing.task.objectives import meets
from sizing.task.problem import Metric
from sizing.units import format_quantity

_BINS = 20


@dataclass(frozen=True)
class Verified:
    """What a verification left behind in the run's folder `verify`."""

    folder: Path
    corners: pd.DataFrame | None
    """The worst of each metric over the corners, as `corners_table`; None where these were not asked for."""
    samples: pd.DataFrame | None
    """Yields, as `yield_table`."""
    conditions: tuple[str, ...]
    """The names of the corners."""
    failed: tuple[int, ...]
    """Ranks of the designs that miss a target at a corner, or have too low a yield."""


def verify(
    run: str | Path,
    *,
    corners: bool | None = None,
    samples: int | None = None,
    best: int = 3,
    seed: int = 0,
    least_yield: float = 0.0,
    spec: str | Path | None = None,
    measures: Collection[type[Measure]] = (),
    workers: int | None = None,
    trust: bool = False,
) -> Verified:
    """Simulate a run's `best` designs at every corner, or with `samples` of mismatch at the nominal one, or both.

    Corners are the default where no samples are asked for. Those of the run's spec are meant, or of `spec`, as
    `load_spec` reads it. `seed` is of the samples. Tables and histograms go into the run's folder `verify`, in place of
    those of an earlier call; the run and its counts stay as they are. Raises InputError where the run has no designs or
    does not fit the spec, or nothing is drawn at random.
    """
    if spec is not None and not Path(spec).is_file():
        raise InputError(f"--spec: expected a spec file, found none at {spec}")
    record = read_run(run)
    chosen = Path(spec) if spec else record.path / "spec.yaml"
    read = partial(load_spec, chosen, measures=measures, trust=trust)
    task = read()
    designs = best_designs(record, best, task.problem)
    about = {"command": shlex.join(sys.argv), "spec": str(chosen), "designs": len(designs)}
    folder = record.path / "verify"
    failed: set[int] = set()
    worst = yields = None
    names: tuple[str, ...] = ()
    if corners or (corners is None and samples is None):
        found = at_corners(task, designs, workers)
        how = about | {"corners": found.conditions, "simulations": found.in_spec.size}
        _write(folder, corners_files(found) | {"corners.json": json.dumps(how, indent=1) + "\n"})
        failed.update(np.flatnonzero(~found.in_spec.all(axis=1)).tolist())
        worst, names = corners_table(found), found.conditions
    if samples is not None:
        found = monte_carlo(read(mismatch=True), designs, samples, seed, workers)
        for plot in folder.glob("samples-*.svg"):
            plot.unlink()
        how = about | {"seed": seed, "simulations": found.in_spec.size}
        _write(folder, samples_files(found) | {"samples.json": json.dumps(how, indent=1) + "\n"})
        failed.update(np.flatnonzero(found.in_spec.mean(axis=1) < least_yield).tolist())
        yields = yield_table(found)
    return Verified(folder, worst, yields, names, tuple(row + 1 for row in sorted(failed)))


def corners_files(found: Verification) -> dict[str, str]:
    """What there is to keep of designs at corners, by file name."""
    tables = {"corners.csv": simulations_table(found, "corner"), "worst.csv": corners_table(found)}
    return {name: table.to_csv(index=False) for name, table in tables.items()}


def samples_files(found: Verification) -> dict[str, str]:
    """What there is to keep of samples, by file name."""
    tables = {"samples.csv": simulations_table(found, "sample"), "yield.csv": yield_table(found)}
    plots = {re.sub(r"[^-+.\w]", "_", plot.kind): plot.svg() for plot in histograms(found)}
    return {name: table.to_csv(index=False) for name, table in tables.items()} | {
        f"{name}.svg": plot for name, plot in plots.items()
    }


def corners_table(found: Verification) -> pd.DataFrame:
    """A row per design and metric: the worst value over the corners, at which, and at how many its target is met."""
    rows = []
    for rank, values in enumerate(found.values, 1):
        met, worst = meets(found.problem, values), worst_rows(found.problem, values)
        for m, metric in enumerate(found.problem.metrics):
            row = worst[m]
            rows.append(
                {"rank": rank, "metric": metric.name, "target": target_words(metric), "unit": metric.unit,
                 "worst": values[row, m], "corner": found.conditions[row], "met": int(met[:, m].sum()),
                 "corners": len(values)}
            )  # fmt: skip
    return pd.DataFrame(rows)


def yield_table(found: Verification) -> pd.DataFrame:
    """A row per design, and per metric of it: the share of samples that meet the target, and the spread of the values.

    `low` and `high` are Wilson's 95 % interval of the share; mean and deviation are of the samples that have a value,
    and `missing` counts the others. Of the design itself (`metric` is "all") only the share applies.
    """
    rows: list[dict[str, Any]] = []
    for rank, values in enumerate(found.values, 1):
        met = meets(found.problem, values)
        rows.append({"rank": rank, "metric": "all"} | _share(found.in_spec[rank - 1]))
        for m, metric in enumerate(found.problem.metrics):
            some = values[~np.isnan(values[:, m]), m]
            row = {"rank": rank, "metric": metric.name, "target": target_words(metric), **_share(met[:, m])}
            row |= {"unit": metric.unit, "missing": len(values) - len(some)}
            if len(some):
                row |= {"mean": some.mean(), "deviation": some.std(ddof=1) if len(some) > 1 else np.nan}
                row |= {"least": some.min(), "most": some.max()}
            rows.append(row)
    return pd.DataFrame(rows)


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """Such a table for people: quantities with their units, shares in percent."""
    units = table["unit"]
    shown = table.drop(columns=["unit"])
    for column in shown.columns.intersection(["worst", "mean", "deviation", "least", "most"]):
        values = zip(shown[column], units, strict=True)
        shown[column] = ["" if pd.isna(value) else format_quantity(float(value), unit) for value, unit in values]
    for column in shown.columns.intersection(["yield", "low", "high"]):
        shown[column] = [f"{100 * share:.1f} %" for share in shown[column]]
    return shown.fillna({"target": ""})


def histograms(found: Verification) -> Iterator[Plot]:
    """Samples of all designs for every metric that has values, and the targets as dashed lines."""
    look = styles([f"#{rank}" for rank in range(1, len(found.designs) + 1)])
    for m, metric in enumerate(found.problem.metrics):
        values = found.values[:, :, m]
        known = values[~np.isnan(values)]
        if not known.size:
            continue
        figure, axes = figure_with_axes(3.2)
        edges = np.histogram_bin_edges(known, _BINS).tolist()
        for row, (name, style) in zip(values, look.items(), strict=True):
            axes.hist(row[~np.isnan(row)], edges, histtype="step", color=style.colour, linestyle=style.line, label=name)
        for target in _targets(metric):
            axes.axvline(target, color=INK, linewidth=1, linestyle="--")
        most = max(np.histogram(row[~np.isnan(row)], edges)[0].max() for row in values)
        number_axis(axes, "y", "samples", 0, most, log=False)
        axes.set_xlabel(metric.name, color=INK)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _, unit=metric.unit: format_quantity(value, unit)))
        axes.tick_params(axis="x", labelsize=8)
        if len(look) > 1:
            axes.legend(frameon=False, labelcolor=INK)
        words = f"{found.values.shape[1]} samples a design; dashed: the target, {target_words(metric)}."
        yield Plot(f"samples-{metric.name}", found.problem.name, metric.name, words, figure)


def _write(folder: Path, files: Mapping[str, str]) -> None:
    folder.mkdir(exist_ok=True)
    write_all_whole({folder / name: text.encode() for name, text in files.items()})


def _share(met: np.ndarray[Any, np.dtype[np.bool_]]) -> dict[str, Any]:
    low, high = wilson_interval(met.mean(keepdims=True), np.array([float(len(met))]))
    return {"samples": len(met), "yield": float(met.mean()), "low": float(low[0]), "high": float(high[0])}


def _targets(metric: Metric) -> list[float]:
    return [bound for bound in (metric.at_least, metric.at_most) if bound is not None]

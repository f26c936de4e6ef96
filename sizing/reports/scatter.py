"""Two metrics of all designs of a run against each other: two objectives, or those that stand in each other's way."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from numpy.typing import NDArray
from scipy.stats import rankdata

from sizing.errors import InputError, nearest
from sizing.reports.plot import Plot, drawn_plainly
from sizing.reports.styles import INK, figure_with_axes, legend_below
from sizing.reports.words import bounds, target_words
from sizing.runs.records.reading import RunRecord
from sizing.task.objectives import front, in_spec, violations
from sizing.task.problem import Metric
from sizing.units import format_quantity

Numbers = NDArray[np.float64]
Pair = tuple[str, str]
"""The names of two metrics: the horizontal and the vertical one."""

FEWEST_DESIGNS = 5
"""Designs with both values, below which nothing is said of a pair."""
_LOGARITHMIC_RATIO = 10.0
"""The ratio of the largest to the smallest value from which an axis is logarithmic."""
_OTHERS, _GOOD = "#9aa0a6", "#0077aa"


def checked_pair(record: RunRecord, text: str) -> Pair:
    """Two metrics of the run, from their names with a comma between; raises InputError for anything else."""
    known = [metric.name for metric in record.problem.metrics]
    names = [name.strip() for name in text.split(",")]
    if len(names) != 2 or names[0] == names[1]:
        raise InputError(f"--scatter: expected two metrics with a comma between, got {text!r}")
    for name in names:
        if name not in known:
            raise InputError(f"--scatter: {record.path} has no metric {name!r}{nearest(name, known)}")
    return names[0], names[1]


def default_pair(record: RunRecord) -> Pair | None:
    """The objectives where there are two, else the two metrics in conflict."""
    names = [record.problem.metrics[m].name for m in record.problem.objectives]
    return (names[0], names[1]) if len(names) == 2 else conflicting_pair(record)


def conflicting_pair(record: RunRecord) -> Pair | None:
    """The two metrics of which one most often gets worse where the other gets better, by rank correlation.

    None where fewer than FEWEST_DESIGNS designs have two metrics.
    """
    pairs = {pair: agreement(record, pair) for pair in combinations([m.name for m in record.problem.metrics], 2)}
    told = {pair: value for pair, value in pairs.items() if not np.isnan(value)}
    return min(told, key=lambda pair: told[pair]) if told else None


def agreement(record: RunRecord, pair: Pair) -> float:
    """The rank correlation of how good two metrics are, targets aside: −1 where each gain of one costs the other.

    NaN where fewer than FEWEST_DESIGNS designs have both, or where one is the same for all.
    """
    merit = np.column_stack([_merit(record, column) for column in _columns(record, pair)])
    both = merit[np.isfinite(merit).all(axis=1)]
    if len(both) < FEWEST_DESIGNS or (both == both[0]).all(axis=0).any():
        return float("nan")
    return float(np.corrcoef(rankdata(both[:, 0]), rankdata(both[:, 1]))[0, 1])


def scatter_plots(record: RunRecord, pairs: Sequence[Pair] = ()) -> list[Plot]:
    """A plot of each pair, by default of `default_pair`; none of a pair that no design has values for."""
    default = default_pair(record)
    chosen = list(dict.fromkeys(pairs)) or ([default] if default else [])
    with drawn_plainly():
        drawn = [_scatter(record, pair, chosen=bool(pairs)) for pair in chosen]
    return [plot for plot in drawn if plot is not None]


def _scatter(record: RunRecord, pair: Pair, *, chosen: bool) -> Plot | None:
    columns = _columns(record, pair)
    values = record.values[:, columns]
    there = np.isfinite(values).all(axis=1)
    if not there.any():
        return None
    good = in_spec(record.problem, record.values) & there
    figure, axes = figure_with_axes(3.6)
    look: dict[str, Any] = {"linestyle": "none", "clip_on": False}
    others = axes.plot(
        *values[there & ~good].T, **look, marker="o", markersize=4, markerfacecolor="none", markeredgecolor=_OTHERS,
        label=f"misses a target ({np.sum(there & ~good)})",
    )  # fmt: skip
    met = axes.plot(
        *values[good].T, **look, marker="D", markersize=4.5, color=_GOOD, label=f"in spec ({good.sum()})", zorder=3
    )
    for which, column in zip("xy", columns, strict=True):
        _metric_axis(axes, which, record.problem.metrics[column], values[there][:, "xy".index(which)])
    marks = [*others, *met]
    if objectives := _are_objectives(record, columns):
        best = values[front(record.problem, record.values)]
        best = best[np.argsort(best[:, 0])]
        marks += axes.plot(*best.T, color=_GOOD, linewidth=0.9, label=f"Pareto front ({len(best)})", zorder=3)
    legend_below(axes, marks)
    why = "" if chosen or objectives else ", the two metrics that conflict most by the data"
    value = agreement(record, pair)
    told = "" if np.isnan(value) else f" Rank correlation of how good they are: {value:+.2f}".replace("-", "−") + (
        "; at −1 every gain of one costs the other, at +1 they improve together.")  # fmt: skip
    missing = len(values) - int(there.sum())
    left_out = f" {missing} designs without both values are not here." if missing else ""
    caption = f"All simulated designs{why}. Dotted: targets.{told}{left_out}"
    return Plot(f"scatter-{pair[0]}-{pair[1]}", record.problem.name, f"{pair[1]} against {pair[0]}", caption, figure)


def _are_objectives(record: RunRecord, columns: Sequence[int]) -> bool:
    """Whether these two metrics are all that is aimed at."""
    return set(columns) == set(record.problem.objectives)


def _merit(record: RunRecord, column: int) -> Numbers:
    """What grows as this metric of the designs improves (N,); not finite where it has no value or no direction."""
    metric = record.problem.metrics[column]
    if metric.goal:
        return np.asarray(-metric.sign * record.values[:, column])
    return np.asarray(-violations(record.problem, record.values)[:, column])


def _columns(record: RunRecord, pair: Pair) -> list[int]:
    names = [metric.name for metric in record.problem.metrics]
    return [names.index(name) for name in pair]


def _metric_axis(axes: Axes, which: str, metric: Metric, values: Numbers) -> None:
    """Label an axis with the metric and its target, logarithmic where its values need it, and draw the target."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_label_text(f"{metric.name} ({target_words(metric)})", color=INK)
    if values.min() > 0 and values.max() > _LOGARITHMIC_RATIO * values.min():
        (axes.set_xscale if which == "x" else axes.set_yscale)("log")
        axis.set_major_locator(LogLocator(subs=(1, 2, 5) if values.max() < 300 * values.min() else (1,), numticks=7))
        axis.set_minor_formatter(NullFormatter())
    else:
        axis.set_major_locator(MaxNLocator(5))
    axis.set_major_formatter(FuncFormatter(lambda value, _: format_quantity(value, metric.unit, 3)))
    for bound in bounds(metric):
        line = axes.axvline if which == "x" else axes.axhline
        line(bound, color=INK, linewidth=0.9, linestyle=(0, (1, 2)), zorder=2, label="_target")

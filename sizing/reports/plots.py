"""Plots of runs: convergence, designs in spec, simulations needed, queries, calibration and times, for each spec.

Every figure is drawn once, in INK and RULE for all that is neither data nor paper, so that a page can put its own
colours there.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from sizing.reports.calibration import calibration_tables, reliability_diagram
from sizing.reports.curves import Curve, in_spec_counts, mean_curve, objective_values, reached_at, top_costs, wanted
from sizing.reports.plot import Plot, drawn_plainly
from sizing.reports.scatter import Pair, scatter_plots
from sizing.reports.styles import (
    ACTIVITIES,
    INK,
    Style,
    figure_with_axes,
    legend_below,
    methods_in_order,
    number_axis,
    plain_number,
    styles,
    wrapped,
)
from sizing.runs.records.reading import RunRecord
from sizing.runs.tables import run_row
from sizing.task.objectives import front
from sizing.task.problem import Metric, Problem
from sizing.units import format_quantity

_DECADES = 4
"""Decades of costs on the logarithmic part of an axis, at most."""
_ROW_INCHES = 0.28
"""Inches of a method's row."""
_MEAN_WORDS = "Lines: means over seeds; bands: standard error. A run that has ended keeps its last value."
_END_WORDS = "An open mark at the end: {} came to as many designs in spec as were asked for."
_REACHED_WORDS = (
    "One mark a run, initial designs included; open: it did not get there, at the simulations it had. Bar: mean over "
    "seeds ± standard error, where every seed got there."
)


@dataclass(frozen=True)
class _Runs:
    """The sound runs of one spec, by method."""

    spec: str
    by_method: Mapping[str, Sequence[RunRecord]]
    look: Mapping[str, Style]

    @property
    def all(self) -> list[RunRecord]:
        return [record for runs in self.by_method.values() for record in runs]

    @property
    def problem(self) -> Problem | None:
        """The problem, where it has objectives and all runs the same ones."""
        first = self.all[0].problem
        goals = {tuple((m.name, m.goal) for m in run.problem.metrics if m.goal) for run in self.all}
        return first if first.objectives and len(goals) == 1 else None

    @property
    def number(self) -> str:
        """Designs in spec that were asked for, in words."""
        counts = {wanted(record) for record in self.all}
        return str(counts.pop()) if len(counts) == 1 else "N"

    @property
    def line_words(self) -> str:
        """What lines, bands and marks are."""
        if len(self.all) == len(self.by_method):
            return _END_WORDS.format("the run never")
        return f"{_MEAN_WORDS} {_END_WORDS.format('not every seed')}"


def plots(records: Sequence[RunRecord]) -> list[Plot]:
    """Every plot that these runs have data for, spec by spec; damaged runs and those without a design are left out."""
    sound = [record for record in records if record.joined and not record.damage]
    look = styles(methods_in_order(sound))
    made = []
    for spec in sorted({record.problem.name for record in sound}):
        of_spec = [record for record in sound if record.problem.name == spec]
        by_method = {name: [r for r in of_spec if r.manifest["method"] == name] for name in methods_in_order(of_spec)}
        runs = _Runs(spec, by_method, look)
        with drawn_plainly():
            made += [draw(runs) for draw in _DRAWN]
    return [plot for plot in made if plot is not None]


def plots_of_one(record: RunRecord, pairs: Sequence[Pair] = ()) -> list[Plot]:
    """The plots of a run that is reported alone: what says something of a single run, and metrics of its designs.

    Its front is among the latter.
    """
    return [*(plot for plot in plots([record]) if plot.kind in _OF_ONE_RUN), *scatter_plots(record, pairs)]


def _convergence(runs: _Runs) -> Plot:
    curves = {name: mean_curve(group, [top_costs(run) for run in group]) for name, group in runs.by_method.items()}
    figure, axes = figure_with_axes(3.1)
    _draw_curves(axes, runs, curves)
    means = np.concatenate([curve.mean for curve in curves.values()])
    positive = means[means > 0]
    caption = f"Mean cost of the best {runs.number} designs, 0 where all of them are in spec"
    if positive.size:
        top = 10.0 ** np.ceil(np.log10(positive.max()))
        knee = max(10.0 ** np.floor(np.log10(positive.min())), top / 10**_DECADES)
        axes.set_yscale("symlog", linthresh=knee, linscale=0.5)
        axes.set_ylim(-0.12 * knee, positive.max() * 1.3)
        decades = round(float(np.log10(top / knee)))
        axes.yaxis.set_major_locator(FixedLocator([0, *(knee * 10.0**n for n in range(decades + 1))]))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(FuncFormatter(plain_number))
        caption += f"; the axis is logarithmic above {plain_number(knee)} and linear below, to have 0 on it"
    axes.set_ylabel(f"mean cost of the best {runs.number}", color=INK)
    return Plot("convergence", runs.spec, "Convergence", f"{caption}. {runs.line_words}", figure)


def _designs(runs: _Runs) -> Plot:
    curves = {name: mean_curve(group, [in_spec_counts(run) for run in group]) for name, group in runs.by_method.items()}
    figure, axes = figure_with_axes(3.1)
    _draw_curves(axes, runs, curves)
    most = max([float(curve.mean.max(initial=0)) for curve in curves.values()] + [wanted(run) for run in runs.all])
    number_axis(axes, "y", "designs in spec", 0, most, log=False)
    for count in {wanted(run) for run in runs.all}:
        axes.axhline(count, color=INK, linewidth=0.8, linestyle=(0, (1, 2)), zorder=1, label="_asked for")
    caption = f"Designs that meet every target; the dotted line is how many were asked for. {runs.line_words}"
    return Plot("in-spec", runs.spec, "Designs in spec", caption, figure)


def _first(runs: _Runs) -> Plot:
    figure = _reached(runs, lambda run: reached_at(run, 1))
    return Plot("first", runs.spec, "Simulations to the first design in spec", _REACHED_WORDS, figure)


def _enough(runs: _Runs) -> Plot:
    figure = _reached(runs, lambda run: reached_at(run, wanted(run)))
    return Plot("enough", runs.spec, f"Simulations to {runs.number} designs in spec", _REACHED_WORDS, figure)


def _reached(runs: _Runs, reached: Callable[[RunRecord], int | None]) -> Figure:
    rows = {
        name: [(at or len(run.joined), at is not None) for run in group for at in [reached(run)]]
        for name, group in runs.by_method.items()
    }
    return _strip(runs, rows, "simulations")


def _queries(runs: _Runs) -> Plot | None:
    counted = {name: [run_row(run)["queries"] for run in group] for name, group in runs.by_method.items()}
    rows = {name: [(count, True) for count in counts if count] for name, counts in counted.items()}
    if not any(rows.values()):
        return None
    caption = "Candidates put to the judge. One mark a run; bar: mean over seeds ± standard error."
    return Plot("queries", runs.spec, "Queries", caption, _strip(runs, rows, "queries", log=True, nothing="no judge"))


def _calibration(runs: _Runs) -> Plot | None:
    tables = calibration_tables(runs.all)
    if not tables:
        return None
    figure = reliability_diagram(tables, runs.look)
    legend_below(figure.axes[0], [_legend_mark(name, runs.look[name]) for name in tables])
    caption = (
        "Of the simulated designs that the judge had proposed, metric by metric: how probable it held the answer to be "
        "that the target is met, or the value no worse than the reference's, and how often it was so; on the dotted "
        "line it is right. Lines: Wilson's 95 % interval. Below: how many answers."
    )
    return Plot("calibration", runs.spec, "Calibration of the judge", caption, figure)


def _times(runs: _Runs) -> Plot | None:
    rows = {name: [run.summary for run in group if "wall_s" in run.summary] for name, group in runs.by_method.items()}
    if not any(rows.values()):
        return None
    figure, axes, places = _rows(runs)
    totals = []
    for place, summaries in zip(places, rows.values(), strict=True):
        if not summaries:
            axes.text(0, place, "  not ended", va="center", color=INK, fontsize=8)
            continue
        parts = {name: float(np.mean([s[f"{name}_s"] for s in summaries])) for name in ACTIVITIES if name != "other"}
        wall = float(np.mean([summary["wall_s"] for summary in summaries]))
        parts["other"] = max(wall - sum(parts.values()), 0.0)
        left = 0.0
        for name, seconds in parts.items():
            axes.barh(place, seconds, left=left, height=0.6 * _ROW_INCHES, color=ACTIVITIES[name], linewidth=0)
            left += seconds
        axes.text(left, place, f" {wall:.3g} s", va="center", color=INK, fontsize=8)
        totals.append(left)
    number_axis(axes, "x", "seconds", 0, max(totals) * 1.12, log=False)
    marks = [Patch(color=colour, label=name) for name, colour in ACTIVITIES.items()]
    figure.legend(handles=marks, loc="outside lower center", ncols=4, frameon=False, labelcolor=INK, fontsize=8.5)
    caption = "Wall clock, mean over the runs that have ended. Of a resumed run, the time since it was taken up."
    return Plot("time", runs.spec, "Where the time went", caption, figure)


def _objective(runs: _Runs) -> Plot | None:
    problem = runs.problem
    if problem is None:
        return None
    curves = {n: mean_curve(group, [objective_values(run) for run in group]) for n, group in runs.by_method.items()}
    if not any(len(curve.sims) for curve in curves.values()):
        return None
    figure, axes = figure_with_axes(3.1)
    _draw_curves(axes, runs, curves)
    if len(problem.objectives) == 1:
        metric = problem.metrics[problem.objectives[0]]
        title, label = "Best objective", f"best {metric.name} in spec"
        axes.yaxis.set_major_formatter(_quantities(metric))
        caption = f"{metric.name} of the best design in spec, to {metric.goal}, from where every run has one"
    else:
        title = label = "hypervolume"
        caption = "Between the front and the targets of the objectives, each in units of its target"
    axes.set_ylabel(label, color=INK)
    return Plot("objective", runs.spec, title.capitalize(), f"{caption}. {runs.line_words}", figure)


def _front(runs: _Runs) -> Plot | None:
    problem = runs.problem
    if problem is None or len(problem.objectives) != 2:
        return None
    figure, axes = figure_with_axes(3.4)
    for name, group in runs.by_method.items():
        style = runs.look[name]
        for run in group:
            points = run.values[front(problem, run.values)][:, list(problem.objectives)]
            points = points[np.argsort(points[:, 0])]
            look: dict[str, Any] = {"color": style.colour, "marker": style.marker, "markersize": 4.5, "linewidth": 0.6}
            axes.plot(*points.T, linestyle=style.line, **look, label=name)
    for axis, m in zip((axes.xaxis, axes.yaxis), problem.objectives, strict=True):
        metric = problem.metrics[m]
        axis.set_label_text(f"{metric.name}, to {metric.goal}", color=INK)
        axis.set_major_locator(MaxNLocator(5))
        axis.set_major_formatter(_quantities(metric))
    legend_below(axes, [_legend_mark(name, runs.look[name]) for name in runs.by_method])
    caption = "Designs in spec of which no other is better in one objective and as good in both; a line for each run."
    return Plot("front", runs.spec, "Pareto front", caption, figure)


def _quantities(metric: Metric) -> FuncFormatter:
    """Ticks as quantities, such as 120 uA."""
    return FuncFormatter(lambda value, _: format_quantity(value, metric.unit))


_OF_ONE_RUN = ("convergence", "in-spec", "objective", "calibration", "time")
_DRAWN = (_convergence, _designs, _first, _enough, _objective, _front, _queries, _calibration, _times)


def _draw_curves(axes: Axes, runs: _Runs, curves: Mapping[str, Curve]) -> None:
    """A line with its band for every method, over simulations, and the legend below."""
    lengths = [len(run.joined) for run in runs.all]
    for name, curve in curves.items():
        if not len(curve.sims):
            continue  # the layout would make room for its mark at (0, 0)
        style = runs.look[name]
        reached = all(reached_at(run, wanted(run)) for run in runs.by_method[name])
        face = style.colour if reached else "none"
        look: dict[str, Any] = {"color": style.colour, "linestyle": style.line, "linewidth": 1.6}
        mark: dict[str, Any] = {
            "marker": style.marker,
            "markersize": 5.5,
            "markerfacecolor": face,
            "markeredgecolor": style.colour,
        }
        axes.plot(curve.sims, curve.mean, drawstyle="steps-post", label=name, **look)
        axes.plot(curve.sims[-1:], curve.mean[-1:], label=f"_end of {name}", **look, **mark, clip_on=False, zorder=4)
        low, high = curve.mean - curve.error, curve.mean + curve.error
        low = np.where(curve.mean < 0, low, np.maximum(low, 0))
        axes.fill_between(curve.sims, low, high, step="post", color=style.colour, alpha=0.15, linewidth=0)
    first = min((int(curve.sims[0]) for curve in curves.values() if len(curve.sims)), default=1)
    log = max(lengths) > 5 * min(lengths)
    number_axis(axes, "x", "simulations", first if log else 0, max(lengths), log=log)
    legend_below(axes, [_legend_mark(name, runs.look[name]) for name in curves])


def _legend_mark(name: str, style: Style) -> Line2D:
    look: dict[str, Any] = {"linestyle": style.line, "linewidth": 1.6, "marker": style.marker, "markersize": 5.5}
    return Line2D([], [], color=style.colour, **look, label=wrapped(name))


def _rows(runs: _Runs) -> tuple[Figure, Axes, list[float]]:
    """A figure with a row for each method, named on the left, and where the rows are: in inches from the top."""
    names = [wrapped(name) for name in runs.by_method]
    heights = np.array([_ROW_INCHES + 0.14 * name.count("\n") for name in names])
    figure, axes = figure_with_axes(0.75 + float(heights.sum()))
    places = np.cumsum(heights) - heights / 2
    axes.set_yticks(places, names)
    axes.set_ylim(float(heights.sum()), 0)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    return figure, axes, list(places)


def _strip(
    runs: _Runs, rows: Mapping[str, Sequence[tuple[float, bool]]], label: str, *, log: bool = False, nothing: str = ""
) -> Figure:
    """A row of marks for each method, a number for every run and whether it counts as one, with the mean."""
    figure, axes, places = _rows(runs)
    numbers = [number for row in rows.values() for number, _ in row]
    log = log or max(numbers) > 5 * min(numbers)
    number_axis(axes, "x", label, min(numbers) if log else 0, max(numbers), log=log)
    beside = axes.get_yaxis_transform()
    for place, (name, row) in zip(places, rows.items(), strict=True):
        style = runs.look[name]
        spread = np.linspace(-0.15, 0.15, len(row)) * _ROW_INCHES if len(row) > 1 else [0.0]
        for (number, counts), offset in zip(row, spread, strict=False):
            face = style.colour if counts else "none"
            axes.plot(
                number, place + offset, linestyle="none", marker=style.marker, markersize=5.5, markerfacecolor=face,
                markeredgecolor=style.colour, clip_on=False, zorder=3, label=name,
            )  # fmt: skip
        values = [number for number, counts in row if counts]
        if row and len(values) == len(row) > 1:
            error = float(np.std(values, ddof=1) / np.sqrt(len(values)))
            axes.errorbar(
                np.mean(values), place, xerr=error, color=INK, marker="|", markersize=13, markeredgewidth=1.6,
                elinewidth=1.2, capsize=3, zorder=2, label=f"_mean of {name}",
            )  # fmt: skip
        words = f"{len(values)} of {len(row)}" if row else nothing
        if len(values) < len(row) or not row:
            axes.text(1.01, place, words, transform=beside, va="center", color=INK, fontsize=8)
    return figure

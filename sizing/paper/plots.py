"""Plots of studies: lines with error bars over seeds in panels side by side, the paper's values marked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from sizing.reports.styles import RULE, Style, styles

_PAPER = "#6b7078"
_MARKS_PER_LINE = 12
"""On a line, about; curves have more points than can be told apart."""
_INCHES_PER_LETTER = 0.08
_INCHES_PER_LINE = 0.24
"""Height of a line of the legend."""
_MOST_TICKS = 8
"""So many places on an axis are all named."""


@dataclass(frozen=True)
class PlottedLine:
    """Points (P,) with the standard errors of y; a published one is dotted."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    error: Sequence[float] | None = None
    published: bool = False


def line(label: str, means: pd.DataFrame, x: str, y: str) -> PlottedLine:
    """A line of a table as `over_seeds` makes it."""
    return PlottedLine(label, means[x].tolist(), means[y].tolist(), means[f"{y}_se"].fillna(0).tolist())


def panels(lines: Mapping[str, Sequence[PlottedLine]], x_label: str, y_label: str, *, log_x: bool = False) -> Figure:
    """A panel for each title, with one legend for the lines of the same label."""
    every_line = [each for panel in lines.values() for each in panel]
    look = styles(list(dict.fromkeys(each.label for each in every_line if not each.published)))
    published = styles(list(dict.fromkeys(each.label for each in every_line if each.published)))
    look |= {label: Style(_PAPER, ":", style.marker) for label, style in published.items()}
    widest = max(len(each.label) for each in every_line)
    height = max(3.4, _INCHES_PER_LINE * len(look))
    figure = Figure(figsize=(3.6 * len(lines) + _INCHES_PER_LETTER * widest + 0.6, height), layout="constrained")
    FigureCanvasAgg(figure)
    shown = {}
    for axes, (title, panel) in zip(figure.subplots(1, len(lines), squeeze=False)[0], lines.items(), strict=True):
        for each in panel:
            style, every = look[each.label], max(1, len(each.x) // _MARKS_PER_LINE)
            shown[each.label] = axes.errorbar(
                each.x, each.y, yerr=each.error, label=each.label, capsize=2.5, markersize=4, linewidth=1.3,
                color=style.colour, linestyle=style.line, marker=style.marker, markevery=every, errorevery=every,
            )  # fmt: skip
        axes.set_title(title, fontsize=10)
        axes.set_xlabel(x_label)
        axes.grid(color=RULE, linewidth=0.6)
        axes.set_axisbelow(True)
        if log_x:
            axes.set_xscale("log")
            places = sorted({place for each in panel for place in each.x})
            if len(places) <= _MOST_TICKS:
                axes.set_xticks(places, [f"{place:g}" for place in places])
                axes.xaxis.set_minor_locator(NullLocator())
    figure.axes[0].set_ylabel(y_label)
    figure.legend(shown.values(), shown.keys(), loc="outside right upper", frameon=False)
    return figure

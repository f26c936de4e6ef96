"""Plots of studies: lines with error bars over seeds in panels side by side, the paper's values marked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

_COLOURS = ("#0077aa", "#dd6600", "#00a065", "#9977ff", "#aa5577", "#9900ff", "#3b3f45")
_MARKERS = "osD^vPX"
_PAPER = "#6b7078"
_INCHES_PER_LETTER = 0.08
_MOST_TICKS = 8
"""So many places on an axis are all named."""


@dataclass(frozen=True)
class Line:
    """Points (P,) with the standard errors of y; a published one is dotted."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    error: Sequence[float] | None = None
    published: bool = False


def line(label: str, means: pd.DataFrame, x: str, y: str) -> Line:
    """A line of a table as `over_seeds` makes it."""
    return Line(label, means[x].tolist(), means[y].tolist(), means[f"{y}_se"].fillna(0).tolist())


def panels(lines: Mapping[str, Sequence[Line]], x_label: str, y_label: str, *, log_x: bool = False) -> Figure:
    """A panel for each title, with one legend for the lines of the same label."""
    labels = {kind: list(_labels(lines, published=kind)) for kind in (False, True)}
    widest = max(len(label) for kind in labels.values() for label in kind)
    figure = Figure(figsize=(3.6 * len(lines) + _INCHES_PER_LETTER * widest + 0.6, 3.4), layout="constrained")
    FigureCanvasAgg(figure)
    shown = {}
    for axes, (title, panel) in zip(figure.subplots(1, len(lines), squeeze=False)[0], lines.items(), strict=True):
        for each in panel:
            number = labels[each.published].index(each.label)
            shown[each.label] = axes.errorbar(
                each.x, each.y, yerr=each.error, label=each.label, capsize=2.5, markersize=4, linewidth=1.3,
                color=_PAPER if each.published else _COLOURS[number % len(_COLOURS)],
                linestyle=":" if each.published else "-", marker=_MARKERS[number % len(_MARKERS)],
            )  # fmt: skip
        axes.set_title(title, fontsize=10)
        axes.set_xlabel(x_label)
        axes.grid(color="#d9dce1", linewidth=0.6)
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


def _labels(lines: Mapping[str, Sequence[Line]], *, published: bool) -> dict[str, None]:
    return dict.fromkeys(each.label for panel in lines.values() for each in panel if each.published == published)

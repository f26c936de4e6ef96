"""One look for every plot of a page: a colour, line and marker for each method, and axes that stay behind them."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from sizing.runs.records.reading import RunRecord
from sizing.search.methods import METHODS

INK = "#3b3f45"
RULE = "#d9dce1"
ACTIVITIES = {"simulate": "#5b84b1", "train": "#c98a2b", "query": "#6f9e76", "other": "#9aa0a6"}

# Far enough apart for every kind of colour vision, and legible on white as on near black (contrast of 3 and more).
_COLOURS = ("#0077aa", "#dd6600", "#00a065", "#9977ff", "#aa5577", "#9900ff")
_LINES = ("-", "--", ":", "-.")
_MARKERS = "osD^vPX<>phd8*H"
_WIDTH_INCHES = 5.0
"""Inches of every figure: narrow enough that text stays legible where a phone scales it down."""
_NAME_CHARACTERS = 26
"""Letters of a method's name in one line."""
_LEGEND_CHARACTERS = 78
"""In a line of the legend; a mark is as wide as seven."""


@dataclass(frozen=True)
class Style:
    """How a method is drawn."""

    colour: str
    line: str
    marker: str


def methods_in_order(records: Sequence[RunRecord]) -> list[str]:
    """The runs' methods, in the order of the table of methods, with their variants behind each."""
    known = list(METHODS)

    def place(name: str) -> tuple[int, str]:
        plain = name.partition(":")[0]
        return (known.index(plain) if plain in known else len(known), name)

    return sorted({record.manifest["method"] for record in records}, key=place)


def styles(methods: Sequence[str]) -> dict[str, Style]:
    """A style for each method; colours repeat after six, with another line and marker."""
    return {
        method: Style(
            _COLOURS[number % len(_COLOURS)],
            _LINES[number // len(_COLOURS) % len(_LINES)],
            _MARKERS[number % len(_MARKERS)],
        )
        for number, method in enumerate(methods)
    }


def figure_with_axes(height: float) -> tuple[Figure, Axes]:
    """An empty figure of the width of all, this many inches high."""
    figure, (axes,) = figure_with_panels(height, (1,))
    return figure, axes


def figure_with_panels(height: float, ratios: Sequence[float]) -> tuple[Figure, list[Axes]]:
    """The same with axes below each other, of heights in these ratios, that share what is horizontal."""
    figure = Figure(figsize=(_WIDTH_INCHES, height), layout="constrained")
    FigureCanvasAgg(figure)
    panels = list(figure.subplots(len(ratios), sharex=True, height_ratios=ratios, squeeze=False)[:, 0])
    for axes in panels:
        axes.set_facecolor("none")
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        for spine in axes.spines.values():
            spine.set_color(INK)
            spine.set_linewidth(0.8)
        axes.tick_params(colors=INK, width=0.8, length=3)
        axes.tick_params(which="minor", color=INK, width=0.5, length=2)
        axes.set_axisbelow(True)
        axes.grid(color=RULE, linewidth=0.6)
    return figure, panels


def legend_below(axes: Axes, marks: Sequence[Line2D]) -> None:
    """A legend of these marks below the figure, which grows by it."""
    longest = max(len(line) for mark in marks for line in str(mark.get_label()).splitlines())
    columns = max(1, min(len(marks), int(_LEGEND_CHARACTERS / (longest + 7))))
    figure = axes.figure.get_figure(root=True)
    legend = figure.legend(
        handles=list(marks), loc="outside lower center", ncols=columns, frameon=False, labelcolor=INK, fontsize=8.5,
        handlelength=2.6,
    )  # fmt: skip
    lines = sum(1 + str(mark.get_label()).count("\n") for mark in marks)
    figure.set_figheight(figure.get_figheight() + 0.19 * -(-lines // columns))
    legend.set_zorder(5)


def number_axis(axes: Axes, which: str, label: str, low: float, high: float, *, log: bool) -> None:
    """Label an axis ("x" or "y") and let it reach from `low` to `high`, with round numbers on it."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    set_limits = axes.set_xlim if which == "x" else axes.set_ylim
    axis.set_label_text(label, color=INK)
    if log:
        (axes.set_xscale if which == "x" else axes.set_yscale)("log")
        narrow = high < 30 * low
        set_limits(low / 1.15, high * 1.15)
        axis.set_major_locator(LogLocator(subs=(1, 2, 5) if narrow else (1,), numticks=12))
        axis.set_minor_locator(NullLocator() if narrow else LogLocator(subs=(2, 5), numticks=12))
        axis.set_minor_formatter(FuncFormatter(lambda value, _: ""))
    else:
        set_limits(0, high * 1.05 or 1)
        axis.set_major_locator(MaxNLocator(6, integer=high > 5))
    axis.set_major_formatter(FuncFormatter(plain_number))


def plain_number(value: float, _: int = 0) -> str:
    """A tick as people write it: 0.05, 300, 2 000, 50k, 2M."""
    for size, suffix in ((1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            return f"{value / (1e6 if suffix == 'M' else 1e3):g}{suffix}"
    return f"{value:,.0f}".replace(",", "\u202f") if abs(value) >= 1000 else f"{value:g}"


def wrapped(method: str) -> str:
    """A method's name in lines that fit beside an axis; broken before the settings of a variant."""
    lines = [""]
    for part in method.split(":"):
        word = f":{part}" if lines != [""] else part
        if lines[-1] and len(lines[-1] + word) > _NAME_CHARACTERS:
            lines.append("")
        lines[-1] += word
    return "\n".join(lines)

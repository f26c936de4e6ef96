"""Waveforms of a run's best design: a Bode plot of every AC sweep, the response of every transient, with targets."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, MultipleLocator

from sizing.measures.measure import Measure
from sizing.measures.small_signal import (
    Bandwidth,
    DcGain,
    GainAt,
    PhaseMargin,
    UnityGainFrequency,
    loop_phase_deg,
    phase_deg,
)
from sizing.measures.transient import SettlingTime
from sizing.measures.waveforms import Waveforms
from sizing.reports.plot import Plot, drawn_plainly
from sizing.reports.styles import INK, figure_with_axes, figure_with_panels, legend_below, styles
from sizing.reports.words import bounds, target_words
from sizing.runs.records.inspection import Inspection, best_evaluation
from sizing.runs.records.reading import RunRecord
from sizing.simulation.simulator import Measured
from sizing.task.problem import Metric
from sizing.units import format_quantity

Read = Sequence[tuple[Metric, Measure]]
"""The metrics that are measured on an analysis, and how."""

FEWEST_POINTS = 3
"""Points of a sweep, below which it is a number or two, and no plot."""
_SMALLEST_MAGNITUDE = 1e-15
"""Magnitudes are drawn no smaller: a net may be at exactly zero."""
_SETTLING_TIMES = 3.0
"""A transient is drawn until this many times its settling time or target, where there is one."""
_TARGET: dict[str, Any] = {"color": INK, "linewidth": 0.9, "linestyle": (0, (1, 2)), "zorder": 2}


def response_plots(record: RunRecord, inspection: Inspection) -> list[Plot]:
    """A plot of every AC sweep and transient that a metric reads."""
    metrics = {metric.name: metric for metric in record.problem.metrics}
    made = []
    with drawn_plainly():
        for name, waveforms in (inspection.waveforms or {}).items():
            kind = inspection.commands[name].split()[0].lower()
            read = [(metrics[key], each) for key, each in inspection.measures.items() if name in each.references]
            nets = [vector for vector in waveforms.vectors if vector.startswith("v(")]
            if len(waveforms.axis) < FEWEST_POINTS or not nets or kind not in _DRAWN:
                continue
            figure = _DRAWN[kind](waveforms, nets, read, _best_values(record))
            caption = f"{name} ({inspection.commands[name]}), simulated after the run with {inspection.simulator}."
            caption += "".join(words for kinds, words in _WORDS if any(isinstance(each, kinds) for _, each in read))
            made.append(Plot(f"{kind}-{name}", record.problem.name, f"{_TITLES[kind]}: {name}", caption, figure))
    return made


def _best_values(record: RunRecord) -> Mapping[str, float]:
    best = best_evaluation(record)
    assert best is not None
    assert isinstance(best.outcome, Measured)
    return dict(zip((metric.name for metric in record.problem.metrics), best.outcome.values, strict=True))


def _bode(waveforms: Waveforms, nets: Sequence[str], read: Read, values: Mapping[str, float]) -> Figure:
    """Magnitude and phase of these nets over frequency, with targets and what was measured.

    The phase of a net with a phase margin is that of the loop.
    """
    figure, (magnitude, phase) = figure_with_panels(4.2, (3, 2))
    frequency, look = waveforms.axis, styles(nets)
    loops = {vector for _, measure in read if isinstance(measure, PhaseMargin) for vector in measure.vectors}
    for net in nets:
        phasor, style = waveforms.vectors[net], look[net]
        degrees = loop_phase_deg(frequency, phasor[np.newaxis])[0] if net in loops else phase_deg(phasor)
        line: dict[str, Any] = {"color": style.colour, "linestyle": style.line, "linewidth": 1.6}
        magnitude.plot(frequency, _decibels(np.abs(phasor)), label=net, **line)
        phase.plot(frequency, degrees, label=net, **line)
    phase.set_xscale("log")
    phase.set_xlim(frequency[0], frequency[-1])
    phase.xaxis.set_major_locator(LogLocator(numticks=8))
    phase.xaxis.set_major_formatter(_in_units("Hz"))
    phase.set_xlabel("frequency", color=INK)
    phase.yaxis.set_major_locator(MultipleLocator(90) if np.ptp(phase.get_ylim()) > 180 else MaxNLocator(4))
    magnitude.set_ylabel("magnitude in dB", color=INK)
    phase.set_ylabel("phase in degrees", color=INK)
    for metric, measure in read:
        value = values[metric.name]
        for bound in bounds(metric):
            match measure:
                case UnityGainFrequency() | Bandwidth():
                    _upright(magnitude, bound, metric)
                    phase.axvline(bound, **_TARGET)
                case DcGain():
                    _level(magnitude, bound if metric.unit == "dB" else _decibels(bound), metric)
                case GainAt():
                    level = bound if metric.unit == "dB" else _decibels(bound)
                    magnitude.plot([measure.frequency], [level], color=INK, marker="_", markersize=12, label="_target")
                case PhaseMargin():
                    _level(phase, bound - 180.0, metric)
        if isinstance(measure, UnityGainFrequency) and np.isfinite(value):
            magnitude.plot([value], [0.0], color=INK, marker="o", markersize=4, zorder=4, label="_measured")
    if len(nets) > 1:
        legend_below(phase, _named(phase))
    return figure


def _transient(waveforms: Waveforms, nets: Sequence[str], read: Read, values: Mapping[str, float]) -> Figure:
    """These nets over time; of a step response as much as shows how it settles, with the band and the target."""
    figure, axes = figure_with_axes(3.1)
    time, look = waveforms.axis, styles(nets)
    for net in nets:
        style = look[net]
        axes.plot(time, waveforms.vectors[net], color=style.colour, linestyle=style.line, linewidth=1.6, label=net)
    axes.set_xlim(time[0], time[-1])
    for metric, measure in read:
        if isinstance(measure, SettlingTime):
            _settling(axes, waveforms, measure, metric, values[metric.name])
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.yaxis.set_major_locator(MaxNLocator(6))
    axes.xaxis.set_major_formatter(_in_units("s"))
    axes.yaxis.set_major_formatter(_in_units("V"))
    axes.set_xlabel("time", color=INK)
    axes.set_ylabel("voltage", color=INK)
    legend_below(axes, _named(axes))
    return figure


def _settling(axes: Axes, waveforms: Waveforms, measure: SettlingTime, metric: Metric, value: float) -> None:
    """The band in which the output must stay, the time it has for it, and as much of the axis as shows both."""
    output, stimulus = (np.real(waveforms.vectors[name]) for name in measure.vectors)
    swing = stimulus[-1] - stimulus[0]
    moved = np.flatnonzero(np.abs(stimulus - stimulus[0]) > 1e-3 * abs(swing))
    if swing == 0 or not moved.size:
        return
    before = max(moved[0] - 1, 0)
    began, change = waveforms.axis[before], measure.gain * swing
    for side in (-1, 1):
        level = output[before] + change * (1 + side * measure.tolerance)
        axes.axhline(level, color=INK, linewidth=0.9, linestyle=(0, (1, 2)), zorder=2, label="_band")
    for bound in bounds(metric):
        _upright(axes, began + bound, metric)
    longest = max([each for each in (*bounds(metric), value) if np.isfinite(each)])
    axes.set_xlim(
        max(waveforms.axis[0], began - 0.3 * longest), min(waveforms.axis[-1], began + _SETTLING_TIMES * longest)
    )


def _upright(axes: Axes, place: float, metric: Metric) -> None:
    """A target on the horizontal axis, with its words along the line."""
    axes.axvline(place, **_TARGET)
    axes.annotate(
        f"{metric.name} {target_words(metric)}", (place, 0.04), xycoords=axes.get_xaxis_transform(), rotation=90,
        xytext=(-3, 0), textcoords="offset points", ha="right", va="bottom", color=INK, fontsize=7.5,
    )  # fmt: skip


def _level(axes: Axes, level: float, metric: Metric) -> None:
    """A target on the vertical axis, with its words below the line: a curve that meets it tightly is above."""
    axes.axhline(level, **_TARGET)
    axes.annotate(
        f"{metric.name} {target_words(metric)}", (0.02, level), xycoords=axes.get_yaxis_transform(),
        xytext=(0, -2), textcoords="offset points", ha="left", va="top", color=INK, fontsize=7.5,
    )  # fmt: skip


def _named(axes: Axes) -> list[Line2D]:
    """The lines of nets, not those of targets, whose labels begin with _."""
    return [line for line in axes.get_lines() if not str(line.get_label()).startswith("_")]


def _decibels(magnitude: Any) -> Any:
    return 20 * np.log10(np.maximum(magnitude, _SMALLEST_MAGNITUDE))


def _in_units(unit: str) -> FuncFormatter:
    return FuncFormatter(lambda value, _: format_quantity(value, unit))


_DRAWN = {"ac": _bode, "tran": _transient}
_TITLES = {"ac": "Bode plot", "tran": "Transient"}
_WORDS: Sequence[tuple[Any, str]] = (
    (UnityGainFrequency | Bandwidth | DcGain | PhaseMargin, " Dotted: targets."),
    (GainAt, " A dash: the target at its frequency."),
    (UnityGainFrequency, " The dot is where the gain is 1."),
    (SettlingTime, " Dotted: the target, and the band in which the output must stay."),
)
"""What marks there are for which measurements."""

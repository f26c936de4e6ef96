"""Results of ngspice's `.meas`, and why there is none."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sizing.measures.waveforms import Waveforms
from sizing.spice.meas import OVER_WINDOW, MeasForm, parse_meas
from sizing.task.bench import Analysis

FEWEST_POINTS = 2
"""Points of a window in which something is measured: of none, ngspice says 0."""


def result_name(analysis: Analysis, name: str) -> str:
    """What ngspice is to call a result: a failed `c` would be read as the speed of light, and `out` as the net."""
    return f"meas#{analysis.name}#{name}"


def meas_command(analysis: Analysis, name: str, what: str) -> str:
    """The command that takes a measurement after the analysis."""
    return f"meas {analysis.kind} {result_name(analysis, name)} {what}"


def with_meas(waveforms: Waveforms, analysis: Analysis, found: Mapping[str, float | str]) -> Waveforms:
    """The waveforms of an analysis with its `.meas` results, of which `found` has ngspice's values or complaints."""
    results: dict[str, float | str] = {}
    for name, what in analysis.meas:
        result = found.get(name, "")
        if isinstance(result, str):
            results[name] = f"ngspice: {result or 'failed'}"
        else:
            results[name] = _doubt(parse_meas(analysis.kind, what), waveforms.axis, result) or result
    return replace(waveforms, meas=results)


def _doubt(form: MeasForm, axis: NDArray[np.float64], value: float) -> str:
    """Why a value is none, whatever ngspice says."""
    first, last = form.window
    points = np.count_nonzero((axis >= first) & (axis <= last))
    if form.function in OVER_WINDOW and points < FEWEST_POINTS:
        return f"expected at least {FEWEST_POINTS} points of the analysis in the window, got {points}"
    if form.function == "when" and not axis.min() <= value <= axis.max():
        return f"at {value:g}, where the analysis has no points"
    return ""

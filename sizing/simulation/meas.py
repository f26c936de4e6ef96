"""Results of ngspice's `.meas`, and why there is none."""

import re
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sizing.measures.waveforms import Waveforms
from sizing.spice.meas import OVER_WINDOW, MeasForm, parse_meas
from sizing.task.bench import Analysis

_AVERAGE = re.compile(r"^\s*avg\b", re.IGNORECASE)
FEWEST_POINTS = 2
"""Points of a window in which something is measured: of none, ngspice says 0."""


def result_name(analysis: Analysis, name: str) -> str:
    """What ngspice is to call a result: a failed `c` would be read as the speed of light, and `out` as the net."""
    return f"meas#{analysis.name}#{name}"


def meas_command(analysis: Analysis, name: str, what: str) -> str:
    """The command that takes a measurement after the analysis; for a mean, the integral.

    ngspice's own mean takes in all of the step in which the window ends: of a ramp swept in 40 steps it is 1 % off.
    """
    return f"meas {analysis.kind} {result_name(analysis, name)} {_AVERAGE.sub('integ', what)}"


def with_meas(waveforms: Waveforms, analysis: Analysis, found: Mapping[str, float | str]) -> Waveforms:
    """The waveforms of an analysis with its `.meas` results, of which `found` has ngspice's values or complaints."""
    results: dict[str, float | str] = {}
    for name, what in analysis.meas:
        result = found.get(name, "")
        if isinstance(result, str):
            results[name] = f"ngspice: {result or 'failed'}"
        else:
            results[name] = _checked(parse_meas(analysis.kind, what), waveforms.axis, result)
    return replace(waveforms, meas=results)


def _checked(form: MeasForm, axis: NDArray[np.float64], value: float) -> float | str:
    """The result of what ngspice gave for a form, or why there is none, whatever it says."""
    first, last = np.clip(form.window, axis.min(), axis.max())
    points = np.count_nonzero((axis >= first) & (axis <= last))
    if form.function in OVER_WINDOW and points < FEWEST_POINTS:
        return f"expected at least {FEWEST_POINTS} points of the analysis in the window, got {points}"
    if form.function == "when" and not axis.min() <= value <= axis.max():
        return f"at {value:g}, where the analysis has no points"
    if form.function == "avg":
        return value / float(last - first if axis[0] < axis[-1] else first - last)
    return value

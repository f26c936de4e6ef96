"""Sensitivities as tables whose cells are shaded by how large they are."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sizing.reports.sensitivity import Correlations, Elasticities
from sizing.task.problem import Problem


@dataclass(frozen=True)
class Shaded:
    """A cell of a heat map."""

    text: str
    shade: float
    """From −1 to 1."""
    quiet: bool = False
    hint: str = ""


@dataclass(frozen=True)
class HeatMap:
    """What every variable does to every metric: a row of cells for each variable."""

    metrics: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Shaded, ...]], ...]


def correlation_map(problem: Problem, found: Correlations) -> HeatMap:
    """Correlations, quiet where not even the sign is sure."""

    def cell(v: int, m: int) -> Shaded:
        value = found.value[v, m]
        if np.isnan(value):
            return Shaded("–", 0.0, True)
        interval = f"{_signed(found.low[v, m])} to {_signed(found.high[v, m])}"
        return Shaded(_signed(value), float(value), not found.sure[v, m], interval)

    return _heat_map(problem, cell)


def elasticity_map(problem: Problem, found: Elasticities) -> HeatMap:
    """Elasticities, with the steps that miss a target: ↑ is one up, ↓ one down; * where one neighbour tells alone."""
    largest = np.nanmax(np.abs(found.value), axis=0, initial=1e-12)

    def cell(v: int, m: int) -> Shaded:
        value = found.value[v, m]
        arrows = "↑" * bool(found.misses_up[v, m]) + "↓" * bool(found.misses_down[v, m])
        marks = " *" * bool(found.one_sided[v, m]) + (f" ✗{arrows}" if arrows else "")
        if np.isnan(value):
            return Shaded(f"–{marks}", 0.0, True)
        return Shaded(f"{_signed(value)}{marks}", float(value / largest[m]))

    return _heat_map(problem, cell)


def _heat_map(problem: Problem, cell: Callable[[int, int], Shaded]) -> HeatMap:
    metrics = tuple(metric.name for metric in problem.metrics)
    rows = (
        (variable.name, tuple(cell(v, m) for m in range(len(metrics)))) for v, variable in enumerate(problem.variables)
    )
    return HeatMap(metrics, tuple(rows))


def _signed(value: float) -> str:
    text = f"{value:+.2f}" if abs(value) < 10 else f"{value:+.3g}"
    return "0.00" if float(text) == 0 else text.replace("-", "−")

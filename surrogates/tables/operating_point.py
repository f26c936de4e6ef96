"""Operating points of many designs at once, by Newton's method."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surrogates.tables.equations import Equations

Array = NDArray[np.float64]
_TOLERANCE = 1e-6
"""Volts of the last step."""
_STEPS = ((10, 0.3), (10, 0.15), (10, 0.05))
"""Iterations, and how far a net may go in each, in volts."""
_AT_ONCE = 256
"""Designs solved together: their matrices then stay in a core's cache."""
_START, _LEAST = 1e-9, 1e-12
"""Siemens from each net to ground while nets are far from where they belong, and in the end."""
_LADDER = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8)
"""Siemens, one after the other, for designs that do not converge without."""
_FRACTIONS = (0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9)
"""Of all sources, one after the other, for the designs that this does not help."""


@dataclass(frozen=True)
class Bias:
    """Voltages and branch currents [u; e] (B, n + S), the balances' slopes there, and which designs converged (B,)."""

    state: Array
    slopes: Array
    balance: Array
    """Of what flows, driven currents included, (B, n + S): zeros, then the currents of the sources that join nets."""
    converged: NDArray[np.bool_]

    def put(self, rows: NDArray[np.int64], other: "Bias") -> None:
        """Take over what another solution has of some designs."""
        for mine, its in zip(self._arrays(), other._arrays(), strict=True):
            mine[rows] = its

    def _arrays(self) -> tuple[NDArray[np.generic], ...]:
        return self.state, self.slopes, self.balance, self.converged


def operating_point(equations: Equations, voltages: Array, driven: Array, start: Array | None = None) -> Bias:
    """The operating points with sources' voltages e (B, S) and driven balances (B, n + S).

    From `start` (B, n), or from nets at half the largest voltage.
    """
    if start is None:
        start = _middle(equations, voltages)
    found = _in_blocks(equations, voltages, driven, start)
    for cure in (_by_conductances, _by_sources):
        rows = np.flatnonzero(~found.converged)
        if not rows.size:
            break
        part = equations.part(rows)
        found.put(rows, cure(part, voltages[rows], driven[rows], _middle(part, voltages[rows])))
    return found


def _in_blocks(equations: Equations, voltages: Array, driven: Array, start: Array) -> Bias:
    count, size = len(equations), len(equations.network.rows)
    found = Bias(np.empty((count, size)), np.empty((count, size, size)), np.empty((count, size)), np.empty(count, bool))
    for first in range(0, count, _AT_ONCE):
        rows = np.arange(first, min(first + _AT_ONCE, count))
        part = (voltages[rows], driven[rows], start[rows])
        found.put(rows, _newton(equations.part(rows), *part, _START, _LEAST))
    return found


def _middle(equations: Equations, voltages: Array) -> Array:
    start = np.zeros((len(equations), equations.network.unknown))
    highest, lowest = (pick(voltages, axis=1, initial=0.0) for pick in (np.max, np.min))
    start[:, : equations.network.unknown_nets] = ((highest + lowest) / 2)[:, None]
    return start


def _by_conductances(equations: Equations, voltages: Array, driven: Array, start: Array) -> Bias:
    for conductance in _LADDER:
        start = _newton(equations, voltages, driven, start, conductance, conductance).state[:, : start.shape[1]]
    return _newton(equations, voltages, driven, start, _LADDER[-1], _LEAST)


def _by_sources(equations: Equations, voltages: Array, driven: Array, start: Array) -> Bias:
    start = np.zeros_like(start)
    for fraction in _FRACTIONS:
        partly = _newton(equations, fraction * voltages, fraction * driven, start, _START, _START)
        start = partly.state[:, : start.shape[1]]
    return _newton(equations, voltages, driven, start, _START, _LEAST)


def _newton(
    equations: Equations, voltages: Array, driven: Array, start: Array, conductance: float, last: float
) -> Bias:
    """Newton's method from `start`, with this conductance at each net, then the last one; converged rows drop out."""
    count, unknown = start.shape
    nets = equations.network.unknown_nets
    diagonal = np.arange(nets)
    state = np.concatenate([np.where(np.isfinite(start), start, 0.0), voltages], axis=1)
    size = state.shape[1]
    found = Bias(state.copy(), np.zeros((count, size, size)), np.zeros((count, size)), np.zeros(count, bool))
    rows, shunt = np.arange(count), np.full(count, conductance)
    part, driving = equations, driven
    for iterations, furthest in _STEPS:
        for _ in range(iterations):
            balance, slopes = part.flows(state)
            balance += driving
            residual, matrix = balance[:, :unknown].copy(), slopes[:, :unknown, :unknown].copy()
            residual[:, :nets] += shunt[:, None] * state[:, :nets]
            matrix[:, diagonal, diagonal] += shunt[:, None]
            step = -_solved(matrix, residual)
            largest = np.abs(step[:, :nets]).max(axis=1, initial=0.0)
            done = (largest < _TOLERANCE) & (shunt <= last)
            state[:, :nets] += np.clip(step[:, :nets], -furthest, furthest)
            state[:, nets:unknown] += step[:, nets:]
            shunt = np.where(largest < 1e-2, last, shunt)
            if done.any():
                found.put(rows[done], Bias(state[done], slopes[done], balance[done], done[done]))
                kept = np.flatnonzero(~done)
                rows, shunt, state = rows[kept], shunt[kept], state[kept]
                if not rows.size:
                    return found
                part, driving = part.part(kept), driving[kept]
    found.state[rows] = state
    return found


def _solved(matrix: Array, right: Array) -> Array:
    """The solutions (B, n); NaN for matrices that have none."""
    try:
        return np.asarray(np.linalg.solve(matrix, right[..., None])[..., 0], np.float64)
    except np.linalg.LinAlgError:
        if len(matrix) == 1:
            return np.full_like(right, np.nan)
        half = len(matrix) // 2
        return np.concatenate([_solved(matrix[:half], right[:half]), _solved(matrix[half:], right[half:])])

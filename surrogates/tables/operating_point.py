"""Operating points of many designs at once, by Newton's method."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surrogates.tables.equations import Equations
from surrogates.tables.linear import solved

Array = NDArray[np.float64]
_TOLERANCE_VOLTS = 1e-6
"""Volts of the last step."""
_AT_ONCE = 256
"""Designs solved together: their matrices then stay in a core's cache."""
_LEAST_SIEMENS = 1e-12
"""Siemens from each net to ground."""
_NEAR_VOLTS, _FAR_VOLTS = 0.05, 0.2
"""Volts of a step below which a design's brake is loosened, and above which it is pulled."""


@dataclass(frozen=True)
class _Brake:
    """Conductances from each net to where it is: what holds it back as a capacitor would in a short time step.

    It starts as `first`, and falls by a factor of `fall` in iterations whose steps are small, at most `iterations`. In
    each a net goes `furthest` volts at most.
    """

    first: float
    fall: float
    iterations: int
    furthest: float = 0.3


_QUICK_BRAKE = _Brake(1e-9, 1e-2, 14)
_PATIENT_BRAKES = (_Brake(1e-9, 1e-2, 80, furthest=0.05), _Brake(1e-3, 0.1, 60), _Brake(1e-1, 0.4, 100))
"""For the designs that are not found so: by short steps, which feedback that would oscillate needs; then as if the
circuit were switched on (pseudo-transient continuation)."""


@dataclass(frozen=True)
class Bias:
    """Voltages and branch currents [u; e] (B, n + S), the balances' slopes there, and which designs converged (B,)."""

    state: Array
    slopes: Array
    balance: Array
    """What flows, driven currents included, (B, n + S): zeros, then the currents of the sources that join nets."""
    converged: NDArray[np.bool_]

    def of(self, rows: NDArray[np.int64]) -> "Bias":
        """That of some of the designs."""
        return Bias(self.state[rows], self.slopes[rows], self.balance[rows], self.converged[rows])

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
    for brake in _PATIENT_BRAKES:
        rows = np.flatnonzero(~found.converged)
        if not rows.size:
            break
        part = equations.part(rows)
        found.put(rows, _newton(part, voltages[rows], driven[rows], _middle(part, voltages[rows]), brake))
    return found


def followed(bias: Bias, voltages: Array, driven: Array, unknown: int) -> Array:
    """Where operating points (B, n) go, to first order, with such changes of the sources."""
    slopes = bias.slopes[:, :unknown]
    moved = np.matmul(slopes[:, :, unknown:], voltages[..., None]) + driven[:, :unknown, None]
    found: Array = bias.state[:, :unknown] - np.nan_to_num(solved(slopes[:, :, :unknown], moved)[..., 0])
    return found


def _in_blocks(equations: Equations, voltages: Array, driven: Array, start: Array) -> Bias:
    count, size = len(equations), len(equations.network.rows)
    found = Bias(np.empty((count, size)), np.empty((count, size, size)), np.empty((count, size)), np.empty(count, bool))
    for rows in np.array_split(np.arange(count), max(1, round(count / _AT_ONCE))):
        found.put(rows, _newton(equations.part(rows), voltages[rows], driven[rows], start[rows], _QUICK_BRAKE))
    return found


def _middle(equations: Equations, voltages: Array) -> Array:
    start = np.zeros((len(equations), equations.network.unknown))
    highest, lowest = (pick(voltages, axis=1, initial=0.0) for pick in (np.max, np.min))
    start[:, : equations.network.unknown_nets] = ((highest + lowest) / 2)[:, None]
    return start


def _newton(equations: Equations, voltages: Array, driven: Array, start: Array, brake: _Brake) -> Bias:
    """Newton's method from `start`; converged rows drop out."""
    count, unknown = start.shape
    nets = equations.network.unknown_nets
    diagonal = np.arange(nets)
    state = np.concatenate([np.where(np.isfinite(start), start, 0.0), voltages], axis=1)
    size = state.shape[1]
    found = Bias(state.copy(), np.zeros((count, size, size)), np.zeros((count, size)), np.zeros(count, bool))
    rows, braked = np.arange(count), np.full(count, brake.first)
    part, driving = equations, driven
    for _ in range(brake.iterations):
        balance, slopes = part.flows(state)
        balance += driving
        residual, matrix = balance[:, :unknown].copy(), slopes[:, :unknown, :unknown].copy()
        residual[:, :nets] += _LEAST_SIEMENS * state[:, :nets]
        matrix[:, diagonal, diagonal] += _LEAST_SIEMENS + braked[:, None]
        step = -solved(matrix, residual[..., None])[..., 0]
        largest = np.abs(step[:, :nets]).max(axis=1, initial=0.0)
        done = (largest < _TOLERANCE_VOLTS) & (braked <= _LEAST_SIEMENS)
        state[:, :nets] += np.clip(step[:, :nets], -brake.furthest, brake.furthest)
        state[:, nets:unknown] += step[:, nets:]
        braked *= np.where(largest < _NEAR_VOLTS, brake.fall, np.where(largest > _FAR_VOLTS, 2.0, 0.7))
        braked = np.where(braked < _LEAST_SIEMENS, 0.0, np.minimum(braked, 10 * brake.first))
        if done.any():
            found.put(rows[done], Bias(state[done], slopes[done], balance[done], done[done]))
            kept = np.flatnonzero(~done)
            rows, braked, state = rows[kept], braked[kept], state[kept]
            if not rows.size:
                return found
            part, driving = part.part(kept), driving[kept]
    found.state[rows] = state
    return found

"""Responses in time to sources that go in straight lines: linear ones by modes, large ones by integration."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surrogates.tables.equations import Equations
from surrogates.tables.linear import solved
from surrogates.tables.modes import Modes, modes
from surrogates.tables.operating_point import Bias, operating_point

Array = NDArray[np.float64]
_AT_ONCE = 2048
"""Designs integrated together."""
_SHIFT_RAD_PER_SECOND = 2 * np.pi * 1e6
"""rad/s: the shift of modes, between the slowest and the fastest of what circuits do."""
_LEAST_SIEMENS = 1e-12
"""Siemens from each net to ground."""
_LINEAR_VOLTS = 0.02
"""Volts from where it will rest, within which a circuit is linear."""
_TOLERANCE_VOLTS = 2e-4
"""Volts of local error in a step."""
_FIRST_STEP = 1e-3
"""The first step after a corner, as a fraction of the way to the next."""
_LONGEST_STEP = 0.1
_MOST_STEPS = 600
"""In each straight line, beyond which a design's response is not known."""
_MOST_CORRECTIONS = 4
_LAST_CORRECTION_VOLTS = 2e-3
"""Volts of a correction after which there is no other: the error that it leaves is of the order of its square."""


@dataclass(frozen=True)
class Drive:
    """Sources in straight lines between `times` (K + 1,): voltages (K + 1, B, S), driven balances (K + 1, B, n + S)."""

    times: Array
    joined: Array
    driven: Array

    @property
    def largest(self) -> float:
        """The largest change of a voltage, in volts; infinite where a current changes."""
        if np.ptp(self.driven, axis=0).any():
            return np.inf
        return float(np.ptp(self.joined, axis=0).max(initial=0.0))

    def joined_at(self, axis: Array, weights: Array) -> Array:
        """A sum (B, N) of the sources' voltages with these weights (S,) at these times."""
        joined = self.joined @ weights
        at = np.clip(np.searchsorted(self.times, axis, side="right") - 1, 0, len(self.times) - 2)
        fraction = (axis - self.times[at]) / np.diff(self.times)[at]
        found: Array = joined.T[:, at] * (1 - fraction) + joined.T[:, at + 1] * fraction
        return found


def modes_at(equations: Equations, bias: Bias, charges: Array) -> Modes:
    """The modes around operating points; of designs without one, meaningless ones."""
    unknown, nets = equations.network.unknown, np.arange(equations.network.unknown_nets)
    conductance = bias.slopes[:, :unknown, :unknown].copy()
    conductance[:, nets, nets] += _LEAST_SIEMENS
    conductance[~bias.converged] = np.eye(unknown)
    return modes(conductance, charges[:, :unknown, :unknown], _SHIFT_RAD_PER_SECOND)


def linear(of_modes: Modes, bias: Bias, charges: Array, drive: Drive, outputs: Array, axis: Array) -> Array:
    """Changes of outputs (O, n) from the operating point before, at times (N,): (B, O, N)."""
    unknown = outputs.shape[1]
    onto, pulling = bias.slopes[:, :unknown, unknown:], charges[:, :unknown, unknown:]
    constants, slopes = [], []
    for index, length in enumerate(np.diff(drive.times)):
        rise, push = ((each[index + 1] - each[index]) / length for each in (drive.joined, drive.driven))
        begun, pushed = drive.joined[index] - drive.joined[0], drive.driven[index] - drive.driven[0]
        slopes.append(-np.einsum("brs,bs->br", onto, rise) - push[:, :unknown])
        constants.append(
            -np.einsum("brs,bs->br", onto, begun) - np.einsum("brs,bs->br", pulling, rise) - pushed[:, :unknown]
        )
    return of_modes.step(drive.times[:-1], np.array(constants), np.array(slopes), outputs, axis)


def integrated(
    equations: Equations, bias: Bias, drive: Drive, outputs: Array, axis: Array
) -> tuple[Array, NDArray[np.bool_]]:
    """The same where devices are not linear, and for which designs (B,) it is known.

    Once the sources rest and a design has come near its new operating point, it goes on by the modes there.
    """
    found = np.zeros((len(equations), len(outputs), len(axis)))
    known = bias.converged.copy()
    for first in range(0, len(equations), _AT_ONCE):
        rows = first + np.flatnonzero(known[first : first + _AT_ONCE])
        if rows.size:
            part = Drive(drive.times, drive.joined[:, rows], drive.driven[:, rows])
            found[rows], known[rows] = _integrated(equations.part(rows), bias.state[rows], part, outputs, axis)
    return found, known


def _integrated(
    equations: Equations, state: Array, drive: Drive, outputs: Array, axis: Array
) -> tuple[Array, NDArray[np.bool_]]:
    unknown = outputs.shape[1]
    points = _Points(state[:, :unknown], outputs)
    rests = not (drive.joined[-1] - drive.joined[-2]).any() and not (drive.driven[-1] - drive.driven[-2]).any()
    end = operating_point(equations, drive.joined[-1], drive.driven[-1], state[:, :unknown]) if rests else None
    for index in range(len(drive.times) - 1):
        is_last = index == len(drive.times) - 2
        target = end.state[:, :unknown] if end is not None and is_last else None
        _integrate(equations, drive, index, points, target)
    found = points.at(axis)
    if end is not None:
        left = axis > points.reached[:, None]
        of_modes = modes_at(equations, end, equations.charges(end.state))
        past = np.maximum(axis - points.reached[:, None], 0.0)
        rest = of_modes.decay(points.state - end.state[:, :unknown], outputs, past)
        rest += ((end.state[:, :unknown] - state[:, :unknown]) @ outputs.T)[..., None]
        found = np.where(left[:, None], rest, found)
    return found, points.known


class _Points:
    """Where designs are, and what outputs (O, n) were on the way, with slopes; each design has times of its own."""

    def __init__(self, state: Array, outputs: Array) -> None:
        self.state = state.copy()
        self.known = np.ones(len(state), bool)
        self._begun = state @ outputs.T
        self._outputs = outputs
        self._times: list[list[float]] = [[0.0] for _ in state]
        self._values: list[list[Array]] = [[each] for each in self._begun]
        self._slopes: list[list[Array]] = [[0 * each] for each in self._begun]

    def add(self, rows: NDArray[np.int64], times: Array, states: Array, slopes: Array) -> None:
        """Note where these designs have come."""
        self.state[rows] = states
        columns = (rows.tolist(), times.tolist(), states @ self._outputs.T, slopes @ self._outputs.T)
        for row, time, value, slope in zip(*columns, strict=True):
            self._times[row].append(time)
            self._values[row].append(value)
            self._slopes[row].append(slope)

    @property
    def reached(self) -> Array:
        """How far each design has come (B,), in seconds."""
        return np.array([times[-1] for times in self._times])

    def at(self, axis: Array) -> Array:
        """Changes of the outputs at these times (B, O, N), by cubics through values and slopes."""
        found = np.empty((len(self.state), len(axis), len(self._outputs)))
        for row, (times, values, slopes) in enumerate(zip(self._times, self._values, self._slopes, strict=True)):
            known, value, slope = np.array(times), np.array(values), np.array(slopes)
            after = np.clip(np.searchsorted(known, axis), 1, max(len(known) - 1, 1)) if len(known) > 1 else None
            if after is None:
                found[row] = value
                continue
            length = known[after] - known[after - 1]
            t = np.clip((axis - known[after - 1]) / length, 0.0, 1.0)[:, None]
            u, length = 1 - t, length[:, None]
            found[row] = u * u * ((1 + 2 * t) * value[after - 1] + t * length * slope[after - 1]) + t * t * (
                (1 + 2 * u) * value[after] - u * length * slope[after]
            )
        return np.moveaxis(found - self._begun[:, None], 1, 2)


def _integrate(equations: Equations, drive: Drive, index: int, points: _Points, target: Array | None) -> None:
    """Along one straight line of the sources, by backward differences of second order with steps of each design's own.

    After C. W. Gear's method with variable steps: a parabola through the last points predicts, and its distance from
    what solves the equations tells the error, by which the solution is put right (Milne's device). A design is left
    alone once its nets are near `target` (B, n).
    """
    begin, end = drive.times[index : index + 2]
    rise, push = ((each[index + 1] - each[index]) / (end - begin) for each in (drive.joined, drive.driven))
    if index == 0 and not rise.any() and not push.any():
        points.add(np.arange(len(equations)), np.full(len(equations), end), points.state.copy(), 0 * points.state)
        return
    rows = np.flatnonzero(points.known)
    if not rows.size:
        return
    unknown, nets = points.state.shape[1], equations.network.unknown_nets
    part = equations.part(rows)
    now = points.state[rows]
    past = [now, now]
    ago = np.zeros((2, rows.size))
    """States before, and how long ago they were; zero where there is none since the corner."""
    time = np.zeros(rows.size)
    step = np.full(rows.size, (end - begin) * _FIRST_STEP)
    for _ in range(_MOST_STEPS):
        step = np.minimum(step, end - begin - time)
        last = step > (end - begin - time) * (1 - 1e-9)
        order_two = ago[0] > 0
        order_three = ago[1] > 0
        first = np.where(order_two, ago[0], 1.0)
        ratio = step / first
        predicted = now + np.where(order_two, ratio, 0.0)[:, None] * (now - past[0])
        second = np.where(order_three, ago[1], 2 * first)
        if order_three.any():
            bend = (now - past[0]) / first[:, None] - (past[0] - past[1]) / (second - first)[:, None]
            bend /= second[:, None]
            predicted = predicted + np.where(order_three, step * (step + first), 0.0)[:, None] * bend
        leading = np.where(order_two, (1 + 2 * ratio) / (1 + ratio), 1.0) / step
        oldest = np.where(order_two, ratio**2 / (1 + ratio), 0.0) / step
        at = time + step
        joined = drive.joined[index, rows] + at[:, None] * rise[rows]
        driving = drive.driven[index, rows] + at[:, None] * push[rows]
        state = np.concatenate([predicted, joined], axis=1)
        charges = part.charges(state)
        memory = charges[:, :unknown, :unknown]
        pulled = np.einsum("brs,bs->br", charges[:, :unknown, unknown:], rise[rows])
        held = np.einsum("brc,bc->br", memory, -leading[:, None] * now + oldest[:, None] * (past[0] - now))
        offset = driving[:, :unknown] + pulled + held
        solved, converged = _corrected(part, state, memory, leading, offset)
        share = step * (step + first) / ((2 * step + first) * (step + second))
        share = np.where(order_three, share / (1 + share), 0.5)[:, None]
        wrong = share * (solved - predicted)
        solved = solved - np.where(order_three[:, None], wrong, 0.0)
        error = np.abs(wrong[:, :nets]).max(axis=1, initial=0.0)
        good = (converged & (error < 2 * _TOLERANCE_VOLTS)) | (step < (end - begin) * 1e-7)
        slope = leading[:, None] * (solved - now) + oldest[:, None] * (past[0] - now)
        points.add(rows[good], begin + at[good], solved[good], slope[good])
        exponent = np.where(order_three, 1 / 3, 1 / 2)
        factor = np.clip(0.9 * (_TOLERANCE_VOLTS / np.maximum(error, 1e-12)) ** exponent, 0.2, 2.0)
        factor = np.where(converged, factor, 0.25)
        ago = np.where(good, np.stack([step, np.where(order_two, ago[0] + step, 0.0)]), ago)
        past = [np.where(good[:, None], now, past[0]), np.where(good[:, None], past[0], past[1])]
        now = np.where(good[:, None], solved, now)
        time = np.where(good, at, time)
        step = np.minimum(step * factor, (end - begin) * _LONGEST_STEP)
        done = good & last
        if target is not None:
            done |= np.abs(now[:, :nets] - target[rows, :nets]).max(axis=1, initial=0.0) < _LINEAR_VOLTS
        kept = np.flatnonzero(~done)
        if not kept.size:
            return
        if kept.size < rows.size:
            part, rows, now, time, step = part.part(kept), rows[kept], now[kept], time[kept], step[kept]
            past, ago = [each[kept] for each in past], ago[:, kept]
    points.known[rows] = False


def _corrected(
    equations: Equations, state: Array, memory: Array, leading: Array, offset: Array
) -> tuple[Array, NDArray[np.bool_]]:
    """Unknowns (B, n) at which balances, `memory` times `leading` of them and `offset` are zero, and where found.

    By Newton's method from [u; e], whose unknowns become the solution; what is solved already is left alone.
    """
    unknown, nets = offset.shape[1], equations.network.unknown_nets
    active = np.arange(len(state))
    part = equations
    for _ in range(_MOST_CORRECTIONS):
        balance, slopes = part.flows(state[active])
        residual = balance[:, :unknown] + offset[active]
        residual += leading[active, None] * np.matmul(memory[active], state[active, :unknown, None])[..., 0]
        matrix = slopes[:, :unknown, :unknown] + leading[active, None, None] * memory[active]
        correction = -solved(matrix, residual[..., None])[..., 0]
        state[active, :unknown] += correction
        left = np.flatnonzero(~(np.abs(correction[:, :nets]).max(axis=1, initial=0.0) < _LAST_CORRECTION_VOLTS))
        if not left.size:
            break
        active, part = active[left], part.part(left)
    converged = np.ones(len(state), bool)
    converged[active] = not left.size
    return state[:, :unknown], converged

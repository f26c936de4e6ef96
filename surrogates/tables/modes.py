"""Linear circuits by their modes: C u' + G u = f, of many designs at once.

With a shift s0, A = (G + s0 C)^-1 C = W diag(mu) W^-1 turns this into one equation a mode z = W^-1 u:
mu z' + (1 - s0 mu) z = W^-1 (G + s0 C)^-1 f. A mode without memory has mu = 0; all others have a pole at s0 - 1 / mu.
The shift keeps both the slowest and the fastest to full precision, and a singular C does no harm.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from surrogates.tables.linear import solved

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]
_LARGEST_ERROR = 1e-6
"""Relative error of a response by modes at a frequency solved directly, beyond which all frequencies are."""
_NO_MEMORY_SHARE = 1e-13
"""Share of the largest mu."""
_LEAST_VOLTS = 1e-12
"""Volts of a mode."""
_AT_ONCE = 128
"""Designs whose modes are added up together: what fits into a core's cache."""
_GREATEST_GROWTH = 50.0
"""Exponent of an unstable mode, at most."""


@dataclass(frozen=True)
class Modes:
    """The modes of B designs with n unknowns."""

    conductance: Array
    capacitance: Array
    shift: float
    mu: Complex
    """(B, n)"""
    vectors: Complex
    """W (B, n, n)"""
    inverse: Complex
    """W^-1 (G + s0 C)^-1 (B, n, n)"""

    def response(self, constant: Array, linear: Array, outputs: Array, frequencies: Array) -> Complex:
        """Phasors (B, F, O) of outputs (O, n) where f = constant + s linear, both (B, n), at frequencies (F,) in Hz."""
        s = np.asarray(2j * np.pi * frequencies, np.complex128)
        first, second = (np.matmul(self.inverse, each[..., None])[..., 0] for each in (constant, linear))
        seen = outputs @ self.vectors
        found = np.zeros((len(self.mu), len(s), len(outputs)), np.complex128)
        for mode in range(self.mu.shape[1]):
            excited = first[:, mode, None] + s * second[:, mode, None]
            excited /= 1 + (s - self.shift) * self.mu[:, mode, None]
            found += excited[..., None] * seen[:, None, :, mode]
        checked = [0, len(s) // 2]
        exact = self._direct(np.arange(len(found)), constant, linear, outputs, s[checked])
        error = np.abs(found[:, checked] - exact).max(axis=(1, 2), initial=0.0)
        wrong = np.flatnonzero(~(error <= _LARGEST_ERROR * np.abs(exact).max(axis=(1, 2), initial=1e-300)))
        if wrong.size:
            found[wrong] = self._direct(wrong, constant, linear, outputs, s)
        return found

    def _direct(self, rows: NDArray[np.int64], constant: Array, linear: Array, outputs: Array, s: Complex) -> Complex:
        matrix = self.conductance[rows, None] + s[:, None, None] * self.capacitance[rows, None]
        right = constant[rows, None] + s[:, None] * linear[rows, None]
        return np.asarray(solved(matrix, right[..., None])[..., 0] @ outputs.T, np.complex128)

    def adjoint(self, output: Array, frequencies: Array) -> Complex:
        """What an output (n,) is of f at each frequency in Hz, (B, F, n): of every input at once."""
        s = np.asarray(2j * np.pi * frequencies, np.complex128)[:, None, None]
        matrix = self.conductance.swapaxes(1, 2)[:, None] + s * self.capacitance.swapaxes(1, 2)[:, None]
        weights = np.broadcast_to(output[:, None], (*matrix.shape[:-1], 1))
        return np.asarray(solved(matrix, weights)[..., 0], np.complex128)

    def step(self, breaks: Array, constant: Array, slope: Array, outputs: Array, times: Array) -> Array:
        """Outputs (B, O, N) at ascending times (N,), from rest, where f goes in straight lines between breaks (K,).

        `constant` (K, B, n) is f just after each break, `slope` (K, B, n) how it goes on; the last goes on for ever.
        """
        direct = 1 - self.shift * self.mu
        rate = self._rates(times[-1])
        seen = outputs @ self.vectors
        found = np.empty((len(self.mu), len(outputs), len(times)))
        z = np.zeros_like(self.mu)
        ends = [*breaks[1:], np.inf]
        for begin, end, f, ramp in zip(breaks, ends, constant, slope, strict=True):
            value, rise = (np.matmul(self.inverse, each[..., None])[..., 0] / direct for each in (f, ramp))
            value = value - rise * self.mu / direct
            inside = (times >= begin) & (times < end)
            past = times[inside] - begin
            forced = np.einsum("bok,bk->bo", seen, value).real[..., None]
            rising = np.einsum("bok,bk->bo", seen, rise).real[..., None]
            left = z - value
            found[:, :, inside] = forced + rising * past + _faded(rate, left, seen, past)
            if np.isfinite(end):
                z = value + rise * (end - begin) + left * np.exp(rate * (end - begin))
        return found

    def decay(self, state: Array, outputs: Array, past: Array) -> Array:
        """Outputs (B, O, N), times `past` (B, N) after a state (B, n), left alone."""
        shifted = self.conductance + self.shift * self.capacitance
        z = np.matmul(self.inverse, np.matmul(shifted, state[..., None]))[..., 0]
        seen, rate = outputs @ self.vectors, self._rates(float(past.max(initial=1e-30)))
        return _faded(rate, z, seen, past)

    def _rates(self, longest: float) -> Complex:
        """The poles (B, n) in rad/s; of modes without memory very fast ones, of unstable ones tame ones."""
        with np.errstate(all="ignore"):
            rate = self.shift - 1 / self.mu
        none = np.abs(self.mu) < _NO_MEMORY_SHARE * np.abs(self.mu).max(axis=1, keepdims=True, initial=0.0)
        rate = np.where(none, -1e30, rate)
        tamed: Complex = np.minimum(rate.real, _GREATEST_GROWTH / longest) + 1j * rate.imag
        return tamed


def _faded(rate: Complex, left: Complex, seen: Complex, past: Array) -> Array:
    """Outputs (B, O, N) of what is left (B, n) of modes after times `past` (N,) or (B, N).

    Modes come real or in conjugate pairs, of which one half stands for both.
    """
    past = np.broadcast_to(past, (len(rate), past.shape[-1]))
    found = np.zeros((len(rate), seen.shape[1], past.shape[1]))
    weights = left[:, None, :] * seen
    for first in range(0, len(rate), _AT_ONCE):
        some = slice(first, first + _AT_ONCE)
        for mode, output in product(range(rate.shape[1]), range(seen.shape[1])):
            _add_mode(found[some, output], rate[some, mode], weights[some, output, mode], past[some])
    return found


def _add_mode(found: Array, rate: Complex, weight: Complex, past: Array) -> None:
    """Add a mode to one output (B, N)."""
    counts = ~(np.abs(weight) <= _LEAST_VOLTS)
    for turns in (False, True):
        rows = np.flatnonzero(counts & (rate.imag > 0 if turns else rate.imag == 0))
        if rows.size:
            own, time = rate[rows, None], past[rows]
            fading = np.exp(own.real * time)
            if turns:
                fading *= 2 * np.cos(own.imag * time + np.angle(weight[rows, None]))
                fading *= np.abs(weight[rows, None])
            else:
                fading *= weight.real[rows, None]
            found[rows] += fading


def modes(conductance: Array, capacitance: Array, shift: float) -> Modes:
    """The modes of G and C, both (B, n, n), with a shift in rad/s; NaN where a design has none."""
    unit = np.broadcast_to(np.eye(conductance.shape[-1]), conductance.shape)
    both = solved(conductance + shift * capacitance, unit)
    memory = both @ capacitance
    sound = np.isfinite(memory).all(axis=(1, 2), keepdims=True)
    mu, vectors = np.linalg.eig(np.where(sound, memory, unit))
    mu, vectors = mu.astype(np.complex128), vectors.astype(np.complex128)
    inverse = solved(vectors, np.where(sound, both, np.nan).astype(np.complex128))
    return Modes(conductance, capacitance, shift, mu, vectors, inverse)

"""The analyses of a bench on its equations: operating points, small signals, sweeps and steps of many designs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sizing.measures.waveforms import Waveforms
from sizing.spice.expression import Value
from sizing.task.bench import Analysis
from surrogates.tables import commands, meas
from surrogates.tables.equations import Equations
from surrogates.tables.modes import Modes
from surrogates.tables.network import Network, Unmodelled, quantity
from surrogates.tables.noise import thermal
from surrogates.tables.operating_point import Bias, followed, operating_point
from surrogates.tables.transients import Drive, integrated, linear, modes_at

Array = NDArray[np.float64]
NO_OPERATING_POINT = "no operating point was found on the device tables"
NO_TRANSIENT = "the transient could not be followed on the device tables"
_NOMINAL_CELSIUS = 27.0
"""Degrees Celsius, at which ngspice simulates unless told otherwise."""
_EVEN_POINTS, _RATIO_POINTS = 350, 250
"""Points of a transient: evenly spaced, and at even ratios of the time since the last corner of a waveform."""
_LINE_POINTS, _BRIEF_SHARE = 64, 1e-3
"""Points of each earlier straight line of the sources, unless it takes less than this of the whole time."""
_SMALL_VOLTS = 0.03
"""Volts: larger steps are integrated, since transistors are not linear any more, and slew."""
_EARLIEST_SHARE = 1e-4
"""The first of these, of the time that is left."""


@dataclass(frozen=True)
class Response:
    """Waveforms whose vectors are (B, N) on one axis (N,), and the designs (B,) for which they are known."""

    waveforms: Waveforms
    known: NDArray[np.bool_]
    otherwise: str = NO_OPERATING_POINT
    """Why not for the others."""
    meas: Mapping[str, Array] = field(default_factory=dict)
    """Results of `.meas` (B,) by name, of those that are told; NaN where there is none."""


class Responses:
    """The analyses of one bench for B designs."""

    def __init__(
        self,
        equations: Equations,
        values: Mapping[str, Value],
        integrate: bool,
        start: Array | None = None,
        celsius: float | None = None,
    ) -> None:
        """`values` has those of devices' parameters ("vdd dc"); `integrate` is whether large steps are.

        Operating points are looked for from `start` (n,) on.
        """
        self._start = start
        self._celsius = _NOMINAL_CELSIUS if celsius is None else celsius
        self._integrate = integrate
        self._equations = equations
        self._network: Network = equations.network
        self._values = values

    def response(self, analysis: Analysis, vectors: Sequence[str]) -> Response:
        """What these vectors are in an analysis; raises Unmodelled."""
        kinds = {
            "op": self._operating_point,
            "ac": self._small_signal,
            "noise": self._noise,
            "tran": self._step,
            "dc": self._sweep,
        }
        if analysis.kind not in kinds:
            raise Unmodelled(f"{analysis.name}: device tables do not tell {analysis.kind} analyses")
        known = {}
        if analysis.kind in ("tran", "dc"):
            known = {name: what for name, what in analysis.meas if meas.vectors(what) is not None}
        read = (vector for what in known.values() for vector in meas.vectors(what) or ())
        found = kinds[analysis.kind](analysis, tuple(dict.fromkeys((*vectors, *read))))
        axis, along = found.waveforms.axis, {name: np.real(each) for name, each in found.waveforms.vectors.items()}
        return replace(found, meas={name: meas.measured(what, axis, along) for name, what in known.items()})

    def _operating_point(self, _: Analysis, vectors: Sequence[str]) -> Response:
        found = {name: self._seen(self._bias, name, self._equations)[:, None] for name in vectors}
        return Response(Waveforms(np.zeros(1), found), self._bias.converged)

    def _small_signal(self, analysis: Analysis, vectors: Sequence[str]) -> Response:
        axis = commands.frequencies(analysis)
        phasors = {source.device.name: commands.magnitude(source, analysis) for source in self._network.sources}
        joined, driven = self._inputs(phasors)
        unknown = self._network.unknown
        constant = -(self._bias.slopes[:, :unknown, unknown:] @ joined[0] + driven[:, :unknown])
        linear = -(self._charges[:, :unknown, unknown:] @ joined[0])
        everything = self._modes.response(constant, linear, self._outputs(vectors), axis)
        found = {}
        for index, name in enumerate(vectors):
            if name.startswith("i("):
                found[name] = self._current_phasor(name, constant, linear, joined[0], driven, axis)
            else:
                found[name] = everything[:, :, index] + self._output(name)[unknown:] @ joined[0]
        return Response(Waveforms(axis, found), self._bias.converged)

    def _noise(self, analysis: Analysis, vectors: Sequence[str]) -> Response:
        nets, referred, axis = commands.noise(analysis)
        unknown = self._network.unknown
        weights = np.asarray(sum(sign * self._network.voltage(net) for sign, net in zip((1, -1), nets, strict=False)))
        seen = self._modes.adjoint(weights[:unknown], axis)
        power = np.zeros(seen.shape[:2])
        of_tables = self._equations.noise(self._bias.state, axis)
        for entry, density in (*of_tables, *self._thermal()):
            power += np.abs(seen @ entry[:unknown]) ** 2 * density
        joined, driven = self._inputs(
            {each.device.name: float(each.device.name == referred) for each in self._network.sources}
        )
        found = {"onoise_spectrum": np.sqrt(power)}
        if "inoise_spectrum" in vectors:
            onto, pulling = (each[:, :unknown, unknown:] @ joined[0] for each in (self._bias.slopes, self._charges))
            excited = -(onto + driven[:, :unknown])[:, None] - 2j * np.pi * axis[:, None] * pulling[:, None]
            gain = np.einsum("bfn,bfn->bf", seen, excited) + weights[unknown:] @ joined[0]
            found["inoise_spectrum"] = found["onoise_spectrum"] / np.abs(gain)
        return Response(Waveforms(axis, found), self._bias.converged)

    def _thermal(self) -> Iterator[tuple[Array, Array]]:
        """Where each resistor's noise enters the balances (n + S,), and its density (B, 1)."""
        for stamp in self._network.conductances:
            if stamp.inverse and stamp.parameter:
                resistance = np.broadcast_to(self._values[stamp.parameter], (len(self._equations),))
                yield self._network.rows @ stamp.row, thermal(1 / resistance, self._celsius)[:, None]

    def _current_phasor(
        self, name: str, constant: Array, linear: Array, joined: Array, driven: Array, axis: Array
    ) -> NDArray[np.complex128]:
        unknown = self._network.unknown
        state = self._modes.response(constant, linear, np.eye(unknown), axis)
        whole = np.concatenate([state, np.broadcast_to(joined, (*state.shape[:2], joined.size))], axis=2)
        row, branch = self._current(name)
        if branch:
            return state[:, :, row]
        flow = np.einsum("bfx,bx->bf", whole, self._bias.slopes[:, row])
        charge = np.einsum("bfx,bx->bf", whole, self._charges[:, row])
        found: NDArray[np.complex128] = flow + 2j * np.pi * axis * charge + driven[:, row, None]
        return found

    def _step(self, analysis: Analysis, vectors: Sequence[str]) -> Response:
        asked = commands.transient(analysis)
        corners = {
            source.device.name: own
            for source in self._network.sources
            if (own := commands.waveform(source, self._values, asked)) is not None
        }
        breaks = np.unique(np.concatenate([np.zeros(1), *(times for times, _ in corners.values())]))
        times = np.append(breaks[breaks < asked.stop], asked.stop)
        joined, driven = zip(*(self._inputs(_levels(corners, at)) for at in times), strict=True)
        drive = Drive(times, np.array(joined), np.array(driven))
        axis = _times(times[:-1], asked.stop, asked.start)
        is_linear = drive.largest <= _SMALL_VOLTS or not self._network.tabled
        if not is_linear and not self._integrate:
            raise Unmodelled(f"{analysis.name}: a large step was not to be integrated")
        bias, charges, of_modes = self._before({name: levels[0] for name, (_, levels) in corners.items()})
        if is_linear:
            moved = linear(of_modes, bias, charges, drive, self._outputs(vectors), axis)
            known = bias.converged
        else:
            moved, known = integrated(self._equations, bias, drive, self._outputs(vectors), axis)
        unknown = self._network.unknown
        found = {}
        for index, name in enumerate(vectors):
            if name.startswith("i("):
                raise Unmodelled(f"{analysis.name}: device tables do not tell currents in time")
            weights = self._output(name)
            before = bias.state[:, :unknown] @ weights[:unknown]
            found[name] = before[:, None] + moved[:, index] + drive.joined_at(axis, weights[unknown:])
        return Response(Waveforms(axis, found), known, NO_TRANSIENT)

    def _before(self, levels: Mapping[str, Value]) -> tuple[Bias, Array, Modes]:
        """The bias before a transient, the capacitances there, and its modes."""
        joined, driven = self._inputs(levels)
        same = self._inputs({})
        if all(np.array_equal(new, old) for new, old in zip((joined, driven), same, strict=True)):
            return self._bias, self._charges, self._modes
        bias = self._rests(joined, driven)
        charges = self._equations.charges(bias.state)
        return bias, charges, modes_at(self._equations, bias, charges)

    def _sweep(self, analysis: Analysis, vectors: Sequence[str]) -> Response:
        name, axis = commands.sweep(analysis)
        if name not in {source.device.name for source in self._network.sources}:
            raise Unmodelled(f"{analysis.name}: expected a sweep of a source, got {name}")
        count, unknown = len(self._equations), self._network.unknown
        found = {vector: np.full((count, len(axis)), np.nan) for vector in vectors}
        rows, equations = np.arange(count), self._equations
        bias: Bias | None = None
        before: tuple[Array, Array] | None = None
        for point, level in enumerate(axis):
            inputs = self._inputs({name: float(level)})
            joined, driven = (each[rows] for each in inputs)
            if bias is None or before is None:
                bias = self._rests(joined, driven)
            else:
                start = followed(bias, joined - before[0][rows], driven - before[1][rows], unknown)
                bias = operating_point(equations, joined, driven, start)
            before = inputs
            for vector in vectors:
                found[vector][rows, point] = self._seen(bias, vector, equations)
            if not bias.converged.all():
                kept = np.flatnonzero(bias.converged)
                rows, equations, bias = rows[kept], equations.part(kept), bias.of(kept)
        known = np.zeros(count, bool)
        known[rows] = True
        return Response(Waveforms(axis, found), known)

    @cached_property
    def _bias(self) -> Bias:
        return self._rests(*self._inputs({}))

    def _rests(self, joined: Array, driven: Array) -> Bias:
        start = None if self._start is None else np.tile(self._start, (len(self._equations), 1))
        return operating_point(self._equations, joined, driven, start)

    @property
    def usual(self) -> Array | None:
        """The unknowns (n,) at a usual operating point: the medians of those that are found, if any are."""
        found = self._bias.state[self._bias.converged, : self._network.unknown]
        return np.median(found, axis=0) if len(found) else None

    @cached_property
    def _charges(self) -> Array:
        return self._equations.charges(self._bias.state)

    @cached_property
    def _modes(self) -> Modes:
        return modes_at(self._equations, self._bias, self._charges)

    def _inputs(self, levels: Mapping[str, Value]) -> tuple[Array, Array]:
        """Sources' voltages e (B, S) and driven balances (B, n + S): as these levels by name, else their DC values."""
        network, count = self._network, len(self._equations)
        joined, driven = [], np.zeros((count, len(network.rows)))
        for source in network.sources:
            level = np.broadcast_to(levels.get(source.device.name, commands.at_rest(source, self._values)), (count,))
            if source.joins:
                joined.append(level)
            else:
                driven += level[:, None] * (network.rows @ source.row)
        return np.stack(joined, -1) if joined else np.empty((count, 0)), driven

    def _seen(self, bias: Bias, name: str, equations: Equations) -> Array:
        """A vector (B,) at an operating point."""
        if of := quantity(self._network.circuit, name):
            device, wanted = of
            found = equations.transistor(device.name, bias.state)
            if wanted not in found:
                raise Unmodelled(f"{name}: device tables do not tell {wanted}")
            return found[wanted]
        if name.startswith("i("):
            place, is_unknown = self._current(name)
            return bias.state[:, place] if is_unknown else bias.balance[:, place]
        return bias.state @ self._output(name)

    def _outputs(self, vectors: Sequence[str]) -> Array:
        """What voltages are of the unknowns (O, n); zeros for currents."""
        size, unknown = len(self._network.rows), self._network.unknown
        return np.array([np.zeros(size) if name.startswith("i(") else self._output(name) for name in vectors]).reshape(
            -1, size
        )[:, :unknown]

    def _output(self, name: str) -> Array:
        """What a voltage is of [u; e]."""
        if not name.startswith("v("):
            raise Unmodelled(f"{name}: device tables tell voltages of nets and currents of voltage sources")
        return self._network.voltage(name[2:-1])

    def _current(self, name: str) -> tuple[int, bool]:
        """The place of a voltage source's current among the balances or, if the second is true, the unknowns."""
        return self._network.current(name[2:-1])


def _levels(corners: Mapping[str, tuple[Array, list[Value]]], time: float) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for name, (times, levels) in corners.items():
        after = int(np.clip(np.searchsorted(times, time, side="right"), 1, max(len(times) - 1, 1)))
        if len(times) == 1 or time >= times[-1]:
            found[name] = levels[-1]
        else:
            fraction = (time - times[after - 1]) / (times[after] - times[after - 1])
            found[name] = levels[after - 1] + (levels[after] - levels[after - 1]) * fraction
    return found


def _times(breaks: Array, stop: float, start: float) -> Array:
    """The times (N,) at which a transient is told: dense after its last corner, ending with `stop`."""
    ratios = np.geomspace(_EARLIEST_SHARE, 1.0, _RATIO_POINTS)
    last = [np.linspace(breaks[-1], stop, _EVEN_POINTS), breaks[-1] + (stop - breaks[-1]) * ratios]
    long = [(begin, end) for begin, end in pairwise(breaks) if end - begin > _BRIEF_SHARE * stop]
    times = np.unique(np.concatenate([breaks, *last, *(np.linspace(*line, _LINE_POINTS) for line in long)]))
    return times[(times >= start) & (np.diff(times, append=np.inf) > 1e-9 * stop)]

"""What analysis commands and sources' waveforms ask for, in numbers."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sizing.spice.expression import ExpressionError, Value, parse_expression
from sizing.spice.netlist import unwrap
from sizing.task.bench import Analysis
from surrogates.tables.network import Source, Unmodelled

Array = NDArray[np.float64]
_NOISE = re.compile(r"noise\s+v\(([^)]*)\)\s+(\S+)\s+(dec|oct|lin)\s+(\S+)\s+(\S+)\s+(\S+).*")


@dataclass(frozen=True)
class Transient:
    """The step of a transient, when it ends, and from when on it is kept, in seconds."""

    step: float
    stop: float
    start: float = 0.0


def frequencies(analysis: Analysis) -> Array:
    """The frequencies (F,) of an ac command in Hz, as ngspice spaces them."""
    spacing, *numbers = analysis.command.lower().split()[1:5]
    count, first, last = _numbers(analysis, numbers)
    if spacing == "lin":
        return np.linspace(first, last, int(count)) if count > 1 else np.array([first])
    base = {"dec": 10.0, "oct": 2.0}.get(spacing)
    if base is None:
        raise Unmodelled(f"{analysis.name}: expected dec, oct or lin, got {spacing}")
    steps = np.floor(abs(np.log(last / first) / np.log(base)) * count + 1e-9)
    return first * (last / first) ** (np.arange(int(steps) + 1) / steps) if steps else np.array([first])


def noise(analysis: Analysis) -> tuple[tuple[str, ...], str, Array]:
    """The one or two nets between which a noise command looks, the source that it refers to, and frequencies (F,)."""
    match = _NOISE.fullmatch(analysis.command.lower().strip())
    if match is None:
        raise Unmodelled(f"{analysis.name}: expected noise v(net) source, got {analysis.command}")
    nets, source, spacing, *words = match.groups()
    count, first, last = _numbers(analysis, words)
    if spacing == "lin":
        axis = np.linspace(first, last, int(count)) if count > 1 else np.array([first])
    else:  # unlike those of an ac command, never stretched to reach the last
        base = {"dec": 10.0, "oct": 2.0}[spacing]
        axis = first * base ** (np.arange(int(np.log(last / first) / np.log(base) * count + 5e-3) + 1) / count)
    return tuple(net.strip() for net in nets.split(",")), source, axis


def transient(analysis: Analysis) -> Transient:
    """What a tran command asks for."""
    words = analysis.command.lower().split()[1:]
    if "uic" in words:
        raise Unmodelled(f"{analysis.name}: expected a transient from the operating point, got uic")
    step, stop, *rest = _numbers(analysis, words)
    return Transient(step, stop, *rest[:1])


def sweep(analysis: Analysis) -> tuple[str, Array]:
    """The source that a dc command sweeps, and its values (N,)."""
    words = analysis.command.lower().split()[1:]
    if len(words) != 4:
        raise Unmodelled(f"{analysis.name}: expected a sweep of one source, got {analysis.command}")
    first, last, step = _numbers(analysis, words[1:])
    levels: Array = first + step * np.arange(int(np.floor((last - first) / step + 1e-9)) + 1, dtype=np.float64)
    return words[0], levels


def magnitude(source: Source, analysis: Analysis) -> float:
    """The AC magnitude that a source has in an analysis; negative in opposite phase."""
    excited = dict(analysis.excite)
    if source.device.name in excited:
        return excited[source.device.name]
    words = source.device.parameters.get("ac", "0").split()
    size, phase = (*(_value(source, word, {}) for word in words[:2]), 0.0)[:2]
    if phase % 180:
        raise Unmodelled(f"{source.device.name}: expected a phase of 0 or 180 degrees, got {phase:g}")
    return float(-size if phase % 360 else size)


def at_rest(source: Source, values: Mapping[str, Value]) -> Value:
    """A source's DC value; where it has a waveform alone, what that begins with."""
    if "dc" in source.device.parameters:
        return values[f"{source.device.name} dc"]
    begun = waveform(source, values, Transient(1.0, 1.0))
    return begun[1][0] if begun else 0.0


def waveform(source: Source, values: Mapping[str, Value], asked: Transient) -> tuple[Array, list[Value]] | None:
    """The corners (K,) of a source's waveform in a transient, from 0, and its values there; None without one."""
    text = source.device.parameters.get("waveform")
    if text is None:
        return None
    name, _, inside = text.partition("(")
    words = inside.rstrip(") ").replace(",", " ").split()
    numbers = [_value(source, word, values) for word in words]
    if name == "pwl" and len(numbers) >= 2 and len(numbers) % 2 == 0:
        times, levels = [_time(source, each) for each in numbers[::2]], numbers[1::2]
    elif name == "pulse" and len(numbers) >= 2:
        times, levels = _pulse([*numbers[:2], *(_time(source, each) for each in numbers[2:])], asked)
    else:
        raise Unmodelled(f"{source.device.name}: expected pwl or pulse, got {name}")
    if times[0] > 0:
        times, levels = [0.0, *times], [levels[0], *levels]
    return np.array(times), levels


def _pulse(numbers: Sequence[Value], asked: Transient) -> tuple[list[float], list[Value]]:
    """A pulse's corners; times that are not given or zero are the transient's step, or all of it, as in ngspice."""
    low, high = numbers[:2]
    delay, *given = [*map(float, numbers[2:7]), *[0.0] * (7 - len(numbers))]
    usual = (asked.step, asked.step, asked.stop, asked.stop)
    rise, fall, width, period = (each or otherwise for each, otherwise in zip(given, usual, strict=True))
    times, levels = [0.0], [low]
    for begin in np.arange(delay, asked.stop, max(period, asked.stop / 1000)):
        corners = np.cumsum([begin, max(rise, asked.stop * 1e-9), width, max(fall, asked.stop * 1e-9)])
        for time, level in zip(corners.tolist(), (low, high, high, low), strict=True):
            if time > times[-1]:
                times.append(time)
                levels.append(level)
    return times, levels


def _numbers(analysis: Analysis, words: Sequence[str]) -> list[float]:
    try:
        return [float(parse_expression(unwrap(word))({})) for word in words]
    except ExpressionError as error:
        raise Unmodelled(f"{analysis.name}: {error}") from None


def _value(source: Source, word: str, values: Mapping[str, Value]) -> Value:
    try:
        return parse_expression(unwrap(word.lower()))(values)
    except ExpressionError as error:
        raise Unmodelled(f"{source.device.name}: {error}") from None


def _time(source: Source, value: Value) -> float:
    found = np.unique(value)
    if found.size != 1:
        raise Unmodelled(f"{source.device.name}: expected the same times in all designs")
    return float(found[0])

"""The results of ngspice's `.meas`, computed from told waveforms: extremes and means, values at a point, crossings."""

import re
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from sizing.spice.expression import ExpressionError, parse_expression
from sizing.spice.netlist import unwrap
from surrogates.tables.network import Unmodelled

Array = NDArray[np.float64]
_VECTOR = r"v\([^\s(),]+\)"
_EDGE = r"(?P<edge{0}>rise|fall|cross)=(?P<which{0}>\d+|last)"
_OVER = re.compile(rf"(?P<what>\w+) (?P<of>{_VECTOR})(?: from=(?P<from>\S+))?(?: to=(?P<to>\S+))?")
_AT = re.compile(rf"find (?P<of>{_VECTOR}) at=(?P<at>\S+)")
_WHEN = re.compile(rf"(?:find (?P<of>{_VECTOR}) )?when (?P<cross>{_VECTOR})=(?P<level>\S+)(?: {_EDGE.format('')})?")
_BETWEEN = re.compile(
    rf"trig (?P<trig>{_VECTOR}) val=(?P<level1>\S+) {_EDGE.format(1)} "
    rf"targ (?P<targ>{_VECTOR}) val=(?P<level2>\S+) {_EDGE.format(2)}"
)
_WHAT: Mapping[str, Callable[[Array, Array], Array]] = {
    "min": lambda axis, values: values.min(axis=1),
    "max": lambda axis, values: values.max(axis=1),
    "pp": lambda axis, values: np.ptp(values, axis=1),
    "avg": lambda axis, values: np.trapezoid(values, axis) / (axis[-1] - axis[0]),
    "rms": lambda axis, values: np.sqrt(np.trapezoid(values**2, axis) / (axis[-1] - axis[0])),
    "integ": lambda axis, values: np.asarray(np.trapezoid(values, axis)),
}


def vectors(what: str) -> tuple[str, ...] | None:
    """The vectors that are read for what follows `.meas tran NAME`; None where this is not told."""
    text = _plain(what)
    match = _AT.fullmatch(text) or _WHEN.fullmatch(text) or _BETWEEN.fullmatch(text) or _OVER.fullmatch(text)
    if match is None or (match.re is _OVER and match["what"] not in _WHAT):
        return None
    return tuple(dict.fromkeys(re.findall(_VECTOR, text)))


def measured(what: str, axis: Array, known: Mapping[str, Array]) -> Array:
    """The result (B,) from vectors (B, N) along an axis (N,), NaN where there is none."""
    text = _plain(what)
    if match := _AT.fullmatch(text):
        return _at(axis, known[match["of"]], np.full(len(known[match["of"]]), _number(match["at"])))
    if match := _WHEN.fullmatch(text):
        crossed = _crossing(
            axis, known[match["cross"]], match["level"], match["edge"] or "cross", match["which"] or "1"
        )
        return crossed if match["of"] is None else _at(axis, known[match["of"]], crossed)
    if match := _BETWEEN.fullmatch(text):
        begin, end = (
            _crossing(axis, known[match[name]], match[f"level{n}"], match[f"edge{n}"], match[f"which{n}"])
            for n, name in ((1, "trig"), (2, "targ"))
        )
        return end - begin
    match = _OVER.fullmatch(text)
    assert match is not None  # `vectors` has read it
    first, last = (_number(match[name]) if match[name] else end for name, end in (("from", axis[0]), ("to", axis[-1])))
    ends = np.clip([first, last], axis[0], axis[-1])
    times = np.concatenate([ends[:1], axis[(axis > ends[0]) & (axis < ends[1])], ends[1:]])
    values = known[match["of"]]
    cut = np.concatenate([_at(axis, values, np.full(len(values), end))[:, None] for end in ends], axis=1)
    inside = values[:, (axis > ends[0]) & (axis < ends[1])]
    return _WHAT[match["what"]](times, np.concatenate([cut[:, :1], inside, cut[:, 1:]], axis=1))


def _plain(what: str) -> str:
    return re.sub(r"\s*=\s*", "=", " ".join(what.lower().split()))


def _number(text: str) -> float:
    try:
        return float(parse_expression(unwrap(text))({}))
    except ExpressionError as error:
        raise Unmodelled(f".meas: {error}") from None


def _at(axis: Array, values: Array, at: Array) -> Array:
    """The value (B,) of vectors (B, N) at a point of each."""
    return np.array([np.interp(point, axis, row, np.nan, np.nan) for row, point in zip(values, at, strict=True)])


def _crossing(axis: Array, values: Array, level: str, edge: str, which: str) -> Array:
    """Where vectors (B, N) cross a level for the so manyth time, in straight lines between points; NaN where not."""
    above = values - _number(level)
    rises, falls = (above[:, :-1] < 0) & (above[:, 1:] >= 0), (above[:, :-1] > 0) & (above[:, 1:] <= 0)
    crosses = {"rise": rises, "fall": falls, "cross": rises | falls}[edge]
    found = np.full(len(values), np.nan)
    for row, places in enumerate(map(np.flatnonzero, crosses)):
        number = len(places) if which == "last" else int(which)
        if 0 < number <= len(places):
            place = places[number - 1]
            before, after = above[row, place : place + 2]
            found[row] = axis[place] + (axis[place + 1] - axis[place]) * before / (before - after)
    return found

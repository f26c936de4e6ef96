"""The analyses that a spec may ask for: ngspice commands of five kinds, each word of them checked.

ngspice reads a command as a shell does, with `;`, `>`, backquotes and more. Nothing of that can be said in words of
these forms.
"""

import re
from collections.abc import Mapping
from math import floor, inf, log, log2, log10

from sizing.spice.expression import parse_expression
from sizing.spice.meas import NUMBER, OVER_WINDOW, parse_meas
from sizing.units import format_quantity

MOST_POINTS = 1_000_000
"""Points of one analysis; each takes memory for every net."""
FORMS = {
    "op": "op",
    "ac": "ac dec|oct|lin POINTS FROM TO",
    "tran": "tran STEP STOP [START [LARGEST_STEP]] [uic]",
    "dc": "dc SOURCE FROM TO STEP [SOURCE FROM TO STEP]",
    "noise": "noise v(NET[,NET]) SOURCE dec|oct|lin POINTS FROM TO [POINTS_PER_SUMMARY]",
}
_BEYOND_LAST_STEP = 1e-3
"""How far, relatively, a noise sweep's end may be from its last step: ends are written with few digits."""
_SWEEP = rf"(?P<spacing>(?-i:dec|oct|lin))\s+(?P<points>{NUMBER})\s+(?P<first>{NUMBER})\s+(?P<last>{NUMBER})"
_SOURCE = r"[\w.+-]+"
_NET = r"[\w.+\-#:]+"
_PATTERNS = {
    "op": r"op",
    "ac": rf"ac\s+{_SWEEP}",
    "tran": rf"tran\s+(?P<step>{NUMBER})\s+(?P<stop>{NUMBER})"
    rf"(?:\s+(?P<start>{NUMBER})(?:\s+(?P<largest>{NUMBER}))?)?(?:\s+uic)?",
    "dc": rf"dc\s+{_SOURCE}\s+(?P<from1>{NUMBER})\s+(?P<to1>{NUMBER})\s+(?P<step1>{NUMBER})"
    rf"(?:\s+{_SOURCE}\s+(?P<from2>{NUMBER})\s+(?P<to2>{NUMBER})\s+(?P<step2>{NUMBER}))?",
    "noise": rf"noise\s+v\(\s*{_NET}\s*(?:,\s*{_NET}\s*)?\)\s+{_SOURCE}\s+{_SWEEP}(?:\s+{NUMBER})?",
}
_ENDS = {"ac": ("first", "last"), "tran": ("start", "stop"), "dc": ("from1", "to1")}
EXTREMES = ("min", "max", "pp")
_ROUNDING = 1e-9
"""Relative: 0.02m and 20u are different floats."""
_MEGA = re.compile(r"(?<![\w.(,])([+-]?[\d.]+(?:[eE][+-]?\d+)?)M(?!(?i:eg|il))[a-zA-Z]*")


def checked_analysis(command: str) -> str:
    """The command; raises ValueError for one that has none of the FORMS, has too many points or would end too early."""
    kind, words = _words(command)
    _check_mega(command)
    if not _points(kind, words) <= MOST_POINTS:
        raise ValueError(f"expected an analysis of at most {MOST_POINTS} points, got {command!r:.80}")
    if kind == "noise":
        _check_end(command, words)
    return command


def checked_meas(command: str, text: str) -> str:
    """What follows `.meas KIND NAME` of an analysis; raises ValueError where ngspice would not measure what it says."""
    kind, words = _words(command)
    form = parse_meas(kind, text)
    _check_mega(text)
    begin, end = (_value(words[name]) for name in _ENDS[kind])
    low, high = sorted((begin, end))
    if words.get("from2") and (form.places or form.function not in EXTREMES):
        raise ValueError(f"expected {', '.join(EXTREMES)} without a window of a sweep of two sources, got {text!r:.80}")
    slack = _ROUNDING * max(abs(low), abs(high))
    for name, place in form.places:
        if not low - slack <= place <= high + slack:
            raise ValueError(f"expected {name}= within the analysis, {low:g} to {high:g}, got {text!r:.80}")
    first, last = form.window
    if first >= last or (form.function in OVER_WINDOW and form.places and begin > end):
        raise ValueError(f"expected a window from below to, of an ascending sweep, got {text!r:.80} of {command!r:.80}")
    return text


def _words(command: str) -> tuple[str, Mapping[str, str]]:
    """The kind of an analysis and its words by name, empty where left out; raises ValueError."""
    kind = "".join(command.split()[:1]).lower()
    if kind not in FORMS:
        raise ValueError(f"expected an analysis that begins with {', '.join(FORMS)}, got {command!r}")
    match = re.fullmatch(_PATTERNS[kind], command.strip(" "), re.IGNORECASE | re.ASCII)
    if match is None or not command.isprintable():
        raise ValueError(f"expected `{FORMS[kind]}`, got {command!r:.80}")
    return kind, match.groupdict(default="")


def _check_mega(text: str) -> None:
    if match := _MEGA.search(text):
        raise ValueError(f"expected numbers as SPICE reads them, got {match[0]!r}, which is milli in SPICE and mega in "
                         f"SI: write {match[1]}m or {match[1]}Meg")  # fmt: skip


def _points(kind: str, words: Mapping[str, str]) -> float:
    """About how many points the analysis has; what ngspice itself refuses counts as one."""
    value = {name: _value(text) for name, text in words.items() if name != "spacing"}
    if kind in ("ac", "noise"):
        ratio = value["last"] / value["first"] if value["first"] > 0 else 1.0
        spans = {"dec": log10(max(ratio, 1.0)), "oct": log2(max(ratio, 1.0)), "lin": 1.0}
        return value["points"] * spans[words["spacing"]]
    if kind == "tran":
        steps = [step for step in (value["step"], value["largest"]) if step > 0]
        return (value["stop"] - value["start"]) / min(steps, default=inf)
    if kind == "dc":
        return _swept(value, "1") * _swept(value, "2")
    return 1.0


def _check_end(command: str, words: Mapping[str, str]) -> None:
    """Raise ValueError where the last frequency of a noise sweep is no whole number of steps from the first.

    ngspice takes whole steps only, so that the noise between the last one and the end would be left out.
    """
    count, first, last = (_value(words[name]) for name in ("points", "first", "last"))
    base = {"dec": 10.0, "oct": 2.0}.get(words["spacing"])
    if base is None or not (0 < first < last and count > 0):
        return  # a linear sweep ends where it is to; the rest ngspice refuses itself
    steps = log(last / first, base) * count
    ends = [first * base ** (step / count) for step in (floor(steps + 1e-6), floor(steps + 1e-6) + 1)]
    if last > ends[0] * (1 + _BEYOND_LAST_STEP):
        to = " or ".join(format_quantity(end * (1 + _BEYOND_LAST_STEP / 2), "Hz") for end in ends)
        raise ValueError(
            f"expected a noise sweep of whole steps, to {to}, got {command!r:.80}, of which ngspice would leave out "
            f"what is beyond {format_quantity(ends[0], 'Hz')}"
        )


def _swept(value: Mapping[str, float], which: str) -> float:
    step = abs(value[f"step{which}"])
    return 1.0 + abs(value[f"to{which}"] - value[f"from{which}"]) / step if step else 1.0


def _value(text: str) -> float:
    return float(parse_expression(text)({})) if text else 0.0

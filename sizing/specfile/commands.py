"""The analyses that a spec may ask for: ngspice commands of five kinds, each word of them checked.

ngspice reads a command as a shell does, with `;`, `>`, backquotes and more. Nothing of that can be said in words of
these forms.
"""

import re
from collections.abc import Mapping
from math import floor, inf, log, log2, log10

from sizing.spice.expression import parse_expression
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
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?[a-z]*"
_SWEEP = rf"(?P<spacing>(?-i:dec|oct|lin))\s+(?P<points>{_NUMBER})\s+(?P<first>{_NUMBER})\s+(?P<last>{_NUMBER})"
_SOURCE = r"[\w.+-]+"
_NET = r"[\w.+\-#:]+"
_PATTERNS = {
    "op": r"op",
    "ac": rf"ac\s+{_SWEEP}",
    "tran": rf"tran\s+(?P<step>{_NUMBER})\s+(?P<stop>{_NUMBER})"
    rf"(?:\s+(?P<start>{_NUMBER})(?:\s+(?P<largest>{_NUMBER}))?)?(?:\s+uic)?",
    "dc": rf"dc\s+{_SOURCE}\s+(?P<from1>{_NUMBER})\s+(?P<to1>{_NUMBER})\s+(?P<step1>{_NUMBER})"
    rf"(?:\s+{_SOURCE}\s+(?P<from2>{_NUMBER})\s+(?P<to2>{_NUMBER})\s+(?P<step2>{_NUMBER}))?",
    "noise": rf"noise\s+v\(\s*{_NET}\s*(?:,\s*{_NET}\s*)?\)\s+{_SOURCE}\s+{_SWEEP}(?:\s+{_NUMBER})?",
}
_MEAS = re.compile(r"[\w .+\-*/()=,'@#\[\]:]+", re.ASCII)


def checked_analysis(command: str) -> str:
    """The command; raises ValueError for one that has none of the FORMS, has too many points or would end too early."""
    kind = "".join(command.split()[:1]).lower()
    if kind not in FORMS:
        raise ValueError(f"expected an analysis that begins with {', '.join(FORMS)}, got {command!r}")
    match = re.fullmatch(_PATTERNS[kind], command.strip(" "), re.IGNORECASE | re.ASCII)
    if match is None or not command.isprintable():
        raise ValueError(f"expected `{FORMS[kind]}`, got {command!r:.80}")
    if not _points(kind, match.groupdict(default="")) <= MOST_POINTS:
        raise ValueError(f"expected an analysis of at most {MOST_POINTS} points, got {command!r:.80}")
    if kind == "noise":
        _check_end(command, match.groupdict())
    return command


def checked_meas(text: str) -> str:
    """What follows `.meas tran NAME`; raises ValueError where ngspice's command line could misread it."""
    if not _MEAS.fullmatch(text):
        raise ValueError(f"expected what ngspice's .meas takes, got {text!r:.80}")
    return text


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

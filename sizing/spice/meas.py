"""What follows `.meas KIND NAME`: the forms in which ngspice measures what they say.

A list of what may pass. Tried on ngspice 39, whose command `meas` is not its `.meas`: it has no noise, `param=`,
`par()` and `v(a,b)`; takes `from='1u+2u'` for 1 µs and `@r1[i]` for the last value; of an AC response `v(out)` is the
real part, and where it crosses another it never finds; heeds `td=` of transients alone; finds `i(x1.v1)`, which it does
not know, to cross anything at 0 s; and what it cannot read may end it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sizing.spice.expression import parse_expression

MEASURABLE = ("ac", "tran", "dc")
"""The analyses that have `.meas`."""
OVER_WINDOW = frozenset({"avg", "rms", "integ", "min", "max", "min_at", "max_at", "pp"})
NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?[a-z]*"
_OUTER = "v(NET) or i(SOURCE), not in a sub-circuit,"
_VECTORS = {"ac": "vm(NET), vdb(NET), vr(NET) or vi(NET)", "tran": _OUTER, "dc": _OUTER}
_FORMS = """\
avg|rms|integ|min|max|min_at|max_at|pp VECTOR [from=X] [to=X]; find VECTOR at=X; \
[find VECTOR] when VECTOR=LEVEL [td=X] [rise|fall|cross=COUNT|last] [from=X] [to=X]; \
trig VECTOR val=LEVEL [td=X] rise|fall|cross=COUNT|last targ …, or trig at=X targ …"""
_PLACE = re.compile(rf"\b(from|to|at|td)=({NUMBER})")
_VECTOR = re.compile(r"\b([vi])\w*(\([^\s()]+\))")


@dataclass(frozen=True)
class MeasForm:
    """A measurement as ngspice reads it."""

    function: str
    """Its first word."""
    vectors: tuple[str, ...]
    """The voltages and currents that it reads, "v(out)" and "i(vdd)", in lower case."""
    places: tuple[tuple[str, float], ...]
    """Where along the axis it looks: "from", "to", "at" and "td" as they come, in the axis' unit."""

    @property
    def window(self) -> tuple[float, float]:
        """Between what it looks; infinite where it does not say."""
        places = dict(self.places)
        return places.get("from", float("-inf")), places.get("to", float("inf"))


def parse_meas(kind: str, text: str) -> MeasForm:
    """Read what follows `.meas KIND NAME`; raises ValueError with the forms that there are."""
    if kind not in MEASURABLE:
        raise ValueError(f"expected .meas of {', '.join(MEASURABLE)}, got it of {kind}, where ngspice has none")
    plain = re.sub(r"\s*=\s*", "=", " ".join(text.lower().split()))
    if not re.fullmatch(_PATTERNS[kind], plain, re.ASCII):
        raise ValueError(f"expected a .meas of the forms {_FORMS}, with numbers for X and LEVEL and {_VECTORS[kind]} "
                         f"for VECTOR, got {text!r:.80}")  # fmt: skip
    places = tuple((name, float(parse_expression(number)({}))) for name, number in _PLACE.findall(plain))
    return MeasForm(plain.split()[0], tuple(dict.fromkeys(map("".join, _VECTOR.findall(plain)))), places)


def _pattern(vector: str, level: str, delay: str) -> str:
    edge = r"(?:rise|fall|cross)=(?:[1-9]\d*|last)"
    window = rf"(?: from={NUMBER})?(?: to={NUMBER})?"
    passed = rf"{vector} val={NUMBER}{delay} {edge}"
    return "|".join(
        (
            rf"(?:{'|'.join(OVER_WINDOW)}) {vector}{window}",
            rf"find {vector} at={NUMBER}",
            rf"(?:find {vector} )?when {vector}={level}{delay}(?: {edge})?{window}",
            rf"trig (?:{passed}|at={NUMBER}) targ {passed}",
        )
    )


_READ = r"(?:v\([^\s(),]+\)|i\([^\s(),.]+\))"
_LEVEL = f"(?:{NUMBER}|{_READ})"
_PATTERNS: Mapping[str, str] = {
    "ac": _pattern(r"v(?:m|db|r|i)\([^\s(),]+\)", NUMBER, ""),
    "tran": _pattern(_READ, _LEVEL, rf"(?: td={NUMBER})?"),
    "dc": _pattern(_READ, _LEVEL, ""),
}

"""Names that ngspice takes for something of its own, whatever a netlist means by them.

Found by trying every word of its parameter and source languages, and of its plots, in ngspice 39
(`tests/contracts/test_names.py`); its functions are in `expression.FUNCTIONS`.
"""

from collections.abc import Iterable, Mapping

from sizing.spice.expression import FUNCTIONS

PARAMETERS: Mapping[str, str] = {
    **dict.fromkeys(FUNCTIONS, "a function"),
    "temper": "the temperature",
    "time": "the time of a transient",
    "hertz": "the frequency of an AC analysis",
    **dict.fromkeys(("dc", "ac"), "the word before a source's value"),
}
"""What it takes for these, anywhere, instead of a parameter of that name."""
IN_SOURCES: Mapping[str, str] = {
    "pi": "3.14159…",
    "e": "2.71828…",
    "pwl": "a function",
    "value": "the word before an expression",
}
"""What it takes for these in the expressions of B, E and G sources."""
NETS: Mapping[str, str] = {
    "time": "the axis of a transient",
    "frequency": "the axis of an AC analysis",
    **dict.fromkeys(("v-sweep", "i-sweep", "res-sweep", "temp-sweep"), "the axis of a sweep"),
    "temper": "the temperature",
    "all": "all vectors",
}
"""What it takes for these when the voltage of a net of that name is read."""


def taken(names: Iterable[str], meanings: Mapping[str, str]) -> str:
    """What is wrong with the first of these names (lower case) that ngspice takes for something else; or nothing."""
    name = min((name for name in names if name in meanings), default=None)
    return "" if name is None else f"got {name!r}, which ngspice takes for {meanings[name]}; rename it"

"""What a netlist may hold before ngspice reads it: a netlist is a program, so what may do harm is refused.

Lists of what may pass, not of what may not. Tried on ngspice 39: it takes every dot command that begins with `.inc`,
`.lib` or `.control` for that one (`.incl`, `.controls`), and what such a line names is executed. Devices that read
files or run code (`a`, `n`) are none that `parse_circuit` knows.
"""

import re
from collections.abc import Iterable

from sizing.spice.netlist import Line, lower

COMMANDS = {
    ".param", ".params", ".para", ".parameter", ".parameters", ".csparam", ".func", ".model", ".subckt", ".ends",
    ".global", ".temp", ".ic", ".nodeset", ".option", ".options",
}  # fmt: skip
MODELS = {
    "r", "res", "c", "l", "d", "npn", "pnp", "lpnp", "njf", "pjf", "nmf", "pmf", "nhfet", "phfet", "nmos", "pmos",
    "nsoi", "psoi", "vdmos", "vdmosn", "vdmosp", "sw", "csw", "vswitch", "iswitch", "urc", "ltra",
}  # fmt: skip
"""Types; code models and numerical devices name files."""
OPTIONS = {
    "abstol", "reltol", "vntol", "chgtol", "pivtol", "pivrel", "trtol", "gmin", "gmindc", "gminsteps", "srcsteps",
    "rshunt", "cshunt", "itl1", "itl2", "itl3", "itl4", "itl5", "itl6", "method", "maxord", "xmu", "temp", "tnom",
    "defl", "defw", "defad", "defas", "scale", "bypass", "noopiter", "noopac", "klu", "sparse", "trytocompact",
    "badmos3", "convlimit", "convstep", "convabsstep", "minbreak", "seed", "wnflag",
}  # fmt: skip
UNTRUSTED = "expected what is known to do no harm, got {}; remove it, or say --trust if it is your own"

_MODEL = re.compile(r"\S+\s+([\w.#:]+)\s*[\s(,]\s*(\w+)(?![\w.:=])")
_FILE = re.compile(r"file\s*=|\bfile\b", re.IGNORECASE)
_OPTION = re.compile(r"([^\s=,]+)(?:\s*=\s*([^\s=,]+))?")


def checked(lines: Iterable[Line]) -> None:
    """Raise NetlistError at the first line that is not known to be harmless.

    The lines are a netlist's with its includes expanded, as `read_netlist` gives them.
    """
    for line in lines:
        if what := _suspicion(line):
            raise line.error(UNTRUSTED.format(what))


def unknown_option(name: str) -> bool:
    """Whether this is no `.options` name that only concerns the solver."""
    return name.lower() not in OPTIONS


def options_in(line: Line) -> dict[str, str]:
    """What an `.options` line sets, by name in lower case; the text is empty for a word alone. Others set nothing."""
    if line.keyword not in (".option", ".options"):
        return {}
    return {match[1].lower(): match[2] or "" for match in _OPTION.finditer(line.text, len(line.keyword))}


def _suspicion(line: Line) -> str | None:
    """What this line has that is not known to be harmless."""
    if not (text := line.text.replace("\t", " ")).isprintable():
        return f"the control character {next(char for char in text if not char.isprintable())!r}"
    keyword = line.keyword
    if not keyword.startswith("."):
        return _file_in(line)
    if keyword not in COMMANDS:
        return f"the command {keyword}"
    if options := options_in(line):
        return next((f"the option {name}" for name in options if unknown_option(name)), None)
    if keyword == ".model":
        match = _MODEL.match(lower(line.text))
        if match is None or match[2] not in MODELS:
            return f"a model that is none of the types {' '.join(sorted(MODELS))}"
    return _file_in(line)


def _file_in(line: Line) -> str | None:
    """What may name a file: text in double quotes, or a parameter called so."""
    if '"' in line.text:
        return "text in double quotes, where ngspice takes the names of files"
    return "the word file" if _FILE.search(line.text) else None

"""What ngspice says, and what of it matters."""

import re
import textwrap
from collections.abc import Iterable, Sequence

from sizing.simulation.simulator import SimulationError
from sizing.spice.netlist import Line

LAST_WORDS = 4
"""Complaints in a message: the last ones, or the first ones where a deck is refused."""
LONGEST_WORDS = 200
"""Characters of a complaint, which may quote the deck: a model of a process kit is thousands of them long."""
_NO_BIN = re.compile(r"Error on line:.*?/ *(?P<name>\S+) (?P<rest>.*?) / could not find a valid modelname", re.DOTALL)
_SIZE = re.compile(r"\b(w|l|nf)= *(\S+)")
_COMPLAINT = re.compile(r"error|fail|singular|too small|converge|abort|not found|no such", re.IGNORECASE)
_ABORTED = re.compile(r"doAnalyses:|simulation\(s\) aborted")
"""What ngspice says only where it gave up; of its stepping of gmin and sources it also complains where that works."""
_CHATTER = re.compile(
    r"toxe, toxp|= \S+ is too small|Checking parameters|Reference value|No\. of Data Rows|Doing analysis|^\s*$"
)


def without_chatter(lines: Iterable[str]) -> list[str]:
    """The lines that say something, without what follows them."""
    return [line.rstrip() for line in lines if not _CHATTER.search(line)]


def version_in(lines: Sequence[str]) -> str:
    """Number and time of build, from what `version -f` or `ngspice -v` says."""
    said = "\n".join(lines)
    found = re.search(r"ngspice-(\S+)", said), re.search(r"Creation Date: (.+)", said)
    return " built ".join(match[1].strip() for match in found if match)


def check_not_given_up(lines: Iterable[str]) -> None:
    """Raise SimulationError where an analysis was given up, whatever it left behind."""
    if any(_ABORTED.search(line) for line in lines):
        raise SimulationError("convergence", "given up")


def with_last_words(error: SimulationError, analysis: str, lines: Sequence[str]) -> SimulationError:
    """The same error with the analysis that it is about ("bench.analysis"), and ngspice's last complaints."""
    said = in_brief([line for line in lines if _COMPLAINT.search(line)][-LAST_WORDS:]) or "without a word"
    return SimulationError(error.reason, f"{analysis}: {error} (ngspice: {said})")


def with_origin(words: Sequence[str], lines: Sequence[Line]) -> str:
    """ngspice's message with the deck's line number replaced by the file and line the user knows."""
    complaints = [word for word in words if not word.startswith(("Note", "Circuit:"))]
    whole = " / ".join(complaints)
    if unbinned := _NO_BIN.search(whole):
        size = " ".join(f"{name}={float(value):g}" for name, value in _SIZE.findall(unbinned["rest"]))
        return f"{unbinned['name']}: no bin of its model is for {size}; change the ranges of its variables"
    said = in_brief(complaints[:LAST_WORDS]) or "refused without a word"
    match = re.search(r"line (?:no\. )?(\d+)", whole)
    if match and 0 <= (index := int(match[1]) - 2) < len(lines):
        line = lines[index]
        return f"{line.file}:{line.number}: ngspice: {said}"
    return f"ngspice: {said}"


def in_brief(lines: Iterable[str]) -> str:
    """Complaints in one line."""
    return " / ".join(textwrap.shorten(line, LONGEST_WORDS, placeholder=" …") for line in lines)

"""What is settled in one place: of what a netlist and a spec both say, ngspice takes now the one and now the other."""

from collections.abc import Iterable, Sequence

from sizing.spice.expression import ExpressionError, parse_expression
from sizing.spice.netlist import Line
from sizing.spice.parameters import parameter_lines
from sizing.spice.trust import options_in

_TEMPERATURE = "write `temperature` in the benches or `corners`"
COMMANDS = {".temp": _TEMPERATURE}
OPTIONS = {"temp": _TEMPERATURE, "seed": "samples have seeds of their own, see `sizing verify --monte-carlo`"}
STARTS = (".ic", ".nodeset")
"""Voltages that some analyses of a netlist start from: a bench's to say."""


def is_settled(line: Line) -> bool:
    """Whether a netlist cannot have this line in a spec."""
    return line.keyword in (*COMMANDS, *STARTS) or not OPTIONS.keys().isdisjoint(options_in(line))


def check_settled(lines: Iterable[Line]) -> None:
    """Raise NetlistError at the first of a deck's lines that says what is the spec's to say."""
    for line in lines:
        said = {line.keyword: COMMANDS[line.keyword]} if line.keyword in COMMANDS else {}
        said |= {f"the option {name}": OPTIONS[name] for name in options_in(line) if name in OPTIONS}
        for what, where in said.items():
            raise line.error(f"expected what the spec does not say, got {what}; remove it: {where}")


def check_starts(netlist: Iterable[Line]) -> None:
    """Raise NetlistError at the first line of a netlist that sets voltages to start from."""
    for line in netlist:
        if line.keyword in STARTS:
            raise line.error(
                f"expected a circuit, got {line.keyword}, which belongs to a test bench; move it to the stimulus of "
                "the benches that start so"
            )


def check_variables(stimulus: Sequence[Line], variables: Iterable[str]) -> None:
    """Raise NetlistError at the first line of a stimulus that gives a variable's parameter a value."""
    for name, lines in parameter_lines(stimulus, [variable.lower() for variable in variables]).items():
        raise lines[0].error(f"expected the parameter of a variable in the netlist alone, got .param {name}; remove it")


def check_options(lines: Iterable[Line]) -> None:
    """Raise NetlistError at the first of a deck's options that another line sets to another value.

    Tried on ngspice 39: it takes the first of `scale`, `seed` and `wnflag`, the last of `reltol`, `temp` and `tnom`.
    """
    first: dict[str, tuple[str, Line]] = {}
    for line in lines:
        for name, text in options_in(line).items():
            before, other = first.setdefault(name, (text, line))
            if _value(text) != _value(before):
                raise line.error(
                    f"expected one value of the option {name}, got {text or 'none'} after {before or 'none'} at "
                    f"{other.file}:{other.number}; remove one: ngspice takes the first of some, the last of others"
                )


def set_again(lines: Sequence[Line], name: str) -> Line | None:
    """Where a parameter (lower case) of the top level gets its second value, if it does."""
    return next(iter(parameter_lines(lines, [name]).get(name, ())[1:]), None)


def _value(text: str) -> float | str:
    try:
        return float(parse_expression(text)({}))
    except (ExpressionError, KeyError):
        return text.lower()

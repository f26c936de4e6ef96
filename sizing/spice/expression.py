"""SPICE expression text -> numbers, with the meaning that `.param` gives it in ngspice 39; arrays broadcast."""

import difflib
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter

import numpy as np
from numpy.typing import NDArray

Value = float | NDArray[np.float64]


class ExpressionError(ValueError):
    """An expression that cannot be read, or not be evaluated with the names at hand."""


@dataclass(frozen=True)
class Expression:
    """A parsed expression: its text, and the parameters that it needs, in lower case."""

    text: str
    names: frozenset[str]
    _program: "tuple[_Step, ...]" = field(repr=False)

    def __call__(self, values: Mapping[str, Value]) -> Value:
        """The value where parameters have these values (by lower-case name): an array if one it needs is an array.

        Both branches of a condition are evaluated. What has no value (0/0, the root of -1) is NaN or infinite.
        Raises ExpressionError for a missing name, ValueError for arrays that do not broadcast.
        """
        if missing := self.names - values.keys():
            raise ExpressionError(
                f"expected values for {', '.join(sorted(self.names))} in {self.text!r:.80}, got none for "
                f"{', '.join(sorted(missing))}; give {'them' if len(missing) > 1 else 'it'} a value"
            )
        stack: list[Value] = []
        with np.errstate(all="ignore"):
            for step in self._program:
                if isinstance(step, str):
                    stack.append(np.asarray(values[step], dtype=np.float64))
                elif isinstance(step, float):
                    stack.append(step)
                else:
                    stack[-step.operands :] = [step.apply(*stack[-step.operands :])]
        result = stack[0]
        return result if isinstance(result, np.ndarray) and result.ndim else float(result)


@lru_cache(maxsize=4096)
def parse_expression(text: str) -> Expression:
    """Read an expression without the braces or quotes around it, in any case of letters.

    Powers (`**`, `^`) take the magnitude of their base and associate to the left, `log` is the natural logarithm, and
    random functions such as `agauss` are their nominal value. There are no constants: `pi` is a parameter like others.

    Refused, because ngspice misreads it: a minus between an operator and anything but a number (`2*-a+3` is `2*a-3`
    there), a condition between the `?` and `:` of another without parentheses, functions with too few or too many
    arguments, and the suffix `mil`. Suffixes are t g meg k m u n p f; other letters after a number are a unit, so that
    `1a` is one ampere. Raises ExpressionError with the column.
    """
    reader = _Reader(text)
    return Expression(text, frozenset(step for step in reader.steps if isinstance(step, str)), tuple(reader.steps))


def resolve(
    expressions: Mapping[str, str], given: Mapping[str, Value], wanted: Collection[str] | None = None
) -> dict[str, Value]:
    """The values of a table of parameters (lower-case name -> expression text), which may use one another in any order.

    `given` values count instead of the table's, and are in the result. With `wanted`, only those parameters and the
    ones that they need are evaluated. Raises ExpressionError, with the parameter's name, for text that cannot be read,
    a name that neither mapping has, and parameters that need themselves.
    """
    values = dict(given)
    parsed: dict[str, Expression] = {}
    pending = [(name, "what is wanted") for name in (expressions if wanted is None else wanted)]
    while pending:
        name, user = pending.pop()
        if name in values or name in parsed:
            continue
        if name not in expressions:
            known = sorted(expressions.keys() | given.keys())
            nearest = ", ".join(difflib.get_close_matches(name, known, cutoff=0.0)) or "none"
            raise ExpressionError(
                f"{user}: expected a known parameter, got {name!r} (nearest known: {nearest}); correct the name or "
                "give it a value"
            )
        try:
            parsed[name] = parse_expression(expressions[name])
        except ExpressionError as error:
            raise ExpressionError(f"{name}: {error}") from error
        pending += [(needed, name) for needed in sorted(parsed[name].names)]
    try:
        order = tuple(TopologicalSorter({name: parsed[name].names & parsed.keys() for name in parsed}).static_order())
    except CycleError as error:
        cycle = " > ".join(error.args[1])
        raise ExpressionError(f"expected parameters without a cycle, got {cycle}; give one of them a value") from error
    for name in order:
        values[name] = parsed[name](values)
    return values


@dataclass(frozen=True)
class _Operation:
    operands: int
    apply: Callable[..., Value]


# An expression is a list of steps in postfix order: a number, the name of a parameter, or an operation on the last few.
# Neither reading nor evaluating it recurses, so no nesting is too deep.
_Step = float | str | _Operation


def _truth(compare: Callable[..., NDArray[np.bool_]]) -> Callable[[Value, Value], Value]:
    return lambda x, y: np.where(compare(x, y), 1.0, 0.0)


def _nominal(value: Value, *_: Value) -> Value:
    return value


def _choice(condition: Value, yes: Value, no: Value) -> Value:
    return np.where(np.not_equal(condition, 0.0), yes, no)


# As ngspice computes it: the result has the dividend's sign.
def _remainder(x: Value, y: Value) -> Value:
    return x - y * np.trunc(np.divide(x, y))


_BINARY: Mapping[str, tuple[int, Callable[[Value, Value], Value]]] = {
    "||": (2, _truth(np.logical_or)),
    "&&": (3, _truth(np.logical_and)),
    "==": (4, _truth(np.equal)),
    "=": (4, _truth(np.equal)),
    "!=": (4, _truth(np.not_equal)),
    "<>": (4, _truth(np.not_equal)),
    "<": (4, _truth(np.less)),
    ">": (4, _truth(np.greater)),
    "<=": (4, _truth(np.less_equal)),
    ">=": (4, _truth(np.greater_equal)),
    "+": (5, np.add),
    "-": (5, np.subtract),
    "*": (6, np.multiply),
    "/": (6, np.divide),
    "%": (6, _remainder),
    "\\": (6, lambda x, y: np.trunc(np.abs(np.divide(x, y)))),
    "**": (7, lambda x, y: np.power(np.abs(x), y)),
    "^": (7, lambda x, y: np.power(np.abs(x), y)),
}
# Precedences of what is not binary.
_CONDITION, _SUM, _TIGHT = 1, 5, 8
_PLUS = _Operation(1, np.positive)
_MINUS = _Operation(1, lambda x: np.subtract(0.0, x))
_NOT = _Operation(1, lambda x: np.where(np.equal(x, 0.0), 1.0, 0.0))
_CHOICE = _Operation(3, _choice)

_ONE_ARGUMENT: Mapping[str, Callable[[Value], Value]] = {
    "sqr": np.square, "sqrt": np.sqrt, "exp": np.exp, "ln": np.log, "log": np.log, "log10": np.log10, "abs": np.abs,
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan,
    "arctan": np.arctan, "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "asinh": np.arcsinh, "acosh": np.arccosh,
    "atanh": np.arctanh, "int": np.trunc, "nint": np.rint, "floor": np.floor, "ceil": np.ceil, "sgn": np.sign,
}  # fmt: skip
_FUNCTIONS: Mapping[str, _Operation] = {name: _Operation(1, apply) for name, apply in _ONE_ARGUMENT.items()} | {
    "min": _Operation(2, np.minimum),
    "max": _Operation(2, np.maximum),
    "pow": _Operation(2, np.power),
    "pwr": _Operation(2, lambda x, y: np.power(np.abs(x), y)),
    "ternary_fcn": _CHOICE,
    "agauss": _Operation(3, _nominal),
    "gauss": _Operation(3, _nominal),
    "unif": _Operation(2, _nominal),
    "aunif": _Operation(2, _nominal),
    "limit": _Operation(2, _nominal),
}
FUNCTIONS = frozenset(_FUNCTIONS)
"""The names that no parameter can have: ngspice takes one for a call."""

_SCALES = {"t": 1e12, "g": 1e9, "meg": 1e6, "k": 1e3, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12, "f": 1e-15}
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?)(?P<unit>[a-z_]*)"
    r"|(?P<name>[a-z_]\w*)|(?P<sign>\*\*|[=!<>]=|<>|&&|\|\||\S)|$)",
    re.ASCII,
)


@dataclass
class _Pending:
    """An operator, bracket or call that waits for what follows; `step` is what to do then."""

    sign: str
    precedence: int = 0
    step: _Operation | None = None
    column: int = 0
    arguments: int = 1


class _Reader:
    """Dijkstra's shunting yard; `steps` is what it makes of the text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.steps: list[_Step] = []
        self._pending = [_Pending("")]
        self._tokens = list(_TOKEN.finditer(text.lower().replace("µ", "u").replace("μ", "u")))
        self._index = 0
        self._operand()
        while self._token.lastgroup is not None:
            if self._sign == ")":
                self._close()
            else:
                self._operator()
                self._operand()
        self._unwind()
        if (opened := self._pending[-1]).sign:
            raise self._error(f"a closing ) for the ( at column {opened.column}", "add it")

    @property
    def _token(self) -> re.Match[str]:
        return self._tokens[self._index]

    @property
    def _sign(self) -> str:
        return self._token["sign"] or ""

    def _operand(self) -> None:
        """Read the next number or name; brackets, calls and signs before it wait."""
        while self._opens():
            self._index += 1
        token = self._token
        if token["number"]:
            self.steps.append(self._number(token))
        elif token["name"] and self._tokens[self._index + 1]["sign"] != "(":
            self.steps.append(token["name"])
        elif token["name"]:
            raise self._error(f"a function ({' '.join(_FUNCTIONS)})", "write it out with these")
        else:
            raise self._error("a number, a name or (", "complete the expression")
        self._index += 1

    def _opens(self) -> bool:
        """Whether this token stands before an operand; if so, it waits."""
        sign, before = self._sign, self._pending[-1]
        if function := _FUNCTIONS.get(self._token["name"] or ""):
            name = self._token["name"]
            self._index += 1
            if self._sign != "(":
                raise self._error(f"( after the function {name}", "add its arguments")
            self._pending.append(_Pending("(", 0, function, self._column))
        elif sign == "(":
            self._pending.append(_Pending("(", 0, None, self._column))
        elif sign == "!":
            self._pending.append(_Pending("!", _TIGHT, _NOT))
        elif sign in ("+", "-") and before.sign in ("", "("):
            # As for ngspice, what begins with a sign is a sum whose first term is zero.
            self._pending.append(_Pending("sign", _SUM, _MINUS if sign == "-" else _PLUS))
        elif sign == "-" and before.sign not in ("!", "minus"):
            if not self._tokens[self._index + 1]["number"]:
                self._index += 1
                raise self._error(
                    "a number after a minus that follows an operator",
                    "put the minus and its operand in parentheses: ngspice misreads it without",
                )
            self._pending.append(_Pending("minus", _TIGHT, _MINUS))
        else:
            return False
        return True

    def _operator(self) -> None:
        sign = self._sign
        if sign in _BINARY:
            precedence, apply = _BINARY[sign]
            self._unwind(precedence)
            self._pending.append(_Pending(sign, precedence, _Operation(2, apply)))
        elif sign == "?":
            self._unwind(_CONDITION + 1)
            if self._pending[-1].sign == "?":
                raise self._error("a : first", "put the inner condition in parentheses: ngspice misreads it without")
            self._pending.append(_Pending("?", _CONDITION))
        elif sign == ":":
            self._unwind(_CONDITION + 1)
            if self._pending[-1].sign != "?":
                raise self._error("a ? before :", "write condition ? value : value")
            self._pending[-1] = _Pending(":", _CONDITION, _CHOICE)
        elif sign == ",":
            self._unwind()
            if self._pending[-1].step is None:
                raise self._error("a comma only between the arguments of a function", "remove it")
            self._pending[-1].arguments += 1
        else:
            raise self._error("an operator", "put one here, or remove what follows")
        self._index += 1

    def _close(self) -> None:
        self._unwind()
        opened = self._pending[-1]
        if not opened.sign:
            raise self._error("no ) without an opening one", "remove it")
        if opened.step is not None:
            if opened.arguments != opened.step.operands:
                raise self._error(
                    f"{opened.step.operands} arguments in the call at column {opened.column}",
                    "correct their number",
                    f"{opened.arguments}",
                )
            self.steps.append(opened.step)
        self._pending.pop()
        self._index += 1

    def _unwind(self, precedence: int = 1) -> None:
        """Emit what waits and binds at least as tightly, back to the last bracket."""
        while self._pending[-1].precedence >= precedence:
            self._emit()

    def _emit(self) -> None:
        pending = self._pending.pop()
        if pending.step is None:
            raise self._error("a : after ?", "write condition ? value : value")
        self.steps.append(pending.step)

    def _number(self, token: re.Match[str]) -> float:
        unit = token["unit"]
        if unit.startswith("mil"):
            raise self._error(
                "a number without the suffix mil",
                "ngspice reads it as milli here and 25.4e-6 elsewhere: write an exponent",
            )
        scale = _SCALES["meg"] if unit.startswith("meg") else _SCALES.get(unit[:1], 1.0)
        return float(token["number"]) * scale

    @property
    def _column(self) -> int:
        token = self._token
        return token.end() - len(token[0].lstrip()) + 1

    def _error(self, expected: str, advice: str, got: str = "") -> ExpressionError:
        came = got or (repr(self._token[0].strip()) if self._token.lastgroup else "the end")
        return ExpressionError(
            f"expected {expected}, got {came} at column {self._column} of {self.text!r:.80}; {advice}"
        )

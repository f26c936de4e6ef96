"""Expressions: what ngspice makes of them, arrays, tables of parameters, and mistakes."""

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sizing.spice.expression import ExpressionError, parse_expression, resolve

GIVEN = {"a": 3.0, "b": -2.0, "c": 0.5, "z": 0.0, "w_l2": 7.0}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.5k", 1500),
        ("10pF", 1e-11),
        ("2e-6", 2e-6),
        (".5Meg", 5e5),
        ("3megohm", 3e6),
        ("7m", 7e-3),
        ("1e3k", 1e6),
        ("2T+3g", 2.003e12),
        ("5f/1n", 5e-6),
        ("4µ-4u", 0),
        ("1V + 1a", 2),
        ("1e", 1),
        ("1+2*3-4/2", 5),
        ("2**3**2", 64),
        ("2^3^2", 64),
        ("-2**2", -4),
        ("2*-3**2", 18),
        ("b**3", 8),
        ("pow(b, 3)", -8),
        ("2--3", 5),
        ("--3", 3),
        ("+-3", -3),
        ("-a*b", 6),
        ("-!z", -1),
        ("!a+1", 1),
        ("!!a", 1),
        ("-7%3", -1),
        ("-7\\2", -3),
        ("(-7)\\2", 3),
        ("3>2>1", 0),
        ("1<2==1", 1),
        ("1<>2 && 1!=1 || 2=2", 1),
        ("a>1 ? (b>0 ? 10 : 20) : 30", 20),
        ("z ? 1 : z ? 2 : 3 + 4", 7),
        ("1 ? 2 : 0 ? 3 : 4", 2),
        ("ternary_fcn(z, 1, 2)", 2),
        ("SQRT(16) + Ln(1) + LOG10(100)", 6),
        ("log(exp(2))", 2),
        ("min(a, max(b, c))", 0.5),
        ("nint(2.5) + int(-2.7) + floor(-2.5) + ceil(2.1) + sgn(b)", -1),
        ("agauss(5, 1, 3) + limit(1, 2)", 6),
        ("W_L2 * (a + A)", 42),
    ],
)
def test_an_expression_has_its_value(text: str, value: float):
    found = parse_expression(text)(GIVEN)
    assert isinstance(found, float)
    assert found == pytest.approx(value, rel=1e-15)


# Whatever ngspice has a value for; each is compared with its own.
COMPARED = re.findall(
    r"\S+",
    """
1.5k  10pF  2e-6  .5Meg  3megohm  7m  1e3k  2T+3g  5f/1n  1V+1a  1e  5.  2.e3  1_k  1x
1+2*3-4/2  8/4/2  8-4-2  2**3**2  2^3^2  -2**2  2*-3**2  2**-1  (-2)**3  b**3  b**c  pow(b,3)  pwr(b,3)  2*a**b
2--3  --3  +-3  -a*b  -a+b  -(-a)  (a)*(-b)  -!z  !a+1  !!a  !2**2  2*!z  -7%3  7%-3  7.5%2  7\\2  -7\\2  (-7)\\2
3>2>1  1<2==1  1+2<4  2=2  1<>2  1!=2  1||0&&0  1&&0||1  1==1&&2==3  a>=3  a<=b  !a==z
a>1?(b>0?10:20):30  z?1:z?2:3+4  1?2:0?3:4  0?(1?5:6):1?8:9  a>1?-2:2  a&&z?1:2  ternary_fcn(z,1,2)
sqr(b)  sqrt(a)  exp(b)  ln(a)  log(10)  log10(a)  abs(b)  sin(a)  cos(a)  tan(a)  asin(c)  acos(c)  atan(b)
arctan(b)  sinh(b)  cosh(b)  tanh(b)  asinh(b)  acosh(a)  atanh(c)  min(a,b)  max(a,b)  int(2.7)  int(-2.7)  nint(2.5)
nint(3.5)  nint(-0.6)  floor(-2.5)  ceil(2.1)  sgn(b)  sgn(z)  sgn(a)  agauss(5,0,3)  gauss(5,0,3)  unif(5,0)
aunif(5,0)  limit(5,0)  A+W_L2  sqrt((a)-(b)*max(a,-b))
""",
)
OPERATORS = ("||", "&&", "==", "!=", "<>", "<", ">", "<=", ">=", "+", "-", "*", "/", "%", "\\", "**")
COMPARED += [f"7{first}3{second}2" for first in OPERATORS for second in OPERATORS]


def ngspice_values(expressions: list[str], folder: Path) -> list[float]:
    parameters = "".join(f".param {name}={value}\n" for name, value in GIVEN.items())
    lines = "".join(f".param p{n}={{{text}}}\nv{n} n{n} 0 {{p{n}}}\n" for n, text in enumerate(expressions))
    prints = "".join(f"print v(n{n})\n" for n in range(len(expressions)))
    deck = f"* expressions\n{parameters}{lines}.control\nset numdgt=15\nop\n{prints}.endc\n.end\n"
    (folder / "deck.cir").write_text(deck)
    done = subprocess.run(["ngspice", "-b", "deck.cir"], cwd=folder, capture_output=True, text=True, timeout=60)
    return [float(value) for value in re.findall(r"^v\(n\d+\) = (\S+)$", done.stdout, re.MULTILINE)]


@pytest.mark.skipif(not shutil.which("ngspice"), reason="needs the ngspice command")
def test_ngspice_finds_the_same_values(tmp_path: Path):
    found = [parse_expression(text)(GIVEN) for text in COMPARED]
    np.testing.assert_allclose(found, ngspice_values(COMPARED, tmp_path), rtol=1e-13, atol=0)


def test_an_expression_names_what_it_needs_in_lower_case():
    expression = parse_expression("W/l + max(W, 1meg) ? x : 2u")
    assert expression.names == {"w", "l", "x"}
    assert expression.text == "W/l + max(W, 1meg) ? x : 2u"
    assert parse_expression("2u").names == frozenset()


def test_arrays_broadcast():
    a, b = np.array([[1.0], [4.0], [9.0]]), np.array([0.0, 1.0])
    found = parse_expression("b > 0 && a != 4 ? sqrt(a) : (-k)")({"a": a, "b": b, "k": 5.0})
    np.testing.assert_array_equal(found, [[-5, 1], [-5, -5], [-5, 3]])
    np.testing.assert_array_equal(parse_expression("a**b")({"a": np.array([-3, 3]), "b": 2}), [9, 9])


EVERY_OPERATION = [text for text in COMPARED if parse_expression(text).names]


@pytest.mark.parametrize("text", EVERY_OPERATION)
def test_arrays_give_elementwise_what_numbers_give(text: str):
    rows = [GIVEN, {name: value / 2 + 0.1 for name, value in GIVEN.items()}]
    expression = parse_expression(text)
    together = expression({name: np.array([row[name] for row in rows]) for name in GIVEN})
    np.testing.assert_array_equal(together, [expression(row) for row in rows])


def test_what_has_no_value_is_nan_or_infinite():
    assert np.isnan(parse_expression("sqrt(b)")(GIVEN))
    assert np.isnan(parse_expression("z/z")(GIVEN))
    assert parse_expression("1/z")(GIVEN) == np.inf
    np.testing.assert_array_equal(parse_expression("x > 0 ? 1/x : 0")({"x": np.array([0.0, 4.0])}), [0, 0.25])


def test_missing_values_are_named():
    with pytest.raises(ExpressionError, match=r"expected values for l, m, w in 'w/l\*m', got none for l, m; give them"):
        parse_expression("w/l*m")({"w": 1.0})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"^expected a number, a name or \(, got the end at column 1 of ''; complete the expression$"),
        ("a + ", r"expected a number, a name or \(, got the end at column 5 of 'a \+ '"),
        ("a b", r"expected an operator, got 'b' at column 3"),
        ("1k5", r"expected an operator, got '5' at column 3"),
        ("a.b", r"expected an operator, got '\.' at column 2"),
        ("a & b", r"expected an operator, got '&' at column 3"),
        ("(a + b", r"expected a closing \) for the \( at column 1, got the end at column 7"),
        ("(a))", r"expected no \) without an opening one, got '\)' at column 4"),
        ("()", r"expected a number, a name or \(, got '\)' at column 2"),
        ("* a", r"expected a number, a name or \(, got '\*' at column 1"),
        ("2 * +a", r"expected a number, a name or \(, got '\+' at column 5"),
        ("2*-a+3", r"expected a number after a minus that follows an operator, got 'a' at column 4 .* parentheses"),
        ("a ? -b : 1", r"expected a number after a minus that follows an operator, got 'b' at column 6"),
        ("2---3", r"expected a number after a minus that follows an operator, got '-' at column 4"),
        ("!-3", r"expected a number, a name or \(, got '-' at column 2"),
        ("a ? b", r"expected a : after \?, got the end at column 6"),
        ("(a ? b) : c", r"expected a : after \?, got '\)' at column 7"),
        ("a : b", r"expected a \? before :, got ':' at column 3"),
        ("a ? b : c : d", r"expected a \? before :, got ':' at column 11"),
        ("a ? b ? 1 : 2 : 3", r"expected a : first, got '\?' at column 7 .* inner condition in parentheses"),
        ("v(out)", r"expected a function \(sqr sqrt .*\), got 'v' at column 1"),
        ("sqrt + 1", r"expected \( after the function sqrt, got '\+' at column 6"),
        ("max(1)", r"expected 2 arguments in the call at column 4, got 1 at column 6"),
        ("2 * sqrt(1, 2)", r"expected 1 arguments in the call at column 9, got 2 at column 14"),
        ("(1, 2)", r"expected a comma only between the arguments of a function, got ',' at column 3"),
        ("1mil", r"expected a number without the suffix mil, got '1mil' at column 1"),
        ("{a}", r"expected a number, a name or \(, got '\{' at column 1"),
    ],
)
def test_mistakes_say_what_was_expected_and_where(text: str, message: str):
    with pytest.raises(ExpressionError, match=message):
        parse_expression(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("(" * 20_000 + "x" + ")" * 20_000, 3),
        ("!" * 20_000 + "x", 1),
        ("1+" * 20_000 + "x", 20_003),
        ("x?1:" * 20_000 + "x", 1),
        ("abs(" * 20_000 + "x" + ")" * 20_000, 3),
    ],
)
@pytest.mark.slow
def test_no_nesting_is_too_deep(text: str, value: float):
    assert parse_expression(text)({"x": 3.0}) == value


@given(st.text("ab12.e*-+/%^<>=!&|?:(), kmaxsqrt\\µ", max_size=30) | st.text(max_size=10))
def test_any_text_is_a_number_or_an_expression_error(text: str):
    message = ""
    try:
        expression = parse_expression(text)
        assert isinstance(expression(dict.fromkeys(expression.names, 1.0)), float)
    except ExpressionError as error:
        message = str(error)
    assert message == "" or re.match(r"expected .*, got .* at column \d+ of .*; ", message, re.DOTALL)


def test_a_table_may_be_in_any_order_and_given_values_come_first():
    table = {"area": "w*l", "w": "2*l", "l": "1u * k", "k": "3"}
    assert resolve(table, {}) == pytest.approx({"area": 18e-12, "w": 6e-6, "l": 3e-6, "k": 3})
    found = resolve(table, {"w": np.array([1.0, 2.0]), "k": 2.0, "other": 5.0})
    np.testing.assert_array_equal(found["area"], np.array([1.0, 2.0]) * found["l"])
    assert (found["l"], found["k"], found["other"]) == (2e-6, 2.0, 5.0)


def test_only_what_is_wanted_is_evaluated():
    table = {"w": "2*l", "l": "k", "k": "v(no)", "bad": "(", "self": "self", "unknown": "nowhere"}
    assert resolve(table, {"k": 1.0}, wanted=["w"]) == {"k": 1.0, "l": 1.0, "w": 2.0}
    assert resolve(table, {"self": 1.0}, wanted={"self"}) == {"self": 1.0}
    assert resolve(table, {}, wanted=()) == {}


@pytest.mark.slow
def test_a_table_may_be_a_long_chain():
    table = {f"p{n}": f"p{n + 1} + 1" for n in range(5000)} | {"p5000": "0"}
    assert resolve(table, {}, wanted=["p0"])["p0"] == 5000


@pytest.mark.parametrize(
    ("table", "wanted", "message"),
    [
        ({"w": "2*"}, None, r"^w: expected a number, a name or \(, got the end at column 3"),
        (
            {"w": "2*wq", "wp": "1"},
            None,
            r"^w: expected a known parameter, got 'wq' \(nearest known: w, wp\); correct",
        ),
        ({"w": "1"}, ["wide"], r"^what is wanted: expected a known parameter, got 'wide' \(nearest known: w"),
        ({"a": "b", "b": "c", "c": "a"}, None, r"^expected parameters without a cycle, got (\w > ){3}\w; give one"),
        ({"a": "a+1"}, None, r"^expected parameters without a cycle, got a > a"),
    ],
)
def test_tables_that_cannot_be_resolved(table: dict[str, str], wanted: list[str] | None, message: str):
    with pytest.raises(ExpressionError, match=message):
        resolve(table, {}, wanted)

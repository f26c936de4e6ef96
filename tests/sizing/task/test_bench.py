"""Decks of a test bench, and what of them can be altered in a loaded simulator."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sizing.simulation.dialect import alterations
from sizing.specfile.load import Spec
from sizing.spice.circuit import parse_circuit
from sizing.spice.netlist import read_text
from sizing.spice.parameters import substitute_parameters
from sizing.task.bench import Analysis, Bench
from sizing.task.job import Job


def bench(text: str, *analyses: Analysis) -> Bench:
    lines = read_text(text, "t.cir", Path())
    return Bench("test", lines, parse_circuit(lines), analyses)


def altered(text: str, *variables: str) -> dict[str, tuple[str, ...]] | None:
    return alterations(bench(text), variables)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (".param cc=2p", ".param cc=1.5"),
        (".PARAM CC = 2p", ".PARAM CC = 1.5"),
        ("  .param\tcc\t=\t2p", "  .param\tcc\t=\t1.5"),
        (".param a=1 cc=2p b=3", ".param a=1 cc=1.5 b=3"),
        (".param cc={2*x} b=3", ".param cc=1.5 b=3"),
        (".param cc={2*max({x}, {y})} b=3", ".param cc=1.5 b=3"),
        (".param cc='2 * x' b=3", ".param cc=1.5 b=3"),
        (".param cc=max(1, 2*(x+1)) b=3", ".param cc=1.5 b=3"),
        (".param cc=-2.5e-12", ".param cc=1.5"),
        (".param a=1\n+ cc=2p\n+b=3", ".param a=1\n+ cc=1.5\n+b=3"),
        (".param a=1\n* note\n\n  + cc=2p", ".param a=1\n* note\n\n  + cc=1.5"),
        (".param a=1\n+cc=2p", ".param a=1\n+cc=1.5"),
        (".param cc={1 +\n+ 2} b=3", ".param cc=1.5 b=3"),
        (".param cc=2p ; load", ".param cc=1.5 ; load"),
        (".param cc=2p $ load", ".param cc=1.5 $ load"),
        (".param cc=2p // load", ".param cc=1.5 // load"),
        (".param cc=2p\r\nr1 a b 1\r", ".param cc=1.5\r\nr1 a b 1\r"),
        (".param cc=1p\n.param cc=2p", ".param cc=1.5\n.param cc=1.5"),
    ],
)
def test_values_of_param_lines_are_replaced_and_all_else_stays(text: str, expected: str):
    assert substitute_parameters(text, {"cc": 1.5}) == expected


@pytest.mark.parametrize(
    "text",
    [
        "c1 a b cc=2p",
        "c1 a b {cc}",
        "* .param cc=2p",
        ".param xcc=2p ccx=3 x.cc=4",
        ".param b={cc*2} d='cc+1' e=max(cc, 2)",
        ".param b={cc==2 ? 1 : 3}",
        ".param b=1 ; cc=2",
        ".param b=1 $ cc=2",
        ".param b=1 // cc=2",
        ".param b=1\n* cc=2\nx1 a b s cc=2",
        ".param b=1\nr1 a b 1\n+ cc=2",
        ".subckt s a cc=1\n.param cc=2\n+ d=3\n.ends s",
        ".model n nmos cc=2",
        "",
    ],
)
def test_what_is_no_value_of_a_top_level_param_line_is_left_alone(text: str):
    assert substitute_parameters(text, {"cc": 1.5}) == text


def test_parameters_after_a_subcircuit_are_the_circuits_again():
    text = ".subckt s a\n.subckt t a\n.param w=1\n.ends\n.param w=2\n.ends s\n.param w=3"
    assert substitute_parameters(text, {"w": 9}) == text.replace("w=3", "w=9.0")


def test_several_variables_are_replaced_at_once_and_names_have_no_case():
    text = ".param a=1 B=2 c=3\n.param d=4"
    assert substitute_parameters(text, {"b": 5e-12, "A": 0.1, "d": 7}) == ".param a=0.1 B=5e-12 c=3\n.param d=7.0"


def test_without_variables_nothing_changes():
    assert substitute_parameters(".param a=1", {}) == ".param a=1"


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_a_substituted_value_reads_back_as_the_same_float(first: float, second: float):
    text = substitute_parameters(".param a=1 b={2*a} c=3", {"a": first, "c": second})
    parameters = parse_circuit(read_text(text, "t.cir", Path())).parameters
    assert (float(parameters["a"]), parameters["b"], float(parameters["c"])) == (first, "2*a", second)


PIECES = [
    ".param ",
    ".subckt s a\n",
    ".ends\n",
    "a",
    "b=",
    "=",
    "==",
    "1",
    "{",
    "}",
    "(",
    ")",
    "'",
    " ",
    "\n",
    "+ ",
    "* ",
]


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_any_text_can_be_substituted_in_and_lines_without_param_stay(text: str):
    result = substitute_parameters(text, {"b": 4.25})
    if ".param " not in text:
        assert result == text
    assert substitute_parameters(result, {"b": 4.25}) == result


DIVIDER = """
.param r=1k k=2
vin in 0 dc 1
Vss vss 0 0
r1 in out {r}
.subckt half a
vin a b 0
r1 b 0 1k
.ends
x1 out half
"""
RESPONSE = Analysis(
    "response", "ac dec 10 1 1Meg", (("vin", 1.0),), (("low", "find v(out) at=10"), ("high", "max v(out)"))
)


def test_a_deck_has_a_title_the_circuit_with_its_values_and_an_end():
    lines = bench(DIVIDER).deck(Job({"r": 2000.0})).split("\n")
    assert lines[0] == "* test"
    assert lines[1] == ".param r=2000.0 k=2"
    assert lines[2:10] == DIVIDER.strip().split("\n")[1:]
    assert lines[10:] == [".end", ""]


def test_a_deck_of_an_analysis_runs_it_with_its_source_excited_and_its_meas_lines():
    test = bench(DIVIDER, RESPONSE)
    plain, with_analysis = test.deck(Job({"r": 1.0})).split("\n"), test.deck(Job({"r": 1.0}), RESPONSE).split("\n")
    assert with_analysis[:2] == plain[:2]
    assert with_analysis[2] == "vin in 0 dc 1 ac 1.0"
    assert with_analysis[3:10] == plain[3:10]
    assert with_analysis[10:] == [
        ".meas ac low find v(out) at=10",
        ".meas ac high max v(out)",
        ".ac dec 10 1 1Meg",
        ".end",
        "",
    ]


def test_only_the_excited_source_of_the_top_level_gets_an_ac_magnitude():
    assert bench(DIVIDER, RESPONSE).deck(Job({}), RESPONSE).count(" ac 1.0\n") == 1
    assert " ac 1.0" not in bench(DIVIDER).deck(Job({}), Analysis("bias", "op"))
    assert "Vss vss 0 0 ac 1.0\n" in bench(DIVIDER).deck(Job({}), Analysis("supply", "ac lin 1 1 1", (("vss", 1.0),)))


def test_several_sources_get_their_own_ac_magnitudes():
    deck = bench(DIVIDER).deck(Job({}), Analysis("both", "ac lin 1 1 1", (("vin", 0.5), ("vss", -0.25))))
    assert "\nvin in 0 dc 1 ac 0.5\nVss vss 0 0 ac -0.25\n" in deck
    assert deck.count(" ac 0.5\n") == deck.count(" ac -0.25\n") == 1


def test_a_deck_parses_as_the_same_circuit(opamp: Spec):
    values = opamp.problem.values(opamp.problem.start)
    for each in opamp.benches:
        again = parse_circuit(read_text(each.deck(Job(values)), "deck.cir", Path()))
        assert again.devices == each.circuit.devices
        assert {name: float(again.parameters[name]) for name in values} == values


@pytest.mark.parametrize(("command", "kind"), [("op", "op"), ("AC dec 10 1 10", "ac"), ("tran 1n 1u", "tran")])
def test_the_kind_of_an_analysis_is_its_first_word(command: str, kind: str):
    assert Analysis("a", command).kind == kind


def test_whole_values_of_passives_and_multiplicities_are_altered_in_place():
    text = ".param r=1 c=2 l=3 m=4\nr1 a b {r}\nr2 b 0 r='r'\nC1 a b {c}\nl1 a b {L}\nmp1 a b 0 0 n w=1u m={m}\n"
    assert altered(text, "r", "c", "l", "m") == {
        "r": ("r1", "r2"),
        "c": ("c1",),
        "l": ("l1",),
        "m": ("@mp1[m]",),
    }


def test_inside_subcircuits_devices_have_ngspices_names():
    text = """
    .param r=1 m=4
    .subckt leaf a rr=5
    r1 a 0 {rr}
    c1 a 0 1p
    mp1 a a 0 0 n m={m}
    .ends
    .subckt outer a
    x2 a leaf
    r9 a 0 {r}
    .ends
    x1 a outer
    mp1 a a 0 0 n m={m}
    """
    assert altered(text, "r", "m") == {"r": ("r.x1.r9",), "m": ("@m.x1.x2.mp1[m]", "@mp1[m]")}


def test_values_and_ac_magnitudes_of_independent_sources_are_altered_in_place():
    text = """
    .param v=1 i=2 a=3
    v1 a 0 {v}
    V2 b 0 dc {V} ac {a} pulse(0 1 1n)
    i1 a 0 pwl(0 0 1n 1) dc 'i' ac 1 90
    .subckt cell p vv=0
    v1 p 0 {vv}
    i1 p 0 dc 1 ac {a}
    .ends
    x1 c cell vv={v}
    """
    without_call = text.replace("vv={v}", "").replace("{vv}", "{v}")
    assert altered(text, "v", "i", "a") is None  # the line of the call mentions the variable
    assert altered(without_call, "v", "i", "a") == {
        "v": ("v1", "v2", "v.x1.v1"),
        "i": ("i1",),
        "a": ("v2 acmag", "i.x1.i1 acmag"),
    }


def test_a_variable_that_reaches_nothing_has_no_targets():
    assert altered(".param r=1 q=2\nr1 a 0 {r}", "r", "q") == {"r": ("r1",), "q": ()}


@pytest.mark.parametrize(
    "line",
    [
        "r2 a b {2*q}",
        "r2 a b '(q)*(q)'",
        "c2 a b 1p m={q}",
        "r2 a b rmod l={q}",
        "m2 a b 0 0 n w={q}",
        "m2 a b 0 0 n l={q} m=2",
        "m2 a b 0 0 n m={q*2}",
        "v2 a b {2*q}",
        "v2 a b dc 1 ac {q} 90",
        "v2 a b dc 1 ac 1 {q}",
        "v2 a b pulse(0 {q} 1n)",
        "v2 a b pwl(0 0 1n 1) td={q}",
        "i2 a b 1 m={q}",
        "e2 a b c d {q}",
        "b2 a b v=q*2",
        ".param p={q*2}",
        ".param p=q",
        ".param p={q==2 ? 1 : 3}",
        ".model n nmos vth0={q}",
        ".func f(x) {x*q}",
        ".temp {q}",
        "x2 a s w={q}",
        "x2 a s m={q}",
        "x2 a s w='2*q'",
    ],
)
def test_where_a_variable_reaches_more_than_a_value_the_deck_must_be_expanded_anew(line: str):
    text = f".param q=1\n.subckt s a w=1\nr1 a 0 {{w}}\n.ends\nr1 a 0 {{q}}\n{line}\n"
    assert altered(text, "q") is None
    assert altered(text.replace("{q}", "5").replace("q", "5").replace("5=1", "k=1"), "q") == {"q": ()}


def test_one_variable_that_needs_expansion_is_enough():
    assert altered(".param r=1 w=2\nr1 a 0 {r}\nm1 a b 0 0 n w={w}", "r", "w") is None


@pytest.mark.parametrize("name", ["r`touch`", "r$1", "r|1", "r1&", "v$1", "i|1"])
def test_names_that_ngspices_command_line_would_interpret_are_not_altered(name: str):
    assert altered(f".param q=1\n{name} a 0 {{q}}", "q") is None


def test_the_shipped_circuits_are_altered_in_place(opamp: Spec, amplifier: Spec):
    names = [variable.name for variable in opamp.problem.variables]
    for each in opamp.benches:
        assert alterations(each, names) == {
            "mp1": ("@mp1[m]", "@mp2[m]"),
            "mn1": ("@mn1[m]", "@mn2[m]"),
            "mp3": ("@mp3[m]",),
            "mn3": ("@mn3[m]",),
            "mn4": ("@mn4[m]",),
            "mn5": ("@mn5[m]",),
            "cc": ("cc",),
            "rz": ("rz",),
        }
    assert alterations(amplifier.benches[0], ["m1", "rl"]) == {"m1": ("@m1[m]",), "rl": ("rl",)}

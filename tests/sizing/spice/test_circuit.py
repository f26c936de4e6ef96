"""Flattening a netlist into devices, nets and parameters."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sizing.spice.circuit import Circuit, Device, NotMultiplied, parse_circuit
from sizing.spice.netlist import NetlistError, read_netlist, read_text


def circuit(text: str, opaque: frozenset[str] = frozenset()) -> Circuit:
    return parse_circuit(read_text(text, "t.cir", Path()), {name: {} for name in opaque})


def device(text: str, name: str = "", opaque: frozenset[str] = frozenset()) -> Device:
    """The device called `name`, or the only one."""
    devices = [device for device in circuit(text, opaque).devices if name in ("", device.name)]
    assert len(devices) == 1
    return devices[0]


def test_a_transistor_has_named_terminals_a_model_and_expression_text():
    mp1 = device("MP1 Out IN Vdd vdd PCH W = {2*Wp} l='lmin + 1n' m=2")
    assert mp1.name == "mp1"
    assert mp1.kind == "m"
    assert dict(zip(mp1.terminals, mp1.nets, strict=True)) == {"d": "out", "g": "in", "s": "vdd", "b": "vdd"}
    assert mp1.model == "pch"
    assert mp1.parameters == {"w": "2*wp", "l": "lmin + 1n", "m": "2"}


@pytest.mark.parametrize(
    ("line", "terminals", "model", "parameters"),
    [
        ("r1 a b 1k", "p n", None, {"r": "1k"}),
        ("r1 a b r=1k", "p n", None, {"r": "1k"}),
        ("r1 a b {rz}", "p n", None, {"r": "rz"}),
        ("r1 (a,b) 'rz * 2'", "p n", None, {"r": "rz * 2"}),
        ("r1 a b rmod l=10u w=1u", "p n", "rmod", {"l": "10u", "w": "1u"}),
        ("c1 a b 1p cmod ic=0", "p n", "cmod", {"c": "1p", "ic": "0"}),
        ("l1 a b 1n", "p n", None, {"l": "1n"}),
        ("d1 a b dmod 2 off", "p n", "dmod", {"area": "2", "off": "1"}),
        ("j1 a b c jmod", "d g s", "jmod", {}),
        ("e1 a b c d {gain}", "p n cp cn", None, {"gain": "gain"}),
        ("g1 a b cur='v(a)*2'", "p n", None, {"cur": "v(a)*2"}),
        ("f1 a b vs 2", "p n", None, {"source": "vs", "gain": "2"}),
        ("k1 la lb 0.9", "", None, {"l1": "la", "l2": "lb", "k": "0.9"}),
        ("s1 a b c d sw on", "p n cp cn", "sw", {"on": "1"}),
        ("w1 a b vs csw", "p n", "csw", {"source": "vs"}),
        ("t1 a b c d z0=50 td=1n", "p1 n1 p2 n2", None, {"z0": "50", "td": "1n"}),
        ("b1 a b v = v(a) * 2 + k tc1=3", "p n", None, {"v": "v(a) * 2 + k", "tc1": "3"}),
        ("b1 a b i={v(a)>=1 && k==2 ? 1 : 0}", "p n", None, {"i": "v(a)>=1 && k==2 ? 1 : 0"}),
    ],
)
def test_every_kind_has_its_terminals_and_parameters(
    line: str, terminals: str, model: str | None, parameters: dict[str, str]
):
    found = device(line)
    assert (" ".join(found.terminals), found.model, found.parameters) == (terminals, model, parameters)


@pytest.mark.parametrize(
    ("after", "parameters"),
    [
        ("", {}),
        ("1.8", {"dc": "1.8"}),
        ("{vdd / 2}", {"dc": "vdd / 2"}),
        ("dc {v} ac", {"dc": "v", "ac": "1"}),
        ("dc=1 ac=1", {"dc": "1", "ac": "1"}),
        ("0 AC 1 180", {"dc": "0", "ac": "1 180"}),
        ("PULSE(0 {vh} 1n)", {"waveform": "pulse(0 {vh} 1n)"}),
        ("dc 1 sin ( 0 1 1k )", {"dc": "1", "waveform": "sin(0 1 1k)"}),
        ("pwl 0 0 1n 1 r=0", {"waveform": "pwl(0 0 1n 1)", "r": "0"}),
    ],
)
def test_sources_have_dc_ac_and_a_waveform(after: str, parameters: dict[str, str]):
    assert device(f"v1 a 0 {after}").parameters == parameters


def test_double_quoted_text_keeps_its_case():
    assert device('I1 a 0 PWL(0 0) file="Data/Step.TXT"').parameters["file"] == "Data/Step.TXT"


def test_a_fourth_node_of_a_bipolar_transistor_shows_by_its_known_model():
    models = ".model npn1 npn\n"
    assert device(models + "q1 a b c sub NPN1 2").nets == ("a", "b", "c", "sub")
    assert device(models + "q1 a b c npn1 2").nets == ("a", "b", "c")
    unknown = device(models + "q1 a b c other 2")
    assert (unknown.terminals, unknown.model, unknown.parameters) == (("c", "b", "e"), "other", {"area": "2"})


@pytest.mark.parametrize(
    "model",
    [
        ".model nch nmos level=54 version=4.5",
        ".MODEL Nch NMOS (level=54 version=4.5)",
        ".model nch nmos(level=54",
        ".model nch nmos\n+ (level=54)",
        ".model nch,nmos",
    ],
)
def test_models_have_types(model: str):
    assert circuit(model).models == {"nch": "nmos"}


def test_models_of_all_scopes_count_and_the_first_of_a_name_wins():
    text = (
        ".model a npn\n.model a pnp\n.subckt s p\n.model a d\n.model b pmos(l=1)\n.ends\n.subckt t p\n.model b c\n.ends"
    )
    assert circuit(text).models == {"a": "npn", "b": "pmos"}
    assert circuit("r1 a b 1").models == {}


def test_nets_come_in_order_of_first_appearance_and_ground_has_one_name():
    assert circuit("r1 b GND 1\nr2 a 0 1\nr3 b c 1").nets == ("b", "0", "a", "c")


def test_parameters_are_expression_text_several_on_a_line():
    assert circuit(".PARAM a=1 b = {a * 2} C='b+1'\n+ d=4\n.param a=9").parameters == {
        "a": "9",
        "b": "a * 2",
        "c": "b+1",
        "d": "4",
    }


def test_used_names_are_those_in_expressions():
    text = """
    .param a={b*2} unused=1
    .model nch nmos level=14 vth0={vt}
    .func f(x) {x*slope}
    .temp {hot}
    .subckt s p w={wdefault}
    r1 p 0 {w*rsheet + max(1k, 2.5meg)}
    .ends
    xs p s w='inner*2'
    b1 p 0 v=v(net)*i(vsource)*gain
    v1 p 0 pulse(0 {High} 1n)
    """
    names = circuit(text).used_names
    assert names == {"b", "vt", "x", "slope", "hot", "wdefault", "w", "rsheet", "inner", "gain", "high"}


INVERTER = """
.subckt Inv in out vdd w=1u l={lmin}
mp out in vdd vdd pch w='w*2' l={l}
mn out in 0 0 nch w={w} l={l}
c1 out mid 1f
r1 mid gnd 1k
.ends Inv
"""


def test_a_subcircuit_is_flattened_with_ports_mapped_and_inner_nets_named_by_path():
    found = circuit(INVERTER + "X1 a b supply INV w='wp + 1u'")
    assert [device.name for device in found.devices] == ["x1.mp", "x1.mn", "x1.c1", "x1.r1"]
    assert found.devices[0].nets == ("b", "a", "supply", "supply")
    assert found.nets == ("b", "a", "supply", "0", "x1.mid")


def test_formal_parameters_become_actual_expressions_in_parentheses():
    text = INVERTER + "x1 a b vdd inv w='wp + 1u'"
    assert device(text, "x1.mp").parameters == {"w": "(wp + 1u)*2", "l": "lmin"}
    assert device(text, "x1.mn").parameters == {"w": "wp + 1u", "l": "lmin"}


@pytest.mark.parametrize("call", ["params: w = {2*wp}", "PARAMS:w='2*wp'", "w={2*wp}"])
def test_parameters_of_a_call_may_follow_params(call: str):
    assert device(INVERTER + f"x1 a b vdd inv {call}", "x1.mn").parameters["w"] == "2*wp"


def test_substitution_keeps_to_whole_identifiers():
    text = ".subckt s p w=1\nr1 p 0 r='w + ww + 2*w_l + w1 + w(3) + x.w + 1w'\n.ends\nx1 a s w=7"
    assert device(text).parameters == {"r": "(7) + ww + 2*w_l + w1 + w(3) + x.w + 1w"}


def test_a_callers_name_is_not_mistaken_for_the_callees():
    text = ".subckt s p w=1 l=2\nr1 p 0 {w/l}\n.ends\nx1 a s w={l} l={w}"
    assert device(text).parameters == {"r": "(l)/(w)"}


def test_subcircuits_nest_and_pass_parameters_down():
    text = INVERTER + ".subckt buffer a b w=1u\nx1 a m vdd inv w={w}\nx2 m b vdd inv w={w*4}\n.ends\nxb p q buffer w=wb"
    assert device(text, "xb.x2.mn").nets == ("q", "xb.m", "0", "0")
    assert device(text, "xb.x1.mp").parameters["w"] == "(wb)*2"
    assert device(text, "xb.x2.mp").parameters["w"] == "((wb)*4)*2"
    assert device(text, "xb.x2.mp").nets[3] == "xb.vdd"


def test_global_nets_keep_their_name_everywhere():
    text = ".global VDD\n.subckt s a vss\nr1 a vdd 1\nr2 a vss 1\n.ends\nx1 p q s"
    assert [device.nets for device in circuit(text).devices] == [("p", "vdd"), ("p", "q")]
    as_port = ".global vdd\n.subckt s a vdd gnd\nr1 vdd gnd 1\n.ends\nx1 p q r s"
    assert device(as_port).nets == ("vdd", "0")


def test_local_parameters_depend_on_formal_ones_in_any_order():
    text = ".subckt s p w=1 half={w/2}\n.param k={j+1} j={w*3}\nr1 p 0 {k}\nr2 p 0 {half}\n.ends\nx1 a s w=4"
    assert device(text, "x1.r1").parameters == {"r": "((4)*3)+1"}
    assert device(text, "x1.r2").parameters == {"r": "(4)/2"}


def test_a_name_the_subcircuit_does_not_define_has_its_callers_meaning():
    text = ".subckt leaf p\nr1 p 0 {q*g}\n.ends\n.subckt outer p q=1\nx1 p leaf\n.ends\nxo a outer q=11"
    assert device(text).parameters == {"r": "(11)*g"}


def test_inner_definitions_hide_outer_ones_and_end_with_their_subcircuit():
    text = ".subckt s p\nr1 p 0 1\n.ends\n.subckt outer p\n.subckt s p\nr1 p 0 2\n.ends s\nx1 p s\n.ends outer\n"
    assert device(text + "xo a outer").parameters == {"r": "2"}
    assert device(text + "xo a s").parameters == {"r": "1"}


def test_the_multiplier_of_a_call_is_that_of_the_devices_inside():
    text = (
        ".subckt s p\nr1 p 0 1\nr2 p 0 1 m=1\nv1 p 0 1\n.ends\n.subckt t p\nx1 p s m=1\n.ends\nx1 a s m=2\nx2 a t m=5"
    )
    factors = {device.name: device.parameters.get("m") for device in circuit(text).devices}
    assert factors == {
        "x1.r1": "2",
        "x1.r2": "2",
        "x1.v1": None,
        "x2.x1.r1": "5",
        "x2.x1.r2": "5",
        "x2.x1.v1": None,
    }


@pytest.mark.parametrize(
    ("inside", "what"),
    [
        ("m1 p p 0 0 n w=1u l=1u m=2", "'m1' with an m of its own, which is lost"),
        ("r1 p 0 1k m={k}", "'r1' with an m of its own, which is lost"),
        ("x1 p inner m=2", "'x1' with an m of its own, which is lost"),
        ("x1 p inner", "the call 'x1' without m, which is an error there"),
        ("b1 p 0 i=v(p)*1m", "'b1', which is not"),
        ("b1 a 0 v=i(vs)\nvs p 0 0", "'b1', which is not"),
        ("s1 p 0 p 0 sm", "'s1', which is not"),
        ("f1 p 0 vs 2\nvs p 0 0", "'f1', which is not"),
        ("l1 p 0 1u\nl2 a 0 1u\nk1 l1 l2 0.9", "'k1', which is not"),
    ],
)
def test_what_the_multiplier_of_a_call_does_not_reach_is_refused(inside: str, what: str):
    text = f".subckt inner p\nr1 p 0 1k\n.ends\n.subckt s p k=2\n{inside}\n.ends\nx2 a s"
    circuit(text)
    with pytest.raises(NotMultiplied) as caught:
        circuit(f"{text} m=3")
    assert f"expected what ngspice multiplies by the m of a call around it, got {what}; give" in str(caught.value)


@pytest.mark.parametrize(
    ("call", "refused"),
    [("fingers=1", False), ("fingers=1 m=1", False), ("fingers=1 m=3", False),
     ("fingers=2", False), ("fingers=2 m=1", True), ("fingers={k} m=1", True)],
)  # fmt: skip
def test_fingers_are_lost_inside_a_call_even_with_a_multiplier_of_one(call: str, refused: bool):
    text = f".param k=1\n.subckt n d fingers=1\nm1 d d 0 0 nn w=1u l=1u m={{fingers*1}}\n.ends\nx1 a n {call}"
    if refused:
        with pytest.raises(NotMultiplied, match=r"'m1' with an m of its own, which is lost; .*leave it away"):
            circuit(text)
    else:
        circuit(text)


@pytest.mark.parametrize("inside", ["f1 p 0 vs 2\nvs p 0 0", "s1 p 0 p 0 sm", "b1 p 0 i=v(p)*1m"])
def test_a_multiplier_of_one_loses_nothing_else(inside: str):
    circuit(f".subckt s p\n{inside}\n.ends\nx2 a s m=1")


def test_a_multiplier_the_subcircuit_defines_is_an_ordinary_parameter():
    assert device(".subckt s p m=1\nr1 p 0 {m}\n.ends\nx1 a s m=4").parameters == {"r": "4"}


def test_references_to_nets_and_devices_follow_the_hierarchy():
    text = ".subckt s in k=2\nb1 p 0 v=v(in,p)*k + i(vs)\nvs p 0 0\nf1 in 0 vs {k}\n.ends\nx1 a s k=3"
    assert device(text, "x1.b1").parameters == {"v": "v(a,x1.p)*(3) + i(x1.vs)"}
    assert device(text, "x1.f1").parameters == {"source": "x1.vs", "gain": "3"}


def test_an_opaque_subcircuit_stays_one_device():
    text = ".subckt wrap d w=1\nxm d g 0 0 sky130_nfet W={w*2} m=2\n.ends\nx1 out wrap w=wn"
    found = device(text, opaque=frozenset({"sky130_nfet"}))
    assert found == Device(
        "x1.xm", "x", ("1", "2", "3", "4"), ("out", "x1.g", "0", "0"), "sky130_nfet", {"w": "(wn)*2", "m": "2"}
    )


def test_an_included_file_may_define_subcircuits_twice(tmp_path: Path):
    (tmp_path / "inv.cir").write_text(INVERTER)
    (tmp_path / "top.cir").write_text(".include inv.cir\n.include inv.cir\nx1 a b c inv\n")
    assert len(parse_circuit(read_netlist(tmp_path / "top.cir")).devices) == 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("m1 d g s", r"^t\.cir:1: expected 4 nets \(d g s b\) after 'm1', got 3"),
        ("r0 a b 1\nm1 d g s b", r"^t\.cir:2: expected a model after the nets, got none"),
        ("r1 a", r"expected 2 nets \(p n\) after 'r1', got 1"),
        ("r1 a b", r"expected a value or a model after the nets"),
        ("r1 a b 1\nR1 b c 2", r"^t\.cir:2: expected one device 'r1' here, got a second; the first is at t\.cir:1"),
        ("m1 d g s b n w = 2 * wp", r"expected name=value, got '\*'; .*put \{\}"),
        ("m1 d g s b n w=", r"expected name=value, got 'w ='"),
        ("m1 d g s b n w={2*wp", r"expected a closing } after '\{2\*wp'"),
        ("r1 a b 1)", r"expected no \) without an opening one"),
        ("f1 a b", r"expected a source after the nets"),
        ("v1 a b 1 2", r"expected one dc value, got 1 2"),
        ("e1 a b poly(1) c d 0 1", r"expected nets or an expression, got poly; ngspice reads it"),
        ("#1 a b", r"expected a device \(b c d .*\) or a dot command, got '#1'"),
        (".param a = 1 + 2", r"expected name=expression pairs, got '\+'; put \{\}"),
        (".if (a)\nr1 a b 1\n.endif", r"^t\.cir:1: expected no conditional blocks, got \.if; ngspice reads them"),
        (".ends", r"^t\.cir:1: expected \.ends only after \.subckt"),
        ("r1 a b 1\n.subckt s a\nr1 a 0 1", r"^t\.cir:2: expected \.ends after \.subckt s, got the end of the netlist"),
        (".subckt s a\n.subckt t a\n.ends s", r"^t\.cir:3: expected \.ends t for the \.subckt at t\.cir:2, got 's'"),
        (".subckt s a\n.ends\n.subckt S a\n.ends", r"^t\.cir:3: expected one sub-circuit 's' here.*t\.cir:1"),
        (INVERTER + "x1 a b c imv", r"^t\.cir:8: .* got 'imv' \(nearest defined: inv\); .*opaque"),
        ("x1 a b c inv", r"expected a defined sub-circuit, got 'inv' \(nearest defined: none\)"),
        (INVERTER + "x1 a b inv", r"^t\.cir:8: expected 3 nets for 'inv' \(in out vdd\), got 2"),
        (INVERTER + "x1 a b c inv wp=1", r"expected a parameter of 'inv' \(w, l\), got 'wp'"),
        (".subckt s a\nx1 a t\n.ends\n.subckt t a\nx1 a s\n.ends\nx1 a s", r"contain themselves, got s > t > s"),
        (".subckt s a w={l} l={w}\n.ends\nx1 a s", r"^t\.cir:1: expected parameters without a cycle, got"),
        (".model", r"^t\.cir:1: expected a name and a type after \.model, got neither"),
        ("r1 a b 1\n.model nch", r"^t\.cir:2: expected a name and a type after \.model, got nch; add"),
        (".subckt", r"expected a name and nets after \.subckt"),
        ("x1", r"expected nets and a sub-circuit after 'x1'"),
    ],
)
def test_mistakes_say_what_was_expected_and_where(text: str, message: str):
    with pytest.raises(NetlistError, match=message):
        circuit(text)


def test_calls_may_be_as_deep_as_in_ngspice_and_no_deeper():
    def chain(levels: int) -> str:
        inner = "".join(f".subckt s{n} a\nx1 a s{n + 1}\n.ends\n" for n in range(1, levels))
        return f"{inner}.subckt s{levels} a\nr1 a 0 1\n.ends\nx1 a s1"

    assert device(chain(21)).nets == ("a", "0")
    with pytest.raises(NetlistError, match="expected at most 21 calls inside one another"):
        circuit(chain(22))


def test_an_error_in_an_included_file_names_that_file(tmp_path: Path):
    (tmp_path / "part.cir").write_text("* part\nm1 a b\n")
    (tmp_path / "top.cir").write_text(".include part.cir\n")
    with pytest.raises(NetlistError, match=r"part\.cir:2: expected 4 nets"):
        parse_circuit(read_netlist(tmp_path / "top.cir"))


COMMANDS = [".subckt ", ".ends ", ".param ", ".model ", ".global ", ".func ", ".lib ", ".include "]
PIECES = [*COMMANDS, "params:", "pulse(", "poly(", "==", "1k", "gnd", *"mrclvidqefghbxjkswtuoz0     \n\n+={}()'\",;$*"]


@pytest.mark.slow
@given(st.lists(st.sampled_from(PIECES), max_size=60).map("".join) | st.text(max_size=80))
def test_any_text_parses_or_raises_a_netlist_error(text: str):
    message = ""
    try:
        devices = circuit(text).devices
    except NetlistError as error:
        devices, message = (), str(error)
    assert re.match(r"t\.cir:\d+: expected ", message) or not message
    assert all(len(device.nets) == len(device.terminals) for device in devices)


@pytest.mark.parametrize("name", ["ln", "MIN", "agauss"])
def test_a_parameter_called_like_a_function_is_refused(name: str):
    with pytest.raises(NetlistError, match=f"got '{name.lower()}', which ngspice takes for a function; rename it"):
        parse_circuit(read_text(f".param {name}=2\nr1 a 0 {{{name}}}", "amp.cir", Path()))

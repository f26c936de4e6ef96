"""What is recognised in circuits: rails, ports, transistors that belong together, and the class of the whole."""

from pathlib import Path

import pytest

from sizing.first_spec.recognition.classes import Comparator, OpAmp, Regulator, RingOscillator, Structure, recognise
from sizing.first_spec.recognition.rails import rails_of
from sizing.first_spec.recognition.signals import sign_between
from sizing.first_spec.recognition.transistors import transistors_of
from sizing.spice.circuit import Circuit, parse_circuit
from sizing.spice.netlist import read_text

MODELS = ".model n nmos level=1\n.model p pmos level=1\n.model qn npn\n"
PAIR = """
m1 x inp t 0 n w=2u l=1u
m2 y inn t 0 n w=2u l=1u
m3 x x vdd vdd p w=4u l=1u
m4 y x vdd vdd p w=4u l=1u
m5 t nb 0 0 n w=8u l=2u
m6 nb nb 0 0 n w=2u l=2u
"""


def circuit(text: str) -> Circuit:
    return parse_circuit(read_text(MODELS + text, "test", Path()))


def recognised(text: str, name: str = "") -> Structure:
    flat = circuit(text)
    return recognise(flat, flat.nets, name)


def test_an_amplifier_has_inputs_a_bias_and_an_output():
    found = recognised(PAIR)
    assert found.circuit_class == OpAmp("inp", "inn", "y")
    assert found.rails.supplies == ("vdd",)
    assert found.ports.bias_currents == (("nb", "n"),)
    matched = [tuple(each.name for each in match.transistors) for match in found.matches]
    assert matched == [("m1", "m2"), ("m3", "m4"), ("m5", "m6")]


def test_a_pair_whose_sources_are_a_port_is_given_its_tail_current():
    found = recognised("".join(line + "\n" for line in PAIR.splitlines() if line[:2] not in ("m5", "m6")))
    assert found.circuit_class == OpAmp("inp", "inn", "y")
    assert found.ports.bias_currents == (("t", "p"),)


def test_drains_and_sources_may_be_exchanged():
    swapped = "".join(
        " ".join((words[0], words[3], words[2], words[1], *words[4:])) + "\n"
        for words in map(str.split, PAIR.strip().splitlines())
        if words[0] in ("m3", "m4", "m5")
    )
    kept = "".join(f"{line}\n" for line in PAIR.strip().splitlines() if line.split()[0] not in ("m3", "m4", "m5"))
    assert recognised(kept + swapped).circuit_class == OpAmp("inp", "inn", "y")


@pytest.mark.parametrize(
    ("lines", "name", "kind"),
    [
        ("mp out y vdd vdd p w=2u l=1u\nmn out y 0 0 n w=1u l=1u\n", "", Comparator),
        ("", "my_comparator", Comparator),
        ("mpass vo y vdd vdd p w=200u l=1u\nr1 vo inp 10k\nr2 inp 0 10k\n", "", Regulator),
    ],
)
def test_what_follows_a_pair_makes_its_class(lines: str, name: str, kind: type):
    assert isinstance(recognised(PAIR + lines, name).circuit_class, kind)


def test_a_regulator_keeps_the_ratio_of_its_divider():
    found = recognised(PAIR + "mpass vo y vdd vdd p w=200u l=1u\nr1 vo inp 30k\nr2 inp 0 10k\n").circuit_class
    assert isinstance(found, Regulator)
    assert (found.reference, found.output, found.gain) == ("inn", "vo", pytest.approx(4.0))


@pytest.mark.parametrize(("stages", "is_ring"), [(2, False), (3, True), (4, False), (5, True)])
def test_a_ring_is_an_odd_number_of_inverters(stages: int, is_ring: bool):
    lines = "".join(
        f"mp{i} a{(i + 1) % stages} a{i} vdd vdd p w=2u l=1u\nmn{i} a{(i + 1) % stages} a{i} 0 0 n w=1u l=1u\n"
        for i in range(stages)
    )
    found = recognised(lines).circuit_class
    assert isinstance(found, RingOscillator) == is_ring
    assert not isinstance(found, RingOscillator) or len(found.stages) == stages


@pytest.mark.parametrize(
    ("lines", "supplies", "grounds"),
    [
        ("m1 a b gnd! gnd! n\nm2 a b vdd! vdd! p\n", ("vdd!",), ("0", "gnd!")),
        ("m1 a b 0 0 n\nm2 a b 9 9 p\nv1 9 0 5\n", ("9",), ("0",)),
        ("m1 a b 8 8 n\nm2 a b vcc vcc p\nv1 8 0 -5\n", ("vcc",), ("0", "8")),
        ("q1 vcc in follower qn\nr1 follower 0 1k\n", ("vcc",), ("0",)),
        ("m1 x a t vss n\nm2 y b t vss n\ni1 t vss 1u\nm3 x x vdd vdd p\n", ("vdd",), ("0", "vss")),
        ("m1 x a t t n\nm2 y b t t n\ni1 t low 1u\nm3 x x up up p\n", ("up",), ("0",)),
        ("m1 x a t t p\nm2 y b t t p\ni1 vdd t 1u\nv1 t 0 1\nm3 x x 0 0 n\n", ("vdd",), ("0",)),
        ("m1 x a t t p\nm2 y b t t p\ni1 9 t 1u\nm3 x x low low n\n", ("t",), ("0", "low")),
    ],
)
def test_rails_are_named_held_or_fed_from(lines: str, supplies: tuple[str, ...], grounds: tuple[str, ...]):
    flat = circuit(lines)
    rails = rails_of(flat, transistors_of(flat), flat.nets)
    assert (rails.supplies, rails.grounds) == (supplies, grounds)


def test_sources_tell_voltages_against_ground_through_other_grounds():
    flat = circuit("v1 vss 0 -2\nv2 in vss 0.5\nv3 0 low 1\nm1 vdd in vss vss n\n")
    assert rails_of(flat, transistors_of(flat), flat.nets).voltages == {"vss": -2.0, "in": -1.5, "low": -1.0}


@pytest.mark.parametrize(("start", "sign"), [("inp", 1), ("inn", -1), ("nb", 0)])
def test_the_sign_of_a_way_is_that_of_its_inversions(start: str, sign: int):
    flat = circuit(PAIR.replace("m5 t nb", "m5 t other"))
    transistors = transistors_of(flat)
    assert sign_between(flat, transistors, rails_of(flat, transistors, flat.nets), start, "y") == sign

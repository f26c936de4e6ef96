"""Numbers as designers write them."""

from decimal import Decimal
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sizing.units import PREFIXES, UNIT_NAMES, format_quantity, parse_quantity, spice_number

PLAIN = ("dB", "deg", "%")
"""Units that take no prefix."""


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("2.5p", "F", "2.5e-12"),
        ("2.5 pF", "F", "2.5e-12"),
        ("2.5pF", "F", "2.5e-12"),
        ("  2.5  p  F ", "F", "2.5e-12"),
        ("50f", "F", "50e-15"),
        ("1F", "F", "1"),
        ("10Meg", "Hz", "10e6"),
        ("10meg", "Hz", "10e6"),
        ("10MEG", "Hz", "10e6"),
        ("10 MHz", "Hz", "10e6"),
        ("10 MegHz", "Hz", "10e6"),
        ("1 GHz", "Hz", "1e9"),
        ("2T", "Hz", "2e12"),
        ("90 ns", "s", "90e-9"),
        ("90n", "s", "90e-9"),
        ("3 seconds", "s", "3"),
        ("1 mV", "V", "1e-3"),
        ("1m", "V", "1e-3"),
        ("0.2 mA", "A", "0.2e-3"),
        ("5 µA", "A", "5e-6"),
        ("5 μA", "A", "5e-6"),
        ("5u", "A", "5e-6"),
        ("5k", "Ohm", "5e3"),
        ("5 k\u2126", "Ohm", "5e3"),
        ("5 k\u03a9", "Ohm", "5e3"),
        ("5 kohms", "Ohm", "5e3"),
        ("5K", "Ohm", "5e3"),
        ("2 MOhm", "Ohm", "2e6"),
        ("90n", "m", "90e-9"),
        ("90 nm", "m", "90e-9"),
        ("3 m", "m", "3"),
        ("1 MV/s", "V/s", "1e6"),
        ("2.5 mS", "S", "2.5e-3"),
        ("10 uA/um", "A/m", "10"),
        ("10 mA/m", "A/m", "1e-2"),
        ("15 1/V", "S/A", "15"),
        ("300 V/V", "V/V", "300"),
        ("60 dB", "dB", "60"),
        ("-40dB", "dB", "-40"),
        ("60 deg", "deg", "60"),
        ("60°", "deg", "60"),
        ("10 %", "%", "0.1"),
        ("0.5%", "%", "0.005"),
        ("3 percent", "%", "0.03"),
        ("1k", "", "1000"),
        ("+.5", "", "0.5"),
        ("5.", "", "5"),
        ("1e-3", "V", "0.001"),
        ("1.5E3m", "V", "1.5"),
        (3, "V", "3"),
        (0.1, "V", "0.1"),
        (-0.0, "V", "0"),
        (10**20, "", "1e20"),
    ],
)
def test_numbers_in_spice_and_si_notation_are_read_exactly(text: Any, unit: str, value: str):
    assert parse_quantity(text, unit) == Decimal(value)


@pytest.mark.parametrize("unit", [unit for unit in UNIT_NAMES if unit not in (*PLAIN, "m")])
@pytest.mark.parametrize(("prefix", "exponent"), [item for item in PREFIXES.items() if item[0] != "M"])
def test_every_prefix_may_stand_alone_or_before_the_unit(prefix: str, exponent: int, unit: str):
    assert parse_quantity(f"3{prefix}", unit) == Decimal(3).scaleb(exponent)
    for spelling in UNIT_NAMES[unit]:
        assert parse_quantity(f"3 {prefix}{spelling}", unit) == Decimal(3).scaleb(exponent)


def test_a_bare_m_is_milli_but_metres_where_metres_are_expected():
    assert parse_quantity("90m", "V") == Decimal("0.09")
    assert parse_quantity("90m", "m") == 90


@pytest.mark.parametrize("unit", [unit for unit in UNIT_NAMES if unit not in PLAIN])
def test_a_bare_capital_m_is_refused_because_it_means_two_things(unit: str):
    with pytest.raises(ValueError, match=r"got '10M', which is milli in SPICE and mega in SI: write 10m or 10Meg$"):
        parse_quantity("10M", unit)


@pytest.mark.parametrize(
    ("text", "unit", "message"),
    [
        ("60dB", "deg", "expected degrees, got '60dB'"),
        ("1 V", "Hz", "expected hertz, got '1 V'"),
        ("1 s", "F", "expected farads, got '1 s'"),
        ("1k", "dB", "expected decibels, got '1k'"),
        ("1 kdeg", "deg", "expected degrees, got '1 kdeg'"),
        ("10M", "dB", "expected decibels, got '10M'"),
        ("1 m%", "%", "expected a percentage, got '1 m%'"),
        ("5 %", "", "expected a number without unit, got '5 %'"),
        ("5 V", "V/V", "expected a ratio (V/V), got '5 V'"),
        ("5 V", "V/s", "expected volts per second, got '5 V'"),
        ("10N", "s", "expected seconds, got '10N'"),
        ("1.2.3", "W", "expected watts, got '1.2.3'"),
        ("1e", "H", "expected henries, got '1e'"),
        ("1_000", "Ohm", "expected ohms, got '1_000'"),
        ("", "A", "expected amperes, got ''"),
        ("p", "m", "expected metres, got 'p'"),
        ("ten", "", "expected a number without unit, got 'ten'"),
        ("2*w", "", "expected a number without unit, got '2*w'"),
        ("-", "V", "expected volts, got '-'"),
    ],
)
def test_what_is_no_quantity_of_the_unit_is_refused_and_repeated(text: str, unit: str, message: str):
    with pytest.raises(ValueError, match=r"^expected") as caught:
        parse_quantity(text, unit)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (True, "true"),
        (False, "false"),
        (nan, "nan"),
        (inf, "inf"),
        (-inf, "-inf"),
        ("nan", "'nan'"),
        ("inf", "'inf'"),
        (".inf", "'.inf'"),
        (None, "None"),
        ([1], "[1]"),
        ({"a": 1}, "{'a': 1}"),
    ],
)
def test_booleans_infinities_and_what_is_no_number_are_refused(given: Any, shown: str):
    with pytest.raises(ValueError, match=r"^expected") as caught:
        parse_quantity(given, "V")
    assert str(caught.value) == f"expected volts, got {shown}"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("1e400", "'1e400'"),
        ("-1e-400 pV", "'-1e-400 pV'"),
        ("1e99999999999999999999", "'1e99999999999999999999'"),
        (1e300, "1e+300"),
        (10**400, "1.000e+400"),
    ],
)
def test_numbers_beyond_any_float_are_refused_rather_than_made_infinite_or_zero(given: Any, shown: str):
    with pytest.raises(ValueError, match="beyond") as caught:
        parse_quantity(given, "V")
    assert str(caught.value) == f"expected volts, got {shown}, beyond 1e±280"


def test_a_number_that_python_would_not_even_print_is_refused():
    with pytest.raises(ValueError, match=r"expected volts, got 1\.000e\+5000, beyond"):
        parse_quantity(10**5000, "V")


def test_multiples_of_a_step_are_the_floats_a_person_would_type():
    step = parse_quantity("0.1p", "F")
    assert float(step * 3) == float("0.3e-12") != 3 * 0.1e-12
    assert [float(step * n) for n in range(1, 100)] == [float(f"{n / 10:.1f}e-12") for n in range(1, 100)]
    assert parse_quantity(0.1, "") * 3 == Decimal("0.3")


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (2.5e-12, "F", "2.5 pF"),
        (1e-15, "F", "1 fF"),
        (1e-18, "F", "1e-18 F"),
        (12.5e6, "Hz", "12.5 MHz"),
        (1e9, "Hz", "1 GHz"),
        (3e12, "Hz", "3 THz"),
        (90e-9, "s", "90 ns"),
        (-1e-3, "V", "-1 mV"),
        (0.2e-3, "A", "200 uA"),
        (950.0, "Ohm", "950 Ohm"),
        (999.96, "Ohm", "1 kOhm"),
        (999.94, "Ohm", "999.9 Ohm"),
        (0.0, "Ohm", "0 Ohm"),
        (300.0, "V/V", "300 V/V"),
        (12345.0, "V/V", "1.234e+04 V/V"),
        (60.0, "dB", "60 dB"),
        (61.23456, "deg", "61.23 deg"),
        (0.1, "%", "10 %"),
        (0.0125, "%", "1.25 %"),
        (0.0, "%", "0 %"),
        (42.0, "", "42"),
        (nan, "V", "–"),
        (inf, "%", "–"),
    ],
)
def test_quantities_are_printed_with_prefix_and_unit(value: float, unit: str, text: str):
    assert format_quantity(value, unit) == text


def test_fewer_digits_may_be_asked_for():
    assert format_quantity(1234.5, "Hz", digits=2) == "1.2 kHz"


@given(
    st.floats(-1e15, 1e15, allow_subnormal=False).map(lambda x: x if abs(x) > 1e-270 else 0.0),
    st.sampled_from(sorted(UNIT_NAMES)),
)
def test_what_is_printed_reads_back_as_the_same_quantity(value: float, unit: str):
    read = float(parse_quantity(format_quantity(value, unit, digits=17), unit))
    assert read == pytest.approx(value, rel=1e-14)


@given(st.decimals(-1000, 1000, places=6), st.sampled_from(sorted(set(PREFIXES) - {"M"})))
def test_a_prefix_moves_the_decimal_point_and_nothing_else(number: Decimal, prefix: str):
    assert parse_quantity(f"{number}{prefix}", "V") == number.scaleb(PREFIXES[prefix])


@given(st.text(max_size=20), st.sampled_from(sorted(UNIT_NAMES)))
def test_any_text_is_a_finite_number_or_refused(text: str, unit: str):
    message = "expected "
    try:
        assert parse_quantity(text, unit).is_finite()
    except ValueError as error:
        message = str(error)
    assert message.startswith("expected ")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_spice_number_reads_back_as_the_same_float(value: float):
    assert float(spice_number(value)) == value

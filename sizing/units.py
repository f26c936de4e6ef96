"""Numbers as designers write them ("2.5p", "10Meg", "90 ns", "60 dB") and exact decimals as the grid needs them."""

import re
from decimal import Decimal, InvalidOperation
from math import isfinite

PREFIXES = {
    "f": -15, "p": -12, "n": -9, "u": -6, "µ": -6, "μ": -6, "m": -3,
    "k": 3, "K": 3, "Meg": 6, "M": 6, "G": 9, "T": 12,
}  # fmt: skip

UNIT_NAMES = {
    "V": ("V", "volt", "volts"),
    "A": ("A", "ampere", "amperes"),
    "W": ("W", "watt", "watts"),
    "Hz": ("Hz", "hertz"),
    "s": ("s", "sec", "second", "seconds"),
    "F": ("F", "farad", "farads"),
    "H": ("H", "henry"),
    "m": ("m", "meter", "metre"),
    "Ohm": ("Ohm", "ohm", "ohms", "\u03a9", "\u2126"),
    "B": ("B", "byte", "bytes"),
    "V/V": ("V/V",),
    "V/s": ("V/s",),
    "S": ("S", "siemens"),
    "S/A": ("S/A", "1/V"),
    "A/m": ("A/m", "uA/um", "µA/µm", "μA/μm"),
    "dB": ("dB", "db"),
    "deg": ("deg", "°", "degree", "degrees"),
    "%": ("%", "percent"),
    "": ("",),
}
"""Every unit of the project and the spellings accepted for it; SI prefixes may stand before all but the last four."""

LARGEST_EXPONENT = 280
ABSOLUTE_ZERO = -273.15
"""Degrees Celsius."""
_PREFIXED = tuple(unit for unit in UNIT_NAMES if unit not in ("dB", "deg", "%", ""))
_SPELLINGS = {spelling: unit for unit, spellings in UNIT_NAMES.items() for spelling in spellings}
_NUMBER = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*?)\s*", re.DOTALL)


def parse_quantity(text: str | int | float, unit: str) -> Decimal:
    """The exact value in `unit` (one of UNIT_NAMES) of a number with an optional SPICE or SI prefix and unit.

    "2.5p" and "2.5 pF" are the same in farads, and so are "10Meg" and "10 MHz" in hertz. A bare "10M" is refused,
    because it means mega in SI and milli in SPICE. Percentages are returned as fractions.
    Raises ValueError that says what was expected.
    """
    if isinstance(text, bool):
        raise ValueError(f"expected {_expected(unit)}, got {str(text).lower()}")
    if isinstance(text, float) and not isfinite(text):
        raise ValueError(f"expected {_expected(unit)}, got {text}")
    if isinstance(text, int | float):
        return _in_range(Decimal(text if isinstance(text, int) else repr(text)), text, unit)
    match = _NUMBER.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"expected {_expected(unit)}, got {text!r:.80}")
    try:
        number, suffix = Decimal(match[1]), match[2]
    except InvalidOperation:  # an exponent that no Decimal holds
        number, suffix = Decimal("inf"), ""
    if suffix == "":
        return _in_range(number, text, unit)
    if suffix == "M" and unit not in ("dB", "deg", "%"):
        raise ValueError(f"expected {_expected(unit)}, got {text!r}, which is milli in SPICE and mega in SI: "
                         f"write {match[1]}m or {match[1]}Meg")  # fmt: skip
    exponent = _exponent(suffix, unit)
    if exponent is None:
        raise ValueError(f"expected {_expected(unit)}, got {text!r}")
    return _in_range(number, text, unit).scaleb(exponent)


def parse_celsius(given: str | int | float) -> float:
    """A temperature in degrees Celsius, from a number alone: K would be kilo or kelvin.

    Raises ValueError that says what was expected, and what to write for kelvins.
    """
    match = _NUMBER.fullmatch(given) if isinstance(given, str) else None
    number, unit = match.groups() if match else (given, "")
    try:
        value = parse_quantity(number, "")
    except ValueError:
        raise ValueError(f"expected degrees Celsius, got {given!r:.80}") from None
    if unit:
        meant = {"K": value + Decimal(repr(ABSOLUTE_ZERO)), "C": value, "°C": value}
        hint = f": write {meant[unit]}" if unit in meant else ""
        raise ValueError(f"expected degrees Celsius without a unit, got {given!r:.80}{hint}")
    if value <= ABSOLUTE_ZERO:
        raise ValueError(f"expected degrees Celsius above {ABSOLUTE_ZERO}, got {given}")
    return float(value)


def _in_range(number: Decimal, given: str | int | float, unit: str) -> Decimal:
    """The number, if floats can hold it and its products with prefixes; refused before any arithmetic overflows."""
    if number and not (number.is_finite() and abs(number.adjusted()) <= LARGEST_EXPONENT):
        shown = f"{number:.3e}" if isinstance(given, int) else repr(given)
        raise ValueError(f"expected {_expected(unit)}, got {shown:.80}, beyond 1e±{LARGEST_EXPONENT}")
    return number


def _exponent(suffix: str, unit: str) -> int | None:
    """The power of ten that `suffix` stands for where `unit` is expected; None where it does not fit."""
    if _SPELLINGS.get(suffix) == unit:
        return -2 if unit == "%" else 0
    if suffix in PREFIXES and unit not in ("dB", "deg", "%"):
        return PREFIXES[suffix]
    if suffix.lower() == "meg" and unit not in ("dB", "deg", "%"):
        return 6
    if unit in _PREFIXED:
        for prefix in sorted(PREFIXES, key=len, reverse=True):
            if suffix.startswith(prefix) and _SPELLINGS.get(suffix[len(prefix) :].strip()) == unit:
                return PREFIXES[prefix]
    return None


def _expected(unit: str) -> str:
    words = {
        "V": "volts", "A": "amperes", "W": "watts", "Hz": "hertz", "s": "seconds", "F": "farads", "H": "henries",
        "m": "metres", "Ohm": "ohms", "B": "bytes", "V/V": "a ratio (V/V)", "V/s": "volts per second",
        "S": "siemens", "S/A": "siemens per ampere", "A/m": "amperes per metre", "dB": "decibels",
        "deg": "degrees", "%": "a percentage", "": "a number without unit",
    }  # fmt: skip
    return words[unit]


def format_quantity(value: float, unit: str = "", digits: int = 4) -> str:
    """`value` with an engineering prefix, such as "2.5 pF"; units without prefixes plainly, fractions as percent."""
    if not isfinite(value):
        return "–"
    if unit == "%":
        return f"{value * 100:.{digits}g} %"
    if unit not in _PREFIXED or unit == "V/V" or value == 0:
        return f"{value:.{digits}g} {unit}".strip()
    for symbol, exponent in (("T", 12), ("G", 9), ("M", 6), ("k", 3), ("", 0), ("m", -3), ("u", -6), ("n", -9),
                             ("p", -12), ("f", -15)):  # fmt: skip
        if abs(value) >= 0.99995 * 10.0**exponent:
            return f"{value / 10.0**exponent:.{digits}g} {symbol}{unit}"
    return f"{value:.{digits}g} {unit}"


def spice_text(value: float) -> str:
    """`value` in at most six digits with SPICE's suffix, such as "2.5p" or "10Meg"; without one outside of f to T."""
    number, _, prefixed = format_quantity(value, "V", digits=6).partition(" ")
    prefix = prefixed.removesuffix("V")
    return number + ("Meg" if prefix == "M" else prefix)


def spice_number(value: float) -> str:
    """`value` as ngspice reads it back to the same float."""
    return repr(float(value))

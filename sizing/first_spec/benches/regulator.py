"""Benches of a low-dropout regulator: at full load and without."""

from sizing.first_spec.benches.setup import BenchText, MetricText, Setup, load_capacitor, response
from sizing.first_spec.fixture import Fixture
from sizing.first_spec.recognition.classes import Regulator, Structure
from sizing.units import format_quantity, spice_text

LOAD_AMPERES = 1e-3
LOAD_FARADS = 100e-9
DROPOUT_SHARE = 0.3
"""Where nothing else is known, the output is so much of the supply below it."""


def regulator(structure: Structure, fixture: Fixture, kind: Regulator) -> Setup:
    """Output voltage and quiescent current, and gains from supply and load: line and load regulation, rejection."""
    reference = fixture.level(kind.reference, (1 - DROPOUT_SHARE) * fixture.span / kind.gain)
    wanted = reference * kind.gain
    load = fixture.name("iload")
    idle = (
        *fixture.lines,
        f"{fixture.source_at(kind.reference)} {kind.reference} 0 dc {spice_text(reference)} $ TODO: reference voltage",
        *load_capacitor(structure, fixture, kind.output, LOAD_FARADS),
    )
    loaded = (*idle, f"{load} {kind.output} 0 dc {spice_text(LOAD_AMPERES)} $ TODO: load current")
    benches = (
        BenchText(
            "loaded",
            f"At full load; the reference asks for {format_quantity(wanted, 'V')} at the output.",
            loaded,
            (
                ("bias", "op"),
                ("from_supply", f"{{run: ac dec 10 1 100Meg, excite: {fixture.source}}}"),
                ("from_load", f"{{run: ac dec 10 1 100Meg, excite: {load}}}"),
            ),
        ),
        BenchText("idle", "Without load.", idle, (("bias", "op"),)),
    )
    output = response(kind.output)
    line = f"measure: gain_at, of: loaded.from_supply, {output}"
    of_load = f"measure: gain_at, of: loaded.from_load, {output}, frequency: 1"
    current = f"measure: supply_current, of: idle.bias, source: {fixture.source}"
    metrics = (
        MetricText("vout", f"measure: dc_value, of: loaded.bias, {output}", "around", wanted, "V"),
        MetricText("vout_idle", f"measure: dc_value, of: idle.bias, {output}", "around", wanted, "V"),
        MetricText("line_regulation", f"{line}, frequency: 1", "at_most", 10e-3, "V/V"),
        MetricText("load_regulation", of_load, "at_most", 1, "V/V"),  # per ampere
        MetricText("supply_gain", f"{line}, frequency: 10k, unit: dB", "at_most", -40, "dB"),
        MetricText("quiescent_current", current, "at_most", 100e-6, "A"),
    )
    return Setup("low-dropout regulator", benches, metrics)

"""The benches for a recognised circuit, in the variants that are worth trying."""

from collections.abc import Iterator

from sizing.first_spec.benches.comparator import comparator
from sizing.first_spec.benches.opamp import opamp
from sizing.first_spec.benches.regulator import regulator
from sizing.first_spec.benches.ring_oscillator import ring_oscillator
from sizing.first_spec.benches.setup import BenchText, Setup, resting_inputs, supply_current
from sizing.first_spec.fixture import Fixture
from sizing.first_spec.recognition.classes import Comparator, OpAmp, Regulator, RingOscillator, Structure

OPAMP_WINDOWS = (1e-6, 1e-5, 1e-4, 1e-3)
COMPARATOR_WINDOWS = (1e-8, 1e-7, 1e-6, 1e-5)
RING_WINDOWS = (1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4)
"""Lengths of transients to try, in seconds: how fast a circuit is, is found out by simulating it."""


def proposed_setups(structure: Structure, fixture: Fixture) -> Iterator[Setup]:
    """Benches that measure what matters for the circuit's class, the most likely ones first.

    The others have longer transients, or inputs exchanged: which is which may be hard to see in a netlist.
    """
    kind = structure.circuit_class
    if isinstance(kind, OpAmp):
        for amplifier in (kind, kind.exchanged()):
            yield from (opamp(structure, fixture, amplifier, window) for window in OPAMP_WINDOWS)
    elif isinstance(kind, Comparator):
        for decider in (kind, kind.exchanged()):
            yield from (comparator(structure, fixture, decider, window) for window in COMPARATOR_WINDOWS)
    elif isinstance(kind, Regulator):
        yield regulator(structure, fixture, kind)
    elif isinstance(kind, RingOscillator):
        yield from (ring_oscillator(structure, fixture, kind, window) for window in RING_WINDOWS)
    else:
        yield _operating_point(structure, fixture)


def _operating_point(structure: Structure, fixture: Fixture) -> Setup:
    bench = BenchText(
        "operating_point",
        "TODO: analyses of your own, see `sizing methods`.",
        (*fixture.lines, *resting_inputs(structure, fixture)),
        (("bias", "op"),),
    )
    return Setup("circuit of no known class", (bench,), (supply_current("operating_point", fixture),))

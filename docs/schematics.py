"""Draws the circuits of the shipped specs, docs/schematics/NAME.svg: python -m docs.schematics [NAME…]

Drawings are compared with the netlists, connection by connection, in tests/docs/test_circuits.py.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import schemdraw

from docs.drawing.opamps import opamp_cc, opamp_cc_rz, sky130_folded_cascode, sky130_miller, sky130_nested_miller
from docs.drawing.others import cs_amp, sky130_ldo, sky130_ring, tia_three_stage, tia_two_stage
from docs.drawing.sheet import Sheet

FOLDER = Path(__file__).parent / "schematics"
CIRCUITS = (
    cs_amp,
    opamp_cc,
    opamp_cc_rz,
    tia_two_stage,
    tia_three_stage,
    sky130_miller,
    sky130_folded_cascode,
    sky130_nested_miller,
    sky130_ldo,
    sky130_ring,
)


def drawn(circuit: Callable[[Sheet], None]) -> Sheet:
    """The sheet of a circuit."""
    schemdraw.use("svg")
    schemdraw.svgconfig.text = "text"
    drawing = schemdraw.Drawing(show=False)
    drawing.config(bgcolor="white", inches_per_unit=0.45, lw=1.6, margin=0.4, unit=1)
    sheet = Sheet(drawing)
    circuit(sheet)
    return sheet


if __name__ == "__main__":
    for circuit in CIRCUITS:
        if circuit.__name__ in sys.argv[1:] or not sys.argv[1:]:
            (FOLDER / f"{circuit.__name__}.svg").write_bytes(drawn(circuit).svg())

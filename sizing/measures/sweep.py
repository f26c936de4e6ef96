"""Measurements of a sweep of DC values."""

from typing import Literal

import numpy as np

from sizing.measures.batch import Reasons
from sizing.measures.curves import Array
from sizing.measures.measure import OfOutput
from sizing.measures.waveforms import Results

SWEPT = {"V/V": "v", "Ohm": "i"}
"""The first letter of the source that must be swept for a regulation in these units."""


class Regulation(OfOutput):
    """By how much the output varies over a dc sweep: largest less smallest voltage. Always exists.

    In V; or by the width of the sweep, in V/V for a swept voltage (line regulation) and in Ohm for a swept current
    (load regulation).
    """

    measure: Literal["regulation"]
    kinds = ("dc",)
    unit: Literal["V", "V/V", "Ohm"] = "V"

    def compute(self, results: Results, missing: Reasons) -> Array:
        swept, output = self.observed(results)
        varied: Array = np.ptp(np.real(output), axis=1)
        return varied if self.unit == "V" else varied / np.ptp(swept)

"""What an analysis returns: one axis and the vectors along it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64] | NDArray[np.complex128]


@dataclass(frozen=True)
class Waveforms:
    """Vectors (N,) by name along an axis (N,) of time, frequency or a swept value.

    Names are those of nets ("v(out)"), voltage sources ("i(vdd)") and quantities of transistors ("@x1.m3[vds]").
    An operating point has one point and an axis of zero. AC vectors are complex phasors.
    """

    axis: NDArray[np.float64]
    vectors: Mapping[str, Vector]
    meas: Mapping[str, float | str] = field(default_factory=dict)
    """Results of ngspice's `.meas` by name; of failed ones the reason."""


Results = Mapping[str, Waveforms]
"""Waveforms by "bench.analysis"."""

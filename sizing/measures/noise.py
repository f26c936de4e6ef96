"""Measurements of noise."""

from typing import Literal

import numpy as np

from sizing.measures.batch import Reasons
from sizing.measures.curves import Array
from sizing.measures.measure import Vectorized
from sizing.measures.waveforms import Results


class RmsNoise(Vectorized):
    """Root of the noise density squared and integrated over the sweep of a noise analysis (trapezoids).

    `referred` to the output, or to the input source the analysis names: then `unit: A` where that is a current source.
    """

    measure: Literal["rms_noise"]
    better = "lower"
    kinds = ("noise",)
    unit: Literal["V", "A"] = "V"
    referred: Literal["output", "input"] = "output"

    @property
    def vectors(self) -> tuple[str, ...]:
        return ("onoise_spectrum" if self.referred == "output" else "inoise_spectrum",)

    def compute(self, results: Results, missing: Reasons) -> Array:
        waveforms = results[self.of]
        density = np.ascontiguousarray(np.real(waveforms.vectors[self.vectors[0]]))  # for sums as of a lone design
        power: Array = np.trapezoid(density**2, waveforms.axis)
        return np.sqrt(power)

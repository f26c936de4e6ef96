"""Measurements of noise."""

from typing import Literal

import numpy as np

from sizing.measures.measure import Measure
from sizing.measures.waveforms import Results


class RmsNoise(Measure):
    """Root of the noise density squared and integrated over the sweep of a noise analysis (trapezoids).

    `referred` to the output, or to the input source the analysis names; in A where that is a current source.
    """

    measure: Literal["rms_noise"]
    better = "lower"
    kinds = ("noise",)
    unit: Literal["V", "A"] = "V"
    referred: Literal["output", "input"] = "output"

    @property
    def vectors(self) -> tuple[str, ...]:
        return ("onoise_spectrum" if self.referred == "output" else "inoise_spectrum",)

    def value(self, results: Results) -> float:
        waveforms = results[self.of]
        density = np.real(waveforms.vectors[self.vectors[0]])
        return float(np.sqrt(np.trapezoid(density**2, waveforms.axis)))

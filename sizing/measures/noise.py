"""Measurements of noise."""

from typing import Literal

import numpy as np

from sizing.measures.batch import Reasons
from sizing.measures.curves import Array
from sizing.measures.measure import Vectorized
from sizing.measures.waveforms import Results


class RmsNoise(Vectorized):
    """Root of the noise density squared and integrated over the points of a noise analysis, a power law between them.

    `referred` to the output, or to the input source the analysis names: then `unit: A` where that is a current source.
    """

    measure: Literal["rms_noise"]
    kinds = ("noise",)
    unit: Literal["V", "A"] = "V"
    referred: Literal["output", "input"] = "output"

    @property
    def vectors(self) -> tuple[str, ...]:
        return ("onoise_spectrum" if self.referred == "output" else "inoise_spectrum",)

    def compute(self, results: Results, missing: Reasons) -> Array:
        waveforms = results[self.of]
        density = np.ascontiguousarray(np.real(waveforms.vectors[self.vectors[0]]))  # for sums as of a lone design
        power: Array = _integral(waveforms.axis, density**2).sum(axis=1)
        return np.sqrt(power)


def _integral(frequency: Array, power: Array) -> Array:
    """Of a power density (B, N), between each two points (B, N - 1): of a power of the frequency, as ngspice's own.

    Power times frequency is then an exponential of the logarithm of the frequency, so its mean is the logarithmic one.
    Straight where the frequency or the power is 0, of which no power is known.
    """
    begin, end = power[:, :-1] * frequency[:-1], power[:, 1:] * frequency[1:]
    rise = (end - begin) / begin
    mean = np.where(rise == 0, begin, (end - begin) / np.log1p(rise))
    straight = (power[:, :-1] + power[:, 1:]) / 2 * np.diff(frequency)
    return np.where(begin * end > 0, mean * np.log(frequency[1:] / frequency[:-1]), straight)

"""Noise currents of devices: what falls with frequency and what does not, and what both make of an output."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
FREQUENCIES = (1e3, 1e6, 1e9)
"""Hz, evenly apart on a logarithmic axis, at which devices are measured."""
BOLTZMANN = 1.380649e-23
"""Joules by kelvin."""
_LEAST_WHITE, _LEAST_FLICKER = 1e-40, 1e-6
"""A²/Hz; and at the second frequency, of what is white."""
_USUAL_EXPONENT, _LOWEST_EXPONENT, _HIGHEST_EXPONENT = 1.0, 0.5, 2.0
"""Exponents of the frequency by which flicker noise falls."""


def parts(densities: Array) -> Array:
    """Logarithms of the white part and of flicker noise at the second frequency, and the exponent by which that falls,
    from densities (..., 3) at FREQUENCIES."""
    first, second, last = np.moveaxis(densities, -1, 0)
    ratio = FREQUENCIES[1] / FREQUENCIES[0]
    fallen, falls_on = first - second, second - last
    with np.errstate(all="ignore"):
        exponent = np.log(fallen / falls_on) / np.log(ratio)
    exponent = np.clip(
        np.where(falls_on > 1e-6 * second, exponent, _USUAL_EXPONENT), _LOWEST_EXPONENT, _HIGHEST_EXPONENT
    )
    flicker = np.maximum(fallen, 0.0) / (ratio**exponent - 1)
    white = np.maximum(last - flicker / ratio**exponent, _LEAST_WHITE)
    return np.stack([np.log(white), np.log(np.maximum(flicker, _LEAST_FLICKER * white)), exponent], -1)


def density(of_parts: Array, frequencies: Array) -> Array:
    """A²/Hz (M, F) of parts (M, 3) at frequencies (F,)."""
    white, flicker, exponent = of_parts.T[:, :, None]
    found: Array = np.exp(white) + np.exp(flicker - exponent * np.log(frequencies / FREQUENCIES[1]))
    return found


def thermal(conductance: Array, celsius: float) -> Array:
    """A²/Hz of resistors (B,) with these conductances in siemens."""
    found: Array = 4 * BOLTZMANN * (celsius + 273.15) * conductance
    return found

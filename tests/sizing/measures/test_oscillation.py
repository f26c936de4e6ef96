"""Oscillations of known frequency, and what is none."""

from typing import Any

import numpy as np
import pytest

from sizing.measures.measure import Missing
from sizing.measures.oscillation import OscillationFrequency
from sizing.measures.waveforms import Waveforms

TIME = np.linspace(0.0, 1e-6, 10001)
FREQUENCY = 33e6


def frequency(wave: np.ndarray, **keys: Any) -> float:
    entry = {"measure": "oscillation_frequency", "of": "b.a", "output": "out", "at_least": 0, **keys}
    measure = OscillationFrequency.model_validate(entry)
    return measure.value({"b.a": Waveforms(TIME, {"v(out)": wave})})


ALIKE = "periods are not alike: their highest or lowest voltages differ by more than 10% of the swing"


def sine(of: float | np.ndarray = FREQUENCY) -> np.ndarray:
    return np.sin(2 * np.pi * of * TIME)


def test_the_frequency_of_a_wave_is_its_whatever_its_size_level_and_start():
    assert frequency(sine()) == pytest.approx(FREQUENCY, rel=1e-4)
    assert frequency(0.6 + 0.02 * sine()) == pytest.approx(FREQUENCY, rel=1e-4)
    assert frequency(np.sign(sine())) == pytest.approx(FREQUENCY, rel=1e-2)
    assert frequency(sine() + 0.4 * sine(2 * FREQUENCY)) == pytest.approx(FREQUENCY, rel=1e-3)
    assert frequency(sine() + 0.3 * sine(3 * FREQUENCY)) == pytest.approx(FREQUENCY, rel=1e-3)
    started = sine() * np.minimum(1, np.exp((TIME - 0.4e-6) / 30e-9))
    assert frequency(started) == pytest.approx(FREQUENCY, rel=1e-4)


@pytest.mark.parametrize(
    ("wave", "keys", "reason"),
    [
        (0.5 + 0 * TIME, {}, "the output swings by 0 V, not 0.01 V: it does not oscillate"),
        (sine(), {"swing": "3 V"}, "the output swings by 2 V, not 3 V: it does not oscillate"),
        (TIME * 1e6, {}, "0 periods in the second half of the transient, not 5"),
        (sine(7e6), {}, "2 periods in the second half of the transient, not 5"),
        (np.where(TIME < 0.9e-6, sine(), 0.0), {}, "the output has stopped oscillating when the transient ends"),
        (sine(FREQUENCY * (1 + TIME * 2e5)), {}, r"periods from .* to .* s have not settled"),
        (sine() * np.exp(-TIME / 0.3e-6), {}, r"the swing has not settled: .* V, .* V later"),
        (sine() * np.exp(TIME / 0.3e-6), {}, r"the swing has not settled: .* V, .* V later"),
        (sine() * np.exp(-TIME / 3e-6), {}, r"the swing has not settled: .* V, .* V later"),  # 1 % a period
        (sine() + 0.8 * sine(2 * FREQUENCY), {}, ALIKE),
        (sine() + 5 * sine(2 * FREQUENCY), {}, ALIKE),
        (sine() + 3 * sine(3 * FREQUENCY), {"tolerance": "30 %"}, ALIKE),
    ],
)
def test_what_does_not_go_on_or_has_not_settled_is_missing(wave: np.ndarray, keys: dict[str, Any], reason: str):
    with pytest.raises(Missing, match=f"^{reason}$"):
        frequency(wave, **keys)

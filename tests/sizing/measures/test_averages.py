"""Averages of waveforms on uneven points, over all of them and over a part."""

from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from sizing.measures.catalogue import AnyMeasure
from sizing.measures.measure import Missing
from sizing.measures.waveforms import Waveforms

MEASURES: TypeAdapter[AnyMeasure] = TypeAdapter(AnyMeasure)
TIME = np.array([0.0, 1e-6, 5e-6, 6e-6, 10e-6])
RAMP = {"b.a": Waveforms(TIME, {"i(vdd)": -2e3 * TIME, "v(vdd)": np.full(5, 3.0)})}


def measured(name: str, **keys: Any) -> float:
    return MEASURES.validate_python({"measure": name, "of": "b.a", "source": "vdd", "at_most": 1, **keys}).value(RAMP)


def test_a_ramp_has_the_average_of_its_ends():
    assert measured("average_current") == pytest.approx(10e-3)
    assert measured("average_current", **{"from": "2 us", "to": 4e-6}) == pytest.approx(6e-3)
    assert measured("average_power", output="vdd", **{"from": "5.5 us"}) == pytest.approx(3 * 15.5e-3)


def test_a_part_that_the_transient_does_not_hold_is_missing():
    reason = r"^the transient, 0 to 1e-05 s, does not hold 2e-06 to 1\.1e-05 s$"
    with pytest.raises(Missing, match=reason):
        measured("average_current", **{"from": "2 us", "to": "11 us"})
    with pytest.raises(Missing):
        measured("average_current", **{"from": "10 us"})


def test_a_part_without_length_is_a_mistake():
    with pytest.raises(ValidationError, match=r"expected `to` after `from`, got from 4e-06 to 4e-06 s"):
        measured("average_current", **{"from": "4 us", "to": "4 us"})

"""Every measurement gives a batch, row by row and to the last bit, what it gives each design alone."""

from typing import Any, Literal, get_args

import numpy as np
import pytest
from pydantic import TypeAdapter

from sizing.measures.batch import designs
from sizing.measures.catalogue import AnyMeasure
from sizing.measures.curves import interpolate
from sizing.measures.measure import Measure, Missing
from sizing.measures.waveforms import Results, Waveforms
from sizing.simulation.simulator import measured_batch
from sizing.testing import MeasureContract
from sizing.testing.measures import ROWS, batch

MEASURES: TypeAdapter[AnyMeasure] = TypeAdapter(AnyMeasure)
KINDS: list[type[Measure]] = list(get_args(get_args(AnyMeasure)[0]))
KEYS: dict[str, Any] = {
    "output": "out", "input": "in", "source": "vdd", "over": "b.other", "devices": ["m1", "m2"], "quantity": "vth",
    "frequency": 2e3, "name": "level", "of": "b.a",
}  # fmt: skip
"""A value for each key that some measurement requires."""


def measure(kind: type[Measure]) -> AnyMeasure:
    """The measurement with the keys it requires, and a bound."""
    fields = kind.model_fields
    required = {key for key, field in fields.items() if field.is_required()} - {"measure", "unit"}
    keys = {key: KEYS[key] for key in required}
    if fields["unit"].is_required() and "quantity" not in keys:
        keys["unit"] = "V"
    name = get_args(fields["measure"].annotation)[0]
    return MEASURES.validate_python({"measure": name, "at_least": 0.0, **keys})


class TestShipped(MeasureContract):
    @pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
    def metric(self, request: pytest.FixtureRequest) -> Measure:
        return measure(request.param)


def test_a_batch_has_a_row_of_values_for_each_design_and_a_reason_for_each_gap():
    metrics = [measure(kind) for kind in KINDS if kind.kinds == ("ac",)]
    results = batch(next(metric for metric in metrics if len(metric.references) == 2), "ac")
    values, missing = measured_batch(metrics, results)
    assert values.shape == (ROWS, len(metrics))
    assert measured_batch(metrics, designs(results, slice(0)))[0].shape == (0, len(metrics))
    assert [sorted(reasons) for reasons in missing] == [np.flatnonzero(np.isnan(row)).tolist() for row in values]


class Largest(Measure):
    """A measurement written for one design only."""

    measure: Literal["largest"] = "largest"
    kinds = ("tran",)
    unit: str = "V"

    @property
    def vectors(self) -> tuple[str, ...]:
        return ("v(out)",)

    def value(self, results: Results) -> float:
        (wave,) = results[self.of].vectors.values()
        if wave[0] < 0:
            raise Missing(f"starts at {wave[0]:g} V")
        return float(wave.max())


def test_a_measurement_of_one_design_measures_a_batch_row_by_row():
    waves = np.array([[0.0, 2.0, 1.0], [-3.0, 0.0, 0.0], [0.0, 1.0, np.inf]])
    values, missing = measured_batch([Largest(of="b.a")], {"b.a": Waveforms(np.arange(3.0), {"v(out)": waves})})
    assert values[:, 0] == pytest.approx([2.0, np.nan, np.nan], nan_ok=True)
    assert missing == [{}, {0: "starts at -3 V"}, {0: "not a finite number (inf)"}]


@pytest.mark.parametrize("axis", [[1.0], [0.0, 1.0], [-np.inf, 0.0, 2.0], np.sort(np.random.default_rng(0).random(9))])
def test_interpolation_rounds_as_numpys_does(axis: list[float]):
    rng, along = np.random.default_rng(1), np.array(axis)
    values = rng.normal(size=(50, along.size))
    at = np.concatenate([rng.uniform(-0.5, 2.5, (50, 9)), np.tile(along, (50, 1))], axis=1)
    with np.errstate(invalid="ignore"):
        rows, shared = interpolate(at, along, values), interpolate(at[:1], along, values)
    assert rows.tobytes() == np.array([np.interp(at[row], along, values[row]) for row in range(50)]).tobytes()
    assert shared.tobytes() == np.array([np.interp(at[0], along, row) for row in values]).tobytes()


def test_nothing_is_interpolated_where_there_is_no_place():
    assert np.isnan(interpolate(np.array([[np.nan]]), np.array([0.0, 1.0]), np.array([[2.0, 2.0]])))

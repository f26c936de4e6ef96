"""Every measurement gives a batch, row by row and to the last bit, what it gives each design alone."""

from collections.abc import Callable
from typing import Any, Literal, get_args

import numpy as np
import pytest
from pydantic import TypeAdapter

from sizing.measures.batch import designs
from sizing.measures.curves import interpolate
from sizing.measures.measure import Measure, Missing
from sizing.measures.table import AnyMeasure
from sizing.measures.waveforms import Results, Waveforms
from sizing.simulation.simulator import measured, measured_batch

MEASURES: TypeAdapter[AnyMeasure] = TypeAdapter(AnyMeasure)
KINDS: list[type[Measure]] = list(get_args(get_args(AnyMeasure)[0]))
KEYS: dict[str, Any] = {
    "output": "out", "input": "in", "source": "vdd", "over": "b.other", "devices": ["m1", "m2"], "quantity": "vth",
    "frequency": 2e3, "name": "level", "of": "b.a",
}  # fmt: skip
"""A value for each key that some measurement requires."""
FREQUENCY, TIME = np.geomspace(1.0, 1e6, 61), np.linspace(0.0, 1e-6, 301)
OMEGA = 2 * np.pi / TIME[-1]
AFTER = np.maximum(TIME - 0.1e-6, 0.0) * OMEGA
ROWS = 300

Draw = Callable[[np.random.Generator], np.ndarray]
RESPONSES: list[Draw] = [
    lambda rng: 10 ** rng.uniform(-1, 5) / (1 + 1j * FREQUENCY / 10 ** rng.uniform(0, 5)),
    lambda rng: 10 ** rng.uniform(1, 5) / np.prod([1 + 1j * FREQUENCY / p for p in 10 ** rng.uniform(1, 5, 4)], 0),
    lambda rng: 1 / (1 + 0.1j * FREQUENCY / 1e4 - (FREQUENCY / 1e4) ** 2),
    lambda rng: np.where(FREQUENCY < 1e3, 2.0, rng.choice([0.0, 1.0, 3.0])) + 0j,
    lambda rng: np.zeros(FREQUENCY.size, complex),
    lambda rng: np.full(FREQUENCY.size, 1e150 + 1e150j),
]
TRANSIENTS: list[Draw] = [
    lambda rng: rng.choice([-2.0, 0.5, 1.0]) * (1 - np.exp(-AFTER * 10 ** rng.uniform(-1, 3))),
    lambda rng: 1 - np.exp(-AFTER * rng.uniform(0.5, 5)) * np.cos(AFTER * rng.uniform(2, 30)),
    lambda rng: np.sin(OMEGA * TIME * rng.uniform(15, 30) + rng.uniform(0, 6)) + 1e-3 * rng.normal(size=TIME.size),
    lambda rng: np.exp(-rng.uniform(0, 3) * AFTER) * np.sin(30 * OMEGA * TIME),
    lambda rng: np.where(rng.choice([0.1e-6, 0.97e-6]) < TIME, 1.0, 0.0),
    lambda rng: 1e150 * rng.normal(size=TIME.size),
    lambda rng: np.full(TIME.size, rng.choice([0.0, -0.0, 0.6])),
]
POINTS: list[Draw] = [lambda rng: rng.choice([0.0, -0.0, 1e-6, *rng.normal(size=2)], 1)]
ANALYSES: dict[str, tuple[np.ndarray, list[Draw]]] = {
    "op": (np.zeros(1), POINTS),
    "ac": (FREQUENCY, RESPONSES),
    "tran": (TIME, TRANSIENTS),
    "dc": (TIME, TRANSIENTS),
    "noise": (TIME, TRANSIENTS),
}


def measure(kind: type[Measure]) -> AnyMeasure:
    """The measurement with the keys it requires, and a bound that it allows."""
    fields = kind.model_fields
    required = {key for key, field in fields.items() if field.is_required()} - {"measure", "unit"}
    keys = {key: KEYS[key] for key in required}
    if fields["unit"].is_required() and "quantity" not in keys:
        keys["unit"] = "V"
    name = get_args(fields["measure"].annotation)[0]
    bound = "at_most" if kind.better == "lower" else "at_least"
    return MEASURES.validate_python({"measure": name, bound: 0.0, **keys})


def batch(measure: Measure, analysis: str, order: Literal["C", "F"] = "C", rows: int = ROWS) -> Results:
    """Waveforms of many designs, of which about half have what is measured."""
    rng = np.random.default_rng(7)
    axis, draws = ANALYSES[analysis]

    def vectors() -> np.ndarray:
        return np.array([draws[rng.integers(len(draws))](rng) for _ in range(rows)], order=order)

    names = measure.vectors or ("v(out)",)
    return {of: Waveforms(axis, {name: vectors() for name in names}, {"level": 0.7}) for of in measure.references}


def alone(results: Results, row: int) -> Results:
    return {
        of: Waveforms(one.axis, {name: vector[row].copy() for name, vector in one.vectors.items()}, one.meas)
        for of, one in results.items()
    }


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_row_of_a_batch_has_the_value_and_the_reason_of_its_design_alone(kind: type[Measure], order: Literal["C"]):
    metric = measure(kind)
    for analysis in kind.kinds:
        results = batch(metric, analysis, order)
        values, missing = measured_batch([metric], results)
        each = [measured([metric], alone(results, row)) for row in range(ROWS)]
        assert values.tobytes() == np.array([one.values for one in each]).tobytes()
        assert missing == [one.missing for one in each]
        assert np.isfinite(values).sum() > 5, "waveforms that have what is measured"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_measuring_leaves_waveforms_as_they_are(kind: type[Measure]):
    metric = measure(kind)
    results = batch(metric, kind.kinds[0])
    for waveforms in results.values():
        for vector in waveforms.vectors.values():
            vector.setflags(write=False)
    measured_batch([metric], results)


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
    better = "higher"
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

"""What every measurement promises, whichever it is: a name, a definition, and a value or a reason for any waveform."""

import pickle
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from sizing.measures.catalogue import name_of
from sizing.measures.measure import Measure
from sizing.measures.waveforms import Results, Waveforms
from sizing.simulation.simulator import measured, measured_batch

FREQUENCY, TIME = np.geomspace(1.0, 1e6, 61), np.linspace(0.0, 1e-6, 301)
OMEGA = 2 * np.pi / TIME[-1]
AFTER = np.maximum(TIME - 0.1e-6, 0.0) * OMEGA
ROWS = 300

Draw = Callable[[np.random.Generator], NDArray[Any]]
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
ANALYSES: dict[str, tuple[NDArray[Any], list[Draw]]] = {
    "op": (np.zeros(1), POINTS),
    "ac": (FREQUENCY, RESPONSES),
    "tran": (TIME, TRANSIENTS),
    "dc": (TIME, TRANSIENTS),
    "noise": (TIME, TRANSIENTS),
}


class MeasureContract:
    """Give the fixture `metric`: the measurement with keys as a spec would have them, and a target."""

    fewest: int = 5
    """How many of the drawn waveforms have what is measured at least."""

    @pytest.fixture
    def metric(self) -> Measure:
        """The measurement under test."""
        raise NotImplementedError("expected a fixture `metric` with the sizing.Measure that is to be tested")

    def test_it_has_a_name_a_definition_and_analyses(self, metric: Measure) -> None:
        kind = type(metric)
        assert name_of(kind).isidentifier()
        assert kind.__doc__
        assert kind.__doc__.strip().split("\n")[0].endswith(".")
        assert kind.kinds
        assert set(kind.kinds) <= set(ANALYSES)
        assert {"of", "unit", "at_least", "at_most", "weight"} <= set(kind.model_fields)

    def test_it_travels_to_processes_and_is_what_a_spec_says_of_it(self, metric: Measure) -> None:
        assert pickle.loads(pickle.dumps(metric)) == metric
        assert type(metric).model_validate(metric.model_dump(mode="json", by_alias=True)) == metric

    @pytest.mark.parametrize("order", ["C", "F"])
    def test_a_row_of_a_batch_has_the_value_and_the_reason_of_its_design_alone(
        self, metric: Measure, order: Literal["C", "F"]
    ) -> None:
        for analysis in metric.kinds:
            results = batch(metric, analysis, order)
            values, missing = measured_batch([metric], results)
            each = [measured([metric], alone(results, row)) for row in range(ROWS)]
            assert values.tobytes() == np.array([one.values for one in each]).tobytes()
            assert missing == [one.missing for one in each]
            assert np.isfinite(values).sum() > self.fewest, "waveforms that have what is measured"

    def test_measuring_leaves_waveforms_as_they_are(self, metric: Measure) -> None:
        results = batch(metric, metric.kinds[0])
        for waveforms in results.values():
            for vector in waveforms.vectors.values():
                vector.setflags(write=False)
        measured_batch([metric], results)


def batch(measure: Measure, analysis: str, order: Literal["C", "F"] = "C", rows: int = ROWS) -> Results:
    """Waveforms of many designs, of which about half have what is measured."""
    rng = np.random.default_rng(7)
    axis, draws = ANALYSES[analysis]

    def vectors() -> NDArray[Any]:
        return np.array([draws[rng.integers(len(draws))](rng) for _ in range(rows)], order=order)

    names = measure.vectors or ("v(out)",)
    return {of: Waveforms(axis, {name: vectors() for name in names}, {"level": 0.7}) for of in measure.references}


def alone(results: Results, row: int) -> Results:
    """One of them, as if it had been simulated alone."""
    return {
        of: Waveforms(one.axis, {name: vector[row].copy() for name, vector in one.vectors.items()}, one.meas)
        for of, one in results.items()
    }

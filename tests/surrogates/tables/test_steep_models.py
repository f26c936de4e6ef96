"""What smooth tables find hard: models that conduct nothing below threshold, and junctions that bulks could forward."""

import numpy as np
import pytest

from sizing.simulation.pool import SimulationPool
from sizing.simulation.simulator import Measured
from sizing.spice.circuit import parse_circuit
from sizing.spice.netlist import read_text
from sizing.task.bench import Analysis, Bench, Task
from sizing.task.job import Job
from surrogates.tables.model import TableModel
from surrogates.tables.network import Unmodelled
from surrogates.tables.reach import untold
from tests.surrogates.tables.conftest import dc

MODELS = {
    "level 1": ".model n nmos level=1 vto=0.45 kp=170u gamma=0.4 phi=0.8 lambda=0.06\n"
    ".model p pmos level=1 vto=-0.45 kp=60u gamma=0.4 phi=0.8 lambda=0.08\n",
    "level 3": ".model n nmos level=3 vto=0.6 tox=10n uo=450 nsub=1e17 theta=0.1\n"
    ".model p pmos level=3 vto=-0.7 tox=10n uo=150 nsub=5e16 theta=0.1\n",
}
PAIR = """\
vdd vdd 0 dc {supply}
vp p 0 dc {half}
vn n 0 dc {half}
ib vdd ib dc 10u
m1 x p t 0 n w={{w}} l=0.5u
m2 out n t 0 n w={{w}} l=0.5u
m3 x x vdd vdd p w=20u l=0.5u
m4 out x vdd vdd p w=20u l=0.5u
m5 t ib 0 0 n w=20u l=1u m=2
m6 ib ib 0 0 n w=20u l=1u
.param w=10u
"""


@pytest.mark.slow
@pytest.mark.parametrize(("models", "supply"), [("level 1", 5.0), ("level 3", 3.3)])
def test_an_amplifier_with_moving_bulks_rests_where_ngspice_says(models: str, supply: float, task, folder):
    nets = ("x", "t", "out", "ib")
    t = task(
        PAIR.format(supply=supply, half=supply / 2) + MODELS[models],
        measures=tuple(map(dc, nets)), variables=("w",), bias="op",
    )  # fmt: skip
    widths = [5e-6, 20e-6]
    with SimulationPool(t, 1, 60) as pool:
        simulated = np.array(
            [each.values for each in pool.run([Job({"w": w}) for w in widths]) if isinstance(each, Measured)]
        )
    model = TableModel(t, {"w": np.array(widths)}, TableModel.of(t, (), folder).tables)
    told = model.told({"w": np.array(widths)})
    np.testing.assert_allclose(told.values, simulated, atol=5e-3)


def test_a_device_without_sizes_is_told_as_ngspice_does(task, folder):
    t = task(
        ".param r=2k\nv1 in 0 dc 3\nr1 in a {r}\nd1 a 0 dd\n.model dd d is=1f",
        measures=(dc("a"),), variables=("r",), bias="op",
    )  # fmt: skip
    values = [1e3, 3e4]
    with SimulationPool(t, 1, 60) as pool:
        outcomes = pool.run([Job({"r": value}) for value in values])
    simulated = np.array([each.values for each in outcomes if isinstance(each, Measured)])
    model = TableModel(t, {"r": np.array(values)}, TableModel.of(t, (), folder).tables)
    np.testing.assert_allclose(model.told({"r": np.array(values)}).values, simulated, atol=2e-3)


BIPOLAR = ".model qq npn is=1f bf=100\n"


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("q1 c c 0 qq\n", "q1: device tables know no such device (q)"),
        ("j1 c c 0 jj\n.model jj njf vto=-1\n", "j1: device tables know no such device (j)"),
        (".subckt npn c b e\nq1 c b e qq\n.ends\nx1 c c 0 npn\n", "q1: device tables know no such device (q)"),
    ],
)
def test_what_a_base_or_a_gate_draws_is_not_told(lines: str, says: str, task):
    t = task(f"v1 in 0 dc 3\nr1 in c 1k\n{lines}{BIPOLAR}", measures=(dc("c"),), bias="op")
    assert untold(t).endswith(says.partition(": ")[2])


def test_a_kit_s_device_with_a_bipolar_inside_is_not_told(folder):
    lines = read_text(
        f".subckt npn c b e\nq1 c b e qq\n.ends\n{BIPOLAR}v1 in 0 dc 3\nr1 in c 1k\nx1 c c 0 npn", "test", folder
    )
    circuit = parse_circuit(lines, {"npn": {}})
    t = Task((Bench("bench", lines, circuit, (Analysis("bias", "op"),)),), (dc("c"),), ())
    with pytest.raises(Unmodelled, match=r"^npn: device tables know no such device as its q1$"):
        TableModel.of(t, (), folder).told({})

"""What smooth tables find hard: models that conduct nothing below threshold, and junctions that bulks could forward."""

import numpy as np
import pytest

from sizing.simulation.pool import SimulationPool
from sizing.simulation.simulator import Measured
from sizing.task.job import Job
from surrogates.tables.model import TableModel
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

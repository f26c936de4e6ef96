"""How strongly transistors of a circuit are inverted, and by how much their widths may change, beside ngspice."""

from pathlib import Path

import numpy as np
import pytest

from sizing.measures.transistors import GmOverId, OperatingPoint
from sizing.simulation.pool import SimulationPool
from sizing.simulation.simulator import Measured
from sizing.task.bench import Task
from sizing.task.job import Job
from surrogates.tables.inversion import STRONGEST, WEAKEST, inversions

CIRCUIT = """\
.include bptm45.mod
.param wn=4u wp=8u ws=2u
vdd vdd 0 dc 1.2
i1 vdd a dc 20u
m1 a a 0 0 nmos w={wn} l=180n m=2
m2 b a 0 0 nmos w={2*wn} l=180n
m3 b b vdd vdd pmos w={wp} l=180n
ms b vdd c 0 nmos w={ws} l=90n
c1 c 0 1p
"""
AS_IT_IS = {"wn": 4e-6, "wp": 8e-6, "ws": 2e-6}


def simulated(task: Task, **values: float) -> list[float]:
    with SimulationPool(task, 1, 60) as pool:
        (outcome,) = pool.run([Job(AS_IT_IS | values)])
    assert isinstance(outcome, Measured)
    return list(outcome.values)


@pytest.mark.slow
def test_transistors_of_a_width_are_inverted_as_ngspice_says(task, folder: Path):
    measures = (
        *(GmOverId(measure="gm_over_id", of="bench.bias", devices=(name,)) for name in ("m1", "m2", "m3")),
        *(
            OperatingPoint.model_validate(
                {"measure": "operating_point", "of": "bench.bias", "devices": name, "quantity": "id"}
            )
            for name in ("m1", "m2", "m3")
        ),
    )
    t = task(CIRCUIT, measures=measures, variables=tuple(AS_IT_IS), bias="op")
    known = simulated(t)
    found = inversions(t, AS_IT_IS, folder)
    assert found.keys() == {"wn", "wp"}  # ms carries nothing
    assert [each.efficiency for each in (*found["wn"], *found["wp"])] == pytest.approx(known[:3], rel=0.01)
    assert [each.current for each in (*found["wn"], *found["wp"])] == pytest.approx(np.abs(known[3:]), rel=0.01)
    strong, weak = found["wn"][0].factors
    assert strong < 1 < weak
    for factor, efficiency in ((strong, STRONGEST), (weak, WEAKEST)):
        assert simulated(t, wn=AS_IT_IS["wn"] * factor)[0] == pytest.approx(efficiency, rel=0.1)

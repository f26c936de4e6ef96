"""Circuits without devices of tables, against values on paper, and against ngspice where paper is long."""

from pathlib import Path

import numpy as np
import pytest

from sizing.measures.small_signal import GainAt
from sizing.measures.transient import RiseTime, SettlingTime
from sizing.measures.waveforms import Waveforms
from sizing.task.bench import Analysis, Task
from surrogates.tables import commands
from surrogates.tables.model import TableModel
from surrogates.tables.network import Unmodelled


def waveforms(task: Task, folder: Path, run: str, *vectors: str, **values: float) -> Waveforms:
    """The vectors of an analysis of the only bench."""

    class Reads:
        references = (f"bench.{run}",)

        def __init__(self) -> None:
            self.vectors = vectors

    whole = Task(task.benches, (Reads(),), tuple(values))  # type: ignore[arg-type]
    model = TableModel.of(whole, (), folder).spanning({name: np.array([value]) for name, value in values.items()})
    (results,) = model.results(values)
    return results[f"bench.{run}"]


def test_a_divider_its_source_current_and_a_parameter(task, folder):
    t = task(".param r2=1k\nv1 in 0 dc 3\nr1 in out 2k\nr2 out 0 {r2}", bias="op")
    found = waveforms(t, folder, "bias", "v(out)", "i(v1)", "v(in)", r2=4e3).vectors
    assert found["v(out)"][0] == pytest.approx(2.0, rel=1e-6)
    assert found["i(v1)"][0] == pytest.approx(-0.5e-3, rel=1e-6)
    assert found["v(in)"][0] == 3.0


def test_sources_in_series_and_between_nets(task, folder):
    t = task("v1 a 0 dc 1\nv2 b a dc 0.5\nv3 c d dc 0.25\nr1 b c 1k\nr2 d 0 1k", bias="op")
    found = waveforms(t, folder, "bias", "v(b)", "v(c)", "v(d)", "i(v1)", "i(v2)", "i(v3)").vectors
    current = (1.5 - 0.25) / 2e3
    assert found["v(b)"][0] == 1.5
    assert found["v(d)"][0] == pytest.approx(current * 1e3, rel=1e-6)
    assert found["v(c)"][0] - found["v(d)"][0] == pytest.approx(0.25)
    for name, sign in (("i(v1)", -1), ("i(v2)", -1), ("i(v3)", 1)):
        assert found[name][0] == pytest.approx(sign * current, rel=1e-6), name


def test_controlled_sources(task, folder):
    t = task(
        "v1 in 0 dc 1\nr1 in s 1k\nvs s 0 dc 0\n"
        "e1 e 0 in 0 3\nre e 0 1k\ng1 g 0 in 0 2m\nrg g 0 1k\nf1 f 0 vs 2\nrf f 0 1k\nh1 h 0 vs 500\nrh h 0 1k",
        bias="op",
    )
    found = waveforms(t, folder, "bias", "v(e)", "v(g)", "v(f)", "v(h)", "i(vs)").vectors
    expected = {"v(e)": 3.0, "v(g)": -2.0, "v(f)": -2.0, "v(h)": 0.5, "i(vs)": 1e-3}
    for name, value in expected.items():
        assert found[name][0] == pytest.approx(value, rel=1e-6), name


def test_a_low_pass_and_the_current_into_it(task, folder):
    t = task("v1 in 0 dc 0 ac 1\nr1 in out 1k\nc1 out 0 1n", response="ac dec 10 1 1g")
    found = waveforms(t, folder, "response", "v(out)", "i(v1)")
    s = 2j * np.pi * found.axis
    expected = 1 / (1 + s * 1e-6)
    np.testing.assert_allclose(found.vectors["v(out)"], expected, rtol=1e-6)
    np.testing.assert_allclose(found.vectors["i(v1)"], -(1 - expected) / 1e3, rtol=1e-5, atol=1e-12)


def test_a_huge_inductor_closes_a_loop_at_dc_alone(task, folder):
    t = task(
        "v1 p 0 dc 0.5\ne1 out 0 p n 1000\nl1 out n 1g\nc1 n m 1\nv2 m 0 dc 0 ac 1", bias="op", open="ac lin 1 10 10"
    )
    assert waveforms(t, folder, "bias", "v(out)").vectors["v(out)"][0] == pytest.approx(0.5 / 1.001, rel=1e-6)
    assert abs(waveforms(t, folder, "open", "v(out)").vectors["v(out)"][0]) == pytest.approx(1000, rel=1e-4)


@pytest.mark.parametrize(
    ("command", "first", "last", "count"),
    [
        ("ac dec 10 1 10G", 1, 1e10, 101),
        ("ac lin 1 5 5", 5, 5, 1),
        ("ac oct 2 1 8", 1, 8, 7),
        ("ac lin 5 1 3", 1, 3, 5),
    ],
)
def test_frequencies_include_the_last(command: str, first: float, last: float, count: int):
    found = commands.frequencies(Analysis("a", command))
    assert len(found) == count
    assert (found[0], found[-1]) == pytest.approx((first, last))


def test_a_sweep_of_a_source(task, folder):
    t = task("v1 in 0 dc 0\nr1 in out 1k\nr2 out 0 1k", sweep="dc v1 1 2 0.25")
    found = waveforms(t, folder, "sweep", "v(out)")
    np.testing.assert_allclose(found.axis, [1, 1.25, 1.5, 1.75, 2])
    np.testing.assert_allclose(found.vectors["v(out)"], found.axis / 2, rtol=1e-6)


def test_a_step_through_a_ringing_circuit(task, folder):
    t = task("v1 in 0 pulse(0 1 1u 1n 1n 1 2)\nr1 in a 100\nl1 a out 1m\nc1 out 0 10n", step="tran 1n 101u")
    found = waveforms(t, folder, "step", "v(out)", "v(in)")
    time = found.axis - 1.0005e-6
    w0, alpha = 1 / np.sqrt(1e-3 * 10e-9), 100 / 2e-3
    w = np.sqrt(w0**2 - alpha**2)
    expected = 1 - np.exp(-alpha * time) * (np.cos(w * time) + alpha / w * np.sin(w * time))
    np.testing.assert_allclose(found.vectors["v(out)"], np.where(time > 0, expected, 0), atol=2e-3)
    assert found.vectors["v(in)"][-1] == 1.0


def test_what_happens_while_a_source_rises_is_told(task, folder):
    t = task("v1 in 0 pwl(0 0 1u 0 11u 1)\nc1 in out 1n\nr1 out 0 1k", step="tran 1n 20u")
    found = waveforms(t, folder, "step", "v(out)")
    time = np.clip(found.axis - 1e-6, 0, None)
    rising = found.axis <= 11e-6
    assert rising.sum() > 100
    np.testing.assert_allclose(found.vectors["v(out)"][rising], 0.1 * (1 - np.exp(-time[rising] / 1e-6)), atol=1e-4)


def test_a_circuit_whose_nets_are_all_held_has_currents(task, folder):
    t = task(
        ".include bptm45.mod\nv1 d 0 dc 1 ac 1\nv2 g 0 dc 0.6 pulse(0.6 1 1n 1n 1n 1 2)\nm1 d g 0 0 nmos w=1u l=90n",
        bias="op", sweep="dc v2 0 1 .5", response="ac dec 1 1k 1g", noise="noise v(d) v2 dec 1 1 1g", step="tran 1n 9n",
    )  # fmt: skip
    current = waveforms(t, folder, "bias", "i(v1)").vectors["i(v1)"][0]
    assert -1e-3 < current < -1e-6
    swept = waveforms(t, folder, "sweep", "i(v1)").vectors["i(v1)"]
    assert swept[0] > swept[1] > current > swept[2]
    response = waveforms(t, folder, "response", "v(d)", "i(v1)").vectors
    assert (response["v(d)"] == 1).all()
    assert response["i(v1)"][0].real < 0 > response["i(v1)"][-1].imag
    assert (waveforms(t, folder, "noise", "onoise_spectrum").vectors["onoise_spectrum"] == 0).all()
    assert waveforms(t, folder, "step", "v(g)").vectors["v(g)"][[0, -1]] == pytest.approx([0.6, 1.0])


def test_measures_read_it(task, folder):
    measures = (
        SettlingTime(measure="settling_time", of="bench.step", output="out", input="in"),
        RiseTime(measure="rise_time", of="bench.step", output="out", input="in"),
        GainAt(measure="gain_at", of="bench.response", output="out", frequency=1e6 / (2 * np.pi)),
    )
    t = task(
        "v1 in 0 dc 0 ac 1 pwl(0 0 1n 1)\nr1 in out 1k\nc1 out 0 1n",
        measures=measures, step="tran 1n 20u", response="ac dec 50 1 1g",
    )  # fmt: skip
    told = TableModel.of(t, (), folder).told({})
    assert told.values[0] == pytest.approx([1e-6 * np.log(100), 1e-6 * np.log(9), 1 / np.sqrt(2)], rel=2e-3)


def test_what_has_no_model_is_named(task, folder):
    with pytest.raises(Unmodelled, match=r"^b1: "):
        TableModel.of(task("b1 out 0 v=v(in)\nr1 out 0 1\nv1 in 0 1", bias="op"), (), folder)
    with pytest.raises(Unmodelled, match=r"^v2: closes a loop"):
        TableModel.of(task("v1 a 0 1\nv2 a 0 1", bias="op"), (), folder)


def test_a_circuit_of_millivolts_has_tables_and_one_without_a_voltage_is_not_told(task, folder):
    low = task("v1 d 0 20m\nm1 d d 0 0 nmos w=0.5u l=90n\n.include bptm45.mod", bias="op")
    current = waveforms(low, folder, "bias", "i(v1)").vectors["i(v1)"][0]
    assert -1e-6 < current < -1e-12
    without = task("i1 0 d 1u\nm1 d d 0 0 nmos w=0.5u l=90n\n.include bptm45.mod", bias="op")
    with pytest.raises(Unmodelled, match="expected a voltage source, which tells how far nets go"):
        waveforms(without, folder, "bias", "v(d)")

"""Waveforms of the best design as plots: which analyses, what is drawn, where the targets are."""

from pathlib import Path

import numpy as np
import pytest

from sizing.evaluation.evaluator import Simulation
from sizing.measures.operating_point import SupplyCurrent
from sizing.measures.small_signal import DcGain, PhaseMargin, UnityGainFrequency
from sizing.measures.transient import SettlingTime
from sizing.measures.waveforms import Waveforms
from sizing.reports.plot import Plot
from sizing.reports.responses import response_plots
from sizing.runs.records.inspection import Inspection
from sizing.runs.records.reading import Batch, RunRecord
from sizing.simulation.simulator import Measured
from sizing.task.problem import Metric, Problem, Variable

MEASURES = {
    "gain": DcGain(measure="dc_gain", of="loop.sweep", output="out", at_least=100),
    "ugbw": UnityGainFrequency(measure="unity_gain_frequency", of="loop.sweep", output="out", at_least="1 MHz"),
    "pm": PhaseMargin(measure="phase_margin", of="loop.sweep", output="out", at_least="60 deg"),
    "tset": SettlingTime(measure="settling_time", of="follower.step", output="out", input="in", at_most="1 us"),
    "ibias": SupplyCurrent(measure="supply_current", of="loop.bias", source="vdd", at_most="1 mA"),
}


@pytest.fixture(scope="module")
def drawn() -> dict[str, Plot]:
    """Of an amplifier with one pole, a gain of -1000 and 5 MHz, that starts up and settles with 0.1 us."""
    frequency = np.logspace(2, 9, 71)
    time = np.linspace(0, 100e-6, 5001)
    began = np.where(time > 10e-6, 1.0, 0.0)
    waveforms = {
        "loop.sweep": Waveforms(frequency, {"v(out)": -1000 / (1 + 1j * frequency / 5e3)}),
        "loop.common": Waveforms(np.ones(1), {"v(out)": np.ones(1, dtype=complex)}),
        "loop.bias": Waveforms(np.zeros(1), {"i(vdd)": np.full(1, 1e-4)}),
        "follower.step": Waveforms(
            time,
            {"v(out)": began * (1 - np.exp(-(time - 10e-6) / 1e-7)) + np.exp(-time / 1e-7), "v(in)": began},
        ),
    }  # fmt: skip
    results = {name: measure.value(waveforms) for name, measure in MEASURES.items()}
    metrics = tuple(Metric(name, m.unit, m.at_least, m.at_most) for name, m in MEASURES.items())
    problem = Problem("amp", "amp", (Variable("w", (1.0, 2.0)),), metrics)
    best = Simulation(0, (0,), Measured(tuple(results.values()), {}))
    record = RunRecord(Path("run"), {}, problem, (best,), ("initial",), (Batch((0,)),), {})
    commands = {"loop.sweep": "ac dec 10 100 1G", "loop.common": "ac lin 1 1 1", "loop.bias": "op"}
    inspection = Inspection((0,), "ngspice 39", MEASURES, commands | {"follower.step": "tran 1n 100u"}, waveforms)
    return {plot.kind: plot for plot in response_plots(record, inspection)}


def places(lines, axis: str) -> list[float]:
    """Where the upright (x) or level (y) dotted lines are."""
    found = [np.unique(line.get_xdata() if axis == "x" else line.get_ydata()) for line in lines]
    dotted = [each for each, line in zip(found, lines, strict=True) if str(line.get_label()).startswith("_")]
    return sorted(float(each[0]) for each in dotted if len(each) == 1)


def test_sweeps_and_transients_with_metrics_are_drawn_and_single_points_are_not(drawn: dict[str, Plot]):
    assert list(drawn) == ["ac-loop.sweep", "tran-follower.step"]
    assert "ac dec 10 100 1G" in drawn["ac-loop.sweep"].caption
    assert "ngspice 39" in drawn["ac-loop.sweep"].caption


def test_a_bode_plot_has_decibels_degrees_and_targets(drawn: dict[str, Plot]):
    magnitude, phase = drawn["ac-loop.sweep"].figure.axes
    (curve,) = [line for line in magnitude.get_lines() if line.get_label() == "v(out)"]
    assert curve.get_ydata()[0] == pytest.approx(60, abs=0.01)
    (angle,) = [line for line in phase.get_lines() if line.get_label() == "v(out)"]
    assert angle.get_ydata()[-1] == pytest.approx(-90, abs=0.1)
    assert 1e6 in places(magnitude.get_lines(), "x")
    assert pytest.approx(40) in places(magnitude.get_lines(), "y")
    assert -120.0 in places(phase.get_lines(), "y")
    words = {text.get_text() for text in magnitude.texts}
    assert words == {"gain ≥ 100 V/V", "ugbw ≥ 1 MHz"}


def test_a_step_response_shows_how_it_settles(drawn: dict[str, Plot]):
    (axes,) = drawn["tran-follower.step"].figure.axes
    low, high = axes.get_xlim()
    assert 9e-6 < low < 10e-6
    assert 12e-6 < high < 14e-6
    assert places(axes.get_lines(), "y") == pytest.approx([0.99, 1.01])
    assert places(axes.get_lines(), "x") == pytest.approx([11e-6], rel=1e-2)

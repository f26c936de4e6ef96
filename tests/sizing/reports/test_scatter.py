"""Two metrics against each other: which pair is in conflict, and what is drawn."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sizing.errors import InputError
from sizing.evaluation.evaluator import Simulation
from sizing.reports.plots import plots, plots_of_one
from sizing.reports.scatter import agreement, checked_pair, conflicting_pair, default_pair, scatter_plots
from sizing.runs.records.reading import Batch, RunRecord
from sizing.simulation.simulator import Failed, Measured
from sizing.task.problem import Metric, Problem, Variable

NAN = float("nan")
MANIFEST = {"method": "evo", "seed": 0, "run": {"in_spec": 2}}
METRICS = (Metric("gain", "dB", at_least=5.0), Metric("speed", "Hz", at_least=50.0), Metric("power", "W", at_most=5.0))


def run_of(values: list[tuple[float, ...] | None]) -> RunRecord:
    outcomes = [Failed("convergence", "no") if each is None else Measured(each, {}) for each in values]
    found = tuple(Simulation(number, (0,), outcome) for number, outcome in enumerate(outcomes))
    problem = Problem("amp", "amp", (Variable("w", (1.0, 2.0)),), METRICS)
    return RunRecord(Path("run"), {}, problem, found, ("initial",) * len(found), (Batch(tuple(range(len(found)))),), {})


@pytest.fixture(scope="module")
def record() -> RunRecord:
    """Power rises with gain, which costs; speed falls with both, but not always."""
    rows = [(1.0, 90.0, 1.0), (2.0, 70.0, 2.0), (4.0, 80.0, 4.0), (6.0, 60.0, 4.5), (8.0, 20.0, 8.0), (9.0, 30.0, 9.0)]
    return run_of([*rows, None, (NAN, NAN, 1.0)])


def test_the_pair_in_conflict_is_that_whose_goodness_disagrees_most(record: RunRecord):
    assert agreement(record, ("gain", "power")) == pytest.approx(-1)
    assert agreement(record, ("power", "gain")) == pytest.approx(-1)
    assert agreement(record, ("gain", "speed")) > -0.95
    assert agreement(record, ("speed", "power")) > 0.5
    assert conflicting_pair(record) == ("gain", "power")


def test_nothing_is_said_of_few_designs_or_of_a_metric_that_never_changes():
    assert conflicting_pair(run_of([(1.0, 2.0, 3.0)] * 9)) is None
    assert conflicting_pair(run_of([(1.0, 2.0, 3.0), (2.0, 1.0, 4.0)])) is None
    assert scatter_plots(run_of([(1.0, 2.0, 3.0)])) == []
    assert scatter_plots(run_of([None]), [("gain", "power")]) == []


def test_every_design_with_both_values_is_drawn_and_those_in_spec_are_marked(record: RunRecord):
    (plot,) = scatter_plots(record)
    assert plot.kind == "scatter-gain-power"
    misses, good, *targets = plot.figure.axes[0].get_lines()
    assert sorted(zip(*good.get_data(), strict=True)) == [(6.0, 4.5)]
    assert len(misses.get_xdata()) == 5
    assert misses.get_marker() != good.get_marker()
    assert sorted(float(np.unique(line.get_xdata())[0]) for line in targets) == [0.0, 5.0]
    assert "the two metrics that conflict most" in plot.caption
    assert "−1.00" in plot.caption
    assert "2 designs without both values are not here" in plot.caption
    chosen = scatter_plots(record, [("speed", "power"), ("gain", "speed"), ("speed", "power")])
    assert [plot.kind for plot in chosen] == ["scatter-speed-power", "scatter-gain-speed"]
    assert "conflict" not in chosen[0].caption


def test_two_objectives_are_plotted_with_their_front_and_nowhere_else(record: RunRecord):
    metrics = (
        Metric("gain", "dB", at_least=0.5, goal="maximize"),
        METRICS[1],
        Metric("power", "W", at_most=5.0, goal="minimize"),
    )
    wanted = replace(record, problem=replace(record.problem, metrics=metrics), manifest=MANIFEST)
    assert default_pair(wanted) == ("gain", "power")
    assert agreement(wanted, ("gain", "power")) == pytest.approx(-1)
    drawn = plots_of_one(wanted)
    assert "front" in [plot.kind for plot in plots([wanted])]
    assert [plot.kind for plot in drawn] == ["convergence", "in-spec", "objective", "scatter-gain-power"]
    (line,) = [line for line in drawn[-1].figure.axes[0].get_lines() if "front" in str(line.get_label())]
    assert list(zip(*line.get_data(), strict=True)) == [(1.0, 1.0), (2.0, 2.0), (4.0, 4.0), (6.0, 4.5)]
    assert "conflict" not in drawn[-1].caption
    (other,) = scatter_plots(wanted, [("gain", "speed")])
    assert not any("front" in str(line.get_label()) for line in other.figure.axes[0].get_lines())


def test_pairs_of_metrics_are_checked(record: RunRecord):
    assert checked_pair(record, "gain, speed") == ("gain", "speed")
    for text, words in {
        "gain": "expected two metrics with a comma between, got 'gain'",
        "gain,gain": "expected two metrics with a comma between",
        "gain,sped": "has no metric 'sped'; did you mean 'speed'?",
    }.items():
        with pytest.raises(InputError, match=words.replace("?", r"\?")):
            checked_pair(record, text)

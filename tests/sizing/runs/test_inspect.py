"""A closer look at a run's best design: what is simulated, that it is kept, and that the run stays as it was."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydantic import TypeAdapter
from ruamel.yaml import YAML

import sizing
from sizing.errors import InputError
from sizing.measures.catalogue import AnyMeasure
from sizing.measures.waveforms import Waveforms
from sizing.reports.designs import best_sized
from sizing.reports.page import page
from sizing.runs.inspect import inspect_best
from sizing.runs.records.inspection import (
    Inspection,
    Step,
    best_evaluation,
    read_inspection,
    thinned,
    write_inspection,
)
from sizing.runs.records.reading import RunRecord, read_run
from sizing.simulation.simulator import Failed, Measured
from sizing.specfile.load import Spec


@pytest.fixture(scope="module")
def finished(amplifier: Spec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inspection") / "run"
    sizing.run(amplifier, out=folder, workers=1, method="evo", max_sims=22)
    return folder


@pytest.fixture(scope="module")
def looked_at(finished: Path) -> tuple[RunRecord, Inspection, list[int]]:
    """The run, what was found, and how many simulations were announced."""
    announced: list[int] = []
    before = (finished / "journal.jsonl").read_bytes()
    found = inspect_best(read_run(finished), waveforms=True, sensitivities=True, workers=1, announce=announced.append)
    assert (finished / "journal.jsonl").read_bytes() == before
    return read_run(finished), found, announced


def test_one_simulation_for_waveforms_and_two_for_each_variable(looked_at):
    record, found, announced = looked_at
    assert announced == [1 + 2 * len(record.problem.variables)]
    assert [(step.variable, step.direction) for step in found.steps] == [(0, -1), (0, 1), (1, -1), (1, 1)]
    assert set(found.waveforms) == {"amplifier.bias", "amplifier.response"}
    assert found.commands["amplifier.response"] == "ac dec 20 1k 100G"
    assert re.fullmatch(r"ngspice \d+", found.simulator)


def test_waveforms_and_steps_are_those_of_the_recorded_design(looked_at, amplifier: Spec):
    record, found, _ = looked_at
    best = best_evaluation(record)
    for measure, value in zip(amplifier.measures, best.outcome.values, strict=True):
        assert measure.value(found.waveforms) == pytest.approx(value, rel=1e-9)
    current = [metric.name for metric in record.problem.metrics].index("current")
    fewer, more = (step.outcome.values[current] for step in found.steps[:2])
    assert fewer < best.outcome.values[current] < more  # of the transistor


@pytest.mark.slow
def test_figures_of_merit_are_looked_at_as_metrics_are(specs: Path, tmp_path: Path):
    text = (specs / "cs_amp.yaml").read_text().replace("netlists/", f"{specs}/netlists/")
    (tmp_path / "amp.yaml").write_text(f"minimize: {{current: 1, gain: -0.5}}\n{text}")
    sizing.run(tmp_path / "amp.yaml", out=tmp_path / "run", workers=1, method="evo", max_sims=22)
    record = read_run(tmp_path / "run")
    found = inspect_best(record, waveforms=True, sensitivities=True, workers=1)
    assert list(found.measures) == [metric.name for metric in record.problem.measured]
    for step in found.steps:
        gain, current, merit = (
            step.outcome.values[[metric.name for metric in record.problem.metrics].index(name)]
            for name in ("gain", "current", "current-0.5*gain")
        )
        assert merit == pytest.approx(current / 1e-3 - 0.5 * gain / 3)
    text = page([record], [], "one", (), found)
    assert "current-0.5*gain" in text
    assert best_sized(record, 1)[0].targets[-1].margin == ""


def test_a_second_look_simulates_nothing(looked_at, monkeypatch: pytest.MonkeyPatch):
    record, found, _ = looked_at
    monkeypatch.setenv("NGSPICE_LIBRARY_PATH", "/nowhere")  # so that no simulation could be made

    def never(count: int) -> None:
        raise AssertionError(count)

    again = inspect_best(record, waveforms=True, sensitivities=True, announce=never)
    assert again.steps == found.steps
    for name, waveforms in found.waveforms.items():
        for vector, values in waveforms.vectors.items():
            assert np.array_equal(again.waveforms[name].vectors[vector], values)
    assert again.measures == found.measures


def test_what_is_asked_for_later_joins_what_is_kept(finished: Path, looked_at):
    record, found, _ = looked_at
    write_inspection(record, replace(found, steps=()))
    announced: list[int] = []
    again = inspect_best(record, waveforms=True, sensitivities=True, workers=1, announce=announced.append)
    assert announced == [4]
    assert again.waveforms is not None
    assert [step.outcome.values for step in again.steps] == [step.outcome.values for step in found.steps]


def test_failed_neighbours_and_missing_metrics_are_kept(looked_at):
    record, found, _ = looked_at
    nan = float("nan")
    steps = (Step(0, 1, Failed("convergence", "no result")), Step(1, -1, Measured((nan, 1.0, 2.0), {0: "too low"})))
    write_inspection(record, replace(found, waveforms=None, steps=steps))
    again = read_inspection(record)
    assert again.waveforms is None
    assert again.steps[0].outcome == steps[0].outcome
    assert again.steps[1].outcome.missing == {0: "too low"}
    write_inspection(record, found)


def test_every_measurement_of_the_shipped_specs_is_read_back_as_it_was(looked_at, specs: Path):
    record, found, _ = looked_at
    measures = [
        TypeAdapter(AnyMeasure).validate_python(entry)
        for path in specs.glob("*.yaml")
        for entry in YAML(typ="safe").load(path)["metrics"].values()
    ]
    assert len({type(measure) for measure in measures}) > 12
    for measure in measures:
        measured = replace(found, waveforms=None, measures=dict.fromkeys(found.measures, measure))
        write_inspection(record, measured)
        assert read_inspection(record).measures == measured.measures
    write_inspection(record, found)


def test_a_damaged_file_is_told_and_one_of_another_design_is_of_no_use(looked_at):
    record, found, _ = looked_at
    path = record.path / "inspection.json"
    write_inspection(record, replace(found, design=(0, 0)))
    assert read_inspection(record) is None
    write_inspection(record, found)
    text = path.read_text()
    nonsense = (
        replace(found, steps=(Step(7, 1, found.steps[0].outcome),)),
        replace(found, steps=(Step(0, 1, Measured((1.0,), {})),)),
        replace(found, commands={}),
        replace(found, measures={}),
        replace(found, waveforms={"amplifier.bias": Waveforms(np.zeros(1), {"v(out)": np.zeros(2)})}),
    )
    for wrong in nonsense:
        write_inspection(record, wrong)
        with pytest.raises(InputError, match=r"inspection\.json: damaged: .*expected"):
            read_inspection(record)
    path.write_text(text.replace('"variable":1', '"variable":0', 1))
    with pytest.raises(InputError, match=r"inspection\.json: damaged: .*changed.*remove it"):
        read_inspection(record)
    path.write_text(text)


def test_a_run_without_a_measured_design_is_refused(looked_at):
    record, _, _ = looked_at
    nothing = replace(record, batches=())
    with pytest.raises(InputError, match="expected a run with a measured design"):
        inspect_best(nothing, waveforms=True, sensitivities=False)


def test_thinned_waveforms_keep_ends_and_extremes():
    time = np.linspace(0, 1, 100_000)
    wave = np.sin(2 * np.pi * 3 * time)
    wave[54_321] = 9.0
    kept = thinned(Waveforms(time, {"v(out)": wave}))
    assert len(kept.axis) < 2000
    assert (kept.axis[0], kept.axis[-1]) == (0.0, 1.0)
    assert kept.vectors["v(out)"].max() == 9.0
    assert np.all(np.diff(kept.axis) > 0)

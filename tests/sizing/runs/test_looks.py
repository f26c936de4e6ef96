"""Looks at operating points: what they find, how they are counted, and who may not take them."""

import json
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

import sizing
from sizing.cli.show import run_summary
from sizing.errors import InputError
from sizing.simulation.pool import SimulationPool
from sizing.simulation.simulator import Measured
from sizing.specfile.load import Spec, load_spec
from sizing.task.job import Job

FEW = {"looked_at": 20, "looked_children": 10}


def test_a_look_finds_the_voltages_that_no_source_sets(amplifier: Spec):
    look = amplifier.task.look
    assert look is not None
    assert [measure.output for measure in look.measures] == ["out"]
    job = Job({"m1": 10.0, "rl": 1000.0})
    with SimulationPool(look, 1, 60) as looks, SimulationPool(amplifier.task, 1, 60) as pool:
        (seen,), (simulated,) = looks.run([job]), pool.run([job])
    assert isinstance(seen, Measured)
    assert isinstance(simulated, Measured)
    current = dict(zip([metric.name for metric in amplifier.problem.metrics], simulated.values, strict=True))["current"]
    assert seen.values == pytest.approx([1.2 - 1000 * current], rel=1e-6)


@pytest.mark.slow
def test_looks_are_counted_apart_and_told_in_the_journal(opamp: Spec, tmp_path: Path):
    result = sizing.run(opamp, method="gp-op", out=tmp_path / "run", workers=2, initial=10, max_sims=14, ranking=FEW)
    row = result.table.iloc[0]
    lines = [json.loads(line) for line in (result.folder / "journal.jsonl").read_text().splitlines()]
    looks = [line["looks"] for line in lines if "batch" in line]
    assert len(looks) == 3
    assert looks[0] == 0
    assert 45 < looks[1] <= 50 + 10 + 20 + 2 * 10  # 50 random designs, to know how far voltages range
    assert 0 < looks[2] <= 20 + 2 * 10
    assert row["sims_op"] == sum(looks)
    assert row["sims_total"] == row["sims_initial"] + row["sims_search"] == 14
    assert np.isfinite(result.record.values).any()
    shown = StringIO()
    run_summary(result, Console(file=shown, width=200))
    assert f"{sum(looks)} looks at operating points" in shown.getvalue()


def test_nobody_looks_once_a_design_is_in_spec(amplifier: Spec, tmp_path: Path):
    result = sizing.run(amplifier, method="gp-op", out=tmp_path / "run", workers=2, initial=20, max_sims=24)
    row = result.table.iloc[0]
    assert row["first_in_spec_at"] <= 20
    assert row["sims_op"] == 0


@pytest.fixture
def blind(specs: Path, tmp_path: Path) -> Spec:
    """The amplifier without an operating point."""
    text = (specs / "cs_amp.yaml").read_text().replace("netlists/", f"{specs}/netlists/")
    text = text.replace("      bias: op\n", "").replace(
        "  current: {measure: supply_current, of: amplifier.bias, source: vdd, at_most: 1 mA}\n", ""
    )
    (tmp_path / "blind.yaml").write_text(text)
    return load_spec(tmp_path / "blind.yaml")


def test_without_an_operating_point_there_is_nothing_to_look_at(blind: Spec, tmp_path: Path):
    with pytest.raises(InputError, match="gp-op looks at operating points: expected a bench with an `op` analysis"):
        sizing.run(blind, method="gp-op", out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_filter_has_nothing_to_look_at(amplifier: Spec, tmp_path: Path):
    with pytest.raises(
        InputError, match=r"search\.acceptance: gp-op looks at what it ranks: expected ranking, got filter"
    ):
        sizing.run(amplifier, method="gp-op", search={"acceptance": "filter"}, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()

"""Circuits that data sets are made of: published ones, a user's own, and how many of each."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.random import default_rng
from numpy.testing import assert_allclose

from sizing.specfile.load import Spec
from surrogates.pretraining import generate
from surrogates.pretraining.circuits import opamp, voltage_biased_opamp
from surrogates.pretraining.dataset import DatasetError, read_dataset
from surrogates.pretraining.generate import circuit_of
from surrogates.pretraining.named import DATASETS


def test_opamps_are_drawn_within_their_ranges(specs: Path):
    sample = voltage_biased_opamp(specs / "netlists").draw(default_rng(0), 2000)
    for name, low, high in (
        ("mp1", 1, 99), ("mn5", 1, 99), ("cc", 0.1e-12, 10e-12), ("rz", 1e-6, 1e3), ("cl", 0.1e-12, 10e-12),
        ("ibias", 10e-6, 50e-6), ("vdd", 1.0, 1.2), ("vss", 0, 0.2), ("v1", 0.4, 0.8), ("v2", 0.4, 0.8),
    ):  # fmt: skip
        assert low <= sample[name].min() < low + 0.05 * (high - low), name
        assert high - 0.05 * (high - low) < sample[name].max() <= high, name
    assert (sample["mp1"] == sample["mp1"].round()).all()
    below = sample["vdd"] - sample["vb"]
    assert 0.2 <= below.min() < below.max() <= 0.8
    assert 0.4 < (sample["v1"] == sample["v2"]).mean() < 0.6
    assert {(1, 0.5), (2, -0.5)} == {(n, float(sample[f"ac{n}"].max())) for n in (1, 2)}
    placed = opamp(specs / "netlists").draw(default_rng(0), 500)
    names = ("ac_vdd", "ac_vss", "ac_bias", "ac1", "ac2")
    assert len({tuple(float(placed[name][row]) for name in names) for row in range(500)}) == 9


def test_ngspice_solves_opamps(specs: Path, tmp_path: Path):
    manifest = generate.generate("test", [(opamp(specs / "netlists"), 20)], tmp_path, workers=1)
    samples = read_dataset(tmp_path)[1][0]
    assert (manifest.circuits[0].rows, manifest.circuits[0].failed) == (20, {})
    at = {net: samples.voltages[:, number] for number, net in enumerate(samples.topology.nets)}
    drawn = dict(zip(samples.variables, samples.values.T, strict=True))
    for net, source in (("vdd", "vdd"), ("vss", "vss"), ("1", "v1"), ("2", "v2")):
        assert_allclose(at[net], drawn[source], rtol=1e-6)
    assert samples.topology.free_nets == tuple(samples.topology.nets.index(net) for net in samples.topology.nets
                                               if net in "345678")  # fmt: skip
    assert_allclose(at["8"], at["6"], atol=1e-6)  # no current through the compensation
    for net in "345678":
        assert at[net].min() > -0.01
        assert (at[net] < drawn["vdd"] + 0.01).all()
        assert at[net].std() > 0.02


def test_voltage_biased_opamps_have_gains(specs: Path, tmp_path: Path):
    generate.generate("test", [(voltage_biased_opamp(specs / "netlists"), 20)], tmp_path, workers=1)
    samples = read_dataset(tmp_path)[1][0]
    assert samples.targets["gain"].shape == (len(samples),) == (20,)
    assert (samples.targets["gain"] > 0).all()
    at = samples.topology.nets.index("b")
    assert_allclose(samples.voltages[:, at], samples.values[:, samples.variables.index("vb")], rtol=1e-6)


def test_the_gain_is_how_far_the_output_moves_when_the_inputs_part(specs: Path, tmp_path: Path):
    design = {
        "mp1": 65, "mn1": 89, "mp3": 31, "mn3": 65, "mn4": 98, "mn5": 58, "cc": 3.5e-12, "rz": 200, "cl": 7.5e-12,
        "ibias": 32.23e-6, "vdd": 1.0905, "vss": 0.1655, "v1": 0.4518, "v2": 0.7893, "vb": 0.8354,
        "ac_vdd": 0, "ac_vss": 0, "ac_bias": 0, "ac1": 0.5, "ac2": -0.5,
    }  # fmt: skip
    moved = {"v1": np.array([-1e-4, 0, 1e-4]), "v2": np.array([1e-4, 0, -1e-4])}
    circuit = replace(
        voltage_biased_opamp(specs / "netlists"),
        draw=lambda _, n: {name: np.full(n, value) + moved.get(name, 0.0) for name, value in design.items()},
    )
    generate.generate("test", [(circuit, 3)], tmp_path, workers=1)
    samples = read_dataset(tmp_path)[1][0]
    output = samples.voltages[:, samples.topology.nets.index("6")].astype(float)
    apart = np.subtract(*(samples.values[:, samples.variables.index(name)].astype(float) for name in ("v1", "v2")))
    assert samples.targets["gain"][1] == pytest.approx((output[2] - output[0]) / (apart[2] - apart[0]), rel=1e-2)
    assert samples.targets["gain"][1] > 10


def test_a_users_circuit_is_drawn_on_its_grid_with_its_stimulus(amplifier: Spec, tmp_path: Path):
    circuit = circuit_of(amplifier.problem, amplifier.benches[0])
    generate.generate("cs_amp", [(circuit, 20)], tmp_path, workers=1)
    samples = read_dataset(tmp_path)[1][0]
    at = {net: samples.voltages[:, number] for number, net in enumerate(samples.topology.nets)}
    assert set(at) == {"0", "vdd", "in", "out"}
    assert (at["vdd"] == np.float32(1.2)).all()
    for column, variable in enumerate(amplifier.problem.variables):
        assert np.isin(samples.values[:, column], np.array(variable.values, dtype=np.float32)).all()
    # The drop across the resistor is the transistor's current, which grows with its width while it saturates.
    current = (1.2 - at["out"]) / samples.values[:, samples.variables.index("rl")]
    wide = samples.values[:, samples.variables.index("m1")]
    saturated = at["out"] > 0.6
    assert saturated.sum() > 3
    assert np.corrcoef(current[saturated], wide[saturated])[0, 1] > 0.95


def test_a_users_circuit_with_other_ranges_is_another_data_set(amplifier: Spec, tmp_path: Path):
    problem, bench = amplifier.problem, amplifier.benches[0]
    narrow = replace(problem, variables=(replace(problem.variables[0], values=(1.0, 2.0)), *problem.variables[1:]))
    generate.generate("cs_amp", [(circuit_of(problem, bench), 5)], tmp_path, workers=1)
    with pytest.raises(DatasetError, match="expected cs_amp of seed 0, got another data set; choose another --out"):
        generate.generate("cs_amp", [(circuit_of(narrow, bench), 5)], tmp_path, workers=1)


def test_a_users_circuit_may_have_any_name(amplifier: Spec, tmp_path: Path):
    circuit = circuit_of(replace(amplifier.problem, name="../amp, v1/2"), amplifier.benches[0])
    generate.generate("any", [(circuit, 5)], tmp_path / "d", workers=1)
    assert sorted(path.name for path in (tmp_path / "d").iterdir()) == [
        ".._amp__v1_2.cir",
        ".._amp__v1_2.npz",
        "manifest.json",
    ]


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("ladder", [2223, 2223, *[2222] * 7]),
        ("ladder_test", [1000, 1000, 1000, 1000, 100]),
        ("resistors", [2000] * 3),
        ("output_resistance", [2000]),
        ("opamp", [126_000]),
        ("opamp_voltage_biased", [11_000]),
    ],
)
def test_named_data_sets_have_as_many_operating_points_as_they_say(name: str, rows: list[int], specs: Path):
    named = DATASETS[name]
    assert [count for _, count in named.circuits(specs / "netlists")] == rows
    said = {"ladder_test": "1 000 each, and 512, 100", "resistors": "2 000 each"}.get(
        name, f"{sum(rows):,}".replace(",", " ")
    )
    assert said in named.description


def test_every_named_data_set_is_tested_for_its_size():
    marks = test_named_data_sets_have_as_many_operating_points_as_they_say.pytestmark  # type: ignore[attr-defined]
    assert {name for name, _ in marks[0].args[1]} == DATASETS.keys()

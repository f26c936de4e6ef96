"""Tables of single devices against ngspice, at bias points between those that were measured."""

from pathlib import Path

import numpy as np
import pytest

from sizing.spice.netlist import read_text
from surrogates.tables.deck import Unit, UnitDevice, Unmeasurable, capacitances, currents, measure, reached
from surrogates.tables.deck import polarity as measured_polarity
from surrogates.tables.geometry import TooManyParameters, geometry
from surrogates.tables.grids import ZERO, Axis, Grid, grids
from surrogates.tables.table import Table

UNIT = (0.5e-6, 90e-9)


def unit(specs: Path, model: str) -> UnitDevice:
    lines = read_text(".include bptm45.mod", "test", specs / "netlists")
    return UnitDevice(Unit("m", model, "dgsb", ("w", "l"), reached(lines, "m", model)), UNIT)


@pytest.mark.parametrize(("model", "polarity"), [("nmos", 1), ("pmos", -1)])
@pytest.mark.slow
def test_between_bias_points_tables_are_what_ngspice_says(model: str, polarity: int, specs: Path, folder: Path):
    device = unit(specs, model)
    bias = grids("dgsb", 1.2, bulk_moves=False)
    table = Table(geometry(("w", "l"), np.array([UNIT])), bias, [measure(device, "bias", polarity, bias)])
    assert table.polarity == measured_polarity(device, 1.2) == polarity
    held_out = Grid(ZERO, Axis(0.0125, 0.075, 16), Axis(0.0125, 0.075, 16))
    points = np.stack(np.meshgrid([0.0], held_out.gate.values, held_out.drain.values, indexing="ij"), -1)
    voltages = points.reshape(-1, 3)[:, ::-1]
    where = table.geometries(np.tile(UNIT, (len(voltages), 1)))

    found, slopes = table.currents(where, voltages)
    expected = currents(device, polarity, held_out).reshape(-1, 4)[:, :3]
    error = np.abs(found[:, 0] / expected[:, 0] - 1)
    assert np.median(error) < 1e-4
    assert np.quantile(error, 0.9) < 2e-3

    for terminal in range(3):
        moved = voltages + 1e-6 * np.eye(3)[terminal]
        risen, _ = table.currents(where, moved)
        np.testing.assert_allclose((risen - found)[:, 0] / 1e-6, slopes[:, 0, terminal], rtol=1e-3, atol=1e-9)

    farads = table.capacitances(where, voltages)
    measured = capacitances(device, polarity, held_out).reshape(-1, 3, 3)
    scale = np.abs(measured).max(axis=(1, 2), keepdims=True)
    assert np.quantile(np.abs(farads - measured) / scale, 0.9) < 0.02


def test_a_device_that_ngspice_refuses_is_named(specs: Path, folder: Path):
    device = UnitDevice(Unit("m", "nothing", "dgsb", (), ()), ())
    with pytest.raises(Unmeasurable, match=r"^nothing: ngspice cannot bias it"):
        measure(device, "bias", 1, grids("dgsb", 1.2, bulk_moves=False))


def test_drawn_junctions_follow_width_and_length_alone():
    rng = np.random.default_rng(0)
    width, length = rng.uniform(1, 20, 100), rng.uniform(0.15, 4, 100)
    samples = np.stack([width, length, 0.29 * width, 2 * width + 0.58, np.ones(100)], -1)
    found = geometry(("w", "l", "ad", "pd", "nf"), samples)
    assert found.axes == (1, 0)
    assert all(row[2] == pytest.approx(0.29 * row[0]) for row in found.measured)
    assert {row[4] for row in found.measured} == {1.0}


def test_weights_reproduce_products_and_powers():
    rng = np.random.default_rng(0)
    samples = np.stack([rng.uniform(1, 20, 100), rng.uniform(0.15, 4, 100)], -1)
    found = geometry(("w", "l"), samples)
    nodes = np.array(found.measured)
    places, logarithmic, linear = found.weights(samples)
    np.testing.assert_allclose((linear * nodes.prod(axis=1)[places]).sum(1), samples.prod(axis=1))
    power = np.log(nodes[:, 0] / nodes[:, 1] ** 0.7)
    np.testing.assert_allclose((logarithmic * power[places]).sum(1), np.log(samples[:, 0] / samples[:, 1] ** 0.7))


def test_three_free_parameters_are_too_many():
    with pytest.raises(TooManyParameters, match=r"^l, w, nrd$"):
        geometry(("w", "l", "nrd"), np.random.default_rng(0).uniform(1, 2, (100, 3)))


def test_an_axis_without_bins_takes_few_values():
    rng = np.random.default_rng(0)
    samples = rng.uniform(2, 40, (100, 1))
    found = geometry(("l",), samples, is_smooth=True)
    assert len(found.measured) < 12
    nodes = np.array(found.measured)[:, 0]
    places, logarithmic, linear = found.weights(samples)
    np.testing.assert_allclose((linear * (nodes**2 + 3 * nodes)[places]).sum(1), samples[:, 0] ** 2 + 3 * samples[:, 0])
    conductance = np.exp((logarithmic * -np.log(nodes + 0.4)[places]).sum(1))
    np.testing.assert_allclose(conductance, 1 / (samples[:, 0] + 0.4), rtol=1e-3)


@pytest.mark.slow
def test_tables_looked_up_together_are_each_what_they_are_alone(specs: Path, folder: Path):
    bias = grids("dgsb", 1.2, bulk_moves=True)
    shape = geometry(("w", "l"), np.array([UNIT]))
    one, other = (
        Table(shape, bias, [measure(unit(specs, model), "bias", sign, bias)])
        for model, sign in (("nmos", 1), ("pmos", -1))
    )
    voltages = np.array([[0.6, 0.5, -0.1], [0.1, 0.9, 0.0]])
    parameters = np.tile(UNIT, (2, 1))
    alone = [table.currents(table.geometries(parameters), voltages)[0] for table in (one, other)]  # has splines now
    assert one.layout == other.layout
    for kind in (lambda table: table, lambda table: table.tied):
        pair = kind(one), kind(other)
        joined = Table.joined(pair)
        for table, first in zip(pair, (0, len(pair[0])), strict=True):
            own, _ = table.currents(table.geometries(parameters), voltages)
            found, _ = joined.currents(table.geometries(parameters, first), voltages)
            np.testing.assert_array_equal(found, own)
    assert np.abs(alone[0] - alone[1]).max() > 1e-6
    assert Table.joined((one,)) is one


@pytest.mark.parametrize(("bend", "is_linear"), [
    ("nothing", True), ("drain", False), ("bulk", False), ("both", False), ("offset", False), ("capacitance", False)
])  # fmt: skip
def test_a_device_is_linear_that_no_bias_changes(bend: str, is_linear: bool):
    bias = grids("dsb", 1.0, bulk_moves=True)
    axes = (np.array(bias.currents.bulk.values), bias.currents.gate.values, np.array(bias.currents.drain.values))
    bulk, _, drain = np.meshgrid(*axes, indexing="ij")
    through = 1e-3 * drain + 1e-6 * bulk
    through += {"drain": 1e-6 * drain**2, "bulk": 1e-6 * bulk**2, "both": 1e-6 * drain * bulk, "offset": 1e-8}.get(
        bend, 0
    )
    farads = np.full((*bias.capacitances.shape, 3, 3), 1e-15)
    farads[0, 0, 0, 0, 0] += 1e-18 * (bend == "capacitance")
    currents = np.stack([through, 0 * through, 1e-6 * bulk, -through - 1e-6 * bulk], -1)
    measured = {"polarity": np.ones(1), "currents": currents, "capacitances": farads}
    assert Table(geometry(("l",), np.ones((1, 1))), bias, [measured]).is_linear == is_linear

"""Tables of single transistors: what ngspice says of them, in files that others read, and from theirs."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from sizing.errors import InputError
from sizing.measures.transistors import OperatingPoint
from sizing.simulation.pool import SimulationPool
from sizing.simulation.simulator import Measured
from sizing.spice.kits import library_of
from sizing.spice.netlist import read_netlist, read_text
from sizing.task.job import Job
from surrogates.tables.characterisation import Tables
from surrogates.tables.charts import draw
from surrogates.tables.lookup import AXES, QUANTITIES, Lookup, measured, read_lookup, write_lookup
from surrogates.tables.transistor_models import transistors_in, usual_lengths

pytestmark = pytest.mark.slow

LENGTHS = (90e-9, 180e-9)


@pytest.fixture(scope="module")
def pmos(specs: Path, folder: Path) -> Lookup:
    lines = read_netlist(specs / "netlists" / "bptm45.mod")
    return measured(lines, "pmos", lengths=LENGTHS, width=1e-6, supply=1.2, tables=Tables(folder))


def test_quantities_are_those_of_ngspice(pmos: Lookup, task):
    names = {"ID": "id", "GM": "gm", "GDS": "gds", "GMB": "gmbs", "VT": "vth"}
    measures = tuple(
        OperatingPoint(measure="operating_point", of="bench.bias", devices=("m1",), quantity=each)
        for each in ("id", "gm", "gds", "vth")
    )
    t = task(
        ".param long=90n gate=1 drain=1 bulk=0\nvs s 0 1.2\nvg s g {gate}\nvd s d {drain}\nvb b s {bulk}\n"
        "m1 d g s b pmos w=1u l={long}\n.include bptm45.mod",
        measures=measures, variables=("long", "gate", "drain", "bulk"), bias="op",
    )  # fmt: skip
    points = [(0, 0.4, 0.6, 0.0), (0, 0.7, 0.2, 0.48), (1, 0.55, 0.95, 0.24), (1, 0.3, 0.6, 0.0)]
    jobs = [Job(dict(zip(("long", "gate", "drain", "bulk"), (LENGTHS[row], *bias), strict=True)))
            for row, *bias in points]  # fmt: skip
    with SimulationPool(t, 1, 60) as pool:
        simulated = [each.values for each in pool.run(jobs) if isinstance(each, Measured)]
    assert len(simulated) == len(points)
    for (row, gate, drain, bulk), found in zip(points, simulated, strict=True):
        places = [int(np.argmin(np.abs(pmos.axes[axis] - at))) for axis, at in
                  (("VGS", gate), ("VDS", drain), ("VSB", bulk))]  # fmt: skip
        for measure, value in zip(measures, found, strict=True):
            name = next(own for own, other in names.items() if other == measure.quantity)
            told = pmos.quantities[name][row, places[0], places[1], places[2]]
            assert told == pytest.approx(abs(value), rel=0.01), (name, row, gate)


def test_capacitances_add_up(pmos: Lookup):
    c = {name: pmos.quantities[name] for name in QUANTITIES}
    np.testing.assert_allclose(c["CGS"] + c["CGD"] + c["CGB"], c["CGG"], rtol=1e-9)
    strong = np.s_[:, -1, -1, 0]
    assert (c["CGS"][strong] > 2 * c["CGD"][strong]).all()  # saturated


def test_figures_by_inversion_fall_with_length_and_are_missing_where_it_is_not_reached(pmos: Lookup):
    found = pmos.by_inversion([5, 15, 45], vds=0.6)
    assert np.isnan(found["fT"][:, 2]).all()
    assert (found["fT"][0, :2] > 2 * found["fT"][1, :2]).all()
    assert (found["ID/W"][:, 0] > 5 * found["ID/W"][:, 1]).all()
    own = pmos.at(0.6, 0.0)
    row = int(np.argmin(np.abs(own["GM"][0] / own["ID"][0] - 15)))
    assert found["VGS"][0, 1] == pytest.approx(pmos.axes["VGS"][row], abs=0.025)
    with pytest.raises(InputError, match=r"pmos: expected a VDS from 0 to 1\.2 V, got 2"):
        pmos.at(2.0, 0.0)


@pytest.mark.parametrize("suffix", [".mat", ".pkl"])
def test_files_are_read_back_and_have_the_layout_of_others(pmos: Lookup, tmp_path: Path, suffix: str):
    path = tmp_path / f"pmos{suffix}"
    write_lookup(pmos, path)
    again = read_lookup(path)
    assert again.width == pytest.approx(1e-6)
    for name in QUANTITIES:
        np.testing.assert_array_equal(again.quantities[name], pmos.quantities[name])
    np.testing.assert_allclose(again.axes["L"], LENGTHS)
    fields = loadmat(path)["pmos"][0][0] if suffix == ".mat" else pickle.loads(path.read_bytes())
    assert np.squeeze(fields["L"]).tolist() == pytest.approx([0.09, 0.18])  # um, as in pygmid
    assert np.squeeze(fields["ID"]).shape == tuple(len(pmos.axes[axis]) for axis in AXES)


class Command:
    def __reduce__(self) -> tuple:
        return (print, ("a pickle is a program",))


@pytest.mark.parametrize(
    ("name", "content", "mistake"),
    [
        ("a.mat", b"no such file", "cannot be read"),
        ("a.pkl", pickle.dumps(Command()), r"it holds builtins\.print"),
        ("a.pkl", pickle.dumps({"L": np.ones(2)}), "got none of W, VGS, VDS, VSB, ID"),
        (
            "a.pkl",
            pickle.dumps(dict.fromkeys(("W", *AXES, *QUANTITIES), np.array([1.0, 2.0]))),
            r"expected \(2, 2, 2, 2\) values",
        ),
        ("a.pkl", b"", "cannot be read"),
    ],
)
def test_what_is_no_table_is_said(name: str, content: bytes, mistake: str, tmp_path: Path, capsys):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=mistake):
        read_lookup(tmp_path / name)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("suffix", [".svg", ".png"])
def test_charts_are_drawn(pmos: Lookup, tmp_path: Path, suffix: str):
    draw(pmos, 0.6, tmp_path / f"pmos{suffix}")
    content = (tmp_path / f"pmos{suffix}").read_bytes()
    assert content[1:4] == b"PNG" or b"</svg>" in content


KIT = """.subckt fet d g s b
.param l=1 w=1
m1 d g s b fet__model l={l} w={w}
.model fet__model.0 nmos lmin=1.49e-07 lmax=1.0e-06 wmin=1e-06 wmax=1e-05
.model fet__model.1 nmos lmin=1.0e-06 lmax=1.0e-05 wmin=1e-06 wmax=1e-05
.model fet__model.2 nmos lmin=4.9e-07 lmax=1.0e-06 wmin=1e-05 wmax=1e-04
.ends
.subckt cap a b c d
c1 a b 1p
.ends
.model plain pmos level=1
.model d1 d is=1e-15
"""


def test_transistors_of_a_library_and_their_lengths():
    library = library_of(read_text(KIT, "kit", Path()))
    found = transistors_in(library, [])
    assert list(found) == ["fet", "plain"]
    assert usual_lengths(found["fet"], 5e-6) == pytest.approx([150e-9, 300e-9, 600e-9, 1.2e-6, 2.4e-6], rel=0.01)
    assert usual_lengths(found["fet"], 50e-6) == pytest.approx([490e-9, 980e-9], rel=0.01)
    assert usual_lengths(found["plain"], 5e-6) == ()
    assert list(transistors_in(library, ["FET"])) == ["fet"]
    with pytest.raises(InputError, match="no transistor 'fets' in these models; did you mean 'fet'"):
        transistors_in(library, ["fets"])
    with pytest.raises(InputError, match="found none"):
        transistors_in(library_of(read_text(".model d1 d is=1e-15\n", "kit", Path())), [])


@pytest.mark.parametrize(
    ("field", "value", "mistake"),
    [
        ("VGS", np.array([0.0, 0.6, 0.3]), "expected ascending values of VGS"),
        ("ID", np.zeros((2, 3, 2, 1)), "expected a W and currents above 0"),
        ("GM", np.array(["one"]), "cannot be read"),
    ],
)
def test_a_table_of_nonsense_is_said(field: str, value: np.ndarray, mistake: str, tmp_path: Path):
    axes = {"L": [0.1, 0.2], "VGS": [0.0, 0.3, 0.6], "VDS": [0.0, 0.6], "VSB": [0.0]}
    fields = {name: np.array(each) for name, each in axes.items()} | {"W": 1.0}
    fields |= dict.fromkeys(QUANTITIES, np.ones((2, 3, 2, 1)))
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(fields))
    assert np.isfinite(read_lookup(tmp_path / "a.pkl").by_inversion([1.0], 0.3)["VGS"]).all()
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(fields | {field: value}))
    with pytest.raises(InputError, match=mistake):
        read_lookup(tmp_path / "a.pkl")


def test_a_name_in_a_file_leads_nowhere(pmos: Lookup, tmp_path: Path):
    path = tmp_path / "a.mat"
    savemat(path, {"abcdefgh": pmos.as_fields()})
    path.write_bytes(path.read_bytes().replace(b"abcdefgh", b"../../xy", 1))
    assert "../../xy" in loadmat(path)
    assert read_lookup(path).name == "______xy"

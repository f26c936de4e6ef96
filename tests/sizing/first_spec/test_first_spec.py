"""First specs for netlists in many dialects: what is recognised, varied and written, and what stays as it was."""

import re
import shutil
from math import isfinite
from pathlib import Path

import pytest

from sizing.errors import InputError
from sizing.first_spec.recognition.rails import is_ground
from sizing.first_spec.recognition.transistors import number
from sizing.first_spec.source import models_named, read_user_netlist
from sizing.first_spec.write import FirstSpec, write_first_spec
from sizing.simulation.simulator import Failed, SimulationError
from sizing.simulation.simulators import pool_for
from sizing.specfile.load import Spec, load_spec
from sizing.spice.circuit import Circuit
from sizing.task.job import Job
from surrogates.tables import inversion
from surrogates.tables.deck import Unmeasurable

NETLISTS = Path(__file__).parent / "netlists"
MODELS = {"xschem.spice": ("pdk.lib:tt",)}
TOP = {"follower.cir": "ota"}
OPAMP, COMPARATOR, REGULATOR = "operational amplifier", "comparator", "low-dropout regulator"
EXPECTED = {
    "OTA5T.SP": (OPAMP, "w_m1 l_m1 w_m3 l_m3 w_m5 l_m5"),
    "bipolar.cir": (OPAMP, "rb cc re"),
    "comparator.cir": (COMPARATOR, "wi lmin w_m7 l_m7 w_m8 l_m8 ib"),
    "folded.cir": (OPAMP, "w_mt l_mt w_mi1 l_mi1 w_mn1 l_mn1 w_mc1 l_mc1 w_mp1 l_mp1"),
    "follower.cir": (OPAMP, "w_m1 l_m1 w_m3 l_m3 w_m5 l_m5"),
    "hspice.sp": (OPAMP, "wn lmin"),
    "ldo.cir": (REGULATOR, "w_mn1 l_mn1 w_mp1 l_mp1 w_mn3 l_mn3 w_mpass l_mpass rb r1"),
    "ldo_bench.cir": (REGULATOR, "w_m1 l_m1 w_m3 l_m3 w_mp l_mp i0 ra rl"),
    "ring.cir": ("ring oscillator", "wn_inv wp_inv wn_x5 wp_x5 c1"),
    "starved.cir": ("ring oscillator", "w_stage w_mo1 l_mo1 w_mr2 l_mr2 w_mo2 l_mo2 w_mr1 l_mr1"),
    "strongarm.cir": ("clocked comparator", "w_m0 l_m0 w_m1 l_m1 w_m3 l_m3 w_m5 l_m5 w_m7 l_m7"),
    "twostage.cir": (OPAMP, "w_m1 l_m1 w_m3 l_m3 w_m5 l_m5 w_m6 l_m6 iref cc rz"),
    "xschem.spice": (OPAMP, "w_xm1 l_xm1 w_xm3 l_xm3 w_xm5 l_xm5"),
}


@pytest.fixture(scope="module")
def folder(specs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All netlists, the shared model card beside them."""
    folder = tmp_path_factory.mktemp("netlists")
    for path in (*NETLISTS.iterdir(), specs / "netlists" / "bptm45.mod"):
        shutil.copy(path, folder)
    return folder


@pytest.fixture(scope="module", params=EXPECTED)
def written(request: pytest.FixtureRequest, folder: Path) -> FirstSpec:
    """The first spec of each netlist."""
    name = request.param
    models = [str(folder / model) for model in MODELS.get(name, ())]
    return write_first_spec(folder / name, None, models, TOP.get(name))


def circuit_of(netlist: Path) -> Circuit:
    """The flat circuit of a user's netlist, or of its copy."""
    name = netlist.name.replace("_sized", "")
    models = models_named([str(netlist.parent / model) for model in MODELS.get(name, ())], netlist.parent)
    return read_user_netlist(netlist, netlist.parent, models, TOP.get(name)).circuit


def sizes(circuit: Circuit) -> dict[str, dict[str, float]]:
    """Every number of every device but sources to ground,by the device's name."""
    return {
        device.name: {
            key: value for key, text in device.parameters.items() if (value := number(text, circuit)) is not None
        }
        for device in circuit.devices
        if not (device.kind == "v" and any(map(is_ground, device.nets)))
    }


@pytest.mark.slow
def test_the_class_is_recognised_and_what_can_be_sized_is_varied(written: FirstSpec):
    title, variables = EXPECTED[next(name for name in EXPECTED if Path(name).stem == written.path.stem)]
    spec = load_spec(written.path)
    assert written.title == title
    assert [variable.name for variable in spec.problem.variables] == variables.split()
    assert "TODO" in written.path.read_text()


@pytest.mark.slow
def test_the_copy_is_the_same_circuit(written: FirstSpec):
    before = sizes(circuit_of(written.netlist.with_name(written.netlist.name.replace("_sized", ""))))
    assert sizes(circuit_of(written.netlist)) == {name: pytest.approx(each, rel=1e-5) for name, each in before.items()}


@pytest.mark.slow
def test_the_circuit_as_it_is_meets_what_was_measured(written: FirstSpec):
    spec = load_spec(written.path)
    job = Job(as_it_is(spec))
    with pool_for(spec.task, spec.run, 1) as pool:
        pool.load(job)
        outcome = pool.run([job])[0]
    assert not isinstance(outcome, Failed)
    for metric, value in zip(spec.problem.metrics, outcome.values, strict=True):
        if metric.name in written.missing:
            assert not isfinite(value)
        elif metric.name != "pm":
            assert metric.at_least is None or value >= metric.at_least
            assert metric.at_most is None or value <= metric.at_most


def as_it_is(spec: Spec) -> dict[str, float]:
    """The values of the variables in the netlist."""
    circuit = spec.benches[0].circuit
    found = {variable.name: number(variable.name, circuit) for variable in spec.problem.variables}
    return {name: value for name, value in found.items() if value is not None}


def test_what_is_not_sized_stays_to_the_letter(folder: Path, tmp_path: Path):
    shutil.copy(folder / "OTA5T.SP", tmp_path)
    written = write_first_spec(tmp_path / "OTA5T.SP")
    before, after = (path.read_text().splitlines() for path in (tmp_path / "OTA5T.SP", written.netlist))
    assert [line for line in before if " W=" not in line] == [line for line in after if line in before]
    assert "+ W={w_m1}   L={l_m1} ; RIGHT" in after


def test_a_netlist_with_parameters_of_its_own_is_used_as_it_is(tmp_path: Path):
    netlist = tmp_path / "stage.cir"
    text = "* stage\n.model n nmos level=1\n.param wn=2u\nm1 out in 0 0 n w={wn} l=1u\nrl vdd out 10k\n"
    netlist.write_text(text)
    written = write_first_spec(netlist)
    assert written.netlist == netlist
    assert netlist.read_text() == text
    assert [variable.name for variable in load_spec(written.path).problem.variables] == ["wn"]


def test_values_of_the_test_bench_are_kept(folder: Path, tmp_path: Path):
    for name in ("twostage.cir", "bptm45.mod"):
        shutil.copy(folder / name, tmp_path)
    text = write_first_spec(tmp_path / "twostage.cir").path.read_text()
    assert "vdd vdd 0 dc 1.2 $ as the netlist had it" in text
    assert "vp inp 0 dc 600m" in text
    assert " cl " not in text  # the netlist has its load


def test_a_decision_takes_the_output_half_way_to_the_other_supply(tmp_path: Path):
    (tmp_path / "comparator.cir").write_text(
        """* takes 15 ns to decide; in the first 10 the output moves by microvolts
        .model nch nmos level=1 vto=0.45 kp=300u gamma=0.45 lambda=0.08 phi=0.85 tox=4n cgso=0.3n cgdo=0.3n
        .model pch pmos level=1 vto=-0.45 kp=80u gamma=0.4 lambda=0.1 phi=0.85 tox=4n cgso=0.3n cgdo=0.3n
        .subckt comparator inp inn out ibias vdd vss
        m1 n1 inn tail vss nch w=10u l=0.18u
        m2 n2 inp tail vss nch w=10u l=0.18u
        m3 n1 n1 vdd vdd pch w=10u l=0.18u
        m4 n2 n1 vdd vdd pch w=10u l=0.18u
        m5 tail ibias vss vss nch w=10u l=0.36u
        m8 ibias ibias vss vss nch w=10u l=0.36u
        m9 o2 n2 vdd vdd pch w=20u l=0.18u
        m10 o2 ibias vss vss nch w=10u l=0.36u
        m11 out o2 vdd vdd pch w=10u l=0.18u
        m12 out o2 vss vss nch w=5u l=0.18u
        .ends
        """
    )
    written = write_first_spec(tmp_path / "comparator.cir")
    assert "input: inn, swing: 900m" in written.path.read_text()
    delay = next(metric for metric in load_spec(written.path).problem.metrics if metric.name == "delay_rising")
    assert delay.at_most == pytest.approx(15e-9, rel=0.1)


def test_sources_have_names_of_their_own(tmp_path: Path):
    (tmp_path / "user.cir").write_text(
        ".model n nmos level=1\n.subckt a in vin fb vdd vp vn vfb out\nm1 out in 0 0 n w=1u l=1u\n"
        "m2 out vin 0 0 n w=1u l=1u\nm3 out fb vp 0 n w=1u l=1u\nm4 out vfb vn 0 n w=1u l=1u\nr1 vdd out 1k\n.ends\n"
    )
    text = write_first_spec(tmp_path / "user.cir").path.read_text()
    assert "v_in in 0" in text
    assert "vin vin 0" in text


MOS = ".model n nmos level=1\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a SPICE netlist, found no line that is a device or a command"),
        ("Dear diary,\nIt was good. M1 was there (too).\n", "expected a SPICE netlist, found no line"),
        ("import sys\nprint('hello')\n", "expected a SPICE netlist, found no line"),
        (MOS + ".param a=1\n", "expected a circuit, found neither devices nor a sub-circuit"),
        (
            "x1 a b vdd nosuch\nr1 vdd b 1k\n",
            ":1: expected a sub-circuit 'nosuch', found none; give the file that defines it with",
        ),
        (
            "m1 a b 0 0 nch w=1u l=1u\nr1 vdd b 1k\n",
            ":1: expected a model 'nch', found none; give the file that defines it with",
        ),
        (MOS + "m1 a b 0 0 ncc w=1u l=1u\n.model nc nmos\n", "expected a model 'ncc', found none; did you mean 'nc'?"),
        (MOS + ".subckt a\nm1 vdd in 0 0 n w=1u l=1u\n.ends\n", ":2: expected ports of 'a' to connect a test bench to"),
        (MOS + ".subckt a in out\nm1 out in 0 0 n w=1u l=1u\nr1 out 0 1k\n.ends\n", "expected a supply, found none"),
        (".subckt a vdd\nr1 vdd 0 1k\n.ends\n.subckt b vdd\nr1 vdd 0 1k\n.ends\n", "got a, b; say which one to size"),
        (".subckt a vdd\nr1 vdd 0 1k\n", ":1: expected .ends after .subckt a, got the end of the netlist"),
        (".ends\nr1 vdd 0 1k\n", ":1: expected .ends only after .subckt"),
        (".include missing.lib\nr1 vdd 0 1k\n", ":1: expected a file at"),
        (MOS + "m1 out in 0\nvdd vdd 0 1\n", ":2: expected 4 nets (d g s b) after 'm1', got 3"),
        ("r1 vdd out {wide}\nvdd vdd 0 1\n", "expected sizes to vary, found none"),
        (".shell ls\nr1 vdd 0 1k\n", "expected what is known to do no harm, got the command .shell"),
    ],
)
def test_mistakes_are_told_and_nothing_is_written(tmp_path: Path, text: str, message: str):
    (tmp_path / "user.cir").write_text(text)
    with pytest.raises(InputError) as raised:
        write_first_spec(tmp_path / "user.cir")
    assert message in str(raised.value)
    assert [path.name for path in tmp_path.iterdir()] == ["user.cir"]


def test_what_ngspice_refuses_leaves_nothing_behind(tmp_path: Path):
    (tmp_path / "user.cir").write_text(MOS + "m1 out in 0 0 n w=1u l=1u\nr1 vdd out {nowhere}\n")
    with pytest.raises(SimulationError, match="Undefined parameter"):
        write_first_spec(tmp_path / "user.cir")
    assert [path.name for path in tmp_path.iterdir()] == ["user.cir"]


@pytest.mark.parametrize("taken", ["user.yaml", "user_sized.cir"])
def test_nothing_is_overwritten(tmp_path: Path, taken: str):
    (tmp_path / "user.cir").write_text("r1 vdd out 1k\nr2 out 0 1k\n")
    (tmp_path / taken).write_text("mine")
    with pytest.raises(InputError, match=f"{taken} already exists, and nothing is overwritten"):
        write_first_spec(tmp_path / "user.cir")
    assert (tmp_path / taken).read_text() == "mine"
    write_first_spec(tmp_path / "user.cir", tmp_path / "other.yaml")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [taken, "other.yaml", "other_sized.cir", "user.cir"]
    )


def test_widths_range_from_strong_to_weak_inversion_at_the_current_that_flows(folder: Path, tmp_path: Path):
    first = write_first_spec(shutil.copytree(folder, tmp_path / "own") / "twostage.cir", tmp_path / "own" / "user.yaml")
    lines = [line for line in first.path.read_text().splitlines() if line.strip().startswith("w_m")]
    assert lines
    assert all(re.search(r"; [\d.]+ uA( to [\d.]+ uA)?, gm/Id [\d.]+( to [\d.]+)? /V$", line) for line in lines)
    ranges = {each.name: each.values for each in load_spec(first.path).problem.variables}
    assert [ranges["w_m1"][0], ranges["w_m1"][-1]] == pytest.approx([0.5e-6, 32e-6])  # eight times what it is, at most
    assert ranges["w_m1"][12] == pytest.approx(4e-6)
    assert ranges["l_m5"][-1] == pytest.approx(4 * ranges["l_m5"][0])  # lengths are as ever


def test_without_device_tables_widths_range_around_what_they_are(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def unmeasurable(*_: object) -> object:
        raise Unmeasurable("nmos: ngspice cannot bias it")

    monkeypatch.setattr(inversion, "inversions", unmeasurable)
    first = write_first_spec(shutil.copytree(folder, tmp_path / "own") / "twostage.cir", tmp_path / "own" / "user.yaml")
    assert "gm/Id" not in first.path.read_text()
    widths = next(each.values for each in load_spec(first.path).problem.variables if each.name == "w_m1")
    assert widths[-1] == pytest.approx(16 * widths[0])

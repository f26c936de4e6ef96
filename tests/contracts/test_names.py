"""Names mean what a spec and a netlist mean by them, or are refused: every word that ngspice or we might take."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sizing.simulation.pool import SimulationPool
from sizing.simulation.simulator import Measured, Simulator
from sizing.simulation.simulators import SIMULATORS
from sizing.specfile.load import load_spec
from sizing.specfile.mistakes import SpecError
from sizing.spice.expression import FUNCTIONS
from sizing.spice.reserved import IN_SOURCES, NETS, PARAMETERS
from sizing.task.bench import Task
from sizing.task.job import Conditions, Job

pytestmark = pytest.mark.skipif(shutil.which("ngspice") is None, reason="the ngspice program is not installed")
TRIED = """
    temper temperature temp tnom process sample seed nominal time hertz freq frequency v i vt pi e c kelvin
    echarge boltz planck no yes true false units ac dc tran op noise sens disto pz tf sp gmin reltol m w l x q
    k r y b a f p n g t meg mil u u2 uramp stp ddt idt var if then else defined not and or xor nand nor mod
    div fabs eq lt gt le ge ne inf nan is all const echo print let set alter alterparam poly table vol cur
    value laplace par param params subckt ends model lib include end tc1 tc2 dtemp scale mag ph cph re im db
    rad deg rnd length vector unitvec mean avg norm round deriv integ fft vm vp vdb vr vi ip ids day date
    title name index rank design cost in_spec status evaluation corner lambda class pulse pwl sffm am trnoise
    trrandom external distof1 portnum z0 off on eq0 ne0 gt0
    lt0 ge0 le0 pwl_derivative ustep
"""
WORDS = tuple(TRIED.split())


@pytest.fixture(params=["ngspice", "ngspice-batch"])
def make(request: pytest.FixtureRequest) -> Callable[[Task], Simulator]:
    """How to make the simulator under test."""
    return SIMULATORS[request.param].make


def spec_of(folder: Path, netlist: str, variables: str, analyses: str, metrics: list[str], more: str = "") -> Path:
    (folder / "c.cir").write_text(f"* a circuit\n{netlist}\n.end\n")
    lines = "\n".join(f"  {metric}" for metric in metrics)
    (folder / "spec.yaml").write_text(
        f"netlist: c.cir\nvariables: {variables}\n{more}\n"
        f"benches:\n  b:\n    stimulus: vx a 0 dc 1 ac 1 pulse(1 2 1n 1p 1p 1 2)\n    analyses: {analyses}\n"
        f"metrics:\n{lines}\n"
    )
    return folder / "spec.yaml"


def values_of(path: Path, make: Callable[[Task], Simulator], *jobs: Job) -> list[dict[str, float]]:
    spec = load_spec(path)
    with SimulationPool(spec.task, 1, 60, simulator=make) as pool:
        outcomes = pool.run(jobs or [spec.problem.job(spec.problem.start)])
    names = [metric.name for metric in spec.problem.metrics]
    assert all(isinstance(outcome, Measured) for outcome in outcomes), outcomes
    return [dict(zip(names, outcome.values, strict=True)) for outcome in outcomes if isinstance(outcome, Measured)]


@pytest.mark.slow
def test_a_variable_may_have_any_name_that_is_not_refused(make: Callable[[Task], Simulator], tmp_path: Path):
    words = [word for word in WORDS if word not in PARAMETERS and word not in IN_SOURCES]
    lines = [
        f".param {word}=1 o{n}={{2*{word}+1}}\nr{n} a n{n} {{{word}*1k}}\ns{n} n{n} 0 1k\nb{n} m{n} 0 v=2*{word}\n"
        f"t{n} m{n} 0 1k\nq{n} a p{n} {{o{n}*1k}}\nu{n} p{n} 0 1k".replace("\ns", "\nrs").replace("\nt", "\nrt")
        .replace("\nq", "\nrq").replace("\nu", "\nru")
        for n, word in enumerate(words)
    ]  # fmt: skip
    variables = "{" + ", ".join(f'"{word}": {{values: [{2 + n}]}}' for n, word in enumerate(words)) + "}"
    metrics = [
        f'"{word}{suffix}": {{measure: dc_value, of: b.op, output: {net}{n}, at_least: 0}}'
        for n, word in enumerate(words)
        for suffix, net in (("", "n"), ("_m", "m"), ("_p", "p"))
    ]
    (found,) = values_of(spec_of(tmp_path, "\n".join(lines), variables, "{op: op}", metrics), make)
    for n, word in enumerate(words):
        value = 2 + n
        expected = (1 / (value + 1), 2 * value, 1 / (2 * value + 2))
        assert (found[word], found[f"{word}_m"], found[f"{word}_p"]) == pytest.approx(expected, rel=1e-6), word


@pytest.mark.parametrize("word", sorted(PARAMETERS))
def test_a_parameter_that_ngspice_takes_for_something_else_is_refused(word: str, tmp_path: Path):
    metric = ["out: {measure: dc_value, of: b.op, output: n, at_least: 0}"]
    for netlist in (f".param {word}=1\nr1 a n {{{word}}}", f".subckt s p {word}=1\nr1 p n 1\n.ends\nx1 a s"):
        path = spec_of(tmp_path, f"{netlist}\nr2 n 0 1k", f"{{{word}: {{values: [2]}}}}", "{op: op}", metric)
        with pytest.raises(
            SpecError, match=rf"c\.cir:2: expected the name of a parameter, got '{word}', which ngspice"
        ):
            load_spec(path)


@pytest.mark.parametrize("source", ["b1 n 0 v=2*{}", "e1 n 0 vol='2*{}'", "g1 n 0 cur='-2*{}'"])
@pytest.mark.parametrize("word", sorted(IN_SOURCES))
def test_a_parameter_that_a_source_would_misread_is_refused_there(word: str, source: str, tmp_path: Path):
    metric = ["out: {measure: dc_value, of: b.op, output: n, at_least: 0}"]
    netlist = f"{source.format(word)}\n.param {word}=1\nr1 a n {{{word}}}\nr2 n 0 1"
    path = spec_of(tmp_path, netlist, f"{{{word}: {{values: [2]}}}}", "{op: op}", metric)
    with pytest.raises(SpecError, match=rf"c\.cir:2: .*got '{word}', which ngspice takes for"):
        load_spec(path)


@pytest.mark.parametrize("word", [*(word for word in PARAMETERS if word not in FUNCTIONS), *IN_SOURCES])
def test_what_is_refused_is_misread_by_ngspice(word: str, tmp_path: Path):
    source = "e1 n 0 vol='2*{}'" if word in IN_SOURCES else "va c 0 ac 1\nr1 a n {{{}*1k}}\nr2 n 0 {{1k/{}}}"
    deck = f"* d\n.param {word}=3\nv1 a 0 dc 1\n{source.format(word, word)}\nr3 n 0 1t\n"
    (tmp_path / "d.cir").write_text(f"{deck}.control\nop\nprint v(n)\n.endc\n.end\n")
    said = subprocess.run(["ngspice", "-b", "d.cir"], cwd=tmp_path, capture_output=True, text=True).stdout
    printed = [float(line.split("=")[1]) for line in said.splitlines() if line.startswith("v(n) =")]
    assert printed != pytest.approx([6.0 if word in IN_SOURCES else 0.1], rel=1e-3)


@pytest.mark.slow
def test_a_net_may_have_any_name_that_is_not_refused(make: Callable[[Task], Simulator], tmp_path: Path):
    nets = [word for word in WORDS if word not in NETS and word != "a"]
    netlist = "\n".join(f"r{n} a {net} {n + 1}k\nrl{n} {net} 0 {{r}}" for n, net in enumerate(nets))
    metrics = [
        f'"{net}{n}": {{measure: {measure}, of: b.{of}, output: "{net}", at_least: 0}}'
        for net in nets
        for n, (measure, of) in enumerate((("dc_value", "bias"), ("dc_value", "step"), ("dc_gain", "response")))
    ]
    analyses = "{bias: op, step: tran 1n 10n, response: {run: ac dec 1 1 10, excite: vx}}"
    path = spec_of(tmp_path, f".param r=1k\n{netlist}", "{r: {values: [1000]}}", analyses, metrics)
    text = path.read_text().replace("dc 1 ac 1", "dc 1")
    path.write_text(text)
    (found,) = values_of(path, make)
    for n, net in enumerate(nets):
        assert [found[f"{net}{m}"] for m in range(3)] == pytest.approx([1 / (n + 2)] * 3, rel=1e-6), net


@pytest.mark.parametrize("net", NETS)
def test_a_net_that_cannot_be_read_is_refused(net: str, tmp_path: Path):
    metric = [f'out: {{measure: dc_value, of: b.op, output: "{net}", at_least: 0}}']
    path = spec_of(tmp_path, f".param r=1k\nr1 a {net} {{r}}\nr2 {net} 0 1k", "{r: {values: [1]}}", "{op: op}", metric)
    with pytest.raises(SpecError, match=rf"expected a net whose voltage can be read, got '{net}', which ngspice takes"):
        load_spec(path)


@pytest.mark.parametrize("word", WORDS)
def test_metrics_benches_and_analyses_may_have_any_name(word: str, tmp_path: Path):
    metric = [f'"{word}": {{measure: dc_value, of: {word}.{word}, output: n, at_least: 0}}']
    path = spec_of(tmp_path, ".param r=1k\nr1 a n {r}\nr2 n 0 1k", "{r: {values: [1]}}", f'{{"{word}": op}}', metric)
    path.write_text(path.read_text().replace("  b:\n", f'  "{word}":\n'))
    spec = load_spec(path)
    assert [metric.name for metric in spec.problem.metrics] == [word]
    assert [bench.name for bench in spec.benches] == [word]


@pytest.mark.parametrize("name", ["temperature", "TEMPERATURE", "process", "sample", "Temp"])
@pytest.mark.slow
def test_a_variable_named_like_a_condition_is_a_variable_in_every_order_of_designs(
    name: str, make: Callable[[Task], Simulator], specs: Path, tmp_path: Path
):
    for file in ("cs_amp.cir", "bptm45.mod"):
        text = (specs / "netlists" / file).read_text()
        (tmp_path / file).write_text(text.replace("m1=", f"{name}=").replace("{m1}", f"{{{name}}}"))
    text = (specs / "cs_amp.yaml").read_text().replace("netlists/", "").replace("  m1:", f"  {name}:")
    (tmp_path / "spec.yaml").write_text(text)
    job, other = ({name.lower(): m, "rl": 2000.0} for m in (20.0, 90.0))
    expected = values_of(specs / "cs_amp.yaml", make, Job({"m1": 20.0, "rl": 2000.0}))
    alone = values_of(tmp_path / "spec.yaml", make, Job(job))
    after = values_of(tmp_path / "spec.yaml", make, Job(other), Job(job))
    assert alone == expected
    assert after[1:] == expected


def test_conditions_and_parameters_of_one_name_are_told_apart(make: Callable[[Task], Simulator], tmp_path: Path):
    """A parameter called `temperature`, and the simulation's temperature, which a resistor's coefficient shows."""
    netlist = ".param temperature=1k r=1k\nr1 a n {temperature}\nr2 n 0 {r} tc1=0.01"
    metric = ["out: {measure: dc_value, of: b.op, output: n, at_least: 0}"]
    path = spec_of(tmp_path, netlist, "{r: {values: [1000]}}", "{op: op}", metric)
    jobs = [
        Job({"r": 1000.0}, Conditions(temperature=127.0)),
        Job({"r": 1000.0}, Conditions(parameters=(("temperature", 3000.0),))),
        Job({"r": 1000.0}, Conditions(127.0, None, (("temperature", 3000.0),))),
    ]
    found = [row["out"] for row in values_of(path, make, *jobs)]
    assert found == pytest.approx([2 / 3, 1 / 4, 2 / 5], rel=1e-6)


def test_a_corner_that_could_mean_either_is_refused(tmp_path: Path):
    metric = ["out: {measure: dc_value, of: b.op, output: n, at_least: 0}"]
    netlist = ".param temperature=1k r=1k\nr1 a n {temperature}\nr2 n 0 {r}"
    path = spec_of(tmp_path, netlist, "{r: {values: [1]}}", "{op: op}", metric, "corners: {temperature: [27, 60]}")
    message = (
        r"corners\.temperature: means the simulation's temperature here, and the netlist has a parameter of that name"
    )
    with pytest.raises(SpecError, match=message):
        load_spec(path)

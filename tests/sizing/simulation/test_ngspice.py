"""ngspice in process gives what `ngspice -b` gives, and says what is wrong where something is."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import sizing.simulation.ngspice as ngspice
from sizing.simulation.dialect import alterations
from sizing.simulation.ngspice import NgSpice, SimulatorMissing, library_path
from sizing.simulation.pool import SimulationPool
from sizing.simulation.simulator import Failed, Measured, SimulationError
from sizing.specfile.load import Spec, load_spec
from sizing.task.bench import Analysis, Task
from sizing.task.job import Job

DESIGNS = 6
needs_batch = pytest.mark.skipif(shutil.which("ngspice") is None, reason="the ngspice program is not installed")


def random_values(spec: Spec, count: int = DESIGNS, seed: int = 5) -> list[Job]:
    rng = np.random.default_rng(seed)
    return [spec.problem.job(tuple(rng.integers(0, spec.problem.shape))) for _ in range(count)]


def outcomes(spec: Spec, jobs: list[Job]) -> list[Measured | Failed]:
    with SimulationPool(spec.task, 1, 60) as pool:
        return pool.run(jobs)


def values(spec: Spec, jobs: list[Job]) -> np.ndarray:
    found = outcomes(spec, jobs)
    assert all(isinstance(outcome, Measured) for outcome in found), found
    return np.array([outcome.values for outcome in found if isinstance(outcome, Measured)])


def in_batch(folder: Path, deck: str) -> dict[str, np.ndarray]:
    """Vectors by name from the raw file that `ngspice -b` writes for a deck."""
    (folder / "deck.cir").write_text(deck)
    subprocess.run(["ngspice", "-b", "-r", "out.raw", "deck.cir"], cwd=folder, check=True, capture_output=True)
    head, _, data = (folder / "out.raw").read_bytes().partition(b"Binary:\n")
    lines = head.decode().splitlines()
    names = [line.split()[1] for line in lines[lines.index("Variables:") + 1 :]]
    kind = complex if "Flags: complex" in lines else float
    return dict(zip(names, np.frombuffer(data, kind).reshape(-1, len(names)).T, strict=True))


@pytest.mark.slow
@needs_batch
def test_metrics_agree_with_an_independent_reading_of_ngspice_batch_runs(opamp: Spec, tmp_path: Path):
    jobs = random_values(opamp)
    names = [metric.name for metric in opamp.problem.metrics]
    open_loop, follower = opamp.benches
    bias, differential, common, supply = open_loop.analyses
    for job, row in zip(jobs, values(opamp, jobs), strict=True):
        ours = dict(zip(names, row, strict=True))
        raw = in_batch(tmp_path, open_loop.deck(job, differential))
        gain = np.abs(raw["v(6)"])
        low = {a.name: abs(in_batch(tmp_path, open_loop.deck(job, a))["v(6)"][0]) for a in (common, supply)}
        step = in_batch(tmp_path, follower.deck(job, follower.analyses[0]))
        current = in_batch(tmp_path, open_loop.deck(job, bias))["i(vdd)"][0]
        assert ours["gain"] == pytest.approx(gain[0], rel=1e-6)
        assert ours["cmrr"] == pytest.approx(20 * np.log10(gain[0] / low["common"]), rel=1e-6)
        assert ours["psrr"] == pytest.approx(20 * np.log10(gain[0] / low["supply"]), rel=1e-6)
        assert ours["ibias"] == pytest.approx(-current, rel=1e-6)
        assert ours["offset"] == pytest.approx(abs(step["v(6)"][0] - step["v(1)"][0]), rel=1e-6)
        crossings = np.flatnonzero((gain[:-1] > 1) & (gain[1:] <= 1))
        if crossings.size and gain[0] > 1:
            at = slice(crossings[0], crossings[0] + 2)
            log_f = np.log10(raw["frequency"][at].real)
            log_u = log_f[0] + np.diff(log_f)[0] * np.log10(gain[at][0]) / -np.diff(np.log10(gain[at]))[0]
            assert ours["ugbw"] == pytest.approx(10**log_u, rel=1e-6)
            phase = np.degrees(np.unwrap(np.angle(raw["v(6)"])))[at]
            part = (log_u - log_f[0]) / np.diff(log_f)[0]
            assert ours["pm"] == pytest.approx(180 + phase[0] + part * np.diff(phase)[0], rel=1e-6)
        else:
            assert np.isnan(ours["ugbw"])
            assert np.isnan(ours["pm"])


@pytest.mark.slow
@needs_batch
def test_settling_time_is_within_a_percent_of_a_run_in_steps_of_100_ps(opamp: Spec, tmp_path: Path):
    jobs = random_values(opamp, seed=8)
    column = [metric.name for metric in opamp.problem.metrics].index("tset")
    follower = opamp.benches[1]
    settled = 0
    for job, ours in zip(jobs, values(opamp, jobs)[:, column], strict=True):
        deck = follower.deck(job, replace(follower.analyses[0], command="tran 100p 1u")).replace("trtol=0.0002", "")
        raw = in_batch(tmp_path, deck)
        time, response = raw["time"], (raw["v(6)"] - raw["v(6)"][0]) / 0.02
        outside = np.flatnonzero(np.abs(response - 1) > 0.01)
        last = outside[-1]
        if time[last] > 0.95e-6:
            assert np.isnan(ours)
            continue
        settled += 1
        assert ours == pytest.approx(time[last], rel=0.01)
    assert settled >= 2


def test_altering_a_loaded_deck_gives_what_reading_it_anew_gives(opamp: Spec, monkeypatch: pytest.MonkeyPatch):
    jobs = random_values(opamp)
    jobs[2] = Job(jobs[2].variables | {"rz": 0.0})
    altered = values(opamp, jobs)
    expression = load_spec_with_expression(opamp)
    assert all(alterations(bench, list(jobs[0].variables)) is None for bench in expression.benches)
    np.testing.assert_allclose(values(expression, jobs), altered, rtol=1e-6)


SOURCES = """
.param vb=0.5 ib=1 ab=0.5
v1 a 0 dc {vb} pwl(0 0.2 1u 1 2u 0.3)
v2 b 0 {vb} sin(0.1 0.5 1Meg)
v3 c 0 dc 1 ac {ab}
.subckt pull out
i1 0 e dc {ib} ac {ab}
re e 0 0.1
ro e out 1k
v1 g 0 {vb} pulse(0 1 10n 1n 1n 200n 500n)
rg g out 10k
.ends
x1 out pull
r1 a out 1k
r2 b out 1k
r3 c out 1k
c1 out 0 1p
d1 out 0 dm
.model dm d
"""
SOURCE_SPEC = """
netlist: sources.cir
variables:
  vb: {from: -1, to: 1.25, step: 0.25} # all values are numbers that ngspice reads alike in a deck and in `alter`
  ib: {from: -5, to: 10, step: 1}
  ab: {from: -1.25, to: 1.25, step: 0.25}
benches:
  all:
    stimulus: rl out 0 1Meg
    analyses: {bias: op, response: ac dec 5 1k 10G, step: {run: tran 1n 2u, meas: {top: max v(out)}}}
metrics:
  bias: {measure: dc_value, of: all.bias, output: out, at_least: 0}
  high: {measure: gain_at, of: all.response, output: out, frequency: 10 MHz, at_least: 0}
  low: {measure: dc_gain, of: all.response, output: out, at_least: 0}
  top: {measure: meas, of: all.step, name: top, unit: V, at_least: 0}
"""


@pytest.mark.slow
def test_altering_sources_gives_bit_for_bit_what_reading_the_deck_anew_gives(tmp_path: Path):
    (tmp_path / "spec.yaml").write_text(SOURCE_SPEC)
    (tmp_path / "sources.cir").write_text(SOURCES)
    spec = load_spec(tmp_path / "spec.yaml")
    (tmp_path / "sources.cir").write_text(SOURCES + ".param anew={vb}\n")
    anew = load_spec(tmp_path / "spec.yaml")
    jobs = random_values(spec, 20)
    jobs[7:11] = [
        Job(jobs[6].variables | {name: value})
        for name, value in (("vb", -1.0), ("ib", 0.0), ("ab", -0.25), ("ab", 0.0))
    ]
    assert alterations(spec.benches[0], list(jobs[0].variables)) is not None
    assert alterations(anew.benches[0], list(jobs[0].variables)) is None
    altered = values(spec, jobs)
    np.testing.assert_array_equal(altered, values(anew, jobs))
    assert all(np.unique(column).size > 5 for column in altered.T)


class Recorder:
    """Stands in for ngspice: keeps what it is told, and gives up at a command when asked to."""

    def __init__(self) -> None:
        self.words: list[bytes] = []
        self.commands: list[str] = []
        self.exited = False
        self.circuits = 0
        self.give_up_at = ""

    def command(self, command: str) -> None:
        self.commands.append(command)
        self.exited = command == self.give_up_at
        self.circuits -= command == "remcirc"
        if command == "setcirc":
            self.words = [f"Current {n}\tdeck".encode() for n in range(1, self.circuits + 1)]

    def load(self, deck: str) -> None:
        self.circuits += 1

    def altered(self) -> list[str]:
        """The alter commands since the last call of this."""
        found = [command for command in self.commands if command.startswith("alter")]
        self.commands.clear()
        return found


def test_only_values_that_differ_from_those_in_the_deck_are_altered(amplifier: Spec, monkeypatch: pytest.MonkeyPatch):
    recorder = Recorder()
    monkeypatch.setattr(ngspice, "_shared", lambda words: recorder)
    simulator = NgSpice(amplifier.task)
    simulator.load(Job({"m1": 3.0, "rl": 200.0}))
    steps = [
        (Job({"m1": 3.0, "rl": 200.0}), ["alter @m1[m]=3.0", "alter rl=200.0"]),  # whose last bits differ in decks
        (Job({"m1": 3.0, "rl": 200.0}), []),
        (Job({"m1": 3.0, "rl": 300.0}), ["alter rl=300.0"]),
        (Job({"m1": 4.0, "rl": 300.0}), ["alter @m1[m]=4.0"]),
        (Job({"m1": 3.0, "rl": 200.0}), ["alter @m1[m]=3.0", "alter rl=200.0"]),
    ]
    for wanted, expected in steps:
        simulator._select(0, wanted)
        assert recorder.altered() == expected
    recorder.give_up_at = "alter rl=500.0"
    with pytest.raises(SimulationError, match="gave up"):
        simulator._select(0, Job({"m1": 5.0, "rl": 500.0}))
    recorder.altered()
    recorder.exited, recorder.give_up_at = False, ""
    simulator._select(0, Job({"m1": 3.0, "rl": 200.0}))  # what was altered before the error counts, the rest does not
    assert recorder.altered() == ["alter @m1[m]=3.0"]
    simulator._alterations[0] = None
    simulator._select(0, Job({"m1": 7.0, "rl": 700.0}))  # read anew, with these values
    simulator._alterations[0] = {"m1": ("@m1[m]",), "rl": ("rl",)}
    simulator._select(0, Job({"m1": 3.0, "rl": 700.0}))
    assert recorder.altered() == ["alter @m1[m]=3.0", "alter rl=700.0"]


@pytest.mark.slow
def test_the_order_of_designs_does_not_matter(opamp: Spec):
    jobs = random_values(opamp, 4)
    jobs[1] = Job(jobs[0].variables | {"cc": jobs[1].variables["cc"]})
    np.testing.assert_array_equal(values(opamp, jobs), values(opamp, jobs[::-1])[::-1])


@pytest.mark.parametrize(
    "drawn", ["agauss(0,100,1)", "gauss(50,0.5,1)-50", "aunif(0,90)", "unif(50,0.5)-50", "limit(0,90)"]
)
def test_random_functions_are_nominal_but_in_samples_which_are_one_circuit_in_all_benches(drawn: str, tmp_path: Path):
    (tmp_path / "divider.cir").write_text(
        f"* a divider\n.param rl=1k d={{{drawn}}}\nr1 in out {{1k+d}}\nr2 out 0 {{rl}}\nb1 b 0 v=v(in)*({drawn})\n"
    )
    (tmp_path / "spec.yaml").write_text(
        "netlist: divider.cir\nvariables: {rl: {values: [1k, 2k]}}\n"
        "benches: {b: {stimulus: vin in 0 1, analyses: {o: op}}, c: {stimulus: vin in 0 1, analyses: {o: op}}}\n"
        "metrics:\n"
        + "".join(
            f"  {bench}{net}: {{measure: dc_value, of: {bench}.o, output: {net}, at_least: 0}}\n"
            for bench in "bc"
            for net in ("out", "b")
        )
    )
    spec = load_spec(tmp_path / "spec.yaml")
    design = {"rl": 2e3}
    jobs = [Job(design), Job(design, sample=7), Job(design, sample=8), Job(design, sample=7), Job(design)]
    rows = values(spec, jobs)
    assert spec.task.draws
    np.testing.assert_allclose(rows[[0, 4]], [[2 / 3, 0, 2 / 3, 0]] * 2, rtol=1e-9)
    np.testing.assert_array_equal(rows[1:, :2], rows[1:, 2:])
    np.testing.assert_array_equal(rows[1], rows[3])
    np.testing.assert_array_equal(values(spec, jobs[3:]), rows[3:])
    assert (rows[1] != rows[0]).all()


@pytest.mark.parametrize(
    "inside",
    [
        "r1 p 0 1k", "c1 p 0 1m", "l1 p 0 100", "d1 p 0 dm", "i1 0 p 1m", "m1 p p 0 0 mm w=10u l=1u", "q1 p p 0 qm",
        "j1 p 0 0 jm", "z1 p 0 0 zm", "e1 e 0 p 0 2\nr1 e p 1k", "v1 e 0 0.2\nr1 e p 1k", "g1 p 0 cur='1m*v(p)'",
        "b1 e 0 v=v(p)*v(p)\nr1 e p 1k", "r1 p 0 r='1k*(1+v(p))'", "m1 p p 0 0 mm w=10u l=1u m={2*mult}",
    ],
)  # fmt: skip
def test_a_call_with_a_multiplier_is_as_good_as_many(inside: str, tmp_path: Path):
    factor, parameter = ("mult", " mult=1") if "mult" in inside else ("m", "")
    models = ".model dm d\n.model mm nmos level=1 kp=1m\n.model qm npn\n.model jm njf beta=1m\n.model zm nmf beta=1m\n"
    calls = f"x1 one s {factor}=3\nx2 many s\nx3 many s\nx4 many s\nr1 in one {{r}}\nr2 in many {{r}}\n"
    (tmp_path / "calls.cir").write_text(f".param r=1k\n{models}.subckt s p{parameter}\n{inside}\n.ends\n{calls}")
    (tmp_path / "spec.yaml").write_text(
        "netlist: calls.cir\nvariables: {r: {values: [100, 200]}}\n"
        "benches: {b: {stimulus: v1 in 0 1, analyses: {o: op, a: {run: ac lin 1 1 1, excite: v1}}}}\nmetrics:\n"
        + "".join(
            f"  o{net}: {{measure: dc_value, of: b.o, output: {net}, at_least: 0}}\n"
            f"  a{net}: {{measure: dc_gain, of: b.a, output: {net}, at_least: 0}}\n"
            for net in ("one", "many")
        )
    )
    ((one, one_ac, many, many_ac),) = values(load_spec(tmp_path / "spec.yaml"), [Job({"r": 100.0})])
    assert (one, one_ac) == pytest.approx((many, many_ac), rel=1e-6)


def load_spec_with_expression(spec: Spec) -> Spec:
    """The same circuit, written so that a variable reaches an expression and the deck must be read for each design."""
    benches = []
    for bench in spec.benches:
        lines = tuple(replace(line, text=line.text.replace("{mp1}", "{mp1*1}")) for line in bench.lines)
        devices = tuple(
            replace(d, parameters={k: v.replace("mp1", "mp1*1") for k, v in d.parameters.items()})
            for d in bench.circuit.devices
        )
        benches.append(replace(bench, lines=lines, circuit=replace(bench.circuit, devices=devices)))
    return replace(spec, benches=tuple(benches))


def test_a_deck_that_ngspice_refuses_names_file_line_and_its_words(specs: Path, tmp_path: Path):
    shutil.copytree(specs / "netlists", tmp_path / "netlists")
    spec = tmp_path / "cs_amp.yaml"
    shutil.copy(specs / "cs_amp.yaml", spec)
    netlist = tmp_path / "netlists" / "cs_amp.cir"
    netlist.write_text(netlist.read_text().replace("m={m1}", "mm={m1}"))
    loaded = load_spec(spec)
    with SimulationPool(loaded.task, 1, 60) as pool, pytest.raises(SimulationError) as caught:
        pool.load(loaded.problem.job(loaded.problem.start))
    assert caught.value.reason == "netlist"
    assert f"{netlist}:4: ngspice: " in str(caught.value)
    assert "unknown parameter (mm)" in str(caught.value)


def test_a_bench_that_does_not_converge_fails_with_the_last_words(amplifier: Spec):
    bench = amplifier.benches[0]
    loop = replace(bench.lines[-2], text="vloop vdd 0 dc 1.3")
    broken = replace(amplifier, benches=(replace(bench, lines=(*bench.lines, loop)),))
    (outcome,) = outcomes(broken, [amplifier.problem.job(amplifier.problem.start)])
    assert isinstance(outcome, Failed)
    assert outcome.reason == "convergence"
    assert outcome.message.startswith("amplifier.bias: no result for vdd#branch (ngspice: ")
    assert outcome.message.endswith("simulation(s) aborted)")


LATCH = """
* at half a volt the output has to be high and low at once
v1 in 0 pwl(0 0 1u 1)
b1 a 0 v=v(in)>0.5 ? (v(c)>0.5 ? 0 : 1) : 0.2
r1 a c {r}
.param r=1k
"""


def test_a_transient_that_was_given_up_fails_with_what_was_in_the_way(tmp_path: Path):
    (tmp_path / "latch.cir").write_text(LATCH)
    (tmp_path / "spec.yaml").write_text(
        "netlist: latch.cir\nvariables: {r: {from: 1k, to: 2k, step: 1k}}\n"
        "benches: {b: {stimulus: rl a 0 1Meg, analyses: {step: tran 1n 2u}}}\n"
        "metrics: {low: {measure: dc_value, of: b.step, output: a, at_least: 0}}\n"
    )
    (outcome,) = outcomes(load_spec(tmp_path / "spec.yaml"), [Job({"r": 1e3})])
    assert isinstance(outcome, Failed)
    assert outcome.reason == "convergence"
    assert outcome.message.startswith("b.step: ended at 5e-07 of 2e-06 (ngspice: ")
    assert "Timestep too small; time = 5e-07" in outcome.message
    assert outcome.message.endswith("tran simulation(s) aborted)")


def test_noise_and_meas_results_are_read(specs: Path, amplifier: Spec, tmp_path: Path):
    text = (specs / "cs_amp.yaml").read_text()
    text = text.replace("netlists/", f"{specs}/netlists/").replace("vin in 0 dc 0.4", "vin in 0 dc 0.4 ac 1")
    text = text.replace("{run: ac dec 20 1k 100G, excite: vin}", "{run: ac dec 20 1k 100G, meas: {top: max vm(out)}}")
    text = text.replace("      bias: op\n", "      bias: op\n      noise: noise v(out) vin dec 10 1k 100G\n")
    text = text.replace(
        "metrics:\n",
        "metrics:\n"
        "  top: {measure: meas, of: amplifier.response, name: top, unit: V, at_least: 1}\n"
        "  noise: {measure: rms_noise, of: amplifier.noise, at_most: 1 V}\n",
    )
    path = tmp_path / "noisy.yaml"
    path.write_text(text)
    spec = load_spec(path)
    row = dict(zip([m.name for m in spec.problem.metrics], values(spec, random_values(spec, 1))[0], strict=True))
    assert row["top"] == pytest.approx(row["gain"], rel=1e-3)
    assert 1e-5 < row["noise"] < 1e-2


def test_without_ngspice_the_message_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("NGSPICE_LIBRARY_PATH", raising=False)
    monkeypatch.delenv("CONDA_PREFIX", raising=False)
    monkeypatch.setattr(ngspice.ctypes.util, "find_library", lambda name: None)
    monkeypatch.setattr(Path, "glob", lambda *_: iter(()))
    with pytest.raises(SimulatorMissing, match=r"apt install libngspice0.*dnf install.*brew install.*conda install"):
        library_path()


def test_a_wrong_library_path_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NGSPICE_LIBRARY_PATH", "/nowhere/libngspice.so")
    with pytest.raises(SimulatorMissing, match=r"names no file: /nowhere/libngspice\.so"):
        library_path()


def test_only_vectors_that_are_measured_are_asked_for(opamp: Spec):
    assert opamp.task.vectors == {
        "open_loop.bias": ("i(vdd)",),
        "open_loop.differential": ("v(6)",),
        "open_loop.common": ("v(6)",),
        "open_loop.supply": ("v(6)",),
        "follower.step": ("v(6)", "v(1)"),
    }


def test_a_missing_vector_is_a_failure_not_a_number(amplifier: Spec):
    simulator = NgSpice(Task(amplifier.benches, (), ("m1", "rl")))
    simulator._shared = type("Plotless", (), {"current_plot": lambda _: "const"})()
    with pytest.raises(SimulationError, match="no result"):
        simulator._read(Analysis("bias", "op"), ("v(out)",))


def test_an_undefined_parameter_is_named_with_file_and_line(specs: Path, tmp_path: Path):
    shutil.copytree(specs / "netlists", tmp_path / "netlists")
    shutil.copy(specs / "cs_amp.yaml", tmp_path)
    netlist = tmp_path / "netlists" / "cs_amp.cir"
    netlist.write_text(netlist.read_text() + "r2 out 0 {unheard}\n")
    loaded = load_spec(tmp_path / "cs_amp.yaml")
    with SimulationPool(loaded.task, 1, 60) as pool, pytest.raises(SimulationError) as caught:
        pool.load(loaded.problem.job(loaded.problem.start))
    assert str(caught.value).startswith(f"bench amplifier: {netlist}:6: ngspice: ")
    assert "Undefined parameter [unheard]" in str(caught.value)

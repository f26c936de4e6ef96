"""The shipped specs are the paper's tasks: the same variables, grids, metrics, targets and benches."""

import json
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from sizing.specfile.entries import json_schema
from sizing.specfile.load import Spec, load_spec
from sizing.task.problem import Metric, Variable

MULTIPLICITIES = tuple(float(m) for m in range(1, 100))
VARIABLES = [
    *(Variable(name, MULTIPLICITIES) for name in ("mp1", "mn1", "mp3", "mn3", "mn4", "mn5")),
    Variable("cc", tuple(float(f"{n / 10:.1f}e-12") for n in range(1, 100)), "F"),
    Variable("rz", tuple(float(50 * n) for n in range(20)), "Ohm"),
]
METRICS = (
    Metric("gain", "V/V", at_least=300.0),
    Metric("ugbw", "Hz", at_least=10e6),
    Metric("pm", "deg", at_least=60.0),
    Metric("tset", "s", at_most=90e-9),
    Metric("psrr", "dB", at_least=50.0),
    Metric("cmrr", "dB", at_least=50.0),
    Metric("offset", "V", at_most=1e-3),
    Metric("ibias", "A", at_most=0.2e-3),
)
DEVICES = {
    "mp1": (("4", "4", "vdd", "vdd"), "mp1"),
    "mp2": (("5", "4", "vdd", "vdd"), "mp1"),
    "mn1": (("4", "2", "3", "3"), "mn1"),
    "mn2": (("5", "1", "3", "3"), "mn1"),
    "mn3": (("3", "7", "0", "0"), "mn3"),
    "mn4": (("7", "7", "0", "0"), "mn4"),
    "mp3": (("6", "5", "vdd", "vdd"), "mp3"),
    "mn5": (("6", "7", "0", "0"), "mn5"),
}


@pytest.fixture(params=["opamp_cc", "opamp_cc_rz"])
def paper_task(request: pytest.FixtureRequest, specs: Path) -> Spec:
    return load_spec(specs / f"{request.param}.yaml")


def test_the_opamps_have_the_papers_variables_and_targets(paper_task: Spec):
    name = paper_task.problem.name
    assert paper_task.problem.topology == name
    assert list(paper_task.problem.variables) == (VARIABLES if name == "opamp_cc_rz" else VARIABLES[:-1])
    assert paper_task.problem.metrics == METRICS
    assert paper_task.problem.size == 99**7 * (20 if name == "opamp_cc_rz" else 1)


def test_the_opamps_are_run_with_the_papers_settings(paper_task: Spec):
    run, search, judge = paper_task.run, paper_task.run.search, paper_task.run.judge
    assert (run.initial, run.batch, run.in_spec) == (100, 5, 20)
    assert (search.reference_rank, search.pool, search.max_candidates) == (20, 100, 20_000)
    assert (search.crossover, search.blend, search.blend_alpha, search.swap, search.mutate) == (0.6, 0.5, 0.5, 0.5, 0.5)
    assert search.accept_regardless == 0.001
    assert (judge.steps, judge.learning_rate, judge.dropout) == (100, 1e-3, 0.2)


def test_the_opamps_have_the_papers_devices(paper_task: Spec):
    with_resistor = paper_task.problem.name == "opamp_cc_rz"
    for bench in paper_task.benches:
        devices = {device.name: device for device in bench.circuit.devices}
        for name, (nets, multiplicity) in DEVICES.items():
            assert devices[name].nets == nets
            assert devices[name].model == ("pmos" if name.startswith("mp") else "nmos")
            assert devices[name].parameters == {"w": "0.5u", "l": "90n", "m": multiplicity}
        assert devices["ibias"].nets == ("vdd", "7")
        assert devices["ibias"].parameters == {"dc": "30u"}
        assert devices["cc"].nets == ("5", "8" if with_resistor else "6")
        assert devices["cl"].parameters == {"c": "10p"}
        assert devices["vdd"].parameters == {"dc": "1.2"}
        assert ("rz" in devices) == with_resistor
        if with_resistor:
            assert devices["rz"].nets == ("8", "6")


def test_the_opamps_are_measured_as_the_paper_says(paper_task: Spec):
    open_loop, follower = paper_task.benches
    assert [(a.name, a.command, a.excite) for a in open_loop.analyses] == [
        ("bias", "op", ()),
        ("differential", "ac dec 10 1 10G", (("vp", 0.5), ("vn", -0.5))),
        ("common", "ac lin 1 1 1", (("vp", 1.0), ("vn", 1.0))),
        ("supply", "ac lin 1 1 1", (("vdd", 1.0),)),
    ]
    sources = {device.name: device.parameters for device in open_loop.circuit.devices if device.kind in "vi"}
    assert sources["vp"] == sources["vn"] == {"dc": "0.6"}
    assert [analysis.command.split()[:3] for analysis in follower.analyses] == [["tran", "1n", "1u"]]
    step = next(device for device in follower.circuit.devices if device.name == "vin")
    assert step.nets == ("1", "0")
    assert step.parameters["waveform"] == "pwl(0 0.6 10p 0.62)"
    settling = paper_task.measures[3]
    assert settling.measure == "settling_time"
    assert (settling.tolerance, settling.gain) == (0.01, 1.0)


def test_the_amplifier_is_small(amplifier: Spec):
    assert [len(variable.values) for variable in amplifier.problem.variables] == [99, 50]
    assert [metric.name for metric in amplifier.problem.metrics] == ["gain", "bandwidth", "current"]
    assert amplifier.run.initial == 20
    assert amplifier.description == "Resistor-loaded common-source amplifier, 45 nm"


def test_the_middle_of_a_problem_is_on_its_grid(paper_task: Spec):
    values = paper_task.problem.values(paper_task.problem.start)
    assert values["mp1"] == 50
    assert values["cc"] == 5e-12


def test_the_document_of_a_spec_is_what_the_file_says(paper_task: Spec):
    assert dict(paper_task.document) == YAML(typ="safe").load(paper_task.path.read_text())


def test_the_schema_knows_every_key_of_the_shipped_specs(specs: Path):
    schema = json.loads(json.dumps(json_schema()))
    assert schema["title"] == "sizing spec"
    variable = schema["$defs"]["VariableEntry"]["properties"]
    assert {"from", "to", "step", "points", "scale", "grid", "values", "start", "unit"} == set(variable)
    for path in specs.glob("*.yaml"):
        document = YAML(typ="safe").load(path.read_text())
        assert set(document) <= set(schema["properties"])
        for entry in document["variables"].values():
            assert set(entry) <= set(variable)


def test_the_schema_takes_targets_as_text_or_number_and_nets_as_name_or_number():
    definition = json_schema()["$defs"]["DcGain"]["properties"]
    assert {each["type"] for each in definition["at_least"]["anyOf"]} == {"string", "number", "null"}
    assert {each["type"] for each in definition["output"]["anyOf"]} == {"string", "integer"}

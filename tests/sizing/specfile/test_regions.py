"""Operating regions in a spec: transistors by name, the short form, mistakes told before anything is simulated."""

from pathlib import Path

import pytest

from sizing.simulation.dialect import transistor_name
from sizing.specfile.load import Spec, load_spec
from sizing.specfile.mistakes import SpecError
from sizing.spice.circuit import parse_circuit
from sizing.spice.netlist import read_text
from sizing.task.bench import transistors

NETLIST = """\
* A cascode, its lower half a kit's device called as a sub-circuit.
.include bptm45.mod
.param w=1u
.subckt nfet d g s b w=1u
mnfet d g s b nmos w={w} l=90n
.ends
.subckt pair d1 d2 g
m1 d1 g 0 0 nmos w=1u l=90n
m2 d2 g 0 0 nmos w=1u l=90n
.ends
x1 mid in 0 0 nfet w={w}
mc out bias mid 0 nmos w={w} l=90n
xp out out 0 pair
rl vdd out 10k
"""
SPEC = """\
netlist: cascode.cir
variables: {w: {values: [1u, 2u], unit: m}}
benches:
  late:
    stimulus: &sources |
      vdd vdd 0 1.2
      vin in 0 0.5
      vbias bias 0 0.9
    analyses: {response: {run: ac dec 10 1 1G, excite: vin}}
  first: {stimulus: *sources, analyses: {ripple: tran 1n 10n, dc: op}}
metrics:
  gain: {measure: dc_gain, of: late.response, output: out, at_least: 1}
  vov: {measure: overdrive, of: first.dc, devices: X1, at_least: 100 mV, at_most: 300 mV}
"""


def loaded(folder: Path, specs: Path, *more: str) -> Spec:
    (folder / "bptm45.mod").write_text((specs / "netlists" / "bptm45.mod").read_text())
    (folder / "cascode.cir").write_text(NETLIST)
    (folder / "spec.yaml").write_text("\n".join([SPEC.rstrip(), *more, ""]))
    return load_spec(folder / "spec.yaml")


def mistakes(folder: Path, specs: Path, *more: str) -> list[str]:
    with pytest.raises(SpecError) as caught:
        loaded(folder, specs, *more)
    return [mistake.removeprefix(f"{folder}/spec.yaml:") for mistake in caught.value.mistakes]


def test_transistors_have_the_names_of_the_netlist_and_of_calls_with_one_inside():
    circuit = parse_circuit(read_text(NETLIST.replace(".include bptm45.mod", "m`a out in 0 0 n"), "cascode", Path()))
    assert {name: transistor_name(device) for name, device in transistors(circuit).items()} == {
        "x1": "m.x1.mnfet",
        "x1.mnfet": "m.x1.mnfet",
        "mc": "mc",
        "xp.m1": "m.xp.m1",
        "xp.m2": "m.xp.m2",
    }


def test_a_call_that_is_one_device_has_the_transistor_named_after_its_sub_circuit():
    lines = read_text(NETLIST.replace(".include bptm45.mod", ""), "cascode", Path())
    assert transistor_name(transistors(parse_circuit(lines, {"nfet": {}}))["x1"]) == "m.x1.mnfet"


@pytest.mark.parametrize(
    ("short", "devices", "margin"),
    [
        ("saturation: mc", ("mc",), 0.0),
        ("saturation: [mc, X1]", ("mc", "x1"), 0.0),
        ("saturation: {devices: [mc, xp.m2], margin: 50 mV}", ("mc", "xp.m2"), 0.05),
    ],
)
def test_the_short_form_is_a_metric_at_the_first_operating_point(
    short: str, devices: tuple[str, ...], margin: float, tmp_path: Path, specs: Path
):
    spec = loaded(tmp_path, specs, short)
    metric = spec.problem.metrics[-1]
    assert (metric.name, metric.unit, metric.at_least, metric.at_most) == ("saturation", "V", margin, None)
    measure = spec.measures[-1]
    assert measure.measure == "saturation"
    assert (measure.of, measure.devices) == ("first.dc", devices)


def test_without_an_operating_point_or_beside_a_metric_of_the_name_the_short_form_is_a_mistake(
    tmp_path: Path, specs: Path
):
    taken = "  saturation: {measure: saturation, of: first.dc, devices: mc, at_least: 0}"
    assert mistakes(tmp_path, specs, taken, "saturation: mc") == [
        "15: saturation: the metrics have one of this name too; rename that or remove this"
    ]


@pytest.mark.parametrize(
    ("line", "mistake"),
    [
        ("saturation: [mc, mcx]", "14: saturation: no transistor 'mcx' in bench first; did you mean 'mc'?"),
        ("saturation: xp", "14: saturation: no transistor 'xp' in bench first; xp holds several, such as xp.m1"),
        ("saturation: {devices: mc, margin: 5 A}", "14: saturation.margin: expected volts, got '5 A'"),
        ("saturation: []", "14: saturation.devices: expected at least one transistor, got none"),
        ("saturation: '@mc'", "14: saturation.devices.0: expected the name of a device, got '@mc'"),
        (
            "  id: {measure: operating_point, quantity: id, of: first.dc, devices: x1.m2, at_least: 1u}",
            "14: metrics.id: no transistor 'x1.m2' in bench first; did you mean 'xp.m2'?",
        ),
        (
            "  id: {measure: operating_point, quantity: id, of: first.dc, devices: mc, at_least: 1 mV}",
            "14: metrics.id.at_least: expected amperes, got '1 mV'",
        ),
        (
            "  id: {measure: operating_point, quantity: id, unit: V, of: first.dc, devices: mc, at_least: 1}",
            "14: metrics.id: unit: expected A for id, got V",
        ),
        (
            "  vov2: {measure: overdrive, of: first.ripple, devices: mc, at_least: 0}",
            "14: metrics.vov2: overdrive reads op, but first.ripple is `tran 1n 10n`",
        ),
        (
            "  vov2: {measure: overdrive, of: first.dc, devices: [mc, x1], at_least: 0, at_most: 1}",
            "14: metrics.vov2: expected one device for two bounds, got several, of which only the worst is measured: "
            "give each bound a metric",
        ),
    ],
)
def test_mistakes_about_transistors_have_their_place_and_the_nearest_name(
    line: str, mistake: str, tmp_path: Path, specs: Path
):
    assert mistakes(tmp_path, specs, line) == [mistake]

"""What a netlist and a spec both could say is said in one place, whichever of them ngspice would heed."""

from pathlib import Path

import pytest

from sizing.specfile.load import load_spec
from sizing.specfile.mistakes import SpecError
from sizing.spice.circuit import scale_of
from sizing.spice.netlist import Line, read_text
from tests.sizing.specfile.divider import NETLIST, mistakes, written

TEMPERATURE = "remove it: write `temperature` in the benches or `corners`"
SEED = "remove it: samples have seeds of their own, see `sizing verify --monte-carlo`"
MOVE = "which belongs to a test bench; move it to the stimulus of the benches that start so"


@pytest.mark.parametrize(
    ("line", "mistake"),
    [
        (".temp 27", f"expected what the spec does not say, got .temp; {TEMPERATURE}"),
        (".options reltol=1e-4 TEMP = 27", f"expected what the spec does not say, got the option temp; {TEMPERATURE}"),
        (".option seed=3", f"expected what the spec does not say, got the option seed; {SEED}"),
        (".ic v(out)=0.1", f"expected a circuit, got .ic, {MOVE}"),
        (".nodeset v(out)=0.1", f"expected a circuit, got .nodeset, {MOVE}"),
    ],
)
def test_what_the_spec_says_is_refused_in_a_netlist_whoever_trusts_it(tmp_path: Path, line: str, mistake: str):
    path = written(tmp_path, netlist=f"{NETLIST}{line}\n")
    assert mistakes(path) == [f"spec.yaml:2: netlist: divider.cir:7: {mistake}"]
    with pytest.raises(SpecError, match=r"divider\.cir:7: expected"):
        load_spec(path, trust=True)


@pytest.mark.parametrize(
    ("line", "mistake"),
    [
        (".temp 27", f"expected what the spec does not say, got .temp; {TEMPERATURE}"),
        (".param RB=2k", "expected the parameter of a variable in the netlist alone, got .param rb; remove it"),
    ],
)
def test_it_is_refused_in_a_stimulus(tmp_path: Path, line: str, mistake: str):
    path = written(tmp_path, ("vdd vdd 0 dc 1\n", f"{line}\n"))
    assert f"spec.yaml:14: benches.quiet.stimulus: spec.yaml:17: {mistake}" in mistakes(path)


def test_a_stimulus_says_where_its_transient_starts(tmp_path: Path):
    path = written(tmp_path, ("vdd vdd 0 dc 1\n", "vdd vdd 0 dc 1\n      .ic v(out)=0.1\n"))
    assert any(line.keyword == ".ic" for line in load_spec(path).benches[0].lines)


@pytest.mark.parametrize(("option", "advice"), [("temp: 60", TEMPERATURE), ("Seed: 3", SEED)])
def test_it_is_refused_in_the_options_of_a_bench(tmp_path: Path, option: str, advice: str):
    path = written(tmp_path, ("    stimulus: vin in", f"    options: {{{option}}}\n    stimulus: vin in"))
    name = option.partition(":")[0]
    assert mistakes(path) == [f"spec.yaml:24: benches.step.options.{name}: is set elsewhere; {advice}"]


def test_an_option_has_one_value_in_netlist_and_bench(tmp_path: Path):
    change = ("    stimulus: vin in", "    options: {scale: 1u}\n    stimulus: vin in")
    assert (
        load_spec(written(tmp_path, change, netlist=f"{NETLIST}.options Scale = 1e-6\n")).benches[1].circuit.scale
        == 1e-6
    )
    assert mistakes(written(tmp_path, change, netlist=f"{NETLIST}.options scale=2u\n")) == [
        "spec.yaml:25: benches.step.stimulus: spec.yaml:25: expected one value of the option scale, got 1u after 2u at "
        "divider.cir:7; remove one: ngspice takes the first of some, the last of others"
    ]


@pytest.mark.parametrize("netlist", [f"{NETLIST}.param RA={{rb*2}}\n", NETLIST.replace("ra=1k", "ra=1k ra=2k")])
def test_a_variable_has_one_value_in_the_netlist(tmp_path: Path, netlist: str):
    number = 7 if "RA" in netlist else 3
    assert mistakes(written(tmp_path, netlist=netlist)) == [
        f"spec.yaml:5: variables.ra: expected one `.param ra=…`, got another at divider.cir:{number}; remove one"
    ]


def test_the_scale_is_the_one_that_ngspice_takes():
    text = ".option scale=1u scale=3u\n.options reltol=1e-4\n.option scale=2u\n"
    assert scale_of(read_text(text, "n.cir", Path())) == 3e-6
    assert scale_of([Line(".options reltol=1e-4", "n.cir", 1)]) == 1.0


def test_the_multiplier_of_a_call_is_followed_into_a_library(tmp_path: Path):
    library = ".subckt cell a b mult=1\nr1 a b 1k m=2\n.ends\n.subckt plain a b\nr1 a b 1k\n.ends\n"
    (tmp_path / "cells.lib").write_text(library)
    models = ("netlist: divider.cir", "netlist: divider.cir\nmodels: {path: cells.lib}")
    load_spec(written(tmp_path, models, netlist=f"{NETLIST}x2 out 0 cell mult=3\nx3 out 0 plain m=3\n"))
    found = mistakes(written(tmp_path, models, netlist=f"{NETLIST}x2 out 0 cell m=3\n"))
    assert len(found) == 1
    assert (
        "cells.lib:2: expected what ngspice multiplies by the m of a call around it, got 'r1' with an m of" in found[0]
    )

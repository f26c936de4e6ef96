"""Reading a spec file: every mistake is reported at once, with its line, its key and what was expected."""

from pathlib import Path
from typing import Any

import pytest

from sizing.measures.table import definitions
from sizing.spec.load import Spec, load_spec
from sizing.spec.mistakes import SpecError

NETLIST = """\
* A divider, and a part that is never used.
.include parts.mod
.param ra=1k rb=1k unused=3
r1 in out {ra}
r2 out 0 {rb}
x1 out buffer
"""
PARTS = """\
.subckt buffer a
v1 a b 0
r1 b 0 1Meg
.ends
"""
SPEC = """\
description: A divider
netlist: divider.cir

variables:
  ra: {from: 1k, to: 10k, step: 1k, unit: Ohm}
  rb:
    from: 1k
    to: 10k
    step: 1k
    unit: Ohm

benches:
  quiet:
    stimulus: |
      vin in 0 dc 1

      vdd vdd 0 dc 1
    analyses:
      bias: op
      response: {run: ac dec 10 1 1G, excite: vin}
      ripple: {run: ac lin 1 1 1, excite: vdd}
      hiss: noise v(out) vin dec 10 1 1G
  step:
    stimulus: vin in 0 pwl(0 0 1n 1)
    analyses:
      rise: {run: tran 1n 1u, meas: {t50: when v(out)=0.5}}

metrics:
  gain: {measure: dc_gain, of: quiet.response, output: out, at_least: 0.5}
  psrr: {measure: gain_ratio, of: quiet.response, over: quiet.ripple, output: out, at_least: 20 dB}
  settling:
    measure: settling_time
    of: step.rise
    output: out
    input: in
    at_most: 90 ns
  half: {measure: meas, of: step.rise, name: t50, unit: s, at_most: 5 ns}
  noise: {measure: rms_noise, of: quiet.hiss, at_most: 1 mV}
  current: {measure: supply_current, of: quiet.bias, source: vin, at_most: 1 mA}

run: {method: evo, initial: 20, search: {pool: 50, reference_rank: 10}}
"""


def written(folder: Path, *changes: tuple[str, str], netlist: str = NETLIST) -> Path:
    """The spec above with each first text replaced by the second, next to its netlist."""
    text = SPEC
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} occurs {text.count(old)} times"
        text = text.replace(old, new)
    (folder / "divider.cir").write_text(netlist)
    (folder / "parts.mod").write_text(PARTS)
    path = folder / "spec.yaml"
    path.write_text(text)
    return path


def mistakes(path: Path) -> list[str]:
    """What is reported, without the folder."""
    with pytest.raises(SpecError) as caught:
        load_spec(path)
    assert str(caught.value) == "\n".join(caught.value.mistakes)
    return [mistake.replace(f"{path.parent}/", "") for mistake in caught.value.mistakes]


def test_the_spec_that_the_other_tests_spoil_is_good(tmp_path: Path):
    spec = load_spec(written(tmp_path))
    assert isinstance(spec, Spec)
    assert spec.path == tmp_path / "spec.yaml"
    assert spec.description == "A divider"
    assert spec.netlist == tmp_path / "divider.cir"
    assert (spec.problem.name, spec.problem.topology) == ("spec", "divider")
    assert [len(variable.values) for variable in spec.problem.variables] == [10, 10]
    assert [bench.name for bench in spec.benches] == ["quiet", "step"]
    assert spec.benches[1].analyses[0].meas == (("t50", "when v(out)=0.5"),)
    assert [measure.measure for measure in spec.measures][:2] == ["dc_gain", "gain_ratio"]
    assert spec.run.search.pool == 50


def test_a_path_may_be_text(tmp_path: Path):
    assert load_spec(str(written(tmp_path))).problem.size == 100


def test_names_of_variables_nets_and_sources_have_no_case(tmp_path: Path):
    spec = load_spec(
        written(tmp_path, ("  ra:", "  RA:"), ("excite: vin", "excite: VIN"), ("source: vin", "source: Vin"))
    )
    assert [variable.name for variable in spec.problem.variables] == ["ra", "rb"]
    assert spec.benches[0].analyses[1].excite == (("vin", 1.0),)
    assert spec.benches[0].analyses[0].excite == ()


def test_options_and_temperature_become_a_line_of_every_deck(tmp_path: Path):
    options = (
        "    analyses:\n      rise",
        "    options: {trtol: 2e-4, method: gear}\n    temperature: 85\n    analyses:\n      rise",
    )
    quiet, step = load_spec(written(tmp_path, options)).benches
    assert quiet.lines[-1].text == ".options temp=27.0"
    assert step.lines[-1].text == ".options temp=85.0 trtol=0.0002 method=gear"


def test_an_anchor_may_be_used_again_and_keys_merged(tmp_path: Path):
    merged = ("{from: 1k, to: 10k, step: 1k, unit: Ohm}", "&x {from: 1k, to: 10k, step: 1k, unit: Ohm}")
    entry = ("  rb:\n    from: 1k\n    to: 10k\n    step: 1k\n    unit: Ohm", "  rb:\n    <<: *x\n    to: 5k")
    again = ("initial: 20", "initial: &x 20")
    assert len(load_spec(written(tmp_path, merged, entry, again)).problem.variables[1].values) == 5


UNKNOWN_MEASURES = ", ".join(sorted(definitions()))
RUN_KEYS = (
    "batch, in_spec, initial, judge, max_failed, max_seconds, max_sims, memory, method, patience, peer, ranking, "
    "search, seed, simulator, timeout, warm_start"
)


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        # keys
        ("metrics:\n", "metric:\n", " metrics: expected this key, it is not there"),
        ("  ra:", "  ra: {}\n  rc:", "5: variables.ra: expected `from`, `to` and one of `step` and `points`, "
         "or `values`"),
        ("    unit: Ohm", "    units: Ohm", "10: variables.rb.units: unknown key; did you mean 'unit'?"),
        ("    stimulus: |", "    stimulos: |", "14: benches.quiet.stimulos: unknown key; did you mean "
         "'stimulus'?"),
        ("excite: vdd", "exite: vdd", "21: benches.quiet.analyses.ripple.exite: unknown key; did you mean "
         "'excite'?"),
        ("at_least: 0.5", "atleast: 0.5", "29: metrics.gain.atleast: unknown key; did you mean 'at_least'?"),
        ("    input: in", "    inputs: in", "35: metrics.settling.inputs: unknown key; did you mean 'input'?"),
        ("initial: 20", "intial: 20", "41: run.intial: unknown key; did you mean 'initial'?"),
        ("pool: 50", "pools: 50", "41: run.search.pools: unknown key; did you mean 'pool'?"),
        ("initial: 20", "zzz: 20", f"41: run.zzz: unknown key; expected one of {RUN_KEYS}"),
        ("measure: rms_noise, ", "", "38: metrics.noise: expected the key `measure`, it is not there"),
        ("measure: rms_noise", "measure: rmsnoise", "38: metrics.noise: measure: unknown measurement "
         "'rmsnoise'; did you mean 'rms_noise'?"),
        ("measure: rms_noise", "measure: zzzz", "38: metrics.noise: measure: unknown measurement 'zzzz'; "
         f"expected one of {UNKNOWN_MEASURES}"),
        ("  noise:", "  noise level:", "38: metrics.noise level: expected a name of letters, digits and _, "
         "got 'noise level'"),
        ("  ra:", "  1a:", "5: variables.1a: expected a name of letters, digits and _, got '1a'"),
        # variables
        ("to: 10k, step: 1k, unit: Ohm", "to: 10k, step: 1 mV, unit: Ohm",
         "5: variables.ra: expected ohms, got '1 mV'"),
        ("to: 10k, step: 1k, unit: Ohm", "to: 500, step: 1k, unit: Ohm",
         "5: variables.ra: empty range: from 1k lies above to 500"),
        ("to: 10k, step: 1k, unit: Ohm", "to: 10k, step: 4k, unit: Ohm",
         "5: variables.ra: expected `to` on the grid: steps of 4k from 1k miss 10k "
         "(nearest: 9 kOhm and 13 kOhm)"),
        ("to: 10k, step: 1k, unit: Ohm", "to: 10M, step: 1k, unit: Ohm", "5: variables.ra: expected ohms, got "
         "'10M', which is milli in SPICE and mega in SI: write 10m or 10Meg"),
        ("to: 10k, step: 1k, unit: Ohm", "to: [10], step: 1k, unit: Ohm",
         "5: variables.ra.to: expected a number such as 2.5 or 2.5p, got [10]"),
        ("to: 10k, step: 1k, unit: Ohm", "to: 10k, points: 3, scale: lin, unit: Ohm",
         "5: variables.ra.scale: expected linear or log, got 'lin'"),
        ("to: 10k, step: 1k, unit: Ohm", "to: 10k, points: 1.5, unit: Ohm",
         "5: variables.ra.points: expected a valid integer, got 1.5"),
        ("from: 1k, to: 10k, step: 1k, unit: Ohm", "values: [1, {}], unit: Ohm",
         "5: variables.ra.values.1: expected a number such as 2.5 or 2.5p, got {}"),
        ("from: 1k, to: 10k, step: 1k, unit: Ohm", "values: [], unit: Ohm",
         "5: variables.ra.values: expected at least one entry, got none"),
        ("  ra:", "  rc:", "5: variables.rc: the netlist has no `.param rc=…`; did you mean 'rb'?"),
        ("  ra:", "  width:", "5: variables.width: the netlist has no `.param width=…`; expected one of ra, rb, "
         "unused"),
        ("  ra:", "  unused:", "5: variables.unused: the netlist defines this parameter but never uses it"),
        ("  rb:", "  RA:", "6: variables.RA: the same variable as 'ra': SPICE ignores case"),
        # benches
        ("vin in 0 dc 1\n", "vin in\n", "14: benches.quiet.stimulus: spec.yaml:15: expected 2 nets (p n) after "
         "'vin', got 1; add the others"),
        ("vdd vdd 0 dc 1\n", ".ac dec 10 1 1G\n", "14: benches.quiet.stimulus: spec.yaml:17: expected devices "
         "and models, got .ac; analyses belong in the spec's test bench"),
        ("vdd vdd 0 dc 1\n", ".control\n", "14: benches.quiet.stimulus: spec.yaml:17: expected a netlist "
         "without control blocks, got .control; a control block is a program, remove it"),
        ("vdd vdd 0 dc 1\n", "r1 vdd 0 1\n", "14: benches.quiet.stimulus: spec.yaml:17: expected one device "
         "'r1' here, got a second; the first is at divider.cir:4: rename one"),
        ("stimulus: vin in 0 pwl(0 0 1n 1)", "stimulus: vin in 0 pwl(0 0 1n 1", "24: benches.step.stimulus: "
         "spec.yaml:24: expected a closing ) after '(0 0 1n 1', got none; add it"),
        ("stimulus: vin in 0 pwl(0 0 1n 1)", "stimulus: [vin]",
         "24: benches.step.stimulus: expected a valid string, got ['vin']"),
        ("bias: op", "bias: shell rm", "19: benches.quiet.analyses.bias: expected an analysis that begins with "
         "op, ac, tran, dc, noise, got 'shell rm'"),
        ("bias: op", "bias: op; quit",
         "19: benches.quiet.analyses.bias: expected an analysis that begins with op, ac, tran, dc, noise, "
         "got 'op; quit'"),
        ("bias: op", 'bias: "op\\nquit"',
         r"19: benches.quiet.analyses.bias: expected `op`, got 'op\nquit'"),
        ("bias: op", "bias: op > file",
         "19: benches.quiet.analyses.bias: expected `op`, got 'op > file'"),
        ("bias: op", "bias: ''", "19: benches.quiet.analyses.bias: expected an analysis that begins with op, "
         "ac, tran, dc, noise, got ''"),
        ("bias: op", "bias: 3", "19: benches.quiet.analyses.bias: expected a mapping, got 3"),
        ("run: tran 1n 1u", "run: `tran`", "26: not YAML: found character '`' that cannot start any token"),
        ("when v(out)=0.5", "when v(out)=0.5; quit",
         "26: benches.step.analyses.rise: expected what ngspice's .meas takes, got 'when v(out)=0.5; quit'"),
        ("t50:", "t 50:", "26: benches.step.analyses.rise.meas.t 50: expected a name of letters, digits and _, "
         "got 't 50'"),
        ("excite: vdd", "excite: vd", "21: benches.quiet.analyses.ripple.excite: no source 'vd'; did you mean "
         "'vdd'?"),
        ("excite: vdd", "excite: r1", "21: benches.quiet.analyses.ripple.excite: no source 'r1'; expected one "
         "of vdd, vin"),
        ("excite: vdd", "excite: x1.v1", "21: benches.quiet.analyses.ripple.excite: no source 'x1.v1'; expected "
         "one of vdd, vin"),
        ("excite: vdd", 'excite: "`ls`"',
         "21: benches.quiet.analyses.ripple.excite: expected the name of a source, got '`ls`'"),
        ("excite: vdd", "excite: {vd: 0.5, vin: -0.5}",
         "21: benches.quiet.analyses.ripple.excite: no source 'vd'; did you mean 'vdd'?"),
        ("excite: vdd", "excite: {vdd: 0, vin: 1}", "21: benches.quiet.analyses.ripple.excite: vdd: expected an AC "
         "magnitude such as 1 or -0.5, not 0, got 0"),
        ("excite: vdd", "excite: {vdd: .nan}", "21: benches.quiet.analyses.ripple.excite: vdd: expected an AC "
         "magnitude such as 1 or -0.5, not 0, got nan"),
        ("excite: vdd", "excite: {vdd: big}", "21: benches.quiet.analyses.ripple.excite: vdd: expected an AC "
         "magnitude such as 1 or -0.5, not 0, got 'big'"),
        ("excite: vdd", "excite: {}", "21: benches.quiet.analyses.ripple.excite: expected a source, or sources with "
         "their AC magnitudes, got an empty mapping"),
        ("excite: vdd", "excite: [vdd]", "21: benches.quiet.analyses.ripple.excite: expected the name of a source, "
         "got ['vdd']"),
        ("excite: vdd", "excite: {vdd: 1, VDD: 1}", "21: benches.quiet.analyses.ripple.excite: expected each source "
         "once, got vdd, VDD: SPICE ignores case"),
        ("    analyses:\n      rise", '    options: {trtol: "1\\n.control"}\n    analyses:\n      rise',
         r"25: benches.step.options.trtol: expected a number or a word, got '1\n.control'"),
        ("    analyses:\n      rise", "    options: {trtol: true}\n    analyses:\n      rise",
         "25: benches.step.options.trtol: expected a number or a word, got True"),
        ("    analyses:\n      rise", "    options: {tr tol: 1}\n    analyses:\n      rise",
         "25: benches.step.options.tr tol: expected a name of letters, digits and _, got 'tr tol'"),
        ("    analyses:\n      rise", "    temperature: hot\n    analyses:\n      rise",
         "25: benches.step.temperature: expected a valid number, got 'hot'"),
        # metrics
        ("at_most: 90 ns", "at_most: 90 mV", "36: metrics.settling.at_most: expected seconds, got '90 mV'"),
        ("at_least: 20 dB", "at_least: 60 deg", "30: metrics.psrr.at_least: expected decibels, got '60 deg'"),
        ("at_least: 0.5", "at_least: 0.5, unit: V", "29: metrics.gain.unit: expected 'V/V', 'Ohm' or 'dB', got 'V'"),
        ("at_least: 0.5", "at_most: 0.5", "29: metrics.gain: higher is better here: expected at_least or both "
         "bounds, got only at_most"),
        ("at_most: 90 ns", "at_least: 90 ns", "31: metrics.settling: lower is better here: expected at_most or "
         "both bounds, got only at_least"),
        ("at_least: 0.5", "at_least: 3, at_most: 2",
         "29: metrics.gain: at_least 3 lies above at_most 2: nothing can meet both"),
        (", at_least: 0.5", "", "29: metrics.gain: expected a target: at_least, at_most or both; or the metric under "
         "minimize or maximize"),
        ("at_least: 0.5", "at_least: 2001-01-01",
         "29: metrics.gain.at_least: expected a ratio (V/V), got datetime.date(2001, 1, 1)"),
        ("at_least: 0.5", "at_least: 0.5, weight: -1",
         "29: metrics.gain.weight: expected greater than 0, got -1"),
        ("at_most: 90 ns", "at_most: 90 ns\n    tolerance: 200 %",
         "37: metrics.settling.tolerance: expected less than 1, got '200 %'"),
        ("of: quiet.response, output", "of: quite.response, output",
         "29: metrics.gain.of: no analysis 'quite.response'; did you mean 'quiet.response'?"),
        ("of: quiet.response, output", "of: quiet, output",
         "29: metrics.gain.of: expected bench.analysis, got 'quiet'"),
        ("over: quiet.ripple", "over: quiet.riple",
         "30: metrics.psrr.over: no analysis 'quiet.riple'; did you mean 'quiet.ripple'?"),
        ("    of: step.rise", "    of: zzz.zzz", "33: metrics.settling.of: no analysis 'zzz.zzz'; expected one "
         "of quiet.bias, quiet.hiss, quiet.response, quiet.ripple, step.rise"),
        ("of: quiet.response, output", "of: quiet.bias, output",
         "29: metrics.gain: dc_gain reads ac, but quiet.bias is `op`"),
        ("    of: step.rise", "    of: quiet.response",
         "31: metrics.settling: settling_time reads tran, but quiet.response is `ac dec 10 1 1G`"),
        ("of: quiet.bias", "of: quiet.response", "39: metrics.current: supply_current reads op or tran, but "
         "quiet.response is `ac dec 10 1 1G`"),
        ("over: quiet.ripple, output: out", "over: quiet.ripple, output: ou",
         "30: metrics.psrr: net 'ou' is not in the netlist of bench quiet; did you mean 'out'?"),
        ("    output: out", "    output: 6", "31: metrics.settling: net '6' is not in the netlist of bench "
         "step; expected one of 0, in, out, x1.b"),
        ("    output: out", "    output: v(out)",
         "34: metrics.settling.output: expected a name without spaces and brackets, got 'v(out)'"),
        ("source: vin", "source: vss", "39: metrics.current: no voltage source 'vss' in bench quiet; "
         "expected one of vdd, vin, x1.v1"),
        ("name: t50", "name: t5", "37: metrics.half: name: step.rise has no meas 't5'; did you mean 't50'?"),
        # run
        ("initial: 20", "initial: 1", "41: run.initial: expected greater than or equal to 2, got 1"),
        ("initial: 20", "initial: many", "41: run.initial: expected a valid integer, got 'many'"),
        ("initial: 20", "initial: .inf", "41: run.initial: expected a finite number, got inf"),
        ("initial: 20", "timeout: 5 V", "41: run.timeout: expected seconds, got '5 V'"),
        ("initial: 20", "timeout: []", "41: run.timeout: expected seconds, got []"),
        ("pool: 50", "blend: 2", "41: run.search.blend: expected less than or equal to 1, got 2"),
        ("pool: 50", "blend_alpha: .inf", "41: run.search.blend_alpha: expected a finite number, got inf"),
        ("initial: 20", "search: {pool: 5}", "41: not YAML: found duplicate key \"search\" with value \"{'pool': "
         "50, 'reference_rank': 10}\" (original value: \"{'pool': 5}\")"),
        # the netlist
        ("netlist: divider.cir", "netlist: divder.cir",
         "2: netlist: expected a SPICE netlist at divder.cir: no such file"),
        ("netlist: divider.cir", "netlist: .", "2: netlist: expected a SPICE netlist at FOLDER: a directory"),
        ("netlist: divider.cir", "netlist: 3", "2: netlist: expected a valid string, got 3"),
        ("netlist: divider.cir", f"netlist: {'x' * 300}",
         f"2: netlist: expected a SPICE netlist at {'x' * 300}: File name too long"),
    ],
)  # fmt: skip
def test_a_mistake_is_reported_with_line_key_and_expectation(tmp_path: Path, old: str, new: str, mistake: str):
    found = mistakes(written(tmp_path, (old, new)))
    assert f"spec.yaml:{mistake}".replace("FOLDER", str(tmp_path)) in found
    assert all(each.startswith("spec.yaml:") and ": " in each for each in found)


@pytest.mark.parametrize(
    ("section", "junk"),
    [
        (section, junk)
        for section in ("variables", "benches", "metrics", "run")
        for junk in ("3", "text", "null", "[1, 2]")
    ],
)
def test_a_section_that_is_no_mapping_is_refused(tmp_path: Path, section: str, junk: str):
    lines = SPEC.split("\n")
    start = next(index for index, line in enumerate(lines) if line.startswith(f"{section}:"))
    end = next((i for i in range(start + 1, len(lines)) if lines[i][:1].isalpha()), len(lines))
    written(tmp_path)
    path = tmp_path / "spec.yaml"
    path.write_text("\n".join([*lines[:start], f"{section}: {junk}", *lines[end:]]))
    shown = {"3": "3", "text": "'text'", "null": "None", "[1, 2]": "[1, 2]"}[junk]
    assert mistakes(path) == [f"spec.yaml:{start + 1}: {section}: expected a mapping, got {shown}"]


@pytest.mark.parametrize("section", ["variables", "benches", "metrics"])
def test_an_empty_section_is_refused(tmp_path: Path, section: str):
    lines = SPEC.split("\n")
    start = next(index for index, line in enumerate(lines) if line.startswith(f"{section}:"))
    end = next(i for i in range(start + 1, len(lines)) if lines[i][:1].isalpha())
    written(tmp_path)
    path = tmp_path / "spec.yaml"
    path.write_text("\n".join([*lines[:start], f"{section}: {{}}", *lines[end:]]))
    assert mistakes(path) == [f"spec.yaml:{start + 1}: {section}: expected at least one entry, got none"]


def test_all_mistakes_are_reported_at_once_each_with_its_line(tmp_path: Path):
    path = written(
        tmp_path,
        ("  ra: {from: 1k", "  ra: {form: 1k"),
        ("    step: 1k", "    step: 1 V"),
        ("bias: op", "bias: opp"),
        ("at_least: 0.5", "at_least: 60 dB"),
        ("    input: in\n", ""),
        ("name: t50", "name: t51"),
        ("method: evo", "methods: evo"),
    )
    assert mistakes(path) == [
        "spec.yaml:5: variables.ra.form: unknown key; did you mean 'from'?",
        "spec.yaml:6: variables.rb: expected ohms, got '1 V'",
        "spec.yaml:19: benches.quiet.analyses.bias: expected an analysis that begins with op, ac, tran, dc, noise, "
        "got 'opp'",
        "spec.yaml:29: metrics.gain.at_least: expected a ratio (V/V), got '60 dB'",
        "spec.yaml:31: metrics.settling.input: expected this key, it is not there",
        "spec.yaml:40: run.methods: unknown key; did you mean 'method'?",
    ]


def test_mistakes_that_need_the_netlist_come_with_those_that_do_not(tmp_path: Path):
    path = written(
        tmp_path,
        ("  ra:", "  rx:"),
        ("excite: vdd", "excite: vcc"),
        ("of: quiet.hiss", "of: quiet.his"),
        ("source: vin", "source: vout"),
        ("initial: 20", "initial: 0"),
    )
    assert mistakes(path) == [
        "spec.yaml:41: run.initial: expected greater than or equal to 2, got 0",
        "spec.yaml:5: variables.rx: the netlist has no `.param rx=…`; did you mean 'rb'?",
        "spec.yaml:21: benches.quiet.analyses.ripple.excite: no source 'vcc'; expected one of vdd, vin",
        "spec.yaml:38: metrics.noise.of: no analysis 'quiet.his'; did you mean 'quiet.hiss'?",
        "spec.yaml:39: metrics.current: no voltage source 'vout' in bench quiet; expected one of vdd, vin, x1.v1",
    ]


def test_a_mistaken_bench_does_not_make_its_metrics_mistaken(tmp_path: Path):
    assert mistakes(written(tmp_path, ("excite: vdd", "exite: vdd"))) == [
        "spec.yaml:21: benches.quiet.analyses.ripple.exite: unknown key; did you mean 'excite'?"
    ]


def test_several_sources_are_excited_with_magnitudes_of_their_own(tmp_path: Path):
    spec = load_spec(written(tmp_path, ("excite: vdd", "excite: {VDD: -0.5, vin: 2}")))
    assert spec.benches[0].analyses[2].excite == (("vdd", -0.5), ("vin", 2.0))


def test_a_source_with_an_ac_value_of_its_own_is_refused_beside_an_excitation(tmp_path: Path):
    path = written(tmp_path, ("vdd vdd 0 dc 1", "vdd vdd 0 dc 1 ac 1"))
    assert mistakes(path) == [
        f"spec.yaml:{line}: benches.quiet.analyses.{name}.excite: source vdd also has an AC value; take it out of the "
        "netlist"
        for line, name in ((20, "response"), (21, "ripple"))
    ]


def test_keys_that_are_no_text_are_taken_as_text_and_keep_their_line(tmp_path: Path):
    path = written(tmp_path, ("  half:", "  50: {measure: x}\n  true: 3\n  half:"), ("run: {m", "3: 4\nrun: {m"))
    assert [mistake.partition(": ")[0] for mistake in mistakes(path)] == [
        "spec.yaml:37",
        "spec.yaml:38",
        "spec.yaml:43",
    ]
    assert "spec.yaml:38: metrics.True: expected a mapping, got 3" in mistakes(path)


def test_a_key_that_is_a_list_is_refused(tmp_path: Path):
    path = written(tmp_path, ("bias: op", "? [a, b]\n      : op"))
    assert mistakes(path)[0] == (
        "spec.yaml:19: benches.quiet.analyses.('a', 'b'): expected a name of letters, digits and _, got \"('a', 'b')\""
    )


def test_a_mistake_in_merged_keys_is_reported_at_the_entry_that_merges_them(tmp_path: Path):
    path = written(tmp_path, ("  ra: {from", "  ra: &x {foo: 1, from"), ("    from: 1k\n", "    <<: *x\n"))
    assert mistakes(path) == [
        "spec.yaml:5: variables.ra.foo: unknown key; did you mean 'from'?",
        "spec.yaml:6: variables.rb.foo: unknown key; did you mean 'from'?",
    ]


@pytest.mark.parametrize(
    ("netlist", "mistake"),
    [
        ("r1 in out\n", "divider.cir:1: expected a value or a model after the nets, got neither; "
         "write r=value"),
        (".include gone.mod\n", 'divider.cir:1: expected a file at "gone.mod", found none; correct '
         "the path"),
        ("* x\n.param ra=1\n.op\n", "divider.cir:3: expected devices and models, got .op; analyses "
         "belong in the spec's test bench"),
        (NETLIST + "x2 out bufer\n", "divider.cir:7: expected a defined sub-circuit, got 'bufer' "
         "(nearest defined: buffer); correct the name, include its file or pass it as opaque"),
        ("r1 a b 1\0\n", 'divider.cir:1: expected text, got zero bytes in "divider.cir"; name a '
         "netlist, not a binary file"),
    ],
)  # fmt: skip
def test_a_netlist_that_cannot_be_read_is_reported_once_with_its_own_line(tmp_path: Path, netlist: str, mistake: str):
    found = mistakes(written(tmp_path, netlist=netlist))
    assert [each for each in found if "divider.cir" in each] == [f"spec.yaml:2: netlist: {mistake}"]


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("", "spec.yaml: expected a mapping with the keys KEYS"),
        ("# only a comment\n", "spec.yaml: expected a mapping with the keys KEYS"),
        ("- a\n- b\n", "spec.yaml: expected a mapping with the keys KEYS"),
        ("divider", "spec.yaml: expected a mapping with the keys KEYS"),
        ("a: [1, 2\nb: 3\n", "spec.yaml:2: not YAML: expected ',' or ']', but got ':'"),
        ("netlist: 'x\n", "spec.yaml:2: not YAML: found unexpected end of stream"),
        ("a: b: c\n", "spec.yaml:1: not YAML: mapping values are not allowed here"),
        ("a: 1\n\tb: 2\n", "spec.yaml:2: not YAML: found character '\\t' that cannot start any token"),
        ("a: *b\n", "spec.yaml:1: not YAML: found undefined alias 'b'"),
        ("a: 1\n---\nb: 2\n", "spec.yaml:2: not YAML: but found another document"),
        ("netlist: a\nrun: {}\nnetlist: b\n", 'spec.yaml:3: not YAML: found duplicate key "netlist" with value "b" '
         '(original value: "a")'),
        ("a: \x01\n", 'spec.yaml: not YAML: unacceptable character #x0001: special characters are not allowed in '
         '"<unicode string>", position 3'),
        ("a: !!int x\n", "spec.yaml: not YAML: invalid literal for int() with base 10: 'x'"),
        ("a: !!bool maybe\n", "spec.yaml: not YAML: 'maybe'"),
        ("a: !!omap 3\n", "spec.yaml: not YAML: 'ScalarNode' object has no attribute 'flow_style'"),
        (f"? 0x{'f' * 5000}\n: 1\n", "spec.yaml: expected text, numbers, lists and mappings: Exceeds the limit (4300 "
         "digits) for integer string conversion; use sys.set_int_max_str_digits() to increase the limit"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_yaml_mapping_is_refused(tmp_path: Path, text: str, mistake: str):
    path = tmp_path / "spec.yaml"
    path.write_text(text)
    keys = "name, description, netlist, models, variables, benches, metrics, saturation, minimize, maximize, run"
    assert mistakes(path) == [mistake.replace("KEYS", keys)]


def test_a_document_that_contains_itself_is_refused(tmp_path: Path):
    path = tmp_path / "spec.yaml"
    path.write_text("run: &a\n  - *a\n")
    assert mistakes(path)[-1] == "spec.yaml:1: run: expected a mapping, got [None]"


def test_a_document_nested_too_deeply_is_refused(tmp_path: Path):
    path = tmp_path / "spec.yaml"
    path.write_text("[" * 1000)
    (mistake,) = mistakes(path)
    assert mistake.startswith("spec.yaml: not YAML: maximum recursion depth exceeded")


def test_deep_nesting_where_something_else_is_expected_is_one_mistake(tmp_path: Path):
    path = written(
        tmp_path, ("initial: 20", f"seed: {'[' * 100}{']' * 100}"), ("at_most: 1 mV", "at_most: {a: {b: {}}}")
    )
    assert mistakes(path) == [
        "spec.yaml:38: metrics.noise.at_most: expected volts, got {'a': {'b': {}}}",
        "spec.yaml:41: run.seed: expected a valid integer, got a list",
    ]


def test_a_number_too_long_to_print_is_a_mistake_too(tmp_path: Path):
    (mistake,) = mistakes(written(tmp_path, ("initial: 20", f"initial: -0x{'f' * 5000}")))
    assert mistake == "spec.yaml:41: run.initial: expected greater than or equal to 2, got a huge number"


def test_a_long_text_is_cut_in_the_message(tmp_path: Path):
    (mistake,) = mistakes(written(tmp_path, ("initial: 20", f"initial: {'x' * 500}")))
    assert mistake == f"spec.yaml:41: run.initial: expected a valid integer, got '{'x' * 79}…"


def test_a_directory_in_place_of_the_file_is_refused(tmp_path: Path):
    with pytest.raises(SpecError) as caught:
        load_spec(tmp_path)
    assert str(caught.value) == f"{tmp_path}: expected a spec file, got a directory"


def test_a_missing_file_is_refused_with_the_nearest_name(tmp_path: Path):
    written(tmp_path)
    with pytest.raises(SpecError) as caught:
        load_spec(tmp_path / "sepc.yaml")
    assert str(caught.value) == f"{tmp_path}/sepc.yaml: no such file; did you mean {tmp_path}/spec.yaml?"
    with pytest.raises(SpecError) as caught:
        load_spec(tmp_path / "unlike-any-other.yaml")
    assert str(caught.value) == f"{tmp_path}/unlike-any-other.yaml: no such file"


def test_names_that_no_file_can_have_are_refused(tmp_path: Path):
    for name in ("a\0b", "x" * 5000):
        with pytest.raises(SpecError, match="expected a YAML text file"):
            load_spec(tmp_path / name)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path):
    path = tmp_path / "spec.yaml"
    path.write_bytes(b"description: \xff\n")
    (mistake,) = mistakes(path)
    assert mistake.startswith("spec.yaml: expected a YAML text file: 'utf-8' codec can't decode byte 0xff")


def test_a_mistake_takes_one_line_whatever_it_repeats(tmp_path: Path):
    found = mistakes(written(tmp_path, ("netlist: divider.cir", 'netlist: "a\\nb"'), ("method: evo", '"x\\ny": 1')))
    assert found == [
        f"spec.yaml:41: run.x y: unknown key; expected one of {RUN_KEYS}",
        "spec.yaml:2: netlist: expected a SPICE netlist at a b: no such file",
    ]


def test_run_settings_can_be_replaced(amplifier: Spec):
    other = amplifier.with_run(method="evo", seed=7, max_sims=None, max_seconds="2 s")
    assert (other.run.method, other.run.seed, other.run.max_sims, other.run.max_seconds) == ("evo", 7, None, 2.0)
    assert other.run.initial == amplifier.run.initial == 20
    assert amplifier.run.seed == 0
    assert amplifier.with_run().run == amplifier.run


def test_replacing_one_search_setting_keeps_the_specs_other_ones(tmp_path: Path):
    spec = load_spec(written(tmp_path)).with_run(search={"blend": 0.1})
    assert (spec.run.search.blend, spec.run.search.pool, spec.run.search.reference_rank) == (0.1, 50, 10)


@pytest.mark.parametrize(
    ("overrides", "mistake"),
    [
        ({"seed": -1}, "run.seed: expected greater than or equal to 0, got -1"),
        ({"seed": "one"}, "run.seed: expected a valid integer, got 'one'"),
        ({"batch": 0}, "run.batch: expected greater than or equal to 1, got 0"),
        ({"max_sims": 0}, "run.max_sims: expected greater than or equal to 1, got 0"),
        ({"method": 3}, "run.method: expected a valid string, got 3"),
        ({"timeout": "1 V"}, "run.timeout: expected seconds, got '1 V'"),
        ({"timeout": 0}, "run.timeout: expected greater than 0, got 0"),
        ({"max_seconds": float("nan")}, "run.max_seconds: expected seconds, got nan"),
        ({"search": 3}, "run.search: expected a mapping, got 3"),
        ({"search": {"pool": 1}}, "run.search.pool: expected greater than or equal to 2, got 1"),
        ({"search": {"pol": 5}}, "run.search.pol: unknown key; did you mean 'pool'?"),
        ({"sed": 3}, "run.sed: unknown key; did you mean 'seed'?"),
    ],
)
def test_run_settings_that_do_not_fit_are_refused(amplifier: Spec, overrides: dict[str, Any], mistake: str):
    with pytest.raises(SpecError) as caught:
        amplifier.with_run(**overrides)
    assert caught.value.mistakes == (mistake,)

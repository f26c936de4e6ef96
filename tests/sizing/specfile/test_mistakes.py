"""Every mistake in a spec is reported at once, with its line, its key and what was expected."""

from pathlib import Path

import pytest

from sizing.measures.catalogue import MEASURES
from sizing.specfile.load import load_spec
from tests.sizing.specfile.divider import SPEC, mistakes, written

UNKNOWN_MEASURES = ", ".join(sorted(MEASURES))
RUN_KEYS = (
    "batch, best, corners, in_spec, initial, judge, max_failed, max_seconds, max_sims, memory, method, own, patience, "
    "peer, ranking, search, seed, simulator, timeout, warm_start"
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
         "'10M', which is milli in SPICE and mega in SI: "
         "write 10m or 10Meg"),
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
        ("vdd vdd 0 dc 1\n", "vdd vdd 0 dc 1 trnoise(1m 1n 0 0)\n", "14: benches.quiet.stimulus: spec.yaml:17: "
         "expected a waveform that is the same in every simulation, got trnoise, which no seed repeats in ngspice; "
         "give its points as pwl(…), or ask for a `noise` analysis"),
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
        ("bias: op", "bias: noise v(out) vin dec 10 1Meg 5G",
         "19: benches.quiet.analyses.bias: expected a noise sweep of whole steps, to 3.983 GHz or 5.014 GHz, got "
         "'noise v(out) vin dec 10 1Meg 5G', of which ngspice would leave out what is beyond 3.981 GHz"),
        ("bias: op", "bias: 3", "19: benches.quiet.analyses.bias: expected a mapping, got 3"),
        ("run: tran 1n 1u", "run: `tran`", "26: not YAML: found character '`' that cannot start any token"),
        ("when v(out)=0.5", "when v(out)=0.5; quit",
         "26: benches.step.analyses.rise.meas.t50: expected a .meas of the forms avg|rms|integ|min|max|min_at|max_at|"
         "pp VECTOR [from=X] [to=X]; find VECTOR at=X; [find VECTOR] when VECTOR=LEVEL [td=X] "
         "[rise|fall|cross=COUNT|last] [from=X] [to=X]; "
         "trig VECTOR val=LEVEL [td=X] rise|fall|cross=COUNT|last targ …, "
         "or trig at=X targ …, with numbers for X and LEVEL and v(NET) or i(SOURCE), not in a sub-circuit, for VECTOR, "
         "got 'when v(out)=0.5; quit'"),
        ("when v(out)=0.5", "max v(out) from=2u to=3u", "26: benches.step.analyses.rise.meas.t50: expected from= "
         "within the analysis, 0 to 1e-06, got 'max v(out) from=2u to=3u'"),
        ("when v(out)=0.5", "find v(out) at=1.5u", "26: benches.step.analyses.rise.meas.t50: expected at= within "
         "the analysis, 0 to 1e-06, got 'find v(out) at=1.5u'"),
        ("when v(out)=0.5", "max v(out) from=0.5u to=0.2u", "26: benches.step.analyses.rise.meas.t50: expected a "
         "window from below to, of an ascending sweep, got 'max v(out) from=0.5u to=0.2u' of 'tran 1n 1u'"),
        ("tran 1n 1u, meas: {t50: when v(out)=0.5}", "dc vin 1 0 -0.1, meas: {t50: avg v(out) to=0.2}",
         "26: benches.step.analyses.rise.meas.t50: expected a window from below to, of an ascending sweep, got 'avg "
         "v(out) to=0.2' of 'dc vin 1 0 -0.1'"),
        ("tran 1n 1u, meas: {t50: when v(out)=0.5}", "dc vin 0 1 0.1 temp 0 50 10, meas: {t50: avg v(out)}",
         "26: benches.step.analyses.rise.meas.t50: expected min, max, pp without a window of a sweep of two sources, "
         "got 'avg v(out)'"),
        ("when v(out)=0.5", "when i(r1)=0.5", "37: metrics.half: no voltage source 'r1' in bench step; expected one of "
         "vin, x1.v1"),
        ("when v(out)=0.5", "when v(ou)=0.5", "37: metrics.half: net 'ou' is not in the netlist of bench step; did you "
         "mean 'out'?"),
        ("hiss: noise v(out) vin dec 10 1 1G", "hiss: {run: noise v(out) vin dec 10 1 1G, meas: {n: max v(out)}}",
         "22: benches.quiet.analyses.hiss.meas.n: expected .meas of ac, tran, dc, got it of noise, where ngspice has "
         "none"),
        ("run: tran 1n 1u", "run: tran 1n 1M", "26: benches.step.analyses.rise: expected numbers as SPICE reads them, "
         "got '1M', which is milli in SPICE and mega in SI: write 1m or 1Meg"),
        ("ac dec 10 1 1G, excite: vin", "ac dec 10 1 10MHz, excite: vin", "20: benches.quiet.analyses.response: "
         "expected numbers as SPICE reads them, got '10MHz', which is milli in SPICE and mega in SI: "
         "write 10m or 10Meg"),
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
         "25: benches.step.temperature: expected degrees Celsius, got 'hot'"),
        ("    analyses:\n      rise", "    temperature: 400K\n    analyses:\n      rise",
         "25: benches.step.temperature: expected degrees Celsius without a unit, got '400K': write 126.85"),
        ("    analyses:\n      rise", "    temperature: -300\n    analyses:\n      rise",
         "25: benches.step.temperature: expected degrees Celsius above -273.15, got -300"),
        # metrics
        ("at_most: 90 ns", "at_most: 90 mV", "36: metrics.settling.at_most: expected seconds, got '90 mV'"),
        ("at_least: 20 dB", "at_least: 60 deg", "30: metrics.psrr.at_least: expected decibels, got '60 deg'"),
        ("at_least: 0.5", "at_least: 0.5, unit: V", "29: metrics.gain.unit: expected 'V/V', 'Ohm' or 'dB', got 'V'"),
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
        ("of: quiet.hiss, at_most: 1 mV", "of: quiet.hiss, unit: A, at_most: 1 mA",
         "38: metrics.noise: unit: rms_noise referred to the output is in V, got 'A'; write `unit: V`"),
        ("of: quiet.hiss, at_most: 1 mV", "of: quiet.hiss, referred: input, unit: A, at_most: 1 mA",
         "38: metrics.noise: unit: rms_noise referred to the source vin is in V, got 'A'; write `unit: V`"),
        ("source: vin", "source: vss", "39: metrics.current: no voltage source 'vss' in bench quiet; "
         "expected one of vdd, vin, x1.v1"),
        ("name: t50", "name: t5", "37: metrics.half: name: step.rise has no meas 't5'; did you mean 't50'?"),
        # run
        ("initial: 20", "initial: -1", "41: run.initial: expected greater than or equal to 0, got -1"),
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
        ("initial: 20", "initial: -1"),
    )
    assert mistakes(path) == [
        "spec.yaml:41: run.initial: expected greater than or equal to 0, got -1",
        "spec.yaml:5: variables.rx: the netlist has no `.param rx=…`; did you mean 'rb'?",
        "spec.yaml:21: benches.quiet.analyses.ripple.excite: no source 'vcc'; expected one of vdd, vin",
        "spec.yaml:38: metrics.noise.of: no analysis 'quiet.his'; did you mean 'quiet.hiss'?",
        "spec.yaml:39: metrics.current: no voltage source 'vout' in bench quiet; expected one of vdd, vin, x1.v1",
    ]


def test_a_mistaken_bench_does_not_make_its_metrics_mistaken(tmp_path: Path):
    assert mistakes(written(tmp_path, ("excite: vdd", "exite: vdd"))) == [
        "spec.yaml:21: benches.quiet.analyses.ripple.exite: unknown key; did you mean 'excite'?"
    ]


def test_noise_referred_to_a_current_source_is_in_amperes(tmp_path: Path):
    changes = [("vdd vdd 0 dc 1", "vdd vdd 0 dc 1\n      iin 0 out 0"), ("v(out) vin dec", "v(out) iin dec")]
    path = written(tmp_path, *changes, ("of: quiet.hiss", "of: quiet.hiss, referred: input"))
    assert mistakes(path) == [
        "spec.yaml:39: metrics.noise: unit: rms_noise referred to the source iin is in A, got 'V'; write `unit: A`"
    ]
    in_amperes = ("quiet.hiss, at_most: 1 mV", "quiet.hiss, referred: input, unit: A, at_most: 1 mA")
    path = written(tmp_path, *changes, in_amperes)
    assert load_spec(path).problem.metrics[4].unit == "A"


def test_every_meas_is_told_at_its_line(tmp_path: Path):
    path = written(
        tmp_path,
        ("meas: {t50: when v(out)=0.5}", "meas: {t50: param=t*2,\n        late: find v(out) at=2u}"),
    )
    first, second = mistakes(path)
    assert first.startswith("spec.yaml:26: benches.step.analyses.rise.meas.t50: expected a .meas of the forms ")
    assert second.startswith("spec.yaml:27: benches.step.analyses.rise.meas.late: expected at= within the analysis")


def test_an_operating_point_is_not_missed_where_an_analysis_is_mistaken(tmp_path: Path):
    path = written(tmp_path, ("bias: op", "bias: opp"), ("run: {method", "saturation: m1\nrun: {method"))
    assert mistakes(path) == [
        "spec.yaml:19: benches.quiet.analyses.bias: expected an analysis that begins with op, ac, tran, dc, noise, "
        "got 'opp'"
    ]


def test_a_source_with_an_ac_value_of_its_own_is_refused_beside_an_excitation(tmp_path: Path):
    path = written(tmp_path, ("vdd vdd 0 dc 1", "vdd vdd 0 dc 1 ac 1"))
    assert mistakes(path) == [
        f"spec.yaml:{line}: benches.quiet.analyses.{name}.excite: source vdd also has an AC value; take it out of the "
        "netlist"
        for line, name in ((20, "response"), (21, "ripple"))
    ]


def test_a_mistake_takes_one_line_whatever_it_repeats(tmp_path: Path):
    found = mistakes(written(tmp_path, ("netlist: divider.cir", 'netlist: "a\\nb"'), ("method: evo", '"x\\ny": 1')))
    assert found == [
        f"spec.yaml:41: run.x y: unknown key; expected one of {RUN_KEYS}",
        "spec.yaml:2: netlist: expected a SPICE netlist at a b: no such file",
    ]

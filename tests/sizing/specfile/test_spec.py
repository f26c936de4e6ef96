"""Reading a spec file, and replacing its run settings."""

from pathlib import Path
from typing import Any

import pytest

from sizing.specfile.load import Spec, load_spec
from sizing.specfile.mistakes import SpecError
from tests.sizing.specfile.divider import written


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


def test_several_sources_are_excited_with_magnitudes_of_their_own(tmp_path: Path):
    spec = load_spec(written(tmp_path, ("excite: vdd", "excite: {VDD: -0.5, vin: 2}")))
    assert spec.benches[0].analyses[2].excite == (("vdd", -0.5), ("vin", 2.0))


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

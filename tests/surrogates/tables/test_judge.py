"""The judge on device tables: right of the op-amps before a simulation, put right by simulations, and never silent."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

import sizing
from sizing.evaluation.evaluator import Evaluation
from sizing.simulation.simulator import Measured
from sizing.specfile.load import Spec, load_spec
from sizing.task.job import Conditions
from sizing.task.objectives import smallest_margin
from sizing.task.problem import Metric, Problem, Variable
from surrogates.tables.judge import HOPELESS_MARGIN, TablesJudge

GRID = tuple(np.linspace(1, 2, 21).tolist())
PROBLEM = Problem(
    "formula", "formula", (Variable("a", GRID), Variable("b", GRID)),
    (Metric("gain", "V/V", at_least=3.0), Metric("slew", "V/s", at_least=2.0), Metric("power", "W", at_most=2.0)),
)  # fmt: skip
DESIGNS = np.stack(np.meshgrid(np.arange(21), np.arange(21), indexing="ij"), -1).reshape(-1, 2)


def features(designs: np.ndarray) -> np.ndarray:
    return designs / 10.0 - 1.0


class Formula:
    """What tables would tell: the gain, of large steps the slew, and the power unless it is left out."""

    def __init__(self, *, silent: bool = False) -> None:
        self.silent = silent
        self.integrated = 0

    def __call__(self, designs: Mapping[str, np.ndarray], conditions: Conditions, *, integrate: bool) -> np.ndarray:
        a, b = designs["a"], designs["b"]
        self.integrated += integrate * len(a)
        slew = a + b if integrate else np.full(len(a), np.nan)
        power = np.full(len(a), np.nan) if self.silent else a
        return np.stack([np.where(b > 1.98, np.nan, 2 * a * b), slew, power], axis=1)


def truth(designs: np.ndarray) -> np.ndarray:
    a, b = np.array(GRID)[designs].T
    return np.stack([1.5 * a * b, a + b, a], axis=1)


def measured(designs: np.ndarray) -> list[Evaluation]:
    return [
        Evaluation(index, tuple(design), Measured(tuple(values), {}))
        for index, (design, values) in enumerate(zip(designs.tolist(), truth(designs).tolist(), strict=True))
    ]


def test_before_a_simulation_margins_are_those_that_are_told_less_what_is_unsure():
    judge = TablesJudge(PROBLEM, features, Formula())
    foreseen = judge.foresee(DESIGNS)
    told = truth(DESIGNS)
    told[:, 0] *= 2 / 1.5
    exact = smallest_margin(PROBLEM, told)
    sensible = foreseen.margin > HOPELESS_MARGIN
    assert (foreseen.margin <= exact)[sensible].all()
    assert np.corrcoef(foreseen.margin[sensible], exact[sensible])[0, 1] > 0.98
    assert not sensible[DESIGNS[:, 1] == 20].any()  # no gain is told


def test_simulations_put_right_what_is_told():
    judge = TablesJudge(PROBLEM, features, Formula())
    judge.foresee(DESIGNS)
    judge.fit(measured(DESIGNS[100:110]))
    foreseen = judge.foresee(DESIGNS)
    exact = smallest_margin(PROBLEM, truth(DESIGNS))
    near = (foreseen.margin > HOPELESS_MARGIN) & (np.abs(DESIGNS - DESIGNS[105]).max(axis=1) < 5)
    assert np.abs(foreseen.margin - exact)[near].max() < 0.15


def test_what_is_told_stays_as_it_is_where_differences_are_not_to_be_learned():
    judge = TablesJudge(PROBLEM, features, Formula(), learned=False)
    before = judge.foresee(DESIGNS)
    judge.fit(measured(DESIGNS[::40]))
    np.testing.assert_array_equal(judge.foresee(DESIGNS).margin, before.margin)


def test_large_steps_are_integrated_of_few_and_expected_of_the_others():
    formula = Formula()
    judge = TablesJudge(PROBLEM, features, formula)
    foreseen = judge.foresee(DESIGNS)
    assert 0 < formula.integrated < 100
    enough = truth(DESIGNS)[:, 1] > 2.3
    assert (foreseen.probability[enough, 1] > 0.5).mean() > 0.8


def test_a_metric_that_tables_do_not_tell_is_learned_from_simulations_alone():
    judge = TablesJudge(PROBLEM, features, Formula(silent=True))
    assert (judge.foresee(DESIGNS).margin > 0).any()  # nothing is held against what is not known
    judge.fit(measured(DESIGNS[::15]))
    probability = judge.foresee(DESIGNS).probability[:, 2]
    power = truth(DESIGNS)[:, 2]
    assert probability[power < 1.6].mean() > 0.8
    assert probability[power > 1.95].mean() < probability[power < 1.6].mean()


def test_no_candidates_have_no_foresight():
    foreseen = TablesJudge(PROBLEM, features, Formula()).foresee(DESIGNS[:0])
    assert (len(foreseen.margin), foreseen.probability.shape) == (0, (0, 3))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tables")


@pytest.mark.parametrize("name", [pytest.param("opamp_cc", marks=pytest.mark.slow), "opamp_cc_rz"])
def test_the_first_simulation_of_an_op_amp_is_in_spec_and_so_are_all_others(
    name: str, specs: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    spec = load_spec(specs / f"{name}.yaml")
    small = {"drawn": 600, "children": 200, "generations": 8}
    result = sizing.run(spec, method="tables", seed=3, in_spec=5, out=tmp_path / "run", workers=1, ranking=small)
    (row,) = result.table.to_dict("records")
    assert (row["first_in_spec_at"], row["sims_total"], row["in_spec"]) == (1, 5, 5)
    assert row["margin"] > 0.02
    assert row["sims_tables"] in (0, 2)  # the other task may have measured them
    assert result.designs["margin"].is_monotonic_decreasing
    best = result.designs.iloc[0]["margin"]
    assert best == pytest.approx(row["margin"])


@pytest.mark.slow
def test_a_circuit_that_tables_cannot_tell_is_sized_as_gp_does(
    amplifier: Spec, specs: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    text = (specs / "netlists" / "cs_amp.cir").read_text()
    (tmp_path / "cs_amp.cir").write_text(text.replace(".end\n", "") + "bload extra 0 v=v(out)*2\nrx extra 0 1k\n.end\n")
    (tmp_path / "bptm45.mod").write_text((specs / "netlists" / "bptm45.mod").read_text())
    (tmp_path / "spec.yaml").write_text((specs / "cs_amp.yaml").read_text().replace("netlists/", ""))
    spec = load_spec(tmp_path / "spec.yaml")
    result = sizing.run(spec, method="tables", max_sims=14, out=tmp_path / "run", workers=1)
    as_gp = sizing.run(spec, method="gp", initial=10, max_sims=14, out=tmp_path / "gp", workers=1)
    assert "bload" in caplog.text
    assert (result.folder / "journal.jsonl").read_bytes() == (as_gp.folder / "journal.jsonl").read_bytes()

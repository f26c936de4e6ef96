"""Calibration: what a judge said of the designs it proposed, beside what their simulations gave."""

from pathlib import Path

import numpy as np
import pytest

import sizing
from sizing.reports.calibration import Answers, answers, calibration_table, wilson_interval
from sizing.reports.page import page
from sizing.reports.plots import Plot, plots
from sizing.reports.styles import styles
from sizing.runs.records.reading import Batch
from sizing.specfile.load import Spec
from sizing.task.objectives import meets

NAN = float("nan")


def calibration_of(records) -> Plot:
    (plot,) = [plot for plot in plots(records) if plot.kind == "calibration"]
    return plot


def test_against_the_targets_true_is_what_meets_them(make_run):
    run = make_run([0.5, 1.0, 0.9, None, NAN, 2.0], "gp", judgement=[0.9, 0.2, 0.3, 0.4, 1.0], reference=None)
    found = answers([run])
    assert found.probability.tolist() == [0.9, 0.2, 0.3, 0.4, 1.0]
    assert found.truth.tolist() == [True, False, False, False, True]


@pytest.mark.parametrize(
    ("reference", "truth"),
    [
        (0.5, [True, True, False, False, True]),
        (3.0, [True, False, False, False, False]),  # meets its target: only what does is no worse
        (NAN, [True, True, True, False, True]),  # nothing measured is worse, missing values included
    ],
)
def test_against_a_reference_true_is_what_is_no_worse(make_run, reference: float, truth: list[bool]):
    run = make_run([reference, 1.0, 0.9, NAN, None, 0.5], "fc", judgement=[0.5] * 5, reference=0)
    assert answers([run]).truth.tolist() == truth


def test_a_reference_is_an_evaluation_whether_or_not_others_only_answered_questions(make_run):
    decision = {"critical": ["gain"], "reference": 2, "bred": 1, "judged": 1, "regardless": 0, "judgement": [[0.7]]}
    run = make_run([0.9, 0.9, 0.5, 0.9, 0.8], "oracle", batches=(Batch((2,)), Batch((4,), decision)))
    assert answers([run]).truth.tolist() == [True]  # 0.8 against 0.5


def test_designs_that_a_budget_cut_off_are_left_out(make_run):
    run = make_run([0.5, 1.0], "gp", judgement=[0.8, 0.1], reference=None)
    assert answers([run]).probability.tolist() == [0.8]


def test_answers_of_several_runs_are_put_together_and_none_is_an_empty_table(make_run):
    runs = [make_run([0.5, 1.0], "gp", seed, judgement=[0.95], reference=None) for seed in range(3)]
    assert answers([*runs, make_run([0.5, 1.0], "evo"), make_run([])]).probability.tolist() == [0.95] * 3
    table = calibration_table(answers([make_run([0.5, 1.0], "evo")]))
    assert table["count"].tolist() == [0] * 10
    assert table[["predicted", "observed", "low", "high"]].isna().all(axis=None)


def test_a_bin_holds_its_lower_end_and_the_last_one_both():
    probability = np.array([0.0, 0.0999, 0.1, 0.3, 0.35, 0.7, 0.9, 1.0])
    truth = np.array([False, True, True, False, True, True, True, False])
    table = calibration_table(Answers(probability, truth))
    assert table["count"].tolist() == [2, 1, 0, 2, 0, 0, 0, 1, 0, 2]
    some = table[table["count"] > 0]
    assert some["predicted"].tolist() == pytest.approx([0.04995, 0.1, 0.325, 0.7, 0.95])
    assert some["observed"].tolist() == [0.5, 1.0, 0.5, 1.0, 0.5]
    assert (some["low"] <= some["observed"]).all()
    assert (some["observed"] <= some["high"]).all()


def test_wilsons_interval_has_the_values_of_the_textbook():
    low, high = wilson_interval(np.array([0.0, 0.5, 0.9, 1.0]), np.array([10.0, 10.0, 100.0, 10.0]))
    np.testing.assert_allclose(low, [0.0, 0.2366, 0.8256, 0.7225], atol=1e-4)
    np.testing.assert_allclose(high, [0.2775, 0.7634, 0.9448, 1.0], atol=1e-4)


def test_what_is_as_probable_as_said_lies_in_its_intervals():
    rng = np.random.default_rng(0)
    probability = rng.random(5000)
    honest = calibration_table(Answers(probability, rng.random(5000) < probability))
    inside = (honest["low"] <= honest["predicted"]) & (honest["predicted"] <= honest["high"])
    assert inside.sum() >= 9
    boastful = calibration_table(Answers(probability, rng.random(5000) < probability**2))
    assert (boastful["observed"] < boastful["predicted"])[1:9].all()


def test_the_diagram_draws_the_table_for_each_method_that_judged(make_run):
    runs = [
        make_run([0.5, 1.0, 0.2, 1.0], "gp", judgement=[0.95, 0.15, 0.55], reference=None),
        make_run([0.5, 1.0, 0.2], "fc", judgement=[0.92, 0.96]),
        make_run([0.5, 1.0, 0.2], "evo"),
    ]
    shares, counts = calibration_of(runs).figure.axes
    drawn = {line.get_label(): line for line in shares.lines if not str(line.get_label()).startswith("_")}
    assert set(drawn) == {"gp", "fc"}
    assert np.transpose(drawn["gp"].get_data()).tolist() == [[0.15, 0.0], [0.55, 1.0], [0.95, 1.0]]
    assert np.transpose(drawn["fc"].get_data()).tolist() == [[0.94, 0.5]]
    look = styles(["gp", "evo", "fc"])
    assert all(line.get_color() == look[name].colour for name, line in drawn.items())
    heights = {bars.get_label(): [bar.get_height() for bar in bars] for bars in counts.containers}
    assert heights == {"gp": [1, 1, 1], "fc": [2]}
    for bars in counts.containers:
        for bar in bars:
            assert int(10 * bar.get_x()) == int(10 * (bar.get_x() + bar.get_width()))  # within its bin


@pytest.mark.slow
def test_it_is_on_the_page_where_somebody_judged(make_run):
    judged = make_run([0.5, 1.0], "gp", judgement=[0.95], reference=None)
    plain = make_run([0.5, 1.0], "evo")
    damaged = make_run([0.5, 1.0], "gp", 1, judgement=[0.15], reference=None, damage="journal.jsonl:4")
    for records in ([judged], [judged, plain, damaged]):
        text = page(records, [], "judged")
        assert text.count("Calibration of the judge") == 3  # title, name of the figure, numbers
        for cell in ("90% to 100%", "95.0%", "100.0%", "20.7% to 100.0%"):
            assert f'<td class="number">{cell}</td>' in text
        assert "10% to 20%" not in text
    assert "Calibration of the judge" not in page([plain], [], "one")
    assert "calibration" not in {plot.kind for plot in plots([plain])}


@pytest.mark.slow
@pytest.mark.parametrize(("method", "against_targets"), [("gp", True), ("oracle", False)])
def test_the_journal_of_a_run_holds_what_its_calibration_needs(
    method: str, against_targets: bool, amplifier: Spec, tmp_path: Path
):
    pool = {"ranking": {"drawn": 200, "children": 200}} if against_targets else {}
    record = sizing.run(amplifier, method=method, out=tmp_path / "run", workers=1, max_sims=27, **pool).record
    (initial, *searched) = record.batches
    assert initial.decision is None
    found = answers([record])
    assert len(found.truth) == 3 * sum(len(batch.evaluations) for batch in searched)
    truth = found.truth.reshape(-1, 3)
    if against_targets:
        np.testing.assert_array_equal(truth, meets(amplifier.problem, record.values[20:]))
        assert ((found.probability - found.truth) ** 2).mean() < 0.15
    else:
        chosen = np.array([decision["regardless"] == 0 for decision in record.decisions])
        assert chosen.all()
        np.testing.assert_array_equal(found.probability, found.truth)
    assert len(searched[-1].evaluations) < len(searched[0].evaluations)  # cut off by the budget
    for batch in searched:
        assert batch.decision is not None
        assert (batch.decision["reference"] is None) == against_targets
        assert len(batch.decision["judgement"]) >= len(batch.evaluations)
    assert calibration_of([record]).svg().startswith("<?xml")

"""Kept tables of runs, as `sizing table` reads them in a clone that has no runs."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from sizing.reports.kept import tabulated
from sizing.runs.records.reading import RunError
from sizing.runs.run import run
from sizing.runs.tables import COLUMNS, means_table, overview
from sizing.specfile.load import Spec

STUDIES = Path(__file__).parents[3] / "runs" / "studies"


def test_the_kept_comparisons_are_tables_of_runs():
    both, _ = tabulated([STUDIES / "main_job", STUDIES / "extractors"])
    assert list(both.columns) == COLUMNS
    assert len(both) == sum(len(pd.read_csv(STUDIES / name / "table.csv")) for name in ("main_job", "extractors"))
    assert both["sims_total"].dtype == "Int64"
    assert both[["sims_tables", "margin", "tables_s"]].isna().all().all()  # there were none at that time
    assert both.loc[both["method"] == "evo", "queries"].isna().all()
    means = means_table(both).set_index(["spec", "method"])
    assert means.loc[("opamp_cc_rz", "oracle"), "seeds"] == 3
    assert "oracle" in overview(both, means.reset_index())


def test_kept_tables_and_runs_stand_together_as_they_would_apart(amplifier: Spec, tmp_path: Path):
    run(amplifier, out=tmp_path / "runs" / "one", workers=1, method="evo", max_sims=30, initial=10)
    (alone,) = tabulated([tmp_path / "runs"])[0].to_dict("records")
    kept = tmp_path / "kept"
    kept.mkdir()
    tabulated([tmp_path / "runs"])[0].to_csv(kept / "table.csv", index=False)
    (kept / "about.json").write_text(json.dumps({}))
    together, _ = tabulated([kept, tmp_path / "runs"])
    assert len(together) == 2
    pd.testing.assert_series_equal(together.loc[0], together.loc[1], check_names=False)
    assert together.loc[0, "sims_total"] == alone["sims_total"] == 30


def test_a_kept_table_of_something_else_is_refused(tmp_path: Path):
    shutil.copytree(STUDIES / "few_shot", tmp_path / "few_shot")
    with pytest.raises(RunError, match=r"expected a table of runs, with the columns spec, topology, .*, got training"):
        tabulated([tmp_path / "few_shot"])

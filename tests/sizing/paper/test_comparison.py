"""Table II and figure 11 in miniature: real runs, beside the paper's figures; and how a study is asked for."""

from pathlib import Path

import pandas as pd
import pytest

from sizing.errors import InputError
from sizing.paper.comparison import (
    COMPARISONS,
    ComparisonSettings,
    SizingComparison,
    beside_paper,
    fig11,
    table2,
)
from sizing.paper.studies import STUDIES, study_named
from sizing.paper.study import Options, carry_out
from sizing.search.settling import parse_variant

pytestmark = pytest.mark.slow

TINY = ComparisonSettings(specs=("cs_amp",), methods=("evo", "oracle"), seeds=(0, 1), max_sims=120)


def options(folder: Path, **more: str) -> Options:
    return Options("small", folder / "data", folder / "models", jobs=1, **more)  # type: ignore[arg-type]


def test_the_tables_are_those_of_the_runs_and_the_same_command_runs_nothing_again(tmp_path: Path):
    told: list[str] = []
    study = SizingComparison("Table II", TINY, options(tmp_path))
    done = carry_out(study, tmp_path / "out", "sizing study table2", told.append)
    assert len(told) == 4
    table = pd.read_csv(tmp_path / "out" / "table.csv")
    assert table.groupby("method")["seed"].apply(sorted).to_dict() == {"evo": [0, 1], "oracle": [0, 1]}
    (section,) = done.sections
    assert {"sims_search", "queries", "wall_s", "paper_queries"} <= set(section.table.columns)
    assert "`sizing study table2`" in done.page.read_text()
    journals = {path: path.read_bytes() for path in (tmp_path / "out").rglob("journal.jsonl")}
    assert len(journals) == 4
    carry_out(study, tmp_path / "out", "sizing study table2", told.append)
    assert {path: path.read_bytes() for path in journals} == journals
    axes = study.figure(table, tmp_path / "out").axes[0]
    assert axes.get_title() == "cs_amp"
    assert len(axes.containers) == 2
    with pytest.raises(
        InputError,
        match=r"expected the study begun there, got another one or other settings \(study.json has the former\)",
    ):
        carry_out(fig11(options(tmp_path)), tmp_path / "out", "sizing study fig11", told.append)


def test_the_papers_figures_stand_beside_the_method_and_task_that_they_are_of():
    kept = Path(__file__).parents[3] / "runs" / "studies" / "extractors" / "table.csv"
    means = beside_paper(pd.read_csv(kept)).set_index(["spec", "method"])
    assert means.loc[("opamp_cc", "gnn-finetuned"), ["paper_sims_search", "paper_queries"]].tolist() == [293.0, 14408.7]
    assert means.loc[("opamp_cc", "gnn-finetuned"), "seeds"] == 3


def test_every_method_compared_at_full_size_can_be_named():
    for method in COMPARISONS["full"].methods:
        assert method.startswith(parse_variant(method)["method"])


def test_what_cannot_be_asked_for_is_said(tmp_path: Path):
    with pytest.raises(InputError, match=r"expected a study \(table1, .*fig11\), got 'fig10'; did you mean 'fig"):
        study_named("fig10", options(tmp_path))
    with pytest.raises(InputError, match=r"--device: expected cpu for comparisons of methods, got 'cuda'"):
        study_named("table2", options(tmp_path, device="cuda"))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"full: expected a new folder or a study to go on with; choose another --out"):
        carry_out(table2(options(tmp_path)), tmp_path / "full", "sizing study", print)
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["notes.txt"]


def test_seeds_asked_for_replace_the_scales_own(tmp_path: Path):
    asked = Options("small", tmp_path, tmp_path, seeds=(7, 8))
    assert all(study_named(name, asked).settings.seeds == (7, 8) for name in STUDIES)

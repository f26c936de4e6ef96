"""The studies of networks in miniature: few steps of small networks, all the way to the page."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sizing.errors import InputError
from sizing.paper.studies import STUDIES, study_named
from sizing.paper.study import Options, Study, carry_out
from surrogates.pretraining.circuits import ladder, loaded_divider, parallel_pair, series_pair, voltage_biased_opamp
from surrogates.pretraining.named import DATASETS, NamedDataset
from surrogates.pretraining.recipe import Recipe
from surrogates.studies.few_shot import ABLATION, FIG7, FIG8, FIG9, FINE_TUNED, SCRATCH, fig7, fig8, fig9
from surrogates.studies.fig6 import Fig6, Fig6Settings
from surrogates.studies.table1 import Specialised, Table1, Table1Settings

pytestmark = pytest.mark.slow

BRIEF = {"rows": (20,), "seeds": (0,), "steps": 2, "batch": 8}
FEW = {
    "ladder": lambda _: [(ladder(2), 60), (ladder(3), 40)],
    "ladder_test": lambda _: [(ladder(4), 30), (ladder(6), 30)],
    "resistors": lambda _: [(make(), 60) for make in (series_pair, parallel_pair, loaded_divider)],
    "output_resistance": lambda _: [(ladder(10, output_resistance=True), 60)],
    "opamp_voltage_biased": lambda models: [(voltage_biased_opamp(models), 60)],
}


@pytest.fixture(autouse=True)
def few_graphs(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, circuits in FEW.items():
        monkeypatch.setitem(DATASETS, name, NamedDataset("few", circuits))


@pytest.fixture
def options(specs: Path, tmp_path: Path) -> Options:
    return Options("small", tmp_path / "data", specs / "netlists", jobs=1)


def tiny(kind: str) -> Recipe:
    backbone = {"kind": kind, "width": 16, "layers": 2}
    return Recipe.model_validate(
        {"name": kind, "data": "ladder", "backbone": backbone, "steps": 4, "batch": 8, "accuracy": 100}
    )


@pytest.fixture
def miniature(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes the small scale of few-shot studies smaller."""

    def make(**more: Any) -> None:
        for scales in (FIG7, FIG8, FIG9):
            monkeypatch.setitem(scales, "small", scales["small"].model_copy(update=BRIEF | more))  # type: ignore[arg-type]

    return make


def page_of(study: Study, folder: Path) -> tuple[pd.DataFrame, str]:
    done = carry_out(study, folder, "sizing study", lambda _: None)
    assert (folder / "plot.svg").read_text().count("<path") > 10
    assert not list(folder.glob("scratch*"))
    return pd.read_csv(folder / "table.csv"), done.page.read_text()


def test_table1_has_every_size_and_the_papers_beside(options: Options, tmp_path: Path):
    settings = Table1Settings(
        pretrained=(tiny("relaxation"),),
        specialised=(Specialised(recipe=tiny("mlp"), branches=(4, 6)),),
        specialised_rows=40,
        tests=(4, 6),
        test_rows=20,
        seeds=(0, 1),
    )
    table, page = page_of(Table1(settings, options), tmp_path / "out")
    counted = table.groupby(["network", "trained_on", "branches"])["seed"].nunique().to_dict()
    assert counted == {
        ("relaxation 16 x 2", "2 to 10 branches", 4): 2,
        ("relaxation 16 x 2", "2 to 10 branches", 6): 2,
        ("mlp 16 x 2", "4", 4): 2,
        ("mlp 16 x 2", "6", 6): 2,
    }
    assert table["at_k_free"].between(0, 1).all()
    printed = next(row for row in page.splitlines() if "deepgen 128 x 15, 2 to 10" in row)
    assert [cell.strip() for cell in printed.split("|")[2:4]] == ["128", "0.819"]


def test_fig6_keeps_the_curve_of_every_backbone(options: Options, tmp_path: Path):
    networks = tuple(tiny(kind) for kind in ("relaxation", "deepgen", "gcn", "gat"))
    table, page = page_of(Fig6(Fig6Settings(networks=networks, seeds=(0,)), options), tmp_path / "out")
    assert table.groupby("network")["step"].apply(list).to_dict() == {
        f"{kind} 16 x 2": [1, 2, 3, 4] for kind in ("relaxation", "deepgen", "gcn", "gat")
    }
    assert "0.92 in 30 000 steps" in page


def test_fig7_compares_starts_on_three_circuits(options: Options, miniature: Callable[..., None], tmp_path: Path):
    miniature(rows=(0, 20), seeds=(0, 1), steps=3)
    table, page = page_of(fig7(options), tmp_path / "out")
    assert set(table["circuit"]) == {"series", "parallel", "loaded"}
    zero_shot = table[table["rows"] == 0]
    assert set(zero_shot["start"]) == {FINE_TUNED}
    assert zero_shot["at_k_free"].min() > 0.1  # the shipped network knows something of circuits that it has not seen
    trained = table[table["rows"] > 0]
    assert trained.groupby(["start", "circuit"])["seed"].nunique().eq(2).all()
    by_start = trained.groupby("start")["mean_error_free"].mean()
    assert by_start[FINE_TUNED] < by_start[SCRATCH]
    assert "## Fine-tuned less from scratch" in page


@pytest.mark.parametrize("made", [fig8, fig9])
def test_fig8_and_fig9_tell_a_target_of_the_whole_circuit(
    made: Callable[[Options], Study], options: Options, miniature: Callable[..., None], tmp_path: Path
):
    miniature(rows=(16,), arms=ABLATION)
    table, page = page_of(made(options), tmp_path / "out")
    targets = table[table["told"] != "voltages"]
    assert set(zip(targets["start"], targets["readout"], strict=True)) == set(ABLATION)
    assert "## Attention less mean pooling" in page


def test_what_is_in_the_table_is_not_measured_again(options: Options, miniature: Callable[..., None], tmp_path: Path):
    miniature()
    table, _ = page_of(fig7(options), tmp_path / "out")
    path = tmp_path / "out" / "table.csv"
    marked = table.assign(cpu_minutes=[99.0] * len(table))
    marked.drop(index=2).to_csv(path, index=False)  # one is missing
    again, _ = page_of(fig7(options), tmp_path / "out")
    assert sorted(again["cpu_minutes"] == 99.0) == [False] + [True] * 5
    columns = ["circuit", "start", "at_k_free", "mean_error_free"]
    assert again[columns].sort_values(columns).values.tolist() == table[columns].sort_values(columns).values.tolist()


def test_another_studys_folder_is_refused(options: Options, miniature: Callable[..., None], tmp_path: Path):
    miniature()
    carry_out(fig8(options), tmp_path / "out", "sizing study", lambda _: None)
    with pytest.raises(InputError, match=r"expected the study begun there, got another one or other settings"):
        carry_out(fig7(options), tmp_path / "out", "sizing study", lambda _: None)
    miniature(steps=3)
    with pytest.raises(InputError, match=r"expected the study begun there, got another one or other settings"):
        carry_out(fig8(options), tmp_path / "out", "sizing study", lambda _: None)


@pytest.mark.parametrize("name", [name for name in STUDIES if name not in ("table2", "fig11")])
def test_full_is_the_papers_size(name: str, options: Options):
    small, full = (
        study_named(name, Options(scale, options.data, options.models)).settings for scale in ("small", "full")
    )
    assert len(full.seeds) >= 3 <= len(small.seeds)
    assert full != small

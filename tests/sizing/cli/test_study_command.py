"""`sizing study` as a user meets it."""

from pathlib import Path

import pytest

from surrogates.pretraining.circuits import loaded_divider, parallel_pair, series_pair
from surrogates.pretraining.named import DATASETS, NamedDataset
from surrogates.studies import few_shot
from tests.command import sizing


def test_a_study_makes_its_data_says_what_it_found_and_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    few = NamedDataset("few", lambda _: [(make(), 60) for make in (series_pair, parallel_pair, loaded_divider)])
    monkeypatch.setitem(DATASETS, "resistors", few)
    brief = {"rows": (20,), "seeds": (0,), "steps": 2, "batch": 8}
    tiny = few_shot.FIG7["small"].model_copy(update=brief)
    monkeypatch.setitem(few_shot.FIG7, "small", tiny)
    done = sizing("study", "fig7", "--seeds", "4", "--jobs", 1)
    assert done.returncode == 0
    assert "Fine-tuned less from scratch:" in done.stdout
    assert done.stdout.splitlines()[-1] == "runs/fig7-small/page.md"
    assert done.stderr.splitlines()[-1] == "6/6 loaded voltages from scratch none 20 4"
    assert "`sizing study fig7 --seeds 4 --jobs 1`" in (tmp_path / "runs" / "fig7-small" / "page.md").read_text()
    assert (tmp_path / "runs" / "data" / "resistors" / "manifest.json").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("fig7", "--executor", "dask"), "fig7: expected executor local, got dask: a cluster does table2, fig11 alone"),
        (("fig5",), "expected a study (table1, table2, "),
        (("fig7", "--scale", "huge"), "--scale: expected small or full, got 'huge'"),
        (("fig7", "--seeds", "a"), "--seeds: expected numbers separated by commas, got 'a'"),
        (("fig7", "--seeds", "1,1"), "--seeds: expected each once and none below 0, got '1,1'"),
        (("fig7", "--device", "nosuch"), "device: expected one that works here (cpu, cuda), got 'nosuch'"),
    ],
)
def test_what_cannot_be_studied_exits_2_and_says_why(
    arguments: tuple[str, ...], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    done = sizing("study", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {words}")
    assert not list(tmp_path.iterdir())

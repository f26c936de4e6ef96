"""Run folders read back: what is damaged is told with its line, and the rest is used."""

import json
import shutil
from pathlib import Path

import pytest

import sizing
from sizing.runs.records.journal import NAME, read_journal
from sizing.runs.records.reading import RunError, find_runs, read_run, read_runs
from sizing.runs.tables import means_table, run_row, runs_table


@pytest.fixture(scope="module")
def whole(specs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 30 simulations: 20 initial ones in lines 1 to 20, their batch in line 21, and two batches more.

    Its journal is of format 1, without seals, which would find every mistake first.
    """
    folder = tmp_path_factory.mktemp("runs") / "whole"
    sizing.run(specs / "cs_amp.yaml", method="evo", max_sims=30, out=folder, workers=1)
    (folder / NAME).write_text("".join(f"{line}\n" for line in read_journal(folder).lines))
    for name, changes in (("manifest.json", {"format": 1}), ("summary.json", {"seal": ""})):
        (folder / name).write_text(json.dumps(json.loads((folder / name).read_text()) | changes))
    return folder


@pytest.fixture
def run(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "run"))


def change(run: Path, number: int, line: bytes | None) -> None:
    """Put another line in the place of a journal's line of this number, or none."""
    lines = (run / "journal.jsonl").read_bytes().splitlines()
    lines[number - 1 : number] = [] if line is None else [line]
    (run / "journal.jsonl").write_bytes(b"".join(each + b"\n" for each in lines))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b'{"evaluation":22,"purp', "Unterminated string"),
        (b"\xff\xfe\x00", "can't decode"),
        (b"[]", "TypeError"),
        (b'{"evaluation":99,"purpose":"search","design":[1,1],"values":[1,1,1]}', "expected evaluation 22, got 99"),
        (b'{"batch":[77]}', "expected evaluations before this line"),
        (None, "expected evaluation 22, got 23"),
    ],
)
def test_a_run_counts_up_to_its_damaged_line(run: Path, whole: Path, line: bytes | None, words: str):
    change(run, 24, line)  # evaluation 22
    with pytest.raises(RunError, match=r"journal\.jsonl:24: damaged line"):
        read_run(run)
    (record, sound), (problem,) = read_runs([run, whole])
    assert problem.startswith(f"{run / 'journal.jsonl'}:24: damaged line: ")
    assert words in problem
    assert problem.endswith("; the run counts up to there, and in no mean")
    assert str(record.simulations) == str(sound.simulations[:22])  # NaN is not equal to itself
    row = run_row(record)
    assert (row["status"], row["sims_total"]) == ("damaged", 20)
    (mean,) = means_table(runs_table([record, sound])).to_dict("records")
    assert (mean["seeds"], mean["sims_total"]) == (1, 30)


def test_a_torn_last_line_is_no_damage(run: Path):
    (run / "summary.json").unlink()
    with (run / "journal.jsonl").open("ab") as journal:
        journal.write(b'{"evaluation":30,"pur')
    (record,), problems = read_runs([run])
    assert problems == []
    assert run_row(record)["sims_total"] == 30


@pytest.mark.parametrize("name", ["manifest.json", "summary.json"])
def test_a_run_that_cannot_be_read_does_not_hide_the_others(run: Path, whole: Path, name: str):
    (run / name).write_text('{"spec": ')
    (record,), (problem,) = read_runs([run, whole])
    assert record.path == whole
    assert problem.startswith(f"{run / name}: damaged: JSONDecodeError")


def test_means_of_damaged_runs_alone_are_an_empty_table(run: Path):
    change(run, 24, b"")
    records, _ = read_runs([run])
    assert len(means_table(runs_table(records))) == 0


def test_folders_of_data_sets_are_no_runs(whole: Path):
    data = whole.parent / "data"
    data.mkdir()
    (data / "manifest.json").write_text(json.dumps({"circuits": []}))
    assert find_runs([whole.parent]) == [whole]
    with pytest.raises(RunError, match="expected a run folder or a folder of runs, found none"):
        find_runs([data])


@pytest.mark.parametrize("text", ["\x1b[2J", "gain\nm"])
def test_names_and_units_of_a_run_folder_cannot_command_a_terminal(run: Path, text: str):
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["problem"]["metrics"][0]["unit"] = text
    (run / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(RunError, match=r"manifest\.json: damaged: .*expected names and units without control"):
        read_run(run)

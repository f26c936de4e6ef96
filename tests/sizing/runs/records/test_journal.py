"""A journal notices what was changed, removed or moved in it, and drops a last line that was not written to its end."""

import json
import re
from pathlib import Path

import pytest

import sizing
from sizing.runs.records.journal import NAME, Journal, JournalReader, RunError, read_journal
from sizing.runs.records.reading import read_run
from sizing.specfile.load import Spec

LINES = [{"evaluation": index, "message": f'it said "no", {index} times }}'} for index in range(5)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a journal of five lines."""
    with Journal(tmp_path) as journal:
        for line in LINES:
            journal.append(line)
    return tmp_path


def texts(folder: Path) -> list[str]:
    return (folder / NAME).read_text().splitlines()


def write(folder: Path, lines: list[str]) -> None:
    (folder / NAME).write_text("".join(f"{line}\n" for line in lines))


def test_lines_are_json_and_come_back_as_they_were(folder: Path):
    assert [json.loads(line) for line in read_journal(folder).lines] == LINES
    assert all(re.fullmatch("[0-9a-f]{16}", json.loads(line)["seal"]) for line in texts(folder))


@pytest.mark.parametrize("number", [1, 2, 4])
def test_a_line_that_was_changed_is_named_and_what_to_do(folder: Path, number: int):
    lines = texts(folder)
    lines[number - 1] = lines[number - 1].replace("times", "tines")
    write(folder, lines)
    expected = rf"{NAME}:{number}: damaged line: expected the seal .* keep only the {number - 1} lines before this one"
    assert re.search(expected, read_journal(folder).damage)
    assert len(read_journal(folder).lines) == number - 1
    with pytest.raises(RunError, match=expected):
        Journal(folder)


@pytest.mark.parametrize("order", [(0, 2, 3, 4), (0, 2, 1, 3, 4), (1, 2, 3, 4), (0, 1, 1, 2, 3)])
def test_lines_that_were_removed_moved_or_repeated_are_noticed(folder: Path, order: tuple[int, ...]):
    lines = texts(folder)
    write(folder, [lines[index] for index in order])
    first = next(place for place, index in enumerate(order) if place != index)
    expected = rf"{NAME}:{first + 1}: damaged line: .*lines before it are missing"
    assert re.search(expected, read_journal(folder).damage)


@pytest.mark.parametrize("keep", [1, 30, -1])
def test_a_torn_last_line_is_dropped_and_written_over(folder: Path, keep: int):
    whole = (folder / NAME).read_bytes()
    last = texts(folder)[-1].encode()
    (folder / NAME).write_bytes(whole[: -len(last) - 1] + last[:keep])
    held = read_journal(folder)
    assert (len(held.lines), held.torn) == (4, len(last[:keep]))
    with Journal(folder) as journal:
        for line in LINES:
            journal.append(line)
    assert (folder / NAME).read_bytes() == whole


def test_a_last_line_of_which_the_disk_has_only_the_end_is_torn_too(folder: Path):
    whole = (folder / NAME).read_bytes()
    at = whole.rindex(b"times")
    (folder / NAME).write_bytes(whole[: at - 20] + b"\0" * 20 + whole[at:])
    assert len(read_journal(folder).lines) == 4
    assert read_journal(folder).torn > 0


def test_a_journal_is_read_as_it_grows_each_line_once(folder: Path):
    whole = (folder / NAME).read_bytes()
    lines = read_journal(folder).lines
    (folder / NAME).unlink()
    reader = JournalReader(folder)
    assert reader.more() == ()
    found = []
    for end in range(0, len(whole) + 1, 7):
        (folder / NAME).write_bytes(whole[:end])
        found.append(reader.more())
        assert reader.torn == end - reader.size
    (folder / NAME).write_bytes(whole)
    found.append(reader.more())
    assert tuple(line for some in found for line in some) == lines
    assert max(map(len, found)) == 1
    assert (reader.seal, reader.size, reader.torn) == (read_journal(folder).seal, len(whole), 0)


def test_a_line_that_is_damaged_while_it_is_read_ends_what_comes(folder: Path):
    whole = (folder / NAME).read_bytes()
    first = whole.index(b"\n") + 1
    (folder / NAME).write_bytes(whole[:first])
    reader = JournalReader(folder)
    assert len(reader.more()) == 1
    (folder / NAME).write_bytes(whole[:first] + b'{"a":1}\n' + whole[first:])
    assert reader.more() == ()
    assert ":2: damaged line: it has no seal" in reader.damage
    (folder / NAME).write_bytes(whole)
    assert reader.more() == ()


def test_a_journal_from_before_there_were_seals_is_read_but_not_taken_up(amplifier: Spec, tmp_path: Path):
    run = sizing.run(amplifier, method="evo", out=tmp_path / "run", workers=1, max_sims=30)
    write(run.folder, list(read_journal(run.folder).lines))
    manifest = json.loads((run.folder / "manifest.json").read_text())
    (run.folder / "manifest.json").write_text(json.dumps(manifest | {"format": 1}))
    summary = json.loads((run.folder / "summary.json").read_text())
    (run.folder / "summary.json").write_text(json.dumps({k: v for k, v in summary.items() if k != "seal"}))
    old = read_run(run.folder)
    assert (repr(old.simulations), old.joined, old.notice) == (repr(run.record.simulations), run.record.joined, "")
    assert sizing.resume(run.folder).status == "max_sims"
    (run.folder / "summary.json").unlink()
    with pytest.raises(RunError, match="written by an earlier version; it can be read, but not taken up"):
        sizing.resume(run.folder)

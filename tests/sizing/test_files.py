"""Files that are there whole or not at all, and folders of one plan."""

import json
from pathlib import Path

import pytest

from sizing.errors import InputError
from sizing.files import claim

PLAN = {"seeds": (0, 1), "of": "study"}


def test_a_folder_is_its_plan_s_and_nothing_else_s(tmp_path: Path):
    folder = tmp_path / "deep" / "folder"
    claim(folder, "plan.json", PLAN, "study")
    assert json.loads((folder / "plan.json").read_text()) == {"seeds": [0, 1], "of": "study"}
    (folder / "result").write_text("done")
    claim(folder, "plan.json", PLAN, "study")
    for other in ({**PLAN, "seeds": (0,)}, {}):
        with pytest.raises(InputError, match=r"folder: expected the study begun there, got another one or other set"):
            claim(folder, "plan.json", other, "study")
    assert (folder / "result").read_text() == "done"
    (folder / "plan.json").write_text("{torn")
    with pytest.raises(InputError, match=r"folder: expected the study begun there"):
        claim(folder, "plan.json", PLAN, "study")
    assert (folder / "plan.json").read_text() == "{torn"


def test_what_a_kill_left_of_a_claim_is_no_obstacle_and_other_files_are(tmp_path: Path):
    (tmp_path / ".plan.json.part").write_text("{")
    claim(tmp_path, "plan.json", PLAN, "study")
    (tmp_path / "plan.json").unlink()
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"expected a new folder or a study to go on with; choose another --out"):
        claim(tmp_path, "plan.json", PLAN, "study")


def test_a_manifest_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        with pytest.raises(OSError, match="No space left"):
            claim(tmp_path / "c", "plan.json", PLAN, "study")
    assert list((tmp_path / "c").iterdir()) == []
    claim(tmp_path / "c", "plan.json", PLAN, "study")

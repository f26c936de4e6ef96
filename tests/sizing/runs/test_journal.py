"""The journal: what of it is on the disk, and when."""

import os
from pathlib import Path

import pytest

from sizing.runs.records import journal
from sizing.runs.records.journal import SECONDS_BETWEEN_SYNCS, Journal


def test_lines_are_on_disk_within_seconds_and_not_each_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert 1 <= SECONDS_BETWEEN_SYNCS <= 10
    now, synced = [0.0], []
    fsync = os.fsync
    monkeypatch.setattr(journal.time, "monotonic", lambda: now[0])
    with Journal(tmp_path) as lines:
        monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(now[0]) or fsync(descriptor))
        for _ in range(int(2.5 * SECONDS_BETWEEN_SYNCS)):
            now[0] += 1
            lines.append({"at": now[0]})
    assert synced == [SECONDS_BETWEEN_SYNCS, 2 * SECONDS_BETWEEN_SYNCS]

"""Which settings a method heeds is what its code reads, and all of them are told in one table."""

import sys
from pathlib import Path
from typing import Any

import pytest

import sizing
from sizing.search.methods import METHODS
from sizing.search.settings_table import setting_entries
from sizing.search.settling import flat, heeds, settled
from sizing.specfile.load import Spec
from sizing.task.settings import RunSettings, Settings

GROUPS = {
    "SearchSettings": "search", "RankingSettings": "ranking", "JudgeSettings": "judge", "PeerSettings": "peer",
    "TablesSettings": "own",
}  # fmt: skip
SMALL = {
    "search": {"max_candidates": 100},
    "ranking": {"drawn": 20, "children": 20, "looked_at": 5, "looked_children": 4},
    "judge": {"steps": 2, "body_steps": 1},
}
"""Quick values of what a method may heed."""
READ_LATER = {"judge.evidence", "search.blend_alpha", "search.swap", "search.mutate"}
"""With evidence alone; and by operators that every evolution has, and only a filter uses."""


def test_every_setting_has_a_meaning_and_a_method_that_heeds_it():
    entries = setting_entries()
    assert {each.name for each in entries} == set(flat(RunSettings().model_dump())) - {"own"}
    assert [each.name for each in entries if not each.meaning or "none" in each.heeded_by] == []
    alone = {each.name: each for each in setting_entries("gp-op")}
    assert (alone["initial"].default, alone["search.acceptance"].default) == ("10", "ranking")
    assert alone["ranking.looked_at"].allowed == "at least 1"
    assert {"judge.steps", "peer.scale", "search.crossover"}.isdisjoint(alone)
    assert "ranking.looked_at" not in {each.name for each in setting_entries("gp")}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.slow
def test_a_method_reads_what_it_heeds_and_nothing_else(
    method: str, amplifier: Spec, opamp: Spec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    chosen = METHODS[method]
    usual = settled(RunSettings(method=method), chosen)
    given: dict[str, dict[str, Any]] = {}
    for key, value in flat(SMALL).items():
        group, _, name = key.partition(".")
        if heeds(chosen, usual, key):
            given.setdefault(group, {})[name] = value
    read: set[str] = set()
    plain = Settings.__getattribute__

    def noted(self: Settings, name: str) -> Any:
        group = GROUPS.get(type(self).__name__)
        asker = sys._getframe(1).f_globals.get("__name__", "")
        searches = asker.startswith(("sizing.search.", "surrogates.")) and not asker.startswith("sizing.search.sett")
        if group and name in type(self).model_fields and searches:
            read.add(f"{group}.{name}")
        return plain(self, name)

    monkeypatch.setattr(Settings, "__getattribute__", noted)
    spec = opamp if method == "gp-op" else amplifier  # of which there is nothing left to look at
    sizing.run(spec, method=method, initial=10, max_sims=14, out=tmp_path / "run", workers=1, **given)
    monkeypatch.undo()
    heeded = {key for key in flat(usual.model_dump()) if "." in key and heeds(chosen, usual, key)}
    assert heeded - READ_LATER <= read
    assert read <= heeded | READ_LATER

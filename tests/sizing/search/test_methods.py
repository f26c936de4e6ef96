"""Settings of a run: those given, else those of its method, else the defaults; and what a variant is called."""

import pytest

from sizing.search.methods import METHODS
from sizing.search.settling import parse_variant, settled, variant
from sizing.task.settings import RankingSettings, RunSettings


def run(text: str, **of_spec: object) -> RunSettings:
    """The settled settings of a variant in these words, on a spec with these run settings."""
    given = RunSettings.model_validate(of_spec | parse_variant(text))
    return settled(given, METHODS[given.method])


def test_a_method_comes_with_settings_of_its_own():
    gp, fc = run("gp"), run("fc")
    assert (gp.initial, gp.batch, gp.search.acceptance) == (10, 2, "ranking")
    assert (fc.initial, fc.batch, fc.search.acceptance) == (100, 5, "filter")
    assert gp.search.model_copy(update={"acceptance": "filter"}) == fc.search


def test_one_nested_setting_keeps_the_others_of_the_method():
    assert run("gp:ranking.kept=50").ranking == RankingSettings(kept=50)
    changed = run("gp:search.pool=30:ranking.kept=50")
    assert (changed.search.pool, changed.search.acceptance) == (30, "ranking")
    assert (changed.initial, changed.batch) == (10, 2)


def test_what_is_given_comes_before_what_the_method_does_best_with():
    assert run("gp:search.acceptance=filter").search.acceptance == "filter"
    assert run("gp", initial=20).initial == 20
    assert run("gp:initial=30", initial=20).initial == 30
    assert run("gp", initial=100).initial == 100  # given, though it is the default


@pytest.mark.parametrize("method", METHODS)
def test_settling_twice_changes_nothing(method: str):
    once = run(f"{method}:initial=7")
    assert settled(once, METHODS[method]) == once


@pytest.mark.parametrize(
    "text",
    ["gp", "gp:ranking.kept=50", "gp:search.pool=30:ranking.kept=50", "gp:search.acceptance=filter", "fc:initial=7"],
)
def test_a_variant_is_called_by_what_differs_from_its_method(text: str):
    assert variant(run(text), RunSettings(), METHODS[run(text).method]) == text


def test_a_variant_is_not_called_by_what_its_spec_says_nor_by_when_to_stop():
    of_spec = RunSettings(initial=20)
    assert variant(run("gp", initial=20), of_spec, METHODS["gp"]) == "gp"
    assert variant(run("gp:initial=10", initial=20), of_spec, METHODS["gp"]) == "gp:initial=10"
    assert variant(run("gp:max_sims=50:in_spec=3:seed=9", initial=20), of_spec, METHODS["gp"]) == "gp"

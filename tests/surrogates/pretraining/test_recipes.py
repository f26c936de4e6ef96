"""Recipes of trainings: the shipped ones, and mistakes in others."""

from pathlib import Path

import pytest

from surrogates.pretraining.named import DATASETS
from surrogates.pretraining.recipe import SHIPPED, RecipeError, read_recipe


def test_shipped_recipes_can_be_read_and_overridden():
    names = sorted(path.stem for path in SHIPPED.glob("*.yaml"))
    assert {"ladder", "opamp"} <= set(names)
    for name in names:
        assert read_recipe(name).name == name
        assert read_recipe(name).data in DATASETS
    assert read_recipe("ladder", steps=7, start_from=None).steps == 7
    assert read_recipe("ladder", data="elsewhere").data == "elsewhere"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("data: ladder\nsteps: 10\nepochs: 3\n", r"r\.yaml: epochs: Extra inputs are not permitted"),
        ("data: ladder\n", r"r\.yaml: steps: Field required"),
        ("data: ladder\nsteps: 0\nbatch: x\n", r"r\.yaml: steps: .*greater.*\n.*r\.yaml: batch: .*integer"),
        (
            "data: l\nsteps: 1\nbackbone: {kind: transformer}\n",
            r"backbone\.kind: Input should be 'relaxation', 'deepgen'",
        ),
        ("data: l\nsteps: 1\nlearning_rate: .nan\n", r"r\.yaml: learning_rate: .*"),
        ("data: [\n", r"r\.yaml: expected YAML: "),
        ("data: 1\ndata: 2\n", r"r\.yaml: expected YAML: .*duplicate"),
        ("- 1\n", r"r\.yaml: expected keys and values \(name, data, "),
        ("", r"r\.yaml: expected keys and values \(name, data, "),
        ("\xff", r"r\.yaml: expected YAML: "),
    ],
)
def test_a_recipe_with_mistakes_is_refused(text: str, words: str, tmp_path: Path):
    path = tmp_path / "r.yaml"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(RecipeError, match=f"(?s){words}"):
        read_recipe(str(path))


def test_an_unknown_recipe_lists_the_shipped_ones():
    with pytest.raises(RecipeError, match=r"expected a recipe \(ladder, .*opamp.*\) or a YAML file, got 'lader'"):
        read_recipe("lader")

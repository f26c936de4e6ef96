"""The fully connected network over one topology."""

from pathlib import Path

import pytest
import torch
from pydantic import ValidationError

from surrogates.backbones.table import BackboneSettings, build_backbone
from surrogates.pretraining.circuits import ladder
from surrogates.pretraining.dataset import read_dataset
from surrogates.pretraining.generate import generate
from surrogates.pretraining.recipe import Recipe
from surrogates.pretraining.training import Training

SIZES = {"kind": "mlp", "width": 32, "layers": 2, "devices": 7, "nets": 6}


def test_it_learns_a_ladder_and_copies_what_sources_hold(tmp_path: Path):
    generate("ladders", [(ladder(2), 200)], tmp_path / "data")
    manifest, samples = read_dataset(tmp_path / "data")
    recipe = Recipe.model_validate({"name": "tiny", "data": "-", "backbone": SIZES, "steps": 150, "accuracy": 20})
    made = Training(recipe, manifest, samples, tmp_path / "training")
    before = made.reached()
    assert all(before.by_net[net] == 1.0 for net in ("in", "s1", "s2"))
    assert made.run().mean_error_free < 0.5 * before.mean_error_free


def test_its_one_token_is_of_the_whole_circuit():
    torch.manual_seed(1)
    backbone = build_backbone(BackboneSettings.model_validate(SIZES))
    assert backbone.token_width == 32
    with pytest.raises(ValidationError, match="expected devices and nets for an mlp, and for no other kind"):
        BackboneSettings.model_validate({"kind": "mlp"})
    with pytest.raises(ValidationError, match="expected devices and nets for an mlp, and for no other kind"):
        BackboneSettings.model_validate(SIZES | {"kind": "gcn"})

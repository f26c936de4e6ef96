"""The fully connected network over one topology."""

from pathlib import Path

import pytest
import torch
from pydantic import ValidationError

from sizing.errors import InputError
from surrogates.networks.backbones.build import BackboneSettings
from surrogates.networks.checkpoints import read_checkpoint
from surrogates.pretraining.circuits import ladder
from surrogates.pretraining.dataset import read_dataset
from surrogates.pretraining.generate import generate
from surrogates.pretraining.recipe import Recipe
from surrogates.pretraining.training import Training

MLP = {"kind": "mlp", "width": 32, "layers": 2}


def test_it_learns_a_ladder_and_copies_what_sources_hold(tmp_path: Path):
    generate("ladders", [(ladder(2), 200)], tmp_path / "data")
    manifest, samples = read_dataset(tmp_path / "data")
    recipe = Recipe.model_validate({"name": "tiny", "data": "-", "backbone": MLP, "steps": 150, "accuracy": 20})
    made = Training(recipe, manifest, samples, tmp_path / "training")
    before = made.reached()
    assert all(before.by_net[net] == 1.0 for net in ("in", "s1", "s2"))
    assert made.run().mean_error_free < 0.5 * before.mean_error_free


def test_it_is_made_for_one_topology(tmp_path: Path):
    wanted = [(ladder(2), 30), (ladder(3), 30)]
    generate("ladders", wanted, tmp_path / "data")
    manifest, samples = read_dataset(tmp_path / "data")
    recipe = Recipe.model_validate({"name": "tiny", "data": "-", "backbone": MLP, "steps": 2, "batch": 4})
    with pytest.raises(InputError, match="backbone: expected one circuit for an mlp, got 2; choose another kind"):
        Training(recipe, manifest, samples, tmp_path / "both")
    made = Training(recipe, manifest, samples[1:], tmp_path / "one")
    settings = made.backbone.read.out_features
    assert settings == len(samples[1].topology.nets)
    with pytest.raises(ValidationError, match="expected devices and nets for an mlp only"):
        BackboneSettings.model_validate({"kind": "gcn", "devices": 7, "nets": 6})


def test_its_checkpoint_knows_its_sizes(tmp_path: Path):
    generate("ladder2", [(ladder(2), 30)], tmp_path / "data")
    manifest, samples = read_dataset(tmp_path / "data")
    recipe = Recipe.model_validate({"name": "tiny", "data": "-", "backbone": MLP, "steps": 2, "batch": 4})
    made = Training(recipe, manifest, samples, tmp_path / "training")
    made.publish(tmp_path / "checkpoint", made.run(), "test")
    backbone, described = read_checkpoint(tmp_path / "checkpoint")
    assert (described.backbone["devices"], described.backbone["nets"]) == (7, 6)
    parameters = torch.from_numpy(samples[0].parameters)
    for each in (backbone, made.backbone):
        each.eval()
    with torch.no_grad():
        told = [each(each.bind(samples[0].topology), parameters)[-1] for each in (backbone, made.backbone)]
    torch.testing.assert_close(*told)

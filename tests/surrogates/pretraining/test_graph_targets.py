"""Training of one number of a whole circuit: that it learns, on which scale, in the same loop, and what it refuses."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from surrogates.networks.checkpoints import read_checkpoint
from surrogates.pretraining.circuits import ladder
from surrogates.pretraining.dataset import Manifest, Samples, read_dataset
from surrogates.pretraining.generate import generate
from surrogates.pretraining.recipe import Recipe, RecipeError
from surrogates.pretraining.state import STATE
from surrogates.pretraining.training import Training, TrainingProgress

pytestmark = pytest.mark.slow

Data = tuple[Manifest, tuple[Samples, ...]]
TARGET = {"name": "output_resistance"}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    folder = tmp_path_factory.mktemp("data") / "resistance"
    generate("resistance", [(ladder(2, output_resistance=True), 200)], folder)
    return read_dataset(folder)


def recipe(target: dict[str, str] = TARGET, **changes: Any) -> Recipe:
    small = {"backbone": {"kind": "relaxation", "width": 16, "layers": 2}, "steps": 12, "batch": 16, "accuracy": 20}
    return Recipe.model_validate({"name": "tiny", "data": "-", "target": target, **small, **changes})


@pytest.mark.parametrize("readout", ["attention", "mean"])
@pytest.mark.parametrize("kind", ["relaxation", "gcn"])
def test_the_error_falls_with_every_readout_and_backbone(kind: str, readout: str, data: Data, tmp_path: Path):
    changes = {"steps": 120, "backbone": {"kind": kind, "width": 16, "layers": 2}}
    made = Training(recipe(TARGET | {"readout": readout}, **changes), *data, tmp_path)
    before = made.reached()
    reached = made.run()
    assert reached.mean_error < 0.7 * before.mean_error
    assert reached.at_k > before.at_k
    assert reached.by_net == {"output_resistance": reached.at_k}


def test_errors_and_the_tolerance_are_on_the_scale_that_is_told(data: Data, tmp_path: Path):
    truth = data[1][0].targets["output_resistance"][-20:]
    for scale, expected in (("linear", truth), ("logarithmic", np.log10(truth))):
        made = Training(recipe(TARGET | {"scale": scale}), *data, tmp_path / scale)
        np.testing.assert_array_equal(made.validation[0].truths.numpy(), expected)
        told = made._task.mean.item()  # before training it tells about the mean of what it is trained on
        assert made.reached().mean_error == pytest.approx(np.abs(expected - told).mean(), rel=0.3)


def test_interrupted_and_taken_up_it_ends_in_the_same_bits(data: Data, tmp_path: Path):
    def stop(progress: TrainingProgress) -> None:
        if progress.step == 5:
            raise KeyboardInterrupt

    Training(recipe(), *data, tmp_path / "whole").run()
    with pytest.raises(KeyboardInterrupt):
        Training(recipe(), *data, tmp_path / "broken").run(stop)
    Training(recipe(), *data, tmp_path / "broken").run()
    whole, taken_up = (load_file(tmp_path / name / STATE) for name in ("whole", "broken"))
    assert {name for name in whole if name.startswith("model.readout.")}
    assert all(torch.equal(taken_up[name], whole[name]) for name in whole if name.startswith("model."))


def test_the_checkpoint_is_the_backbone_which_can_tell_voltages_next(data: Data, tmp_path: Path):
    made = Training(recipe(), *data, tmp_path / "first")
    made.publish(tmp_path / "first" / "checkpoint", made.run(), "test")
    backbone, manifest = read_checkpoint(tmp_path / "first" / "checkpoint")
    assert manifest.recipe["target"]["name"] == "output_resistance"
    assert backbone.state_dict().keys() == made.backbone.state_dict().keys()
    start = {"start_from": str(tmp_path / "first" / "checkpoint"), "target": None}
    plain = {name: value for name, value in recipe().model_dump(exclude_unset=True).items() if name != "backbone"}
    then = Training(Recipe.model_validate(plain | start), *data, tmp_path / "then")
    assert torch.equal(then.backbone.state_dict()["start"], backbone.state_dict()["start"])


def test_targets_that_the_data_does_not_have_are_refused(data: Data, tmp_path: Path):
    with pytest.raises(
        RecipeError, match=r"expected a graph-level target of ladder2 \(output_resistance\), got 'gain'"
    ):
        Training(recipe({"name": "gain"}), *data, tmp_path / "new")
    manifest, (samples,) = data
    none = Samples(samples.name, samples.netlist, samples.variables, samples.values, samples.voltages,
                   {"output_resistance": 0 * samples.values[:, 0]})  # fmt: skip
    with pytest.raises(RecipeError, match=r"expected positive values of output_resistance for logarithms, got 0"):
        Training(recipe(TARGET | {"scale": "logarithmic"}), manifest, (none,), tmp_path / "new")
    assert not (tmp_path / "new").exists()

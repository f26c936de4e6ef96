"""Pretraining: that it learns, that it is repeatable to the bit however often interrupted, and what it refuses."""

import errno
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from sizing.errors import InputError
from surrogates.networks.checkpoints import read_checkpoint
from surrogates.pretraining import generate, training
from surrogates.pretraining.accuracy import accuracy
from surrogates.pretraining.circuits import ladder, series_pair
from surrogates.pretraining.dataset import Manifest, Samples, read_dataset
from surrogates.pretraining.recipe import Recipe, RecipeError
from surrogates.pretraining.state import STATE
from surrogates.pretraining.training import Training, TrainingProgress

pytestmark = pytest.mark.slow

TINY = {"kind": "relaxation", "width": 16, "layers": 2}
STEPS = 24


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> tuple[Manifest, tuple[Samples, ...]]:
    folder = tmp_path_factory.mktemp("data") / "ladders"
    generate.generate("ladders", [(ladder(2), 200), (ladder(3), 100)], folder)
    return read_dataset(folder)


@pytest.fixture
def samples(data: tuple[Manifest, tuple[Samples, ...]]) -> tuple[Samples, ...]:
    return data[1]


@pytest.fixture
def manifest(data: tuple[Manifest, tuple[Samples, ...]]) -> Manifest:
    return data[0]


def recipe(**changes: Any) -> Recipe:
    return Recipe.model_validate({"name": "tiny", "data": "-", "backbone": TINY, "steps": STEPS, "batch": 16} | changes)


def weights(made: Training) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in made.backbone.state_dict().items()}


def state(folder: Path) -> dict[str, torch.Tensor]:
    """Weights, the optimizer's moments and the step, as they are on disk; without the time it took."""
    tensors = load_file(folder / STATE)
    return tensors | {"progress": tensors["progress"][:1]}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_the_threads_of_the_process_are_left_as_they_were(
    data: tuple[Manifest, tuple[Samples, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    seen: list[int] = []
    monkeypatch.setattr(Training, "_advance", lambda self: seen.append(torch.get_num_threads()) or 1 / 0)
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        training = Training(recipe(), *data, tmp_path)
        with pytest.raises(ZeroDivisionError):
            training.run()
        assert (seen, torch.get_num_threads()) == ([1], 3)
    finally:
        torch.set_num_threads(before)


@pytest.fixture(scope="module")
def whole(data: tuple[Manifest, tuple[Samples, ...]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a training that was never interrupted."""
    folder = tmp_path_factory.mktemp("whole")
    Training(recipe(), *data, folder).run()
    return folder


def interrupted_at(step: int) -> training.Observer:
    def observer(progress: TrainingProgress) -> None:
        if progress.step == step:
            raise KeyboardInterrupt

    return observer


def test_the_error_falls_and_is_reported(manifest: Manifest, samples: tuple[Samples, ...], tmp_path: Path):
    made = Training(recipe(steps=100, accuracy=20), manifest, samples, tmp_path / "t", seed=1)
    before = accuracy(made.backbone, made.validation, 20)
    seen: list[TrainingProgress] = []
    reached = made.run(seen.append)
    assert reached.mean_error_free < 0.3 * before.mean_error_free
    assert reached.at_k_free > before.at_k_free
    assert [each.step for each in seen] == list(range(5, 101, 5))
    assert np.mean([each.loss for each in seen[-5:]]) < 0.5 * seen[0].loss
    assert seen[-1].accuracy == reached == accuracy(made.backbone, made.validation, 20)
    lines = (tmp_path / "t" / "log.csv").read_text().splitlines()
    assert lines[0] == "step,cpu_s,loss,at_k,at_k_free,mean_error,mean_error_free"
    assert [int(line.split(",")[0]) for line in lines[1:]] == list(range(5, 101, 5))
    assert float(lines[-1].split(",")[-1]) == pytest.approx(reached.mean_error_free, rel=1e-4)


def test_the_last_rows_of_each_circuit_are_kept_for_validation(
    manifest: Manifest, samples: tuple[Samples, ...], tmp_path: Path
):
    made = Training(recipe(validation=0.25), manifest, samples, tmp_path)
    assert [len(voltages) for _, _, voltages in made.validation] == [50, 25]
    for (topology, parameters, voltages), each in zip(made.validation, samples, strict=True):
        assert topology == each.topology
        assert torch.equal(voltages, torch.from_numpy(each.voltages[-len(voltages) :]))
        assert torch.equal(parameters, torch.from_numpy(each.parameters[-len(voltages) :]))


def test_a_seed_decides_every_bit(manifest: Manifest, samples: tuple[Samples, ...], whole: Path, tmp_path: Path):
    for seed in (0, 1):
        torch.rand(3)  # what others draw does not matter
        Training(recipe(), manifest, samples, tmp_path / str(seed), seed=seed).run()
    assert same(state(tmp_path / "0"), state(whole))
    assert not same(state(tmp_path / "1"), state(whole))


@pytest.mark.parametrize("step", [2, 20])
def test_interrupted_and_taken_up_it_ends_in_the_same_bits(
    step: int, manifest: Manifest, samples: tuple[Samples, ...], whole: Path, tmp_path: Path
):
    with pytest.raises(KeyboardInterrupt):
        Training(recipe(), manifest, samples, tmp_path).run(interrupted_at(step))
    taken_up = Training(recipe(), manifest, samples, tmp_path)
    assert taken_up.step == step
    assert not same(state(tmp_path), state(whole))
    reached = taken_up.run()
    assert same(state(tmp_path), state(whole))
    assert any("exp_avg_sq" in name for name in state(whole))
    finished = Training(recipe(), manifest, samples, whole)
    assert same(weights(taken_up), weights(finished))
    assert finished.run() == reached


def test_ctrl_c_in_the_middle_of_a_step_leaves_the_state_before(
    manifest: Manifest, samples: tuple[Samples, ...], whole: Path, tmp_path: Path
):
    def stop(*_: object) -> None:
        if broken.step == 10:
            raise KeyboardInterrupt

    broken = Training(recipe(), manifest, samples, tmp_path)
    # Weights have been changed by now, but the step is not counted yet.
    broken._optimizer.register_step_post_hook(stop)
    with pytest.raises(KeyboardInterrupt):
        broken.run()
    Training(recipe(), manifest, samples, tmp_path).run()
    assert same(state(tmp_path), state(whole))


def test_killed_it_goes_on_from_the_latest_checkpoint(
    manifest: Manifest, samples: tuple[Samples, ...], whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    saved: dict[int, bytes] = {}
    with monkeypatch.context() as patched:
        patched.setattr(training, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
        Training(recipe(), manifest, samples, tmp_path).run(
            lambda progress: saved.update({progress.step: (tmp_path / STATE).read_bytes()})
        )
    (tmp_path / STATE).write_bytes(saved[20])
    with (tmp_path / "log.csv").open("a") as file:
        file.write("2")
    taken_up = Training(recipe(), manifest, samples, tmp_path)
    assert taken_up.step == 20
    taken_up.run()
    assert same(state(tmp_path), state(whole))
    logged = [
        [line.split(",")[0] for line in (folder / "log.csv").read_text().splitlines()] for folder in (tmp_path, whole)
    ]
    assert logged[0] == logged[1]


def test_fine_tuning_starts_from_the_checkpoint(data: tuple[Manifest, tuple[Samples, ...]], tmp_path: Path):
    manifest, samples = data
    first = Training(recipe(), manifest, samples, tmp_path / "first")
    first.publish(tmp_path / "first" / "checkpoint", first.run(), "sizing pretrain tiny")
    tuned = Training(
        recipe(start_from=str(tmp_path / "first" / "checkpoint"), steps=5), manifest, samples[:1], tmp_path / "tuned"
    )
    assert same(weights(tuned), weights(first))
    tuned.run()
    assert not same(weights(tuned), weights(first))
    assert torch.equal(tuned.backbone.normalisation.mean, first.backbone.normalisation.mean)


def test_fine_tuning_keeps_the_checkpoints_architecture(data: tuple[Manifest, tuple[Samples, ...]], tmp_path: Path):
    manifest, samples = data
    first = Training(recipe(steps=1), manifest, samples, tmp_path / "first")
    first.publish(tmp_path / "first" / "checkpoint", first.run(), "-")
    start = str(tmp_path / "first" / "checkpoint")
    plain = Recipe.model_validate({"name": "t", "data": "-", "steps": 1, "start_from": start})
    tuned = Training(plain, manifest, samples, tmp_path / "tuned")
    tuned.publish(tmp_path / "tuned" / "checkpoint", tuned.run(), "-")
    assert same(read_checkpoint(tmp_path / "tuned" / "checkpoint")[0].state_dict(), weights(tuned))
    with pytest.raises(RecipeError, match=r"backbone: expected that of the checkpoint to start from .*width=16"):
        Training(recipe(start_from=start, backbone=TINY | {"layers": 3}), manifest, samples, tmp_path / "other")


def test_a_published_checkpoint_says_where_it_comes_from(data: tuple[Manifest, tuple[Samples, ...]], tmp_path: Path):
    manifest, samples = data
    made = Training(recipe(rows=100), manifest, samples, tmp_path / "t", seed=7)
    reached = made.run()
    made.publish(tmp_path / "t" / "checkpoint", reached, "sizing pretrain tiny --seed 7")
    backbone, said = read_checkpoint(tmp_path / "t" / "checkpoint")
    assert same(backbone.state_dict(), weights(made))
    assert said.kinds == ("resistor", "voltage source")
    assert said.data == {
        "name": "ladders",
        "sha256": manifest.digest,
        "rows_trained_on": 100,
        "seed": 0,
        "simulations": 0,
    }
    assert (said.recipe["seed"], said.recipe["steps"], said.command) == (7, STEPS, "sizing pretrain tiny --seed 7")
    assert said.figures["at_k_free"] == reached.at_k_free


@pytest.mark.parametrize(("changes", "seed"), [({"steps": 25}, 0), ({"batch": 8}, 0), ({}, 1), ({"rows": 50}, 0)])
def test_another_training_in_the_same_folder_is_refused(
    changes: dict[str, int], seed: int, manifest: Manifest, samples: tuple[Samples, ...], tmp_path: Path
):
    Training(recipe(), manifest, samples, tmp_path)
    before = (tmp_path / STATE).read_bytes()
    with pytest.raises(RecipeError, match=r"expected the training begun there, got one with another .*; choose"):
        Training(recipe(**changes), manifest, samples, tmp_path, seed=seed)
    assert (tmp_path / STATE).read_bytes() == before


def test_a_folder_with_other_files_is_left_alone(manifest: Manifest, samples: tuple[Samples, ...], tmp_path: Path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="expected a new folder or a training to go on with; choose another --out"):
        Training(recipe(), manifest, samples, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("left", [0, 4, 500, -8])
def test_a_damaged_state_is_named(left: int, manifest: Manifest, samples: tuple[Samples, ...], tmp_path: Path):
    Training(recipe(), manifest, samples, tmp_path)
    path = tmp_path / STATE
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(RecipeError) as refusal:
        Training(recipe(), manifest, samples, tmp_path)
    assert str(refusal.value).startswith(f"{path}: expected the state of a training, got a damaged file (")


def test_a_full_disk_leaves_the_state_that_was_there(
    manifest: Manifest, samples: tuple[Samples, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(KeyboardInterrupt):
        Training(recipe(), manifest, samples, tmp_path).run(interrupted_at(20))
    before = (tmp_path / STATE).read_bytes()
    made = Training(recipe(), manifest, samples, tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left on device"):
            made.run()
    assert made.step == STEPS
    assert (tmp_path / STATE).read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.csv", STATE]
    assert Training(recipe(), manifest, samples, tmp_path).step == 20


def test_a_loss_that_is_no_number_ends_the_training(manifest: Manifest, samples: tuple[Samples, ...], tmp_path: Path):
    with pytest.raises(RecipeError, match=r"expected a finite loss, got nan at step .*; lower learning_rate"):
        Training(recipe(learning_rate=1e38, warmup=0), manifest, samples, tmp_path).run()


def test_a_data_set_too_small_is_refused(manifest: Manifest, samples: tuple[Samples, ...], tmp_path: Path):
    with pytest.raises(RecipeError, match=r"rows: expected at most 180 of ladder2, got 201"):
        Training(recipe(rows=402), manifest, samples, tmp_path)
    with pytest.raises(
        RecipeError, match="data: expected operating points of ladder2 to train on, got 1, of which 1 for"
    ):
        Training(recipe(), manifest, [samples[0][:1]], tmp_path)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is one")
def test_a_gpu_that_is_not_there_is_refused(manifest: Manifest, samples: tuple[Samples, ...], tmp_path: Path):
    with pytest.raises(InputError, match=r"device: expected one that works here \(cpu, cuda\), got 'cuda': "):
        Training(recipe(), manifest, samples, tmp_path / "t", device="cuda")
    assert not (tmp_path / "t").exists()


def test_accuracy_takes_nets_of_the_same_name_together(
    manifest: Manifest, samples: tuple[Samples, ...], tmp_path: Path
):
    made = Training(recipe(), manifest, samples, tmp_path)
    seen = accuracy(made.backbone, made.validation, 20)
    assert set(seen.by_net) == {"in", "n1", "n2", "n3", "s1", "s2", "s3"}
    alone = [accuracy(made.backbone, [each], 20) for each in made.validation]
    assert seen.mean_error_free == pytest.approx(
        (20 * 2 * alone[0].mean_error_free + 10 * 3 * alone[1].mean_error_free) / 70
    )


def test_a_circuit_with_other_nets_can_be_mixed_in(manifest: Manifest, samples: tuple[Samples, ...], tmp_path: Path):
    generate.generate("pair", [(series_pair(), 40)], tmp_path / "d")
    made = Training(recipe(steps=3), manifest, [*samples, *read_dataset(tmp_path / "d")[1]], tmp_path / "t")
    assert set(made.run().by_net) >= {"n3", "a", "b"}


def test_data_of_the_same_shape_but_other_contents_are_refused(
    manifest: Manifest, samples: tuple[Samples, ...], tmp_path: Path
):
    generate.generate("ladders", [(ladder(2), 200), (ladder(3), 100)], tmp_path / "d", seed=1)
    Training(recipe(), manifest, samples, tmp_path / "t")
    with pytest.raises(RecipeError, match=r"t: expected the training begun there, got one with another data set; choo"):
        Training(recipe(), *read_dataset(tmp_path / "d"), tmp_path / "t")
    Training(recipe(), manifest, samples, tmp_path / "t")


def test_a_start_checkpoint_that_was_trained_again_is_refused(
    manifest: Manifest, samples: tuple[Samples, ...], tmp_path: Path
):
    tuning = recipe(start_from=str(tmp_path / "start"), steps=5)
    for seed in (0, 1):
        made = Training(recipe(steps=1), manifest, samples, tmp_path / str(seed), seed=seed)
        made.publish(tmp_path / "start", made.run(), "-")
        if seed == 0:
            Training(tuning, manifest, samples, tmp_path / "t")
            Training(tuning, manifest, samples, tmp_path / "t")
    with pytest.raises(RecipeError, match="got one with another start checkpoint; choose another --out"):
        Training(tuning, manifest, samples, tmp_path / "t")


def test_a_state_of_another_version_is_refused(manifest: Manifest, samples: tuple[Samples, ...], tmp_path: Path):
    Training(recipe(), manifest, samples, tmp_path)
    save_file(load_file(tmp_path / STATE), tmp_path / STATE, {"plan": "[{}, 0, []]"})
    with pytest.raises(RecipeError, match="expected a training begun with this version, got one of another; choose"):
        Training(recipe(), manifest, samples, tmp_path)


@pytest.mark.parametrize("left", [0, 3, 20, 60, 75, -1])
def test_a_torn_log_is_mended(left: int, manifest: Manifest, samples: tuple[Samples, ...], whole: Path, tmp_path: Path):
    with pytest.raises(KeyboardInterrupt):
        Training(recipe(), manifest, samples, tmp_path).run(interrupted_at(12))
    log = tmp_path / "log.csv"
    log.write_bytes(log.read_bytes()[:left])
    Training(recipe(), manifest, samples, tmp_path).run()
    logged, complete = ((folder / "log.csv").read_text().splitlines() for folder in (tmp_path, whole))
    assert logged[0] == complete[0]
    assert {line.count(",") for line in logged} == {6}
    steps, all_steps = ([int(line.split(",")[0]) for line in each[1:]] for each in (logged, complete))
    assert steps == sorted(set(steps) & set(all_steps))
    assert [step for step in steps if step > 12] == [step for step in all_steps if step > 12]


def test_zeros_in_the_log_after_a_power_cut_are_dropped(
    manifest: Manifest, samples: tuple[Samples, ...], tmp_path: Path
):
    with pytest.raises(KeyboardInterrupt):
        Training(recipe(), manifest, samples, tmp_path).run(interrupted_at(12))
    before = (tmp_path / "log.csv").read_text()
    with (tmp_path / "log.csv").open("ab") as file:
        file.write(b"\0" * 20 + b"\n\xff,\n")
    Training(recipe(), manifest, samples, tmp_path)
    assert (tmp_path / "log.csv").read_text() == before


def test_what_a_kill_in_the_first_write_left_is_no_obstacle(
    manifest: Manifest, samples: tuple[Samples, ...], tmp_path: Path
):
    for name in (f".{STATE}.part", ".lock"):
        (tmp_path / name).write_bytes(b"torn")
    Training(recipe(), manifest, samples, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [STATE]


def test_two_processes_do_not_train_in_one_folder(manifest: Manifest, samples: tuple[Samples, ...], tmp_path: Path):
    waiting = Training(recipe(), manifest, samples, tmp_path)
    tried: list[str] = []

    def try_it(progress: TrainingProgress) -> None:
        if progress.step == 20:
            for begin in (waiting.run, lambda: Training(recipe(), manifest, samples, tmp_path)):
                with pytest.raises(InputError) as refusal:
                    begin()
                tried.append(str(refusal.value))

    Training(recipe(), manifest, samples, tmp_path).run(try_it)
    assert tried == [f"{tmp_path}: another process writes this training; wait for it or end it"] * 2
    log = (tmp_path / "log.csv").read_text()
    waiting.run()  # goes on from where the other ended, not from where it was itself
    assert (waiting.step, (tmp_path / "log.csv").read_text()) == (STEPS, log)

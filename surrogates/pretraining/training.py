"""Trains a backbone on a task, from a recipe and a data set; killed, it goes on where it was."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.random import default_rng

from sizing.files import only_writer
from surrogates.hardware import device_named, one_thread
from surrogates.networks.backbones.backbone import Backbone
from surrogates.networks.backbones.build import BackboneSettings, build_backbone
from surrogates.networks.checkpoints import CheckpointManifest, read_checkpoint, write_checkpoint
from surrogates.networks.kinds import KINDS
from surrogates.pretraining.accuracy import Accuracy
from surrogates.pretraining.dataset import Manifest, Samples
from surrogates.pretraining.recipe import Recipe, RecipeError
from surrogates.pretraining.resistive import is_resistive
from surrogates.pretraining.split import TensorCircuit, split
from surrogates.pretraining.state import append_log, is_begun, read_state, shorten_log, write_state
from surrogates.pretraining.tasks import TrainingTask, task_of

SECONDS_BETWEEN_CHECKPOINTS = 60.0


@dataclass(frozen=True)
class TrainingProgress:
    """A training under way; the accuracy is that of the latest look."""

    step: int
    steps: int
    loss: float
    accuracy: Accuracy | None
    cpu_s: float


Observer = Callable[[TrainingProgress], None]


class Training:
    """One training: its data split, its network, and the step it has reached.

    Rows are drawn by seed and step alone, so that a training that is taken up again ends in the same weights; on one
    machine and one thread they are the same bit for bit. `data` is the manifest that `samples` were read with. Raises
    InputError where the device is not there, where the folder holds something else, or where another process writes it.
    """

    @one_thread()
    def __init__(
        self,
        recipe: Recipe,
        data: Manifest,
        samples: Sequence[Samples],
        folder: Path,
        *,
        seed: int = 0,
        device: str = "cpu",
    ) -> None:
        self.recipe = recipe
        self._data = data
        self._folder = folder
        self._seed = seed
        self._device = device_named(device)
        self._train, self.validation = split(recipe, samples)
        self._rows = np.array([len(circuit.parameters) for circuit in self._train], dtype=float)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self._task, self._settings, self._start = _initial(recipe, self._train)
            self._task.to(self._device)
        self._wirings = [self.backbone.bind(circuit.topology, self._device) for circuit in self._train]
        self._optimizer = torch.optim.AdamW(
            self._task.parameters(), recipe.learning_rate, (0.9, 0.98), weight_decay=recipe.weight_decay, fused=True
        )
        self.step = 0
        self.cpu_s = 0.0
        self._between_steps = True
        rows = [[circuit.topology.nets, len(circuit.parameters)] for circuit in self._train]
        self._plan = _known_plan(recipe, seed) | {
            "data set": [data.digest, rows],
            "start checkpoint": self._start and self._start.sha256,
        }
        is_begun(folder, self._plan)  # before anything is written there
        with only_writer(folder, "training"):
            self._take_up()

    @property
    def backbone(self) -> Backbone:
        """The network under training."""
        return self._task.backbone

    @one_thread()
    def reached(self) -> Accuracy:
        """How well the task is told now, on the rows kept for validation."""
        return self._task.accuracy(self.validation, self.recipe.accuracy)

    @one_thread()
    def run(self, observer: Observer | None = None) -> Accuracy:
        """Train to the last step; Ctrl-C leaves a checkpoint from which the same call goes on."""
        with only_writer(self._folder, "training"):
            self._take_up()  # another process may have gone on since this one looked
            return self._run(observer)

    def _run(self, observer: Observer | None) -> Accuracy:
        looks = {round(self.recipe.steps * (look + 1) / self.recipe.looks) for look in range(self.recipe.looks)}
        seen: Accuracy | None = None
        loss = math.nan
        saved = time.monotonic()
        began, before = time.process_time(), self.cpu_s
        try:
            while self.step < self.recipe.steps:
                loss = self._advance()
                self.cpu_s = before + time.process_time() - began
                if self.step in looks:
                    seen = self.reached()
                    figures = (seen.at_k, seen.at_k_free, seen.mean_error, seen.mean_error_free)
                    append_log(self._folder, self.step, self.cpu_s, loss, figures)
                    before -= time.process_time() - began - (self.cpu_s - before)  # looking is not training
                if time.monotonic() - saved > SECONDS_BETWEEN_CHECKPOINTS:
                    self._save()
                    saved = time.monotonic()
                if observer and (self.step % 20 == 0 or self.step in looks):
                    observer(TrainingProgress(self.step, self.recipe.steps, loss, seen, self.cpu_s))
        finally:
            if self._between_steps:  # else weights and step disagree, and the latest checkpoint stays
                self._save()
        return seen or self.reached()

    def publish(self, path: Path, reached: Accuracy, command: str) -> None:
        """Write the trained backbone as a checkpoint; the head of a graph-level target is not part of it."""
        seen = {KINDS[kind].name for circuit in self._train for kind in circuit.topology.kinds}
        rows, data = int(self._rows.sum()), self._data
        simulated = sum(
            entry.rows + sum(entry.failed.values())
            for entry, circuit in zip(data.circuits, self._train, strict=True)
            if not is_resistive(circuit.topology)
        )
        simulated += self._start.data.get("simulations", 0) if self._start else 0
        manifest = CheckpointManifest(
            name=path.name,
            backbone=self._settings.model_dump(),
            kinds=tuple(sorted(seen | set(self._start.kinds if self._start else ()))),
            data={
                "name": data.name,
                "sha256": data.digest,
                "rows_trained_on": rows,
                "seed": data.seed,
                "simulations": simulated,
            },
            recipe=self.recipe.model_dump() | {"seed": self._seed},
            figures=asdict(reached) | {"cpu_minutes": round(self.cpu_s / 60, 2)},
            command=command,
            versions={name: version(name) for name in ("circuit-sizing", "torch")},
        )
        with only_writer(self._folder, "training"):
            write_checkpoint(path, self.backbone, manifest)

    def _advance(self) -> float:
        recipe = self.recipe
        rng = default_rng([self._seed, self.step])
        number = int(rng.choice(len(self._train), p=self._rows / self._rows.sum()))
        circuit = self._train[number]
        rows = torch.from_numpy(rng.integers(len(circuit.parameters), size=recipe.batch))
        for group in self._optimizer.param_groups:
            group["lr"] = recipe.learning_rate * _schedule(recipe, self.step)
        self._task.train()
        parameters, truths = circuit.parameters[rows].to(self._device), circuit.truths[rows].to(self._device)
        with torch.autocast(self._device.type, torch.bfloat16, enabled=recipe.precision == "bfloat16"):
            loss = self._task.loss(self._wirings[number], parameters, truths)
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self._task.parameters(), recipe.clip)
        reached = loss.item()
        if not math.isfinite(reached):
            raise RecipeError(
                f"expected a finite loss, got {reached} at step {self.step}; lower learning_rate, choose another --out"
            )
        self._between_steps = False
        self._optimizer.step()
        self.step += 1
        self._between_steps = True
        return reached

    def _save(self) -> None:
        tensors = {f"model.{name}": tensor for name, tensor in self._task.state_dict().items()}
        for number, state in self._optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{number}.{name}": torch.as_tensor(value) for name, value in state.items()}
        tensors["progress"] = torch.tensor([self.step, self.cpu_s], dtype=torch.float64)
        write_state(self._folder, self._plan, tensors)

    def _take_up(self) -> None:
        tensors = read_state(self._folder, self._plan)
        if tensors is None:
            self._save()
            return
        self._task.load_state_dict(_under("model", tensors))
        groups = self._optimizer.state_dict()["param_groups"]
        states: dict[int, dict[str, torch.Tensor]] = {}
        for name, tensor in _under("optimizer", tensors).items():
            number, key = name.split(".", 1)
            states.setdefault(int(number), {})[key] = tensor
        self._optimizer.load_state_dict({"state": states, "param_groups": groups})
        self.step, self.cpu_s = int(tensors["progress"][0]), float(tensors["progress"][1])
        shorten_log(self._folder, self.step)


def refuse_early(recipe: Recipe, folder: Path, *, seed: int, device: str) -> None:
    """Raise InputError for all that is known to be wrong before there is data, which may take long to make."""
    device_named(device)
    if recipe.start_from is not None:
        _start(recipe, recipe.start_from)
    is_begun(folder, _known_plan(recipe, seed))


def _known_plan(recipe: Recipe, seed: int) -> dict[str, Any]:
    """The part of a training's plan that no data decides."""
    return {"recipe or option": recipe.model_dump(), "seed": seed}


def _initial(
    recipe: Recipe, train: Sequence[TensorCircuit]
) -> tuple[TrainingTask, BackboneSettings, CheckpointManifest | None]:
    """The task before training, what its backbone is, and the manifest of the checkpoint that it is from."""
    if recipe.start_from is not None:
        backbone, settings, start = _start(recipe, recipe.start_from)
    else:
        settings, start = recipe.backbone.sized([circuit.topology for circuit in train]), None
        backbone = build_backbone(settings)
    given = ((circuit.topology, circuit.parameters.numpy()) for circuit in train)
    backbone.normalisation.fit(given, known=start.kinds if start else ())
    return task_of(recipe, backbone, train), settings, start


def _start(recipe: Recipe, checkpoint: str) -> tuple[Backbone, BackboneSettings, CheckpointManifest]:
    """The same of a checkpoint to fine-tune, which keeps its architecture."""
    backbone, manifest = read_checkpoint(checkpoint)
    settings = BackboneSettings.model_validate(manifest.backbone)
    if "backbone" in recipe.model_fields_set and recipe.backbone != settings:
        raise RecipeError(
            f"backbone: expected that of the checkpoint to start from ({settings}), got {recipe.backbone}; leave "
            "it out, or choose another checkpoint"
        )
    return backbone, settings, manifest


def _schedule(recipe: Recipe, step: int) -> float:
    """The learning rate as a share of its highest: a linear rise, then half a cosine."""
    done = (step + 1) / recipe.steps
    if done < recipe.warmup:
        return done / recipe.warmup
    fall = 0.5 * (1 + math.cos(math.pi * (done - recipe.warmup) / (1 - recipe.warmup)))
    return recipe.final_rate + (1 - recipe.final_rate) * fall


def _under(prefix: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name.removeprefix(f"{prefix}."): value for name, value in tensors.items() if name.startswith(f"{prefix}.")}

"""The state of a training on disk: tensors, the plan that decides its outcome, and the log of what it reached."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from sizing.files import refuse_others, write_whole
from surrogates.pretraining.recipe import RecipeError

STATE = "state.safetensors"
LOG = "log.csv"
_HEAD = "step,cpu_s,loss,at_k,at_k_free,mean_error,mean_error_free\n"

Plan = Mapping[str, Any]
"""What decides a training's outcome, under the words that an error calls it by."""


def is_begun(folder: Path, plan: Plan) -> bool:
    """Whether a training is there to go on with; raises InputError for other files, or a training of another plan.

    The plan may be a part of the whole one.
    """
    if (folder / STATE).exists():
        _refuse_other_plan(folder, _opened(folder / STATE)[0], plan)
        return True
    refuse_others(folder, "training")
    return False


def read_state(folder: Path, plan: Plan) -> dict[str, torch.Tensor] | None:
    """The tensors of the training begun there, None in a new folder; raises InputError as `is_begun` does."""
    return _opened(folder / STATE)[1] if is_begun(folder, plan) else None


def write_state(folder: Path, plan: Plan, tensors: Mapping[str, torch.Tensor]) -> None:
    """Replace the state, whole or not at all."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write_whole(folder / STATE, save(plain, {"plan": json.dumps(plan)}))


def append_log(folder: Path, step: int, cpu_s: float, loss: float, figures: Sequence[float]) -> None:
    """Add a line to the log."""
    path = folder / LOG
    with path.open("a", encoding="utf-8") as file:
        head = "" if path.stat().st_size else _HEAD
        figured = ",".join(f"{figure:.5g}" for figure in figures)
        file.write(f"{head}{step},{cpu_s:.1f},{loss:.3e},{figured}\n")


def shorten_log(folder: Path, step: int) -> None:
    """Drop what a training that was killed logged after its latest state, and lines that were torn."""
    path = folder / LOG
    if path.exists():
        content = path.read_bytes()
        lines = content.decode(errors="replace").splitlines(keepends=True)
        kept = "".join([_HEAD, *(line for line in lines if _is_row(line, step))]).encode()
        if kept != content:
            write_whole(path, kept)


def _is_row(line: str, step: int) -> bool:
    first = line.split(",")[0]
    return line.endswith("\n") and line.count(",") == _HEAD.count(",") and first.isdecimal() and int(first) <= step


def _opened(path: Path) -> tuple[str | None, dict[str, torch.Tensor]]:
    try:
        with safe_open(path, framework="pt") as file:
            plan = (file.metadata() or {}).get("plan")
            return plan, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except SafetensorError as error:
        raise RecipeError(
            f"{path}: expected the state of a training, got a damaged file ({error}); choose another --out"
        ) from None


def _refuse_other_plan(folder: Path, held: str | None, plan: Plan) -> None:
    try:
        begun = json.loads(held or "")
    except ValueError:
        begun = None
    if not isinstance(begun, dict):
        raise RecipeError(
            f"{folder}: expected a training begun with this version, got one of another; choose another --out"
        )
    wanted = json.loads(json.dumps(plan))
    if differing := [what for what in wanted if what not in begun or begun[what] != wanted[what]]:
        raise RecipeError(
            f"{folder}: expected the training begun there, got one with another {', another '.join(differing)}; "
            "choose another --out"
        )

"""Trained backbones on disk: weights as safetensors, and a JSON manifest that says where they come from."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load, save

from sizing.errors import InputError
from sizing.files import write_all_whole
from surrogates.networks.backbones.backbone import Backbone
from surrogates.networks.backbones.build import BackboneSettings, build_backbone
from surrogates.networks.kinds import KIND_NUMBERS, SCHEMA

SHIPPED = Path(__file__).parent / "weights"
FORMAT = 1


class CheckpointError(InputError):
    """A checkpoint that cannot be used; the message says why, and what to do."""


@dataclass(frozen=True)
class CheckpointManifest:
    """What the weights are, what they were trained on, how, and what they reach."""

    name: str
    backbone: Mapping[str, Any]
    kinds: tuple[str, ...]
    """Kinds of device in the training data; what is made of others is untrained."""
    data: Mapping[str, Any]
    recipe: Mapping[str, Any]
    figures: Mapping[str, Any]
    command: str
    versions: Mapping[str, str]
    sha256: str = ""
    schema: int = SCHEMA
    format: int = FORMAT


def write_checkpoint(path: Path, backbone: Backbone, manifest: CheckpointManifest) -> None:
    """Write PATH.safetensors and PATH.json; a full disk leaves what was there before."""
    weights = save({name: tensor.detach().cpu().contiguous() for name, tensor in backbone.state_dict().items()})
    described = asdict(manifest) | {"sha256": hashlib.sha256(weights).hexdigest()}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_all_whole(
        {
            path.with_name(f"{path.name}.safetensors"): weights,
            path.with_name(f"{path.name}.json"): (json.dumps(described, indent=1) + "\n").encode(),
        }
    )


def read_checkpoint(name: str | Path, device: torch.device | str = "cpu") -> tuple[Backbone, CheckpointManifest]:
    """A backbone with its weights, by the name of a shipped checkpoint or by path (without a suffix, or with either).

    Raises CheckpointError where it is missing, damaged, or made for another feature schema.
    """
    path = _located(str(name))
    manifest = _manifest(path.with_name(f"{path.name}.json"))
    file = path.with_name(f"{path.name}.safetensors")
    try:
        weights = file.read_bytes()
    except OSError as error:
        raise CheckpointError(
            f"{file}: expected the weights of this checkpoint: {error.strerror}; get them with their manifest"
        ) from None
    if hashlib.sha256(weights).hexdigest() != manifest.sha256:
        raise CheckpointError(f"{file}: damaged: not the weights that its manifest describes (SHA-256); get both again")
    try:
        backbone = build_backbone(BackboneSettings.model_validate(manifest.backbone))
        backbone.load_state_dict(load(weights))
    except (SafetensorError, RuntimeError, ValidationError) as error:
        raise CheckpointError(
            f"{file}: expected the weights of a backbone {manifest.backbone}, got others ({error}); train it again"
        ) from None
    return backbone.to(device), manifest


def provenance(name: str) -> dict[str, Any]:
    """What a run's manifest says of the checkpoint it uses: where it is from, and the simulations behind it."""
    manifest = _manifest(_located(name).with_name(f"{_located(name).name}.json"))
    return {"name": manifest.name, "sha256": manifest.sha256, "simulations": manifest.data.get("simulations")}


def _located(name: str) -> Path:
    plain = name.removesuffix(".safetensors").removesuffix(".json")
    for path in (SHIPPED / plain, Path(plain)):
        if path.name and path.with_name(f"{path.name}.json").is_file():
            return path
    known = ", ".join(sorted(each.stem for each in SHIPPED.glob("*.json"))) or "none"
    raise CheckpointError(f"expected a shipped checkpoint ({known}) or the path of one, got {name!r}: no {plain}.json")


def _manifest(path: Path) -> CheckpointManifest:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        found = raw["format"], raw["schema"]
        if found != (FORMAT, SCHEMA):
            raise CheckpointError(
                f"{path}: expected format {FORMAT} with feature schema {SCHEMA}, got format {found[0]} with schema "
                f"{found[1]}; train it again with this version, or install the version that made it"
            )
        manifest = CheckpointManifest(**{**raw, "kinds": tuple(map(str, raw["kinds"]))})
    except CheckpointError:
        raise
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise CheckpointError(
            f"{path}: expected the manifest of a checkpoint, got something else ({error}); get it with its weights"
        ) from None
    if unknown := set(manifest.kinds) - KIND_NUMBERS.keys():
        raise CheckpointError(
            f"{path}: expected kinds of device ({', '.join(KIND_NUMBERS)}), got {', '.join(sorted(unknown))}; install "
            "the version that made it"
        )
    return manifest

"""Checkpoints: what is written is what is read, and anything else is refused with words that help."""

import errno
import hashlib
import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from sizing.specfile.load import Spec
from surrogates.networks.backbones.build import BackboneSettings, build_backbone
from surrogates.networks.checkpoints import CheckpointError, CheckpointManifest, read_checkpoint, write_checkpoint
from surrogates.networks.kinds import SCHEMA
from surrogates.pretraining.accuracy import accuracy_of
from surrogates.pretraining.dataset import read_dataset
from surrogates.pretraining.generate import circuit_of, generate

SETTINGS = BackboneSettings(kind="relaxation", width=16, layers=2)


def manifest(**changes: Any) -> CheckpointManifest:
    return CheckpointManifest(
        **{
            "name": "tiny", "backbone": SETTINGS.model_dump(), "kinds": ("resistor", "voltage source"),
            "data": {"name": "ladder"}, "recipe": {"steps": 3}, "figures": {"at_k": 0.5}, "command": "sizing pretrain",
            "versions": {"torch": "2"},
        }
        | changes
    )  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A checkpoint of a small network."""
    torch.manual_seed(5)
    write_checkpoint(tmp_path / "new" / "tiny.v2", build_backbone(SETTINGS), manifest())
    return tmp_path / "new" / "tiny.v2"


def weights_file(path: Path) -> Path:
    return path.with_name("tiny.v2.safetensors")


def manifest_file(path: Path) -> Path:
    return path.with_name("tiny.v2.json")


def change(path: Path, **changes: object) -> None:
    """Other entries in the manifest."""
    file = manifest_file(path)
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def refusal(path: Path) -> str:
    with pytest.raises(CheckpointError) as error:
        read_checkpoint(path)
    return str(error.value)


@pytest.mark.parametrize("kind", ["relaxation", "deepgen", "gcn", "gat"])
@pytest.mark.parametrize("suffix", ["", ".json", ".safetensors"])
def test_what_is_written_is_what_is_read_to_the_bit(kind: Any, suffix: str, tmp_path: Path):
    settings = BackboneSettings(kind=kind, width=16, layers=2)
    written = build_backbone(settings)
    with torch.no_grad():
        written.normalisation.mean.normal_()
    write_checkpoint(tmp_path / "tiny", written, manifest(backbone=settings.model_dump()))
    read, said = read_checkpoint(f"{tmp_path / 'tiny'}{suffix}")
    assert type(read) is type(written)
    assert read.state_dict().keys() == written.state_dict().keys()
    assert all(torch.equal(read.state_dict()[name], tensor) for name, tensor in written.state_dict().items())
    sha256 = hashlib.sha256((tmp_path / "tiny.safetensors").read_bytes()).hexdigest()
    assert said == manifest(backbone=settings.model_dump(), sha256=sha256)


@pytest.mark.parametrize(
    "damage", [lambda all_of_it: all_of_it[:-1], lambda all_of_it: b"", lambda all_of_it: all_of_it[:-9] + b"\x01" * 9]
)
def test_damaged_weights_are_refused(damage: Callable[[bytes], bytes], path: Path):
    weights_file(path).write_bytes(damage(weights_file(path).read_bytes()))
    said = "damaged: not the weights that its manifest describes (SHA-256); get both again"
    assert refusal(path) == f"{weights_file(path)}: {said}"


def test_one_flipped_bit_anywhere_is_refused(path: Path):
    content = weights_file(path).read_bytes()
    for place in (0, 9, len(content) // 2, len(content) - 1):
        weights_file(path).write_bytes(content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :])
        assert "SHA-256" in refusal(path)
    weights_file(path).write_bytes(content)
    read_checkpoint(path)


def test_missing_weights_are_named(path: Path):
    weights_file(path).unlink()
    assert refusal(path) == (
        f"{weights_file(path)}: expected the weights of this checkpoint: No such file or directory; "
        "get them with their manifest"
    )


@pytest.mark.parametrize("name", ["nowhere", "", ".", "/"])
def test_a_checkpoint_that_is_nowhere_lists_the_shipped_ones(name: str):
    with pytest.raises(CheckpointError, match=r"expected a shipped checkpoint \(.*\) or the path of one, got "):
        read_checkpoint(name)


def test_weights_alone_are_no_checkpoint(path: Path):
    manifest_file(path).unlink()
    assert refusal(path).endswith(f"got '{path}': no {path}.json")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '"a"', "\xff"])
def test_a_manifest_that_is_none_is_refused(text: str, path: Path):
    manifest_file(path).write_text(text, encoding="latin-1")
    assert refusal(path).startswith(
        f"{manifest_file(path)}: expected the manifest of a checkpoint, got something else ("
    )


@pytest.mark.parametrize("changes", [{"kinds": 3}, {"kinds": None}, {"other": 1}])
def test_a_manifest_with_wrong_entries_is_refused(changes: dict[str, object], path: Path):
    change(path, **changes)
    assert "expected the manifest of a checkpoint, got something else (" in refusal(path)


@pytest.mark.parametrize("changes", [{"schema": 99}, {"format": 2, "entry_of_the_future": []}, {"schema": "1"}])
def test_another_format_or_feature_schema_is_refused(changes: dict[str, object], path: Path):
    change(path, **changes)
    said = refusal(path)
    assert said.startswith(f"{manifest_file(path)}: expected format 1 with feature schema {SCHEMA}, got format ")
    assert said.endswith("train it again with this version, or install the version that made it")


def test_an_unknown_kind_of_device_is_refused(path: Path):
    change(path, kinds=["resistor", "memristor", ["x"]])
    assert refusal(path).endswith("got ['x'], memristor; install the version that made it")


@pytest.mark.parametrize(
    "backbone",
    [{"kind": "transformer"}, {"kind": "relaxation", "width": 32, "layers": 2}, {"kind": "gcn"}, 3, {"x": 1}],
)
def test_a_backbone_that_the_weights_do_not_fit_is_refused(backbone: object, path: Path):
    change(path, backbone=backbone)
    assert refusal(path).startswith(
        f"{weights_file(path)}: expected the weights of a backbone {backbone}, got others ("
    )


class Trap:
    """Unpickling it would leave a trace."""

    def __init__(self, trace: Path) -> None:
        self._trace = trace

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self._trace,)


def test_nothing_is_unpickled(path: Path, tmp_path: Path):
    trace = tmp_path / "trace"
    pickled = pickle.dumps(Trap(trace))
    pickle.loads(pickled)
    assert trace.exists()
    trace.unlink()
    weights_file(path).write_bytes(pickled)
    change(path, sha256=hashlib.sha256(pickled).hexdigest())
    assert "expected the weights of a backbone" in refusal(path)
    assert not trace.exists()


@pytest.mark.parametrize("full_at", [1, 2])
def test_a_full_disk_leaves_the_checkpoint_that_was_there(full_at: int, path: Path, monkeypatch: pytest.MonkeyPatch):
    before = {each.name: each.read_bytes() for each in path.parent.iterdir()}
    calls = []

    def full(_: int) -> None:
        calls.append(1)
        if len(calls) == full_at:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left on device"):
        write_checkpoint(path, build_backbone(SETTINGS), manifest(name="other"))
    assert {each.name: each.read_bytes() for each in path.parent.iterdir()} == before
    assert read_checkpoint(path)[1].name == "tiny"


def test_the_shipped_network_knows_the_op_amp_of_the_shipped_spec(opamp: Spec, tmp_path: Path):
    backbone, manifest = read_checkpoint("opamp")
    assert manifest.figures["at_k_free"] > 0.95
    generate("opamp", [(circuit_of(opamp.problem, opamp.benches[0]), 60)], tmp_path / "data", workers=1)
    found = accuracy_of(backbone, read_dataset(tmp_path / "data")[1], 200)
    assert found.at_k_free > 0.85
    assert found.mean_error_free < 5e-3

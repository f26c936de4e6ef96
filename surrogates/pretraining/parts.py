"""Parts of a data set under way, as an interrupted command finds them again."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from sizing.files import remove_parts, write_whole
from surrogates.pretraining.circuits import SampledCircuit
from surrogates.pretraining.dataset import DatasetError, Samples, packed
from surrogates.pretraining.operating_points import Part


def part_path(folder: Path, circuit: SampledCircuit, index: int) -> Path:
    """Where a part of a circuit is kept."""
    return folder / f".{circuit.name}-{index:05d}.npz"


def write_part(path: Path, part: Part) -> None:
    """Keep a part, as float32."""
    arrays = packed(
        values=part.values.astype(np.float32),
        voltages=part.voltages.astype(np.float32),
        reasons=np.array(list(part.failed), dtype=np.str_),
        counts=np.array(list(part.failed.values()), dtype=np.int64),
        **{f"target_{name}": target.astype(np.float32) for name, target in part.targets.items()},
    )
    write_whole(path, arrays)


def read_part(path: Path) -> Part:
    """The same again; raises DatasetError for a damaged one."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            names = [name for name in arrays.files if name.startswith("target_")]
            targets = {name.removeprefix("target_"): arrays[name] for name in names}
            failed = dict(zip(arrays["reasons"].tolist(), arrays["counts"].tolist(), strict=True))
            return Part(arrays["values"], arrays["voltages"], targets, failed)
    except (KeyError, ValueError, EOFError, BadZipFile) as error:
        raise DatasetError(
            f"{path}: damaged ({error}); remove it, and the same command makes this part of the data set again"
        ) from None


def remove_leftovers(folder: Path) -> None:
    """Remove what only a data set under way needs."""
    remove_parts(folder)
    for leftover in (*folder.glob(".*-?????.npz"), folder / ".plan.json"):
        leftover.unlink(missing_ok=True)


def joined(circuit: SampledCircuit, variables: tuple[str, ...], parts: Sequence[Part]) -> tuple[Samples, Counter[str]]:
    """All parts' valid rows as samples, and how many others there were, by reason; DatasetError where none is valid."""
    values = np.concatenate([part.values for part in parts])
    voltages = np.concatenate([part.voltages for part in parts])
    targets = {name: np.concatenate([part.targets[name] for part in parts]) for name in parts[0].targets}
    failed: Counter[str] = Counter()
    for part in parts:
        failed.update(part.failed)
    good = np.isfinite(voltages).all(axis=1)
    for target in targets.values():
        good &= np.isfinite(target)
    if not good.any():
        raise DatasetError(
            f"{circuit.name}: expected some operating points, but all {len(good)} failed: {dict(failed)}"
        )
    kept = {name: target[good] for name, target in targets.items()}
    return Samples(circuit.name, circuit.netlist, variables, values[good], voltages[good], kept), failed

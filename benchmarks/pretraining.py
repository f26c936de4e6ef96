"""What trained networks reach: a row for every training and test set, from `sizing pretrain` folders.

    python benchmarks/pretraining.py runs/pretrain/ladder-s0 ... --test runs/data/ladder_test --out table.csv

The validation row is what the training's manifest says; others are measured here, without further training.
"""

import argparse
import time
from pathlib import Path

import pandas as pd
import torch

from surrogates.checkpoints import read_checkpoint
from surrogates.pretraining.accuracy import accuracy_of
from surrogates.pretraining.dataset import read_dataset


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--test", type=Path, action="append", default=[])
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    torch.set_num_threads(1)
    tests = [samples for folder in given.test for samples in read_dataset(folder)[1]]
    rows = [row for folder in given.folders for row in rows_of(folder, tests)]
    pd.DataFrame(rows).to_csv(given.out, index=False)
    print(pd.DataFrame(rows).to_string())


def rows_of(folder: Path, tests) -> list[dict[str, object]]:
    backbone, manifest = read_checkpoint(folder / "checkpoint")
    figures, recipe = manifest.figures, manifest.recipe
    about = {
        "data": manifest.data["name"],
        "backbone": f"{recipe['backbone']['kind']} {recipe['backbone']['width']} x {recipe['backbone']['layers']}",
        "seed": recipe["seed"],
        "parameters": sum(parameter.numel() for parameter in backbone.parameters()),
        "steps": recipe["steps"],
        "batch": recipe["batch"],
        "cpu_minutes": figures["cpu_minutes"],
        "step_ms": round(6e4 * figures["cpu_minutes"] / recipe["steps"], 1),
    }
    found = [about | {"test": "validation", "k": figures["k"], **reached(figures)}]
    for samples in tests:
        began = time.perf_counter()
        seen = accuracy_of(backbone, [samples], figures["k"])
        print(folder, samples.name, f"{time.perf_counter() - began:.1f} s", flush=True)
        found.append(about | {"test": samples.name, "k": seen.k, **reached(vars(seen))})
    return found


def reached(figures) -> dict[str, float]:
    return {name: round(figures[name], 6) for name in ("at_k", "at_k_free", "mean_error", "mean_error_free")}


if __name__ == "__main__":
    main()

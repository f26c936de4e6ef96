"""Fine-tuned against from scratch on the voltage-biased op-amp, over numbers of training graphs. One core.

    python benchmarks/few_shot.py [--rows 100,500,1000,5000,10000] [--steps 3000] [--out runs/few_shot]

Both train for the same steps and are judged on the same held-out rows. Takes up what an interrupted call left.
"""

import argparse
from pathlib import Path

import pandas as pd

from sizing.spec.shipped import shipped_specs
from surrogates.pretraining.accuracy import accuracy
from surrogates.pretraining.dataset import read_dataset
from surrogates.pretraining.generate import generate
from surrogates.pretraining.named import DATASETS
from surrogates.pretraining.recipe import read_recipe
from surrogates.pretraining.training import Training


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default="100,500,1000,5000,10000")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--checkpoint", default="opamp")
    parser.add_argument("--data", type=Path, default=Path("runs/data/opamp_voltage_biased"))
    parser.add_argument("--out", type=Path, default=Path("runs/few_shot"))
    given = parser.parse_args()
    generate(given.data.name, DATASETS[given.data.name].circuits(shipped_specs() / "netlists"), given.data)
    data, samples = read_dataset(given.data)
    found = []
    for rows in map(int, given.rows.split(",")):
        for start, rate in ((given.checkpoint, 2e-3), (None, 4e-3)):
            name = f"{'fine-tuned' if start else 'scratch'}-{rows}"
            recipe = read_recipe(
                "opamp_few_shot",
                rows=rows,
                start_from=start,
                learning_rate=rate,
                steps=given.steps,
                data=str(given.data),
            )
            training = Training(recipe, data, samples, given.out / name)
            if start and training.step == 0 and rows == int(given.rows.split(",")[0]):
                zero = accuracy(training.backbone, training.validation, recipe.accuracy)
                found.append(("zero-shot", 0, 0.0, zero.at_k, zero.at_k_free, zero.mean_error_free))
            seen = training.run()
            found.append((name, rows, training.cpu_s / 60, seen.at_k, seen.at_k_free, seen.mean_error_free))
            print(*found[-1], flush=True)
            columns = ["training", "rows", "cpu_minutes", "at_k", "at_k_free", "mean_error_free"]
            pd.DataFrame(found, columns=columns).to_csv(given.out / "table.csv", index=False)


if __name__ == "__main__":
    main()

"""Are runs what they were? A digest of the journal of every method from some seeds, to compare between two versions.

    python benchmarks/journals.py specs/opamp_cc.yaml --max-sims 60 > before.csv
    python benchmarks/journals.py specs/opamp_cc.yaml --max-sims 60 > after.csv  # of another version
    diff before.csv after.csv

The machine, Python and the packages have to be the same: torch and ngspice promise no more.
"""

import argparse
import csv
import hashlib
import sys
import tempfile
from pathlib import Path

import sizing
from sizing.search.methods import METHODS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("specs", nargs="+", type=Path)
    parser.add_argument("--methods", help="a comma between them [default: all]")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--max-sims", type=int, default=60)
    arguments = parser.parse_args()
    table = csv.writer(sys.stdout)
    table.writerow(["spec", "method", "seed", "status", "simulations", "journal"])
    for spec in arguments.specs:
        for method in arguments.methods.split(",") if arguments.methods else METHODS:
            for seed in map(int, arguments.seeds.split(",")):
                with tempfile.TemporaryDirectory() as folder:
                    out = Path(folder) / "run"
                    result = sizing.run(spec, method=method, seed=seed, max_sims=arguments.max_sims, out=out)
                    digest = hashlib.sha256((out / "journal.jsonl").read_bytes()).hexdigest()
                    count = int(result.table["sims_total"].iloc[0])
                    table.writerow([spec.stem, method, seed, result.status, count, digest[:16]])
                    sys.stdout.flush()


if __name__ == "__main__":
    main()

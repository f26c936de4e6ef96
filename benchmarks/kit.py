"""How long a design takes with a process kit: with decks of what it needs, and with the whole kit read anew.

    python benchmarks/kit.py [specs/sky130_miller.yaml] [--designs 2]

The same random designs, design by design, in a worker process each; the first one, with which a worker starts, does not
count. ngspice takes half a minute to read all of sky130 once, and does so for every bench.
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np

from sizing.simulation.pool import SimulationPool
from sizing.simulation.simulator import Measured
from sizing.specfile.load import Spec, load_spec
from sizing.spice.netlist import read_text
from sizing.task.bench import Task

SPEC = Path(__file__).parent.parent / "specs" / "sky130_miller.yaml"
SECONDS = 3600.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spec", nargs="?", default=SPEC)
    parser.add_argument("--designs", type=int, default=2)
    given = parser.parse_args()
    spec = load_spec(given.spec)
    rng = np.random.default_rng(0)
    seconds: dict[str, list[float]] = {"needed": [], "whole": []}
    differences = [0.0]
    with SimulationPool(spec.task, 1, SECONDS) as needed, SimulationPool(whole_kit(spec), 1, SECONDS) as whole:
        for _ in range(1 + given.designs):
            job = spec.problem.job(tuple(rng.integers(0, spec.problem.shape)))
            found = []
            for name, pool in (("needed", needed), ("whole", whole)):
                began = time.perf_counter()
                (outcome,) = pool.run([job])
                seconds[name].append(time.perf_counter() - began)
                assert isinstance(outcome, Measured), outcome
                found.append(outcome.values)
            differences.append(largest_difference(*found))
    quick, slow = (median(seconds[name][1:]) for name in ("needed", "whole"))
    print(f"{given.designs} random designs of {spec.problem.name}, {len(spec.benches)} benches")
    print(f"what is needed: {1e3 * quick:.0f} ms a design; the whole kit: {slow:.1f} s; ratio {slow / quick:.0f}")
    print(f"largest relative difference of any metric: {max(differences):.1e}")


def whole_kit(spec: Spec) -> Task:
    """The spec's task with every line of its models in each deck."""
    models = read_text("\n".join(file.line for file in spec.models), "models", Path())
    files = {line.file for line in models}
    benches = [
        replace(bench, bins=None, lines=(*models, *(line for line in bench.lines if line.file not in files)))
        for bench in spec.benches
    ]
    return replace(spec.task, benches=tuple(benches))


def largest_difference(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Relative, over the metrics; infinite where only one of them has a value."""
    first, second = np.array(one), np.array(other)
    if (np.isnan(first) != np.isnan(second)).any():
        return float("inf")
    return float(np.nanmax(np.abs(first - second) / np.maximum(np.abs(first), np.abs(second)), initial=0.0))


if __name__ == "__main__":
    main()

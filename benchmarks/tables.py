"""Metrics told from device tables beside those that ngspice measures, on random designs.

    python benchmarks/tables.py [SPEC ...] [--designs 200] [--told 5000] [--folder FOLDER]

Prints what characterisation took, the error of every metric (median, 90 % and how often only one of the two has a
value), relative but in decibels and degrees, over all designs and over those whose first metric is in the upper half;
then designs told and simulated a second, on one core. A `--folder` that holds tables already shows a warm start.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from sizing.simulation.pool import SimulationPool
from sizing.simulation.simulator import Measured
from sizing.specfile.load import Spec, load_spec
from surrogates.tables.model import TableModel

SPECS = Path(__file__).parent.parent / "specs"
SEED = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("specs", type=Path, nargs="*", default=[SPECS / "opamp_cc.yaml", SPECS / "opamp_cc_rz.yaml"])
    parser.add_argument("--designs", type=int, default=200)
    parser.add_argument("--told", type=int, default=5000)
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    for path in arguments.specs:
        with tempfile.TemporaryDirectory() as folder:
            compare(load_spec(path), path.stem, arguments.designs, arguments.told, arguments.folder or Path(folder))


def compare(spec: Spec, name: str, designs: int, told: int, folder: Path) -> None:
    conditions = spec.problem.corners[0].conditions
    model = TableModel.of(spec.task, spec.problem.variables, folder)
    model.prepare(conditions)
    print(f"{name}: {model.tables.sims_tables} devices measured in {model.tables.tables_s:.1f} s")

    rng = np.random.default_rng(SEED)
    drawn = rng.integers(0, spec.problem.shape, (designs, len(spec.problem.shape)))
    began = time.perf_counter()
    with SimulationPool(spec.task, 1, 60) as pool:
        outcomes = pool.run([spec.problem.job(tuple(design)) for design in drawn.tolist()])
    simulated_s = time.perf_counter() - began
    missing = [np.nan] * len(spec.measures)
    simulated = np.array([each.values if isinstance(each, Measured) else missing for each in outcomes])
    values = model.told(columns(spec, drawn), conditions).values

    upper = simulated[:, 0] >= np.nanmedian(simulated[:, 0])
    print(f"{'':12}{'all: median':>14}{'90 %':>10}{'one only':>10}{'upper: median':>16}{'90 %':>10}")
    for index, metric in enumerate(spec.problem.metrics[: len(spec.measures)]):
        parts = [errors(values[rows, index], simulated[rows, index], metric.unit) for rows in (slice(None), upper)]
        only = int((np.isfinite(values[:, index]) != np.isfinite(simulated[:, index])).sum())
        first, second = ([f"{np.quantile(part, at):.4f}" if part.size else "-" for at in (0.5, 0.9)] for part in parts)
        print(f"{metric.name:12}{first[0]:>14}{first[1]:>10}{only:>10}{second[0]:>16}{second[1]:>10}")

    many = rng.integers(0, spec.problem.shape, (told, len(spec.problem.shape)))
    began, began_cpu = time.perf_counter(), time.process_time()
    model.told(columns(spec, many), conditions)
    seconds, cpu = time.perf_counter() - began, time.process_time() - began_cpu
    began_cpu = time.process_time()
    model.told(columns(spec, many), conditions, integrate=False)
    print(f"told {told} designs without integration in {time.process_time() - began_cpu:.1f} s of CPU")
    print(
        f"told {told} designs in {seconds:.1f} s ({cpu:.1f} s of CPU), {told / seconds:.0f} a second; "
        f"simulated {designs / simulated_s:.1f} a second: {told / seconds * simulated_s / designs:.0f} times as fast\n"
    )


def columns(spec: Spec, drawn: np.ndarray) -> dict[str, np.ndarray]:
    return {each.name: np.array(each.values)[drawn[:, k]] for k, each in enumerate(spec.problem.variables)}


def errors(told: np.ndarray, simulated: np.ndarray, unit: str) -> np.ndarray:
    both = np.isfinite(told) & np.isfinite(simulated)
    error = np.abs(told[both] - simulated[both])
    return error if unit in ("dB", "deg", "V") else error / np.maximum(np.abs(simulated[both]), 1e-300)


if __name__ == "__main__":
    main()

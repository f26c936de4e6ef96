"""Metrics told from device tables beside those that ngspice measures, and how fast.

    python benchmarks/tables.py [SPEC ...] [--designs 200] [--told 1000] [--good RUNS] [--csv FILE]

Prints, and keeps as CSV, the error of every metric (median, 90 %, and how often only one of the two has a value) on
random designs, and on designs in spec of runs in a folder RUNS, at most 50; relative, but absolute in decibels, degrees
and volts. Then designs told and simulated a second, on one core: all metrics, those without integration of large steps,
and operating points. Tables are made in a folder of their own (`--folder` for one that is kept).
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sizing.runs.records.reading import find_runs, read_run
from sizing.simulation.pool import SimulationPool
from sizing.simulation.simulator import Measured
from sizing.specfile.load import Spec, load_spec
from sizing.task.objectives import in_spec
from surrogates.tables.model import TableModel

SPECS = Path(__file__).parent.parent / "specs"
SEED = 5
GOOD = 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("specs", type=Path, nargs="*", default=[SPECS / "opamp_cc.yaml", SPECS / "opamp_cc_rz.yaml"])
    parser.add_argument("--designs", type=int, default=200)
    parser.add_argument("--told", type=int, default=1000)
    parser.add_argument("--good", type=Path)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--csv", type=Path)
    arguments = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for path in arguments.specs:
        with tempfile.TemporaryDirectory() as folder:
            spec = load_spec(path)
            model = TableModel.of(spec.task, spec.problem.variables, arguments.folder or Path(folder))
            model.prepare(spec.problem.corners[0].conditions)
            print(f"{path.stem}: {model.tables.sims_tables} devices measured in {model.tables.tables_s:.1f} s")
            found = list(compared(spec, model, arguments.designs, arguments.good))
            print(pd.DataFrame(found).drop(columns=["spec"]).to_string(index=False, float_format="%.4g"))
            speeds(spec, model, arguments.folder or Path(folder), arguments.told)
            rows += found
    if arguments.csv:
        pd.DataFrame(rows).to_csv(arguments.csv, index=False, float_format="%.4g")


def compared(spec: Spec, model: TableModel, designs: int, good: Path | None) -> Iterator[dict[str, Any]]:
    """A row for every metric, of random designs and of good ones."""
    problem = spec.problem
    drawn = np.random.default_rng(SEED).integers(0, problem.shape, (designs, len(problem.shape)))
    of = {"random": (drawn, simulated(spec, drawn))}
    if good is not None:
        records = [record for record in map(read_run, find_runs([good])) if record.problem.name == problem.name]
        known = {
            evaluation.design: values
            for record in records
            for evaluation, values in zip(record.population, record.values, strict=True)
            if in_spec(problem, values)
        }
        rows = np.linspace(0, len(known) - 1, min(GOOD, len(known))).astype(int)
        of["in spec"] = (np.array(list(known))[rows], np.array(list(known.values()))[rows])
    for name, (designs_of, measured) in of.items():
        told = model.told(problem.columns(designs_of), problem.corners[0].conditions).values
        for index, metric in enumerate(problem.measured):
            error = errors(told[:, index], measured[:, index], metric.unit)
            only = int((np.isfinite(told[:, index]) != np.isfinite(measured[:, index])).sum())
            median, most = (float(np.quantile(error, at)) if error.size else np.nan for at in (0.5, 0.9))
            yield {
                "spec": problem.name, "designs": name, "metric": metric.name,
                "unit": metric.unit if is_absolute(metric.unit) else "relative", "count": error.size,
                "median": median, "90 %": most, "one only": only,
            }  # fmt: skip


def simulated(spec: Spec, designs: np.ndarray) -> np.ndarray:
    """Metric values, NaN where missing or failed."""
    with SimulationPool(spec.task, 1, 60) as pool:
        outcomes = pool.run([spec.problem.job(tuple(design)) for design in designs.tolist()])
    missing = [np.nan] * len(spec.measures)
    return np.array([each.values if isinstance(each, Measured) else missing for each in outcomes])


def speeds(spec: Spec, model: TableModel, folder: Path, count: int) -> None:
    """Designs a second, told and simulated."""
    conditions = spec.problem.corners[0].conditions
    many = np.random.default_rng(SEED + 1).integers(0, spec.problem.shape, (count, len(spec.problem.shape)))
    few = many[:50]
    with SimulationPool(spec.task, 1, 60) as pool:
        pool.run([spec.problem.job(tuple(many[-1]))])
        simulated_s = taken(lambda: pool.run([spec.problem.job(tuple(design)) for design in few.tolist()])) / len(few)
    values = spec.problem.columns(many)
    model.told({name: column[:2] for name, column in values.items()}, conditions)
    found = {
        "all metrics": taken(lambda: model.told(values, conditions)) / count,
        "without integrating large steps": taken(lambda: model.told(values, conditions, integrate=False)) / count,
    }
    if look := spec.task.look:
        alone = TableModel.of(look, spec.problem.variables, folder)
        alone.told({name: column[:2] for name, column in values.items()}, conditions)
        found["operating points"] = taken(lambda: alone.told(values, conditions)) / count
    print(f"simulated: {1 / simulated_s:.1f} designs a second")
    for what, seconds in found.items():
        print(f"told, {what}: {1 / seconds:.0f} a second, {simulated_s / seconds:.0f} times as fast")
    print()


def taken(do: Callable[[], object]) -> float:
    """Seconds that something takes."""
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


def is_absolute(unit: str) -> bool:
    return unit in ("dB", "deg", "V")


def errors(told: np.ndarray, simulated: np.ndarray, unit: str) -> np.ndarray:
    both = np.isfinite(told) & np.isfinite(simulated)
    error = np.abs(told[both] - simulated[both])
    return np.asarray(error if is_absolute(unit) else error / np.maximum(np.abs(simulated[both]), 1e-300))


if __name__ == "__main__":
    main()

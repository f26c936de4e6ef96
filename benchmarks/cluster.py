"""How simulations scale over the workers of a Dask cluster: measured where one machine allows, and extrapolated.

    python benchmarks/cluster.py [--out runs/studies/cluster]

Simulators sleep, so that 32 of them fit on two cores. The model, for batches of B simulations of t seconds on n
workers: a batch takes max(B scheduling, ceil(B / n) (t + handing)) + round_trip. The scheduler and the client do one
thing after another, `scheduling` seconds for each simulation; a worker is without work for `handing` seconds between
two simulations; and a batch begins when the one before is there, `round_trip` later. The three are fitted to what was
measured. `here_cpu_s` is the processor time of scheduler and client per simulation, which other load does not change.
"""

import argparse
import time
from functools import partial
from pathlib import Path
from typing import Any

import dask
import numpy as np
import pandas as pd
from distributed import Client, LocalCluster
from numpy.typing import NDArray
from scipy.optimize import least_squares

from benchmarks.sleeper import NOTHING, Sleeper
from sizing.runs.tables import markdown
from sizing.simulation.cluster import ClusterPool
from sizing.simulation.pool import SimulationPool
from sizing.task.job import Job

WORKERS = (1, 2, 4, 8, 16, 32)
SECONDS = (0.001, 0.01, 0.1, 1.0)
BATCHES = ((8, 0.1, 2), (8, 0.1, 5), (8, 1.0, 2), (32, 1.0, 5))
"""Workers, seconds and batch; everything else is one batch."""
COSTS = ("scheduling", "handing", "round_trip")
EXTRAPOLATED = [(n, t, b) for t in (1.0, 10.0, 100.0) for n in (32, 128, 512) for b in (2, 100, 1000)]
PROCESSES = 4
"""Of Dask's, at most; workers beyond these are threads of them, as on machines of many cores."""
LEAST_SECONDS = 2.0
MOST_SIMULATIONS = 500


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/studies/cluster"))
    out = parser.parse_args().out
    table = pd.DataFrame([row for workers in WORKERS for row in measured(workers)])
    costs = fitted(table)
    more = pd.DataFrame(EXTRAPOLATED, columns=["workers", "seconds", "batch"])
    table = pd.concat([table, more], ignore_index=True)
    table["model_per_second"] = rate(costs, table)
    table["model_busy"] = table["model_per_second"] * table["seconds"] / table["workers"]
    out.mkdir(parents=True, exist_ok=True)
    table.round(5).to_csv(out / "table.csv", index=False)
    named = pd.DataFrame({"cost": COSTS, "milliseconds": 1e3 * costs}).round(2)
    named.to_csv(out / "costs.csv", index=False)
    print(markdown(table), markdown(named), sep="\n\n")


def measured(workers: int) -> list[dict[str, Any]]:
    """A row for every time of a simulation, and for every batch."""
    processes = min(workers, PROCESSES)
    rows = []
    with (
        dask.config.set({"distributed.worker.daemon": False}),
        LocalCluster(
            n_workers=processes,
            threads_per_worker=workers // processes,
            memory_limit=0,
            dashboard_address="127.0.0.1:0",
        ) as cluster,
        Client(cluster) as client,
        ClusterPool(client, partial(SimulationPool, NOTHING, 1, 60, simulator=Sleeper)) as pool,
    ):
        pool.run([Job({"seconds": 0.3})] * 4 * workers)  # every thread starts its simulator
        wanted = [(t, None) for t in SECONDS] + [(t, b) for n, t, b in BATCHES if n == workers]
        for seconds, batch in wanted:
            at_once = workers if batch is None else min(workers, batch)
            count = min(max(2 * at_once, round(LEAST_SECONDS * at_once / seconds)), MOST_SIMULATIONS)
            jobs = [Job({"seconds": seconds})] * count
            size = batch or count
            began, cpu = time.perf_counter(), time.process_time()
            for first in range(0, count, size):
                pool.run(jobs[first : first + size])
            wall, cpu = time.perf_counter() - began, time.process_time() - cpu
            row = {"workers": workers, "seconds": seconds, "batch": size, "simulations": count, "wall_s": wall}
            rows.append(
                row | {"per_second": count / wall, "busy": count * seconds / wall / workers, "here_cpu_s": cpu / count}
            )
            print(rows[-1], flush=True)
    return rows


def rate(costs: NDArray[np.float64], table: pd.DataFrame) -> NDArray[np.float64]:
    """Simulations per second by the model."""
    scheduling, handing, round_trip = costs
    batch, workers, seconds = (table[name].to_numpy(float) for name in ("batch", "workers", "seconds"))
    worked = np.ceil(batch / workers) * (seconds + handing)
    return batch / (np.maximum(batch * scheduling, worked) + round_trip)


def fitted(table: pd.DataFrame) -> NDArray[np.float64]:
    """The model's three costs in seconds, by least squares of the logarithms of rates."""
    seen = np.log(table["per_second"].to_numpy(float))
    fit = least_squares(
        lambda logs: np.log(rate(np.exp(logs), table)) - seen, np.log([1e-3, 5e-3, 1e-2]), loss="soft_l1"
    )
    return np.exp(fit.x)


if __name__ == "__main__":
    main()

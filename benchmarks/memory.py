"""Memory of a whole process tree over many evaluations: is it flat, and what does a run take?

    python benchmarks/memory.py flat [--evaluations 20000]
    python benchmarks/memory.py run METHOD [SPEC]

`flat` simulates random designs of the amplifier in one pool. `run` sizes a circuit in its own process. Memory is the
proportional set size (shared pages counted once), summed over the process and its children every 0.2 s.
"""

import argparse
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import psutil

from sizing.simulation.pool import SimulationPool
from sizing.spec.load import load_spec

SPECS = Path(__file__).parent.parent / "specs"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["flat", "run"])
    parser.add_argument("method", nargs="?", default="evo")
    parser.add_argument("spec", nargs="?", type=Path, default=SPECS / "opamp_cc_rz.yaml")
    parser.add_argument("--evaluations", type=int, default=20_000)
    arguments = parser.parse_args()
    if arguments.what == "flat":
        flat(arguments.evaluations)
    else:
        whole_run(arguments.method, arguments.spec)


def flat(evaluations: int, step: int = 2000) -> None:
    spec = load_spec(SPECS / "cs_amp.yaml")
    rng = np.random.default_rng(0)
    with SimulationPool(spec.task, 2, 60) as pool:
        for done in range(step, evaluations + 1, step):
            began, peak = time.perf_counter(), Peak(psutil.Process())
            for _ in range(step // 50):
                pool.run([spec.problem.values(d) for d in rng.integers(0, spec.problem.shape, (50, 2)).tolist()])
            rate = step / (time.perf_counter() - began)
            print(f"{done:6d} evaluations: peak {peak.stop():6.1f} MB, {rate:6.0f} evaluations/s", flush=True)


def whole_run(method: str, spec: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        code = "from sizing.cli import main; main()"
        command = [sys.executable, "-c", code, "run", str(spec), "--method", method, "--out", f"{folder}/run"]
        process = psutil.Popen(command)
        peak = Peak(process)
        process.wait()
        print(f"{method} on {spec.stem}: peak {peak.stop():.1f} MB over the whole process tree")


class Peak:
    """Samples the memory of a process tree from a thread until stopped."""

    def __init__(self, process: psutil.Process) -> None:
        self._process, self._peak, self._ended = process, 0.0, threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        self._ended.set()
        self._thread.join()
        return self._peak

    def _sample(self) -> None:
        while not self._ended.wait(0.2):
            try:
                tree = [self._process, *self._process.children(recursive=True)]
                total = sum(each.memory_full_info().pss for each in tree) / 1e6
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
            self._peak = max(self._peak, total)


if __name__ == "__main__":
    main()

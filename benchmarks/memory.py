"""Memory of a whole process tree over many evaluations: is it flat, and what does a run take?

    python benchmarks/memory.py flat [--evaluations 200000]
    python benchmarks/memory.py run METHOD [SPEC]

`flat` is one run of the amplifier on a finer grid, with random designs: the memory of simulators and of the process
itself, open files and processes, at every tenth of it. `run` sizes a circuit in its own process. Memory is the
proportional set size (shared pages counted once); `run` sums it over the process and its children every 0.2 s.
"""

import argparse
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

import sizing

SPECS = Path(__file__).parent.parent / "specs"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["flat", "run"])
    parser.add_argument("method", nargs="?", default="evo")
    parser.add_argument("spec", nargs="?", type=Path, default=SPECS / "opamp_cc_rz.yaml")
    parser.add_argument("--evaluations", type=int, default=200_000)
    arguments = parser.parse_args()
    if arguments.what == "flat":
        flat(arguments.evaluations)
    else:
        whole_run(arguments.method, arguments.spec)


def flat(evaluations: int) -> None:
    text = (SPECS / "cs_amp.yaml").read_text().replace("netlists/", f"{SPECS}/netlists/")
    process, step, due, began = psutil.Process(), evaluations // 10, 0, time.perf_counter()

    def observe(progress: sizing.Progress) -> None:
        nonlocal due
        if progress.sims_total < due:
            return
        due += step
        children = process.children(recursive=True)
        inside = [each.memory_full_info().pss / 1e6 for each in children]
        own = process.memory_full_info().pss / 1e6
        rate = progress.sims_total / (time.perf_counter() - began)
        print(
            f"{progress.sims_total:6d} evaluations: {sum(inside):.1f} MB in {len(inside)} processes for simulations, "
            f"{own:.1f} MB here; {process.num_fds()} open files; {rate:.0f} evaluations/s",
            flush=True,
        )

    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder) / "fine.yaml"
        spec.write_text(text.replace("to: 5k, step: 100", "to: 5k, step: 1"))
        settings = {"method": "random", "batch": 100, "max_sims": evaluations, "in_spec": 10**6, "patience": 10**9}
        sizing.run(spec, out=Path(folder) / "run", workers=1, observer=observe, trust=True, **settings)
    print(f"afterwards: {len(process.children())} processes, {process.num_fds()} open files")


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

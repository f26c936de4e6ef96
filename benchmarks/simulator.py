"""Designs per second on one core: warm ngspice in process, beside one `ngspice -b` process per analysis.

    python benchmarks/simulator.py [--designs 40]

Same designs, same machine, interleaved design by design. Two kinds of decks for `ngspice -b`: the very decks of the
spec, and those one would write without it, with the 100 ps print step that settling time to 1 % otherwise needs.
"""

import argparse
import subprocess
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from sizing.simulation.ngspice import NgSpice
from sizing.simulation.simulator import measured
from sizing.specfile.load import load_spec
from sizing.task.bench import Analysis, Bench
from sizing.task.job import Job

SPEC = Path(__file__).parent.parent / "specs" / "opamp_cc_rz.yaml"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--designs", type=int, default=40)
    count = parser.parse_args().designs
    spec = load_spec(SPEC)
    simulator = NgSpice(spec.task)
    rng = np.random.default_rng(0)
    seconds = {"in process": 0.0, "inside the library": 0.0, "same decks": 0.0, "plain decks": 0.0}
    simulator.simulate(spec.problem.job(spec.problem.start))
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(count):
            job = spec.problem.job(tuple(rng.integers(0, spec.problem.shape)))
            before, began = simulator.seconds, time.perf_counter()
            measured(spec.measures, simulator.simulate(job))
            seconds["in process"] += time.perf_counter() - began
            seconds["inside the library"] += simulator.seconds - before
            seconds["same decks"] += batch(spec.benches, job, Path(folder), plain=False)
            seconds["plain decks"] += batch(spec.benches, job, Path(folder), plain=True)
    print(f"{count} random designs of {SPEC.stem}, one core")
    for name, total in seconds.items():
        rate, ratio = count / total, total / seconds["in process"]
        print(f"{name:<20} {1e3 * total / count:8.1f} ms a design {rate:8.2f} designs/s   ratio {ratio:6.2f}")


def batch(benches: tuple[Bench, ...], job: Job, folder: Path, *, plain: bool) -> float:
    """Seconds for the four sweeps of one design, each in a process of its own."""
    decks = []
    for bench in benches:
        for analysis in bench.analyses:
            if analysis.kind != "op":
                decks.append(as_written(bench, analysis, job) if plain else bench.deck(job, analysis))
    began = time.perf_counter()
    for deck in decks:
        (folder / "deck.cir").write_text(deck)
        command = ["ngspice", "-b", "-r", "out.raw", "deck.cir"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - began


def as_written(bench: Bench, analysis: Analysis, job: Job) -> str:
    """The deck with whole sweeps and a fixed small time step instead of a tight truncation error."""
    command = {"ac": "ac dec 10 1 10G", "tran": "tran 100p 1u"}[analysis.kind]
    return bench.deck(job, replace(analysis, command=command)).replace("trtol=0.0002", "")


if __name__ == "__main__":
    main()

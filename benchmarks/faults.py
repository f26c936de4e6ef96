"""Runs under random faults, taken up until they end: is an evaluation lost, repeated or changed?

    python -m benchmarks.faults [--campaigns 100] [--sims 10] [--rate 0.3] [--seed 0]

A campaign sizes the amplifier from a seed of its own, in `sims` simulations, while
- a share `rate` of its designs meets a fault of the simulator once: a crash (signal 11, 6 or 9, or an exit), a hang, a
  runaway of memory, NaN, a vector of the wrong length, or an impossible voltage,
- the first simulator does not start,
- the main process is killed (SIGKILL) at random moments, or its disk is full (a limit on the size of files),
and is run or resumed until it ends. All of these faults are transient: a second try heals them. Its journal and table
of designs must then be those of a run without faults, byte for byte; and of its simulations, those that were done
again because they had not reached the journal when it was killed are counted.
"""

import argparse
import json
import multiprocessing
import random
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.faulty import DEADLY, GARBAGE, LOG, Faults, Faulty
from sizing.files import CannotWrite
from sizing.runs import run as running
from sizing.runs.records.journal import NAME
from sizing.runs.records.reading import read_run
from sizing.runs.records.writing import TABLES
from sizing.simulation.pool import SimulationPool

SPEC = Path(__file__).parent.parent / "specs" / "cs_amp.yaml"
KINDS = (*DEADLY, *GARBAGE, "hang", "swell")
TIMEOUT, MEMORY = 5.0, 3e8
SHARE_KILLED, SHARE_FULL = 0.5, 0.2
DISK_FULL = 70
INFINITY = resource.RLIM_INFINITY
FORK = multiprocessing.get_context("fork")
"""This process runs nothing itself, so that a copy of it is a fresh process with everything imported."""


@dataclass(frozen=True)
class Plan:
    """One campaign."""

    seed: int
    sims: int
    rate: float

    @property
    def settings(self) -> dict[str, object]:
        """Of its run."""
        initial = max(2, self.sims // 2)
        return {"method": "evo", "seed": self.seed, "max_sims": self.sims, "initial": initial, "in_spec": 10**6}


@dataclass(frozen=True)
class Ending:
    """What came of a campaign."""

    identical: bool
    evaluations: int
    again: int
    """Simulations whose outcome did not reach the journal before a kill."""
    happened: Counter[str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--campaigns", type=int, default=100)
    parser.add_argument("--sims", type=int, default=10)
    parser.add_argument("--rate", type=float, default=0.3)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    began = time.monotonic()
    endings = []
    for number in range(arguments.campaigns):
        plan = Plan(arguments.seed + number, arguments.sims, arguments.rate)
        with tempfile.TemporaryDirectory(prefix="faults-") as folder:
            endings.append(campaign(plan, Path(folder)))
        if not endings[-1].identical:
            print(f"campaign {plan.seed}: DIFFERENT", flush=True)
        if (number + 1) % 10 == 0 or number + 1 == arguments.campaigns:
            print(f"{_summary(endings)}; {time.monotonic() - began:.0f} s", flush=True)
    sys.exit(not all(ending.identical for ending in endings))


def _summary(endings: list[Ending]) -> str:
    happened = sum((ending.happened for ending in endings), Counter())
    return (
        f"{len(endings)} campaigns of {sum(ending.evaluations for ending in endings)} evaluations, "
        f"{sum(ending.identical for ending in endings)} identical, "
        f"{sum(ending.again for ending in endings)} simulated again after a kill; "
        + ", ".join(f"{name} {count}" for name, count in sorted(happened.items()))
    )


def campaign(plan: Plan, folder: Path) -> Ending:
    """Run without faults, then with them until the end, and compare."""
    reference = FORK.Process(target=_live, args=(plan, folder / "whole", None, INFINITY))
    reference.start()
    reference.join()
    whole = read_run(folder / "whole")
    rng = random.Random(f"campaign {plan.seed}")
    faults = Faults(folder / "faults", KINDS, plan.rate, plan.seed, starts=1)
    faults.folder.mkdir()
    happened: Counter[str] = Counter()
    while not (folder / "run" / TABLES[-1]).exists():
        happened[_life(plan, folder / "run", faults, rng)] += 1
    faulty = read_run(folder / "run")
    same = [(folder / "run" / name).read_bytes() == (whole.path / name).read_bytes() for name in (NAME, "designs.csv")]
    log = (faults.folder / LOG).read_text().splitlines()
    simulated = Counter(line.split(" ", 1)[1] for line in log if line.startswith("simulated "))
    happened += faults.happened()
    done = [json.dumps(list(faulty.problem.values(e.design).values())) for e in faulty.simulations]
    assert len(set(done)) == len(done)
    again = sum(simulated.values()) - len(done)
    return Ending(all(same) and set(done) <= set(simulated), len(done), again, happened)


def _life(plan: Plan, run: Path, faults: Faults, rng: random.Random) -> str:
    """Run or resume in a process of its own, perhaps killed or out of disk; how it ended."""
    fate = rng.random()
    journal = run / NAME
    held = journal.stat().st_size if journal.exists() else 0
    full = SHARE_KILLED <= fate < SHARE_KILLED + SHARE_FULL
    process = FORK.Process(target=_live, args=(plan, run, faults, held + rng.randrange(2500) if full else INFINITY))
    process.start()
    if fate < SHARE_KILLED:
        until = time.monotonic() + rng.uniform(0, 1) if rng.random() < 0.3 else None
        enough = held + rng.randrange(1500)
        while process.is_alive() and (
            time.monotonic() < until if until else not journal.exists() or journal.stat().st_size <= enough
        ):
            time.sleep(0.002)
        time.sleep(rng.uniform(0, 0.02))
        process.kill()
    process.join()
    endings = {0: "ended", DISK_FULL: "disk full", -signal.SIGKILL: "main process killed"}
    if process.exitcode not in endings:
        raise RuntimeError(f"campaign {plan.seed}: exit code {process.exitcode}")
    return endings[process.exitcode]


def _live(plan: Plan, run: Path, faults: Faults | None, largest_file: int) -> None:
    """Run, or take up what is left of a run; exits with DISK_FULL where that is so."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
    if faults:
        simulator = partial(Faulty, faults=faults)
        running.pool_for = lambda task, _, workers, named: SimulationPool(task, workers, TIMEOUT, MEMORY, simulator)
    try:
        if run.exists():
            running.resume(run, workers=1)
        else:
            running.run(SPEC, out=run, workers=1, **plan.settings)
    except CannotWrite:
        sys.exit(DISK_FULL)


if __name__ == "__main__":
    main()

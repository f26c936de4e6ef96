"""What everything around the simulator costs: whole runs, beside nothing but the library calls of the same designs.

    python benchmarks/overhead.py [--designs 100] [--rounds 5] [SPEC]

A round sizes the circuit with random designs in one worker process, journal and tables included, and then gives the
same commands for the same designs to ngspice's library in this process, reading no result. Loading the decks is in
neither. On a busy machine the second ratio holds better: the run's time over that inside its own library calls.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import sizing
from sizing.runs.records.reading import read_run
from sizing.simulation.ngspice import NgSpice
from sizing.specfile.load import Spec, load_spec
from sizing.task.job import Job

SPECS = Path(__file__).parent.parent / "specs"


class Recorder(NgSpice):
    """ngspice that notes the commands it is given, so that they can be given again without anything around them."""

    commands: list[str]

    def _command(self, command: str) -> None:
        self.commands.append(command)
        super()._command(command)

    def noted(self, job: Job) -> list[str]:
        """The commands that simulate this design."""
        self.commands = []
        self.simulate(job)
        return self.commands

    def give(self, commands: Sequence[str]) -> None:
        """Nothing but the library calls."""
        for command in commands:
            self._shared.command(command)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spec", nargs="?", type=Path, default=SPECS / "opamp_cc_rz.yaml")
    parser.add_argument("--designs", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    measure(load_spec(arguments.spec), arguments.designs, arguments.rounds)


def measure(spec: Spec, designs: int, rounds: int) -> None:
    simulator = Recorder(spec.task)
    simulator.commands = []
    simulator.simulate(spec.problem.job(spec.problem.start))
    ratios = []
    for number in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            settings = {"method": "random", "seed": number, "max_sims": designs, "in_spec": designs}
            sizing.run(spec, out=Path(folder) / "run", workers=1, **settings)
            record = read_run(Path(folder) / "run")
        run, inside = record.summary["wall_s"], record.summary["simulator_s"]
        commands = [simulator.noted(spec.problem.job(each.design)) for each in record.simulations]
        began = time.perf_counter()
        for each in commands:
            simulator.give(each)
        alone = time.perf_counter() - began
        ratios.append((run / alone, run / inside))
        shown = ", ".join(f"{1e3 * seconds / designs:.2f}" for seconds in (run, alone, inside))
        print(
            f"{spec.problem.name}: ms a design in a run, by the library alone, inside it in the run: {shown}",
            flush=True,
        )
    mean, error = np.mean(ratios, axis=0), np.std(ratios, axis=0, ddof=1) / np.sqrt(rounds)
    for name, m, e in zip(("beside the library alone", "beside the library in the run"), mean, error, strict=True):
        print(f"{spec.problem.name}: {name} {m:.3f} ± {e:.3f}, {rounds} rounds of {designs} designs")


if __name__ == "__main__":
    main()

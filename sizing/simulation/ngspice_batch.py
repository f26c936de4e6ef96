"""ngspice as a program of its own, a process for each bench of each design: slower, and apart from everything else.

For decks that crash the library, and as a pattern for other simulators that are programs. The commands are those that
the library is given (`ngspice.py` says why), so that the results are the same.
"""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from sizing.measures.waveforms import Results, Vector, Waveforms
from sizing.simulation.dialect import alterations, axis_name, keeps_state, no_result, quantity_names
from sizing.simulation.meas import meas_command, result_name, with_meas
from sizing.simulation.messages import (
    LAST_WORDS,
    check_not_given_up,
    in_brief,
    version_in,
    with_last_words,
    with_origin,
    without_chatter,
)
from sizing.simulation.ngspice import SimulatorMissing
from sizing.simulation.simulator import SimulationError, deck_of
from sizing.simulation.validity import check_possible, checked
from sizing.task.bench import Analysis, Bench, Task
from sizing.task.job import Job
from sizing.units import spice_number

INSTALL_HINT = (
    "the ngspice program was not found. Install it: `apt install ngspice`, `dnf install ngspice`, "
    "`brew install ngspice` or `conda install -c conda-forge ngspice`."
)
LOADED = "the deck was read"
PLOTS = {
    "op": "Operating Point",
    "ac": "AC Analysis",
    "noise": "Noise Spectral Density Curves",
    "tran": "Transient Analysis",
    "dc": "DC transfer characteristic",
}
_SWEEP = re.compile(r"[vi]\(([vi]-sweep)\)")
"""What a raw file calls the axis of a sweep."""


def program_path() -> str:
    """Where the ngspice program is; raises SimulatorMissing."""
    found = shutil.which("ngspice")
    if found is None:
        raise SimulatorMissing(INSTALL_HINT)
    return found


class NgSpiceBatch:
    """The benches of one task, each run by `ngspice -b`, with files in the working directory."""

    def __init__(self, task: Task) -> None:
        self._benches = task.benches
        self._wanted = task.vectors
        self._quantities = quantity_names(task)
        self._alterations = [alterations(bench, task.variables) for bench in task.benches]
        self._together = [
            [(each,) for each in bench.analyses] if keeps_state(bench) else [bench.analyses] for bench in task.benches
        ]
        """The analyses of each bench that may share a process."""
        self._words: int | None = None
        self.seconds = 0.0
        self.version = ""
        self.unusable = False

    def start(self, words: int | None = None) -> None:
        """Ask the program for its version; its words go to the file descriptor `words` too."""
        self._words = words
        said = subprocess.run([program_path(), "-v"], capture_output=True, text=True, check=True).stdout
        self.version = f"{version_in(said.splitlines())}, as a program"
        Path(".spiceinit").write_text("set num_threads=1\n", encoding="utf-8")  # as in ngspice.py

    def load(self, job: Job) -> None:
        """Have every deck read, once; raises SimulationError("netlist") where one is refused."""
        for bench in self._benches:
            self._run(bench, job, [])

    def simulate(self, job: Job) -> Results:
        """Waveforms by "bench.analysis"; raises SimulationError with the reason and ngspice's last words."""
        results: dict[str, Waveforms] = {}
        for bench, targets, together in zip(self._benches, self._alterations, self._together, strict=True):
            altered = [(target, job.variables[name]) for name, each in (targets or {}).items() for target in each]
            values = [f"alter {target}={spice_number(value)}" for target, value in altered]
            for analyses in together:
                results |= self._results(bench, analyses, job, values)
        return results

    def _results(self, bench: Bench, analyses: Sequence[Analysis], job: Job, values: Sequence[str]) -> Results:
        """What these analyses give in one process, with the commands that set the design's values."""
        commands = list(values)
        for analysis in analyses:
            _raw_file(analysis).unlink(missing_ok=True)
            quantities = self._quantities[f"{bench.name}.{analysis.name}"]
            commands += _commands(analysis, [name for names in quantities.values() for name in names])
        said = self._run(bench, job, commands)
        results: dict[str, Waveforms] = {}
        for analysis in analyses:
            name = f"{bench.name}.{analysis.name}"
            try:
                results[name] = self._read(bench, analysis, job, said)
            except SimulationError as error:
                raise with_last_words(error, name, said) from None
        return results

    def _run(self, bench: Bench, job: Job, commands: Sequence[str]) -> list[str]:
        """What ngspice says of a deck and these commands; raises SimulationError where it refuses the deck or dies."""
        control = [".control", f"echo {LOADED}", "set filetype=binary", "set numdgt=17", *commands, ".endc", ".end", ""]
        Path("deck.cir").write_text(deck_of(bench, job).removesuffix(".end\n") + "\n".join(control), encoding="utf-8")
        began = time.perf_counter()
        ended = subprocess.run([program_path(), "-b", "deck.cir"], stdin=subprocess.DEVNULL, capture_output=True)
        self.seconds += time.perf_counter() - began
        if self._words is not None:
            os.write(self._words, ended.stderr)
        said = without_chatter((ended.stdout + ended.stderr).decode("utf-8", "replace").splitlines())
        if ended.returncode < 0:
            words = in_brief(said[-LAST_WORDS:])
            raise SimulationError(
                "crash", f"bench {bench.name}: ngspice killed by signal {-ended.returncode} ({words})"
            )
        if LOADED not in said:
            raise SimulationError("netlist", f"bench {bench.name}: {with_origin(said, bench.needed(job))}")
        return said

    def _read(self, bench: Bench, analysis: Analysis, job: Job, said: Sequence[str]) -> Waveforms:
        """The wanted vectors of an analysis from its raw file, and its `meas` results from what was said."""
        title, vectors = read_raw(_raw_file(analysis))
        if title != PLOTS.get(analysis.kind):
            raise SimulationError("convergence", "no result")
        wanted = self._wanted[f"{bench.name}.{analysis.name}"]
        for name, called in self._quantities[f"{bench.name}.{analysis.name}"].items():
            printed = [value for _, value in _printed(analysis, called, said)]
            vectors[name] = np.array(printed[:1])
        along = axis_name(analysis)
        if missing := [name for name in (*wanted, along) if name and (name not in vectors or not vectors[name].size)]:
            raise no_result(missing[0])
        axis = np.zeros(1) if along is None else np.real(vectors[along])
        waveforms = checked(analysis, axis, {name: vectors[name] for name in wanted})
        check_not_given_up(said)
        if analysis.kind == "op":
            nets = {name[2:-1]: vector[0] for name, vector in vectors.items() if name[:2] == "v(" and "#" not in name}
            check_possible(bench.circuit, job.values, nets)
        found: dict[str, float | str] = {}
        for name, _ in analysis.meas:
            result = result_name(analysis, name)
            complaints = [line.rpartition(" : ")[2] for line in said if line.startswith(f"Error: measure  {result} ")]
            printed = [] if complaints else [value for _, value in _printed(analysis, [result], said)]
            found[name] = printed[0] if printed else in_brief(complaints[:1])
        return with_meas(waveforms, analysis, found)


def _raw_file(analysis: Analysis) -> Path:
    return Path(f"{analysis.name}.raw")


def _commands(analysis: Analysis, quantities: Sequence[str]) -> Iterator[str]:
    yield "destroy all"
    for source, magnitude in analysis.excite:
        yield f"alter {source} acmag={spice_number(magnitude)}"
    yield analysis.command
    if analysis.kind == "noise":  # the totals come last, in a plot of their own
        yield "setplot previous"
    yield f"write {_raw_file(analysis)}"
    for name, what in analysis.meas:
        yield meas_command(analysis, name, what)
    for name in (*quantities, *(result_name(analysis, name) for name, _ in analysis.meas)):
        yield f"echo {_heading(analysis, name)}"
        yield f"print {name}"
    for source, _ in analysis.excite:
        yield f"alter {source} acmag=0"


def _heading(analysis: Analysis, name: str) -> str:
    return f"result of {analysis.name}.{name}"


def _printed(analysis: Analysis, names: Sequence[str], said: Sequence[str]) -> Iterator[tuple[str, float]]:
    """What was printed under these names, each after its heading."""
    for name in names:
        heading = _heading(analysis, name)
        following = said[said.index(heading) + 1] if heading in said[:-1] else ""
        if match := re.fullmatch(rf"{re.escape(name)} = (\S+)", following):
            yield name, float(match[1])


def read_raw(path: Path) -> tuple[str, dict[str, Vector]]:
    """The title and vectors of the plot in a binary raw file; no title where there is none."""
    if not path.exists():
        return "", {}
    head, _, data = path.read_bytes().partition(b"Binary:\n")
    lines = head.decode("utf-8", "replace").splitlines()
    fields = dict(line.split(": ", 1) for line in lines if ": " in line)
    names = [_SWEEP.sub(r"\1", line.split()[1]) for line in lines[lines.index("Variables:") + 1 :]]
    kind = np.complex128 if "complex" in fields["Flags"] else np.float64
    points = np.frombuffer(data, kind, count=len(data) // (np.dtype(kind).itemsize * len(names)) * len(names))
    return fields["Plotname"], dict(zip(names, points.reshape(-1, len(names)).T, strict=True))

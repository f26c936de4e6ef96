"""ngspice inside this process, through PySpice: every bench is loaded once for each corner, then altered and run.

What this module guards against was measured on ngspice 39 and PySpice 1.5: BSIM4 threads that spin against other
processes (`num_threads`), PySpice taking notes for errors, return codes of 0 after failures, plots that pile up.
Not thread-safe, one instance per process; after a netlist error ngspice is unusable and its process must end.
"""

import ctypes.util
import logging
import os
import re
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

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
from sizing.simulation.simulator import SimulationError, deck_of
from sizing.simulation.validity import check_possible, checked
from sizing.task.bench import Analysis, Bench, Task
from sizing.task.job import Conditions, Job
from sizing.units import spice_number

INSTALL_HINT = (
    "ngspice's shared library was not found. Install it: `apt install libngspice0` (Debian, Ubuntu), "
    "`dnf install libngspice` (Fedora), `brew install libngspice` (macOS) or "
    "`conda install -c conda-forge ngspice-lib`; or set NGSPICE_LIBRARY_PATH to the file."
)


_Deck = tuple[int, Conditions]
"""A bench, by its place in the task, under some conditions."""


class SimulatorMissing(RuntimeError):
    """No usable ngspice on this machine; the message says how to get it."""


def library_path() -> str:
    """Where ngspice's shared library is (NGSPICE_LIBRARY_PATH, else the linker's); raises SimulatorMissing."""
    if given := os.environ.get("NGSPICE_LIBRARY_PATH"):
        if not Path(given).is_file():
            raise SimulatorMissing(f"NGSPICE_LIBRARY_PATH names no file: {given}. Correct or unset it.")
        return given
    found = ctypes.util.find_library("ngspice")
    folders = (
        Path(os.environ.get("CONDA_PREFIX", "/nonexistent")) / "lib",
        Path("/opt/homebrew/lib"),
        Path("/usr/local/lib"),
    )
    candidates = [path for folder in folders for path in sorted(folder.glob("libngspice.*"))]
    if found is None and not candidates:
        raise SimulatorMissing(INSTALL_HINT)
    return found or str(candidates[0])


class NgSpice:
    """The benches of one task, loaded into the ngspice of this process."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._benches = task.benches
        self._wanted = task.vectors
        self._quantities = quantity_names(task)
        self._alterations = [alterations(bench, task.variables) for bench in task.benches]
        self._keep_state = [keeps_state(bench) for bench in task.benches]
        self._shared: Any = None
        self._order: list[_Deck] = []
        """Decks as ngspice counts its circuits: the one read last comes first."""
        self._altered: dict[_Deck, dict[str, float]] = {}
        """The variable values that each deck has in ngspice now, as altered: none for one just read.

        ngspice reads a number in a deck to another last bit than the same number in `alter`; were a deck's own values
        left in place, results would depend on which design came first.
        """
        self._samples: dict[_Deck, int | None] = {}
        """Which sample each deck in ngspice is, if it is one."""
        self.seconds = 0.0
        self.version = ""
        self.unusable = False
        """Whether ngspice refused a netlist or gave up, after which it must not be called again."""

    def start(self, words: int | None = None) -> None:
        """Load the library into this process; complaints go to the file descriptor `words` as they come."""
        if self._shared is not None:
            return
        self._shared = _shared(words)
        self._command("version -f")
        self.version = version_in(self._said())
        self._command("set num_threads=1")

    def simulate(self, job: Job) -> Results:
        """Waveforms by "bench.analysis"; raises SimulationError with the reason and ngspice's last words."""
        self.load(job)
        results: dict[str, Waveforms] = {}
        for number, bench in enumerate(self._benches):
            for index, analysis in enumerate(bench.analyses):
                if index == 0 or self._keep_state[number]:
                    self._select(number, job)
                results[f"{bench.name}.{analysis.name}"] = self._analyse(bench, analysis, job)
        return results

    def load(self, job: Job) -> None:
        """Load every deck of the job's conditions, unless that has been done; raises SimulationError("netlist")."""
        self.start()
        for number in range(len(self._benches)):
            key = (number, job.conditions)
            if key not in self._altered:
                self._read_deck(key, job, deck_of(self._benches[number], job))

    def _read_deck(self, key: _Deck, job: Job, deck: str) -> None:
        bench = self._benches[key[0]]
        self._shared.words.clear()
        began = time.perf_counter()
        self._shared.load(deck)
        self.seconds += time.perf_counter() - began
        self._order.insert(0, key)
        self._altered[key] = {}
        self._samples[key] = job.sample
        words = self._said()
        if self._shared.exited or self._circuits() != len(self._order):
            self.unusable = True
            raise SimulationError("netlist", f"bench {bench.name}: {with_origin(words, bench.needed(job))}")

    def _circuits(self) -> int:
        self._shared.words.clear()
        self._command("setcirc")
        return sum(re.match(r"(Current\s+)?\d+\t", line) is not None for line in self._said())

    def _select(self, number: int, job: Job) -> None:
        """Make a bench the current circuit, with these values: altered in place, and read again first where it must be.

        `alterparam` and `reset` are no way out: ngspice resets to the deck read last, whichever circuit is current.
        Samples under the same conditions take each other's place: ngspice draws when it reads a deck.
        """
        key = (number, job.conditions)
        self._command(f"setcirc {self._order.index(key) + 1}")
        targets = self._alterations[number]
        if targets is None or job.sample != self._samples[key] or self._keep_state[number]:
            deck = deck_of(self._benches[number], job)  # before the old one goes: there may be no new one
            self._command("remcirc")
            self._order.remove(key)
            self._read_deck(key, job, deck)
        altered = self._altered[key]
        for name, found in (targets or {}).items():
            if altered.get(name) == job.variables[name]:
                continue
            for target in found:
                self._command(f"alter {target}={spice_number(job.variables[name])}")
            altered[name] = job.variables[name]

    def _analyse(self, bench: Bench, analysis: Analysis, job: Job) -> Waveforms:
        self._command("destroy all")
        for source, magnitude in analysis.excite:
            self._command(f"alter {source} acmag={spice_number(magnitude)}")
        self._shared.words.clear()
        self._command(analysis.command)
        for source, _ in analysis.excite:
            self._command(f"alter {source} acmag=0")
        try:
            waveforms = self._read(analysis, f"{bench.name}.{analysis.name}")
            check_not_given_up(self._said())
            if analysis.kind == "op":
                plot = self._shared.current_plot()
                nets = (name for name in self._shared.vectors(plot) if "#" not in name and name[0] != "@")
                check_possible(bench.circuit, job.values, {name: self._vector(plot, name)[0] for name in nets})
        except SimulationError as error:
            raise with_last_words(error, f"{bench.name}.{analysis.name}", self._said()) from None
        return with_meas(waveforms, analysis, {name: self._meas(analysis, name, what) for name, what in analysis.meas})

    def _meas(self, analysis: Analysis, name: str, what: str) -> float | str:
        """A result, or what ngspice complains of."""
        result = result_name(analysis, name)
        self._shared.words.clear()
        self._command(meas_command(analysis, name, what))
        complaints = [line for line in self._said() if not line.startswith(result)]
        vector = self._shared.vector(result)
        return in_brief(complaints[:1]) if complaints or vector is None else float(np.real(vector[0]))

    def _read(self, analysis: Analysis, reference: str) -> Waveforms:
        """The wanted vectors of the latest analysis, if they are what it must give."""
        plot = self._shared.current_plot()
        if not plot.startswith(analysis.kind):
            raise SimulationError("convergence", "no result")
        if analysis.kind == "noise":  # the totals come last, in a plot of their own
            plot = f"noise{int(plot.removeprefix('noise')) - 1}"
        along = axis_name(analysis)
        axis = np.zeros(1) if along is None else np.real(self._vector(plot, along))
        quantities = self._quantities[reference]
        called = {name: quantities.get(name, (_ngspice_name(name),)) for name in self._wanted[reference]}
        return checked(analysis, axis, {name: self._vector(plot, *names) for name, names in called.items()})

    def _vector(self, plot: str, *names: str) -> Vector:
        """The first of these vectors that there is."""
        found = (self._shared.vector(f"{plot}.{name}") for name in names)
        vector: Vector | None = next((each for each in found if each is not None and each.size), None)
        if vector is None:
            raise no_result(names[0])
        return vector

    def _command(self, command: str) -> None:
        began = time.perf_counter()
        self._shared.command(command)
        self.seconds += time.perf_counter() - began
        if self._shared.exited:
            self.unusable = True
            raise SimulationError("crash", "ngspice gave up: " + in_brief(self._said()[-LAST_WORDS:]))

    def _said(self) -> list[str]:
        """What ngspice has said since its words were cleared, a line each, without the usual chatter."""
        words = (word.decode("utf-8", "replace") for word in self._shared.words)
        return without_chatter(re.sub(r"^(stdout|stderr)\s", "", word) for word in words)


def _ngspice_name(vector: str) -> str:
    return f"{vector[2:-1]}#branch" if vector.startswith("i(") else vector


def _shared(overheard: int | None) -> Any:
    """This process's ngspice, with PySpice's reading of its messages replaced by a plain record of them."""
    logging.getLogger("PySpice").setLevel(logging.CRITICAL)
    from PySpice.Spice.NgSpice.Shared import NgSpiceShared, ffi

    class Shared(NgSpiceShared):  # type: ignore[misc]
        LIBRARY_PATH = library_path()
        words: ClassVar[deque[bytes]] = deque(maxlen=200)
        exited: ClassVar[bool] = False

        @staticmethod
        def _send_char(message: Any, _id: int, _user_data: Any) -> int:
            said = ffi.string(message)
            Shared.words.append(said)
            stream, _, text = said.partition(b" ")
            if overheard is not None and stream == b"stderr" and without_chatter([text.decode(errors="replace")]):
                with suppress(OSError):
                    os.write(overheard, text + b"\n")
            return 0

        @staticmethod
        def _exit(status: int, _immediate: bool, _quit: bool, _id: int, _user_data: Any) -> int:
            Shared.exited = True  # ngspice asks to be unloaded after a fatal error
            return status

        def command(self, command: str) -> None:
            self._ngspice_shared.ngSpice_Command(command.encode())

        def load(self, deck: str) -> None:
            lines = [ffi.new("char[]", line.encode()) for line in deck.split("\n")]
            self._ngspice_shared.ngSpice_Circ(ffi.new("char *[]", [*lines, ffi.NULL]))

        def current_plot(self) -> str:
            return str(ffi.string(self._ngspice_shared.ngSpice_CurPlot()).decode())

        def vectors(self, plot: str) -> list[str]:
            names = self._ngspice_shared.ngSpice_AllVecs(plot.encode())
            return [] if names == ffi.NULL else list(self._convert_string_array(names))

        def vector(self, name: str) -> Vector | None:
            """A copy of a vector, which ngspice overwrites with its next command."""
            info = self._ngspice_shared.ngGet_Vec_Info(name.encode())
            if info == ffi.NULL:
                return None
            if info.v_flags & 1:
                return np.frombuffer(ffi.buffer(info.v_realdata, info.v_length * 8), dtype=np.float64).copy()
            return np.frombuffer(ffi.buffer(info.v_compdata, info.v_length * 16), dtype=np.complex128).copy()

    return Shared()


if __name__ == "__main__":
    try:
        library_path()
    except SimulatorMissing as missing:
        raise SystemExit(f"error: {missing}") from None

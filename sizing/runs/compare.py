"""Methods x specs x seeds on equal terms: many runs side by side, taken up where they were left."""

import hashlib
import json
import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from sizing.errors import InputError
from sizing.files import BeingWritten, claim, write_all_whole
from sizing.runs.records.reading import RunRecord, read_runs
from sizing.runs.run import resume, run
from sizing.runs.tables import means_table, runs_table
from sizing.search.methods import method_named
from sizing.search.settling import parse_variant, settled, unheeded, unheeded_words
from sizing.simulation.ngspice import SimulatorMissing
from sizing.simulation.pool import default_workers
from sizing.simulation.simulator import SimulationError
from sizing.specfile.load import run_settings
from sizing.specfile.mistakes import SpecError

MANIFEST = "comparison.json"
SECONDS_TO_LEAVE = 100
"""A file server keeps the lock of a machine that is gone for a minute and a half."""


@dataclass(frozen=True)
class Entry:
    """One run of a comparison."""

    spec: Path
    method: str
    """A variant: "fc", or "fc:initial=20"."""
    seed: int
    folder: Path
    max_sims: int | None


@dataclass(frozen=True)
class Comparison:
    """What a comparison left behind: its run folders, and why runs did not end, by "spec method seed"."""

    records: tuple[RunRecord, ...]
    failures: dict[str, str]

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row of counts for each run."""
        return runs_table(self.records)

    @cached_property
    def means(self) -> pd.DataFrame:
        """Their means over seeds, with standard errors."""
        return means_table(self.table)


def compare(
    specs: Sequence[str | Path],
    methods: Sequence[str],
    seeds: Sequence[int],
    out: str | Path,
    *,
    max_sims: int | None = None,
    jobs: int | None = None,
    executor: str = "local",
    trust: bool = False,
    on_end: Callable[[Entry, str], None] | None = None,
) -> Comparison:
    """Run every method on every spec from every seed, `jobs` runs at a time with one simulator process each.

    `executor` says where: "local" in processes of this machine, "dask" on a Dask cluster that is started here, or the
    address of a Dask scheduler, whose machines must share the folders of specs and of `out`, and whose workers say how
    many runs there are at a time.

    A method may be followed by settings of its own: "fc:initial=20:judge.batch=64".

    For a spec and seed all methods start from the same initial designs. Calling it again with the same arguments and
    `out` takes up what was left: ended runs stay, half runs go on. A run that cannot start or breaks does not stop the
    others. `on_end` is called with each entry and its status; `trust` is for `load_spec`. Raises SpecError for unknown
    methods and repeated or negative seeds, InputError where `out` holds something else. Leaves table.csv and means.csv
    in `out`.
    """
    out = Path(out)
    _check_arguments(specs, methods, seeds)
    entries = entries_of(specs, methods, seeds, out, max_sims)
    digests = {str(spec): _digest(Path(spec)) for spec in specs}
    claim(out, MANIFEST, {"specs": digests, "methods": methods, "seeds": seeds, "max_sims": max_sims}, "comparison")
    failures: dict[str, str] = {}
    with _processes(executor, jobs) as processes:
        futures = {processes.submit(_end_of, entry, trust): entry for entry in entries}
        try:
            for future in as_completed(futures):
                entry = futures[future]
                status = _status(future, entry, failures)
                if on_end:
                    on_end(entry, status)
                if status == "interrupted":
                    raise KeyboardInterrupt
        except KeyboardInterrupt:  # the runs under way end by themselves; the others stay for the next call
            processes.shutdown(cancel_futures=True)
            raise
    records, _ = read_runs([entry.folder for entry in entries if (entry.folder / "manifest.json").exists()])
    comparison = Comparison(tuple(records), failures)
    if records:
        tables = {"table.csv": comparison.table, "means.csv": comparison.means}
        write_all_whole({out / name: table.to_csv(index=False).encode() for name, table in tables.items()})
    return comparison


def entries_of(
    specs: Sequence[str | Path], methods: Sequence[str], seeds: Sequence[int], out: Path, max_sims: int | None = None
) -> list[Entry]:
    """The runs of a comparison, in the order in which they are started."""
    return [
        Entry(Path(spec), method, seed, out / f"{Path(spec).stem}-{method}-s{seed}", max_sims)
        for spec in specs
        for seed in seeds
        for method in methods
    ]


def runs_at_a_time(executor: str, jobs: int | None) -> int:
    """How many runs a comparison has under way; of a scheduler's workers, those that are there now."""
    if executor in ("local", "dask"):
        return jobs or default_workers()
    from sizing.simulation.cluster import joined

    with joined(executor, jobs) as client:
        return max(1, sum(map(int, client.nthreads().values())))


def absent_runs(out: Path) -> list[str]:
    """The runs of the comparison in this folder, if it is one, that left no run folder, in words."""
    path = out / MANIFEST
    if not path.is_file():
        return []
    try:
        asked = json.loads(path.read_text(encoding="utf-8"))
        entries = entries_of(list(asked["specs"]), asked["methods"], asked["seeds"], out)
    except (ValueError, KeyError, TypeError) as error:
        return [f"{path}: damaged: {error!r}"]
    return [
        f"{entry.folder}: expected a run: not begun yet, or refused; the same `sizing compare` goes on, or says why"
        for entry in entries
        if not (entry.folder / "manifest.json").exists()
    ]


def _processes(executor: str, jobs: int | None) -> AbstractContextManager[Executor]:
    """Processes for runs, on this machine or on those of a cluster."""
    if executor == "local":
        spawn = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(jobs or default_workers(), spawn, _end_with_the_comparison)
    from sizing.simulation.cluster import cluster_executor

    return cluster_executor(executor, jobs, _end_with_the_comparison)


def _status(future: Future[str], entry: Entry, failures: dict[str, str]) -> str:
    """How a run ended; one that failed is noted with the reason."""
    try:
        return future.result()
    except (InputError, SimulationError, SimulatorMissing, OSError) as error:
        failures[f"{entry.spec.stem} {entry.method} {entry.seed}"] = str(error)
        return f"failed: {error}"


def _end_with_the_comparison() -> None:
    """In a process for runs: when the comparison, or the Dask worker that started it, is killed, leave them at once."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _end_of(entry: Entry, trust: bool) -> str:
    """Start the run, or take it up, when whoever had it before has left it; its status."""
    deadline = time.monotonic() + SECONDS_TO_LEAVE
    while True:
        try:
            return _started_or_taken_up(entry, trust)
        except BeingWritten:
            if time.monotonic() > deadline:
                raise
            time.sleep(1)


def _started_or_taken_up(entry: Entry, trust: bool) -> str:
    if entry.folder.exists():
        return resume(entry.folder, workers=1, trust=trust).status
    settings = {"max_sims": entry.max_sims} | parse_variant(entry.method) | {"seed": entry.seed}
    return run(entry.spec, trust=trust, out=entry.folder, workers=1, **settings).status


def _check_arguments(specs: Sequence[str | Path], methods: Sequence[str], seeds: Sequence[int]) -> None:
    mistakes = []
    for method in methods:
        try:
            asked = run_settings(parse_variant(method))
            chosen = method_named(asked.method)
            settled(asked, chosen)
            mistakes += [f"--methods: {unheeded_words(asked.method, key)}" for key in unheeded(asked, chosen)]
        except InputError as error:
            mistakes.append(f"--methods: {error}")
    names = [Path(spec).stem for spec in specs]
    for option, given in (("SPEC", names), ("--methods", methods), ("--seeds", seeds)):
        repeated = sorted({str(each) for each in given if given.count(each) > 1})
        mistakes += [f"{option}: expected each once, got {each} twice" for each in repeated]
    mistakes += [f"--seeds: expected none below 0, got {seed}" for seed in seeds if seed < 0]
    if mistakes:
        raise SpecError(mistakes)


def _digest(spec: Path) -> str:
    """The spec's text in short, so that no comparison is taken up with another one; empty where it cannot be read."""
    return hashlib.sha256(spec.read_bytes()).hexdigest() if spec.is_file() else ""

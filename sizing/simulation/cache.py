"""Outcomes of simulations, kept by what was simulated, and shared by runs and processes."""

import hashlib
import inspect
import json
import sqlite3
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Self

from sizing.errors import InputError
from sizing.measures.measure import Measure
from sizing.simulation.simulations import Answered, Simulations
from sizing.simulation.simulator import Failed, Outcome, outcome_entries, outcome_from
from sizing.task.bench import Task
from sizing.task.job import Job

NAME = "simulations.sqlite"
LARGEST_BYTES = 1e9
"""Bytes beyond which the outcomes that have not been used for longest go."""
RESULTS_VERSION = 2
"""Counted up whenever the same simulation gives something else, by an adapter, a check of validity or a measurement of
ours: outcomes of before are no answers then (`tests/sizing/simulation/test_results.py` reminds of it)."""
SECONDS_BETWEEN_USES = 86_400
"""How old the note of the last use may be, so that a hit seldom writes."""
_SECONDS_TO_WAIT = 30.0
_SHARE_KEPT = 0.9
_TARGET = {"at_least", "at_most", "weight"}


@dataclass(frozen=True)
class CacheInfo:
    """What a cache holds."""

    path: Path
    outcomes: int
    bytes: int


class SimulationCache:
    """A file of outcomes in a folder on a local disk, safe to use by several processes at once.

    It is never in the way of a run: where it cannot be read or written later on, nothing is known and nothing is kept.
    Raises InputError where the folder cannot hold it.
    """

    def __init__(self, folder: Path, *, make: bool = True) -> None:
        self._path = folder / NAME
        if not make and not self._path.exists():
            raise InputError(f"{folder}: expected a cache of simulations ({NAME}), found none")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(self._path, timeout=_SECONDS_TO_WAIT, isolation_level=None)
            self._connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.execute(
                "CREATE TABLE IF NOT EXISTS outcomes"
                " (key BLOB PRIMARY KEY, outcome TEXT NOT NULL, used INTEGER NOT NULL) WITHOUT ROWID"
            )
        except (sqlite3.Error, OSError) as error:
            raise InputError(f"{folder}: cannot hold a cache of simulations: {error}; name another folder") from None

    def get(self, key: bytes) -> Outcome | None:
        """The outcome kept under this key, marked as a hit, or None."""
        with suppress(sqlite3.Error, ValueError, KeyError, TypeError):
            row = self._connection.execute("SELECT outcome, used FROM outcomes WHERE key = ?", (key,)).fetchone()
            if row is None:
                return None
            outcome = replace(outcome_from(json.loads(row[0])), cached=True)
            if time.time() - row[1] > SECONDS_BETWEEN_USES:
                self._connection.execute("UPDATE outcomes SET used = ? WHERE key = ?", (int(time.time()), key))
            return outcome
        return None

    def put(self, key: bytes, outcome: Outcome) -> None:
        """Keep an outcome, unless it is a failure that need not happen again."""
        if isinstance(outcome, Failed) and outcome.reason != "convergence":
            return
        row = (key, json.dumps(outcome_entries(outcome)), int(time.time()))
        with suppress(sqlite3.Error):
            self._connection.execute("INSERT OR IGNORE INTO outcomes VALUES (?, ?, ?)", row)

    def info(self) -> CacheInfo:
        """What it holds now."""
        (outcomes,) = self._connection.execute("SELECT count(*) FROM outcomes").fetchone()
        return CacheInfo(self._path, outcomes, self._bytes())

    def prune(self, largest: float) -> int:
        """Drop what was used longest ago until it has at most `largest` bytes; how many outcomes went."""
        before = self.info().outcomes
        while (size := self._bytes()) > largest and (outcomes := self.info().outcomes):
            some = max(1, int(outcomes * (1 - _SHARE_KEPT * largest / size)))
            self._connection.execute(
                "DELETE FROM outcomes WHERE key IN (SELECT key FROM outcomes ORDER BY used, key LIMIT ?)", (some,)
            )
        self._connection.executescript("PRAGMA incremental_vacuum")  # `execute` would free one page
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return before - self.info().outcomes

    def close(self) -> None:
        """Keep within bounds what others will find."""
        with suppress(sqlite3.Error):
            if self._bytes() > LARGEST_BYTES:
                self.prune(LARGEST_BYTES)
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _bytes(self) -> int:
        pages, free, size = (
            self._connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)


def cached(cache: SimulationCache, key: "KeyOf", simulations: Simulations) -> Simulations:
    """The simulations with the cache before the simulator."""
    return Answered(lambda job: cache.get(key(job)), simulations, lambda job, outcome: cache.put(key(job), outcome))


class KeyOf:
    """Keys of a task's outcomes: hashes of all that they depend on.

    These are the circuit (`circuit`: the decks with what they include, the analyses, what our code makes of them, the
    version of the simulator), the measurements without their targets (`measures`), the variables' values, and the
    conditions: of a process its lines, for its name may mean another one in another spec.
    """

    def __init__(self, task: Task, version: str) -> None:
        benches = [
            (bench.name, [line.text for line in bench.lines], [asdict(analysis) for analysis in bench.analyses])
            for bench in task.benches
        ]
        code = [RESULTS_VERSION, *(_source(measure) for measure in task.measures)]
        self.circuit = _digest([benches, code, version, task.variables]).hex()
        self.measures = tuple(_digest(each.model_dump(mode="json", exclude=_TARGET)).hex() for each in task.measures)
        self._task = task
        self._processes = {
            name: _digest([[line.text for line in bench.processes[name].lines] for bench in task.benches]).hex()
            for name in task.benches[0].processes
        }

    def __call__(self, job: Job) -> bytes:
        """The key of the outcome of this job."""
        variables = [job.variables[name] for name in self._task.variables]
        held = job.conditions
        process = None if held.process is None else self._processes[held.process]
        conditions = [held.temperature, process, sorted(held.parameters)]
        return _digest([self.circuit, self.measures, variables, conditions, job.sample])


def _source(measure: Measure) -> str:
    """The code of a measurement that is none of ours, as far as it can be read."""
    kind = type(measure)
    if kind.__module__.partition(".")[0] == "sizing":
        return ""
    try:
        return inspect.getsource(kind)
    except (OSError, TypeError):
        return ""


def _digest(content: object) -> bytes:
    return hashlib.blake2b(json.dumps(content).encode(), digest_size=20).digest()

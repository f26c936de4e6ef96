"""Runs from a spec to the tables they leave: what a run needs is started here, and ended."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import pandas as pd

from sizing.errors import InputError, nearest
from sizing.evaluation.evidence import Before
from sizing.evaluation.failures import commonest_failure
from sizing.files import write_all_whole
from sizing.runs.export import sized_netlist
from sizing.runs.loop import Loop, Observer, Status
from sizing.runs.records.evidence import evidence_of, read_evidence
from sizing.runs.records.reading import RunError, RunRecord, read_run
from sizing.runs.records.writing import FORMAT, TABLES, RunFolder, cannot_write
from sizing.runs.tables import designs_table, runs_table
from sizing.search.methods import METHODS, check_objectives, checkpoint_of, settled
from sizing.simulation.cache import Cached, KeyOf, SimulationCache
from sizing.simulation.dialect import alterable
from sizing.simulation.pool import Pool, default_workers
from sizing.simulation.simulator import Outcome, Simulate
from sizing.simulation.simulators import SIMULATORS, pool_for
from sizing.specfile.load import Spec, load_spec
from sizing.specfile.mistakes import SpecError
from sizing.task.bench import Task
from sizing.task.job import Job
from sizing.task.settings import AUTO, RunSettings

PoolForTask = Callable[[Task], AbstractContextManager[Pool]]


@dataclass(frozen=True)
class Result:
    """What a run left behind: its folder, and its tables as pandas."""

    record: RunRecord

    @property
    def folder(self) -> Path:
        """The run folder."""
        return self.record.path

    @property
    def status(self) -> Status:
        """Why the run ended."""
        status: Status = self.record.summary["status"]
        return status

    @cached_property
    def designs(self) -> pd.DataFrame:
        """Every simulated design of the population, best first."""
        return designs_table(self.record)

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row of counts: simulations, queries, times."""
        return runs_table([self.record])


def run(
    spec: Spec | str | Path,
    *,
    out: str | Path | None = None,
    workers: int | None = None,
    executor: str = "local",
    cache: str | Path | None = None,
    observer: Observer | None = None,
    trust: bool = False,
    **settings: Any,
) -> Result:
    """Search until enough designs meet every target, or a budget ends; Ctrl-C ends a run cleanly.

    With an objective in the spec only a budget ends it.

    `settings` replace the spec's run settings (method, seed, max_sims, …). The folder is `out`, by default
    runs/<spec>-<method>-s<seed>. `executor` says where simulations are done: "local" in processes of this machine,
    "dask" by a Dask cluster that is started here, or the address of a Dask scheduler; the records are the same.
    `cache` is a folder of simulations that runs share; the designs and their order are the same with and without.
    `trust` is for `load_spec`. Raises SpecError, RunError, SimulatorMissing, and
    SimulationError where ngspice refuses the netlist, all before anything is written.
    """
    spec = (load_spec(spec, trust=trust) if not isinstance(spec, Spec) else spec).with_run(**settings)
    if spec.run.method == AUTO:
        spec = spec.with_run(method=_usual_method(spec))
    if spec.run.method not in METHODS:
        raise SpecError([f"method: no method {spec.run.method!r}{nearest(spec.run.method, METHODS)}"])
    check_objectives(spec.run, spec.problem)
    spec = replace(spec, run=settled(spec.run))
    _refuse_unless_looking(spec)
    checkpoint = checkpoint_of(spec.run)
    evidence = tuple(evidence_of(read_run(path), spec.problem) for path in spec.run.warm_start)
    path = SIMULATORS[spec.run.simulator].path()
    folder = Path(out) if out else Path("runs") / f"{spec.problem.name}-{spec.run.method}-s{spec.run.seed}"
    RunFolder.refuse_existing(folder)
    with _pools(spec.run, executor, workers) as pool_for_task, pool_for_task(spec.task) as pool:
        pool.load(spec.problem.job(spec.problem.middle))
        key = KeyOf(spec.task, pool.version)
        names = [metric.name for metric in spec.problem.measured]
        before = Before.of(spec.problem, evidence, key.circuit, dict(zip(names, key.measures, strict=True)))
        _refuse_unless_learning(spec.run.method, before)
        with _with_cache(cache, key, pool) as simulate, _looks(spec.task, pool_for_task) as look:
            loop = Loop(spec, before.answering(spec.problem, key, simulate), look, observer, before)
            where = Path(cache).resolve() if cache else None
            loop.run(RunFolder.create(folder, spec, f"{pool.version} ({path})", checkpoint, where, evidence, key))
    return _finished(folder)


def resume(
    folder: str | Path,
    *,
    workers: int | None = None,
    executor: str = "local",
    observer: Observer | None = None,
    trust: bool = False,
) -> Result:
    """Take up a run that was killed or interrupted, as if nothing had happened: same designs, same order, same counts.

    The search is replayed with the journal's simulations as answers and goes on from there; no simulation that the
    journal holds is repeated; times go on from where they were, and a replay takes none. A run that has ended by itself
    is returned as it is. `trust` is for `load_spec`. Raises InputError where the folder is no run, is being written, or
    does not agree with what this machine and these versions do, and CannotWrite where the disk is full or fails.
    """
    record = read_run(folder)
    if record.summary.get("status", "interrupted") != "interrupted":
        return Result(record) if (record.path / TABLES[-1]).exists() else _finished(record.path)
    if record.manifest["format"] < FORMAT:
        raise RunError(f"{record.path}: was written by an earlier version; it can be read, but not taken up again")
    spec = load_spec(record.path / "spec.yaml", trust=trust)
    checkpoint, now = record.manifest.get("checkpoint"), checkpoint_of(spec.run)
    if checkpoint != now:
        raise RunError(f"{record.path}: expected the checkpoint that the run began with, {checkpoint}, got {now}")
    with _pools(spec.run, executor, workers) as pool_for_task, pool_for_task(spec.task) as pool:
        pool.load(spec.problem.job(spec.problem.middle))
        key = KeyOf(spec.task, pool.version)
        same = (record.manifest.get("circuit", ""), record.manifest.get("measures", {}))
        before = Before.of(spec.problem, read_evidence(record), *same)
        with (
            _with_cache(record.manifest.get("cache"), key, pool) as simulate,
            _looks(spec.task, pool_for_task) as look,
        ):
            replay = _Replay(record, before.answering(spec.problem, key, simulate))
            Loop(spec, replay, look, observer, before).run(RunFolder(record.path))
    return _finished(record.path)


def check(spec: Spec) -> Outcome:
    """Simulate every bench once, at the middle of the ranges; raises SimulationError where ngspice refuses a deck."""
    job = spec.problem.job(spec.problem.middle)
    with pool_for(spec.task, spec.run, 1) as pool:
        pool.load(job)
        return pool.run([job])[0]


def most_frequent_failure(record: RunRecord) -> str | None:
    """The commonest reason for failed simulations of a run, with one of their messages."""
    return commonest_failure([each.outcome for each in record.simulations]) or None


def _usual_method(spec: Spec) -> str:
    """The method that needs the fewest simulations, unless thousands of looks would take longer than they save.

    With a process kit, and as a program of its own, ngspice reads a deck for each. Only `gp` learns from earlier runs.
    """
    look = spec.task.look
    quick = look is not None and alterable(look) and spec.run.simulator == "ngspice"
    ranks = settled(spec.with_run(method="gp-op").run).search.acceptance == "ranking"
    return "gp-op" if quick and ranks and not spec.run.warm_start else "gp"


def _refuse_unless_looking(spec: Spec) -> None:
    method, acceptance = spec.run.method, spec.run.search.acceptance
    if not METHODS[method].looks:
        return
    if spec.task.look is None:
        raise InputError(f"method: {method} looks at operating points: expected a bench with an `op` analysis")
    if acceptance != "ranking":
        raise InputError(f"search.acceptance: {method} looks at what it ranks: expected ranking, got {acceptance}")


def _refuse_unless_learning(method: str, before: Before) -> None:
    if before.others and not METHODS[method].warm:
        able = ", ".join(name for name, each in METHODS.items() if each.warm)
        raise InputError(
            f"warm_start: {method} does not learn from earlier runs; expected one of {able}, or a run of this very "
            f"circuit, which {before.others[0].run} is not (or it measured in another way, or with another ngspice)"
        )


@contextmanager
def _pools(settings: RunSettings, executor: str, workers: int | None) -> Iterator[PoolForTask]:
    """Makes simulators for a task, on this machine or on those of one cluster, where each worker has a process."""
    if executor == "local":
        yield lambda task: pool_for(task, settings, workers or default_workers())
        return
    from sizing.simulation.cluster import ClusterPool, joined

    with joined(executor, workers) as client:
        yield lambda task: ClusterPool(client, partial(pool_for, task, settings, 1))


@contextmanager
def _with_cache(folder: str | Path | None, key: KeyOf, pool: Pool) -> Iterator[Simulate]:
    """The pool's simulations, with those that a cache knows answered by it."""
    if folder is None:
        yield pool.stream
        return
    with SimulationCache(Path(folder)) as cache:
        yield Cached(cache, key, pool.stream)


@contextmanager
def _looks(task: Task, pool_for_task: PoolForTask) -> Iterator[Simulate]:
    """Finds operating points, in worker processes that start with the first."""
    with ExitStack() as stack:
        pools: list[Pool] = []

        def look(jobs: Sequence[Job]) -> Iterator[Outcome]:
            if not pools:
                assert task.look is not None
                pools.append(stack.enter_context(pool_for_task(task.look)))
            return pools[0].stream(jobs)

        yield look


class _Replay:
    """Answers with the simulations a journal holds, in its order, before it asks the simulator."""

    def __init__(self, record: RunRecord, simulate: Simulate) -> None:
        self._known = deque(evaluation.outcome for evaluation in record.simulations)
        self._simulate = simulate

    def __call__(self, jobs: Sequence[Job]) -> Iterator[Outcome]:
        known = min(len(jobs), len(self._known))
        for _ in range(known):
            yield self._known.popleft()
        yield from self._simulate(jobs[known:])


def _finished(folder: Path) -> Result:
    """The result of a run that has just ended, its tables written."""
    result = Result(read_run(folder))
    tables = {"table.csv": result.table.to_csv(index=False), "designs.csv": result.designs.to_csv(index=False)}
    if result.record.joined:
        tables["sized.cir"] = sized_netlist(result.record)
    try:
        write_all_whole({folder / name: tables[name].encode() for name in TABLES if name in tables})
    except OSError as error:
        raise cannot_write(folder, error) from error
    return result

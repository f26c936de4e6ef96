"""Runs from a spec to the tables they leave: what a run needs is started here, and ended."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import pandas as pd

from sizing.clock import Clock
from sizing.evaluation.evaluator import Evaluator
from sizing.evaluation.evidence import Before, Evidence
from sizing.files import write_all_whole
from sizing.measures.measure import Measure
from sizing.plugins import PlugInError
from sizing.runs.events import Announcer, Listener, Observer, Simulated, Status, progress_to
from sizing.runs.export import sized_netlist
from sizing.runs.loop import Elapsed, Loop
from sizing.runs.plan import RunPlan, plan, refuse_unless_learning
from sizing.runs.records.evidence import read_evidence
from sizing.runs.records.reading import RunError, RunRecord, read_run
from sizing.runs.records.writing import FORMAT, TABLES, RunFolder, cannot_write
from sizing.runs.tables import designs_table, runs_table
from sizing.search.context import Context
from sizing.search.evolution import Streams
from sizing.search.guard import GuardedOptimizer, called
from sizing.search.method import Method
from sizing.search.methods import METHODS
from sizing.search.optimizer import Optimizer
from sizing.simulation.cache import KeyOf, SimulationCache, cached
from sizing.simulation.pool import Pool, default_workers
from sizing.simulation.simulations import Answered, Simulations, in_order, journalled
from sizing.simulation.simulator import Outcome, Simulate
from sizing.simulation.simulators import SimulatorEntry, pool_for
from sizing.specfile.load import Spec, load_spec
from sizing.task.bench import Task
from sizing.task.job import Job

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
        return _status_of(self.record)

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
    listeners: Sequence[Listener] = (),
    trust: bool = False,
    method: str | Method | Callable[[Context], Optimizer] | None = None,
    simulator: str | SimulatorEntry | None = None,
    **settings: Any,
) -> Result:
    """Search until enough designs meet every target, or a budget ends; Ctrl-C ends a run cleanly.

    With an objective in the spec only a budget ends it.

    `settings` replace the spec's run settings (seed, max_sims, …), and `method` who searches: one that is named, a
    Method, or whatever makes an optimizer of a Context. `simulator` is one that is named, or a SimulatorEntry, whose
    `make` simulator processes import. `observer` hears how the run stands after every iteration,
    `listeners` every event. The folder is `out`, by default
    runs/<spec>-<method>-s<seed>. `executor` says where simulations are done: "local" in processes of this machine,
    "dask" by a Dask cluster that is started here, or the address of a Dask scheduler; the records are the same.
    `cache` is a folder of simulations that runs share; the designs and their order are the same with and without.
    `trust` is for `load_spec`. Raises SpecError, RunError, SimulatorMissing, and
    SimulationError where ngspice refuses the netlist, all before anything is written; and PlugInError where a method of
    others breaks a promise, after which the folder holds what there was until then, tables too, and can be taken up.
    """
    spec = (load_spec(spec, trust=trust) if not isinstance(spec, Spec) else spec).with_run(**settings)
    planned = plan(*_with_objects(spec, method, simulator))
    spec = planned.spec
    folder = Path(out) if out else Path("runs") / f"{spec.problem.name}-{spec.run.method}-s{spec.run.seed}"
    RunFolder.refuse_existing(folder)
    with _pools(planned, executor, workers) as pool_for_task, pool_for_task(spec.task) as pool:
        pool.load(spec.problem.job(spec.problem.start))
        key = KeyOf(spec.task, pool.version)
        before = _before(spec, planned.evidence, key)
        refuse_unless_learning(spec.run.method, planned.method, before)
        with _with_cache(cache, key, pool) as simulations, _looks(spec.task, pool_for_task) as look:
            begun = _Begun(planned, before.answering(spec.problem, simulations), look, before)
            where, which = Path(cache).resolve() if cache else None, f"{pool.version} ({planned.simulator_path})"
            how = (planned.variant, which, planned.checkpoint, where, planned.evidence, key)
            with _tables_in_any_case(folder):
                begun.run(RunFolder.create(folder, spec, *how), observer, listeners)
    return _finished(folder)


def resume(
    folder: str | Path,
    *,
    workers: int | None = None,
    executor: str = "local",
    observer: Observer | None = None,
    listeners: Sequence[Listener] = (),
    trust: bool = False,
    method: Method | Callable[[Context], Optimizer] | None = None,
    simulator: SimulatorEntry | None = None,
    measures: Collection[type[Measure]] = (),
) -> Result:
    """Take up a run that was killed or interrupted, as if nothing had happened: same designs, same order, same counts.

    The search is replayed with the journal's simulations as answers and goes on from there; no simulation that the
    journal holds is repeated; times go on from where they were, and a replay takes none. A run that has ended by itself
    is returned as it is. `trust` and `measures` are for `load_spec`; `method` and `simulator` are those that the run
    began with where they have no names. Raises InputError where the folder is no run, is being written, or does not
    agree with what this machine and these versions do, and CannotWrite where the disk is full or fails.
    """
    record = read_run(folder)
    if record.summary.get("status", "interrupted") != "interrupted":
        return Result(record) if (record.path / TABLES[-1]).exists() else _finished(record.path)
    if record.manifest["format"] < FORMAT:
        raise RunError(f"{record.path}: was written by an earlier version; it can be read, but not taken up again")
    evidence = read_evidence(record)
    own = load_spec(record.path / "spec.yaml", measures=measures, trust=trust)
    planned = plan(*_with_objects(own, method, simulator), evidence=evidence)
    spec, began_with = planned.spec, record.manifest.get("checkpoint")
    if began_with != planned.checkpoint:
        raise RunError(
            f"{record.path}: expected the checkpoint that the run began with, {began_with}, got {planned.checkpoint}"
        )
    with _pools(planned, executor, workers) as pool_for_task, pool_for_task(spec.task) as pool:
        pool.load(spec.problem.job(spec.problem.start))
        key = KeyOf(spec.task, pool.version)
        same = (record.manifest.get("circuit", ""), record.manifest.get("measures", {}))
        before = Before.of(spec.problem, evidence, *same)
        with (
            _with_cache(record.manifest.get("cache"), key, pool) as simulations,
            _looks(spec.task, pool_for_task) as look,
        ):
            held = (
                (record.problem.job(each.design, each.corner), each.outcome)
                for each in record.simulations
                if record.problem.on_grid(each.design)
            )
            replay = Answered(journalled(held), before.answering(spec.problem, simulations))
            recorder = RunFolder(record.path, len(spec.problem.corners))
            with _tables_in_any_case(record.path):
                _Begun(planned, replay, look, before).run(recorder, observer, listeners)
    return _finished(record.path)


def load_run(folder: str | Path) -> Result:
    """What a run left behind, whether it has ended or not; raises RunError where the folder is none."""
    return Result(read_run(folder))


def check(spec: Spec | str | Path, *, simulator: SimulatorEntry | None = None, trust: bool = False) -> Outcome:
    """Simulate every bench once, with the values to begin with; raises SimulationError where ngspice refuses a deck.

    Whatever `run` would refuse of the spec is refused; `simulator` and `trust` are as there.
    """
    spec = load_spec(spec, trust=trust) if not isinstance(spec, Spec) else spec
    planned = plan(*_with_objects(spec, None, simulator))
    spec = planned.spec
    job = spec.problem.job(spec.problem.start)
    with pool_for(spec.task, spec.run, 1, planned.simulator) as pool:
        pool.load(job)
        return pool.run([job])[0]


class _Begun:
    """A run whose optimizer has been made, and nothing written yet."""

    def __init__(self, planned: RunPlan, simulations: Simulations, look: Simulate, before: Before) -> None:
        spec = planned.spec
        self._planned = planned
        self._clock = Clock()
        self._announce = Announcer()
        self._evaluator = Evaluator(
            spec.problem,
            partial(in_order, simulations),
            lambda simulation, purpose: self._announce(Simulated(simulation, purpose)),
            self._clock,
            spec.run.corners,
            look,
        )
        self._known = tuple(before.known)
        context = Context(
            spec.problem,
            spec.run,
            {bench.name: bench.circuit for bench in spec.benches},
            self._evaluator,
            Streams.from_seed(spec.run.seed),
            self._clock,
            before.others,
            self._known,
            spec.task,
            planned.own,
        )
        method, name = planned.method, spec.run.method
        if method is METHODS.shipped.get(name):
            self._optimizer = method.optimizer(context)
        else:
            who = f"method {name!r}" + (f" of {METHODS.package(name)}" if METHODS.package(name) else "")
            made = called(who, "its optimizer", lambda: method.optimizer(context))
            self._optimizer = GuardedOptimizer(made, spec.problem, who)

    def run(self, recorder: RunFolder, observer: Observer | None, listeners: Sequence[Listener]) -> None:
        """Search until there is a reason to stop, kept by the recorder."""
        spec, elapsed = self._planned.spec, Elapsed(self._clock, recorder)
        self._announce.join(recorder, elapsed, *listeners, *([progress_to(observer)] if observer else []))
        looks = self._planned.method.looks
        with recorder:
            Loop(
                spec.problem,
                spec.run,
                self._optimizer,
                self._evaluator,
                self._announce,
                elapsed,
                len(self._known),
                looks,
            ).run()


def _with_objects(
    spec: Spec,
    method: str | Method | Callable[[Context], Optimizer] | None,
    simulator: str | SimulatorEntry | None,
) -> tuple[Spec, Method | None, SimulatorEntry | None]:
    """The spec with the names of these, and they themselves where they are given rather than named."""
    if not (method is None or isinstance(method, str | Method)):
        method = Method((method.__doc__ or "").strip().partition("\n")[0], method)
    named = {
        "method": _name(method.optimizer) if isinstance(method, Method) else method,
        "simulator": _name(simulator.make) if isinstance(simulator, SimulatorEntry) else simulator,
    }
    return (
        spec.with_run(**named),
        method if isinstance(method, Method) else None,
        simulator if isinstance(simulator, SimulatorEntry) else None,
    )


def _name(made: object) -> str:
    return str(getattr(made, "__name__", type(made).__name__))


def _status_of(record: RunRecord) -> Status:
    """Why a run ended; one without a summary can be taken up, as an interrupted one."""
    status: Status = record.summary.get("status", "interrupted")
    return status


@contextmanager
def _tables_in_any_case(folder: Path) -> Iterator[None]:
    """Where a plug-in ends a run, leave the tables of what there was until then, and say so."""
    try:
        yield
    except PlugInError as error:
        simulations = len(_finished(folder).record.simulations)
        raise PlugInError(
            f"{error}; {folder} holds {simulations} simulations, and once that is put right, `sizing resume {folder}` "
            "goes on"
        ) from error


def _before(spec: Spec, evidence: Sequence[Evidence], key: KeyOf) -> Before:
    names = [metric.name for metric in spec.problem.measured]
    return Before.of(spec.problem, evidence, key.circuit, dict(zip(names, key.measures, strict=True)))


@contextmanager
def _pools(planned: RunPlan, executor: str, workers: int | None) -> Iterator[PoolForTask]:
    """Makes simulators for a task, on this machine or on those of one cluster, where each worker has a process."""
    settings, simulator = planned.spec.run, planned.simulator
    if executor == "local":
        yield lambda task: pool_for(task, settings, workers or default_workers(), simulator)
        return
    from sizing.simulation.cluster import ClusterPool, joined

    with joined(executor, workers) as client:
        yield lambda task: ClusterPool(client, partial(pool_for, task, settings, 1, simulator))


@contextmanager
def _with_cache(folder: str | Path | None, key: KeyOf, pool: Pool) -> Iterator[Simulations]:
    """The pool's simulations, with those that a cache knows answered by it."""
    if folder is None:
        yield pool
        return
    with SimulationCache(Path(folder)) as cache:
        yield cached(cache, key, pool)


@contextmanager
def _looks(task: Task, pool_for_task: PoolForTask) -> Iterator[Simulate]:
    """Finds operating points, in worker processes that start with the first."""
    with ExitStack() as stack:
        pools: list[Pool] = []

        def look(jobs: Sequence[Job]) -> Iterator[Outcome]:
            if not pools:
                assert task.look is not None
                pools.append(stack.enter_context(pool_for_task(task.look)))
            return in_order(pools[0], jobs)

        yield look


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

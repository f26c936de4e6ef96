"""The only loop: ask, simulate, tell, record, stop."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from sizing.bench import Task
from sizing.clock import Clock
from sizing.evaluation import Evaluation, Evaluator, Purpose, Simulation, values_of
from sizing.evidence import Before
from sizing.failures import FailureWatch, commonest_failure
from sizing.files import write_all_whole
from sizing.mistakes import InputError, nearest
from sizing.objectives import cost, figures, front
from sizing.records.evidence import evidence_of, read_evidence
from sizing.records.reading import RunError, RunRecord, read_run
from sizing.records.writing import FORMAT, TABLES, RunFolder, cannot_write
from sizing.report.export import sized_netlist
from sizing.report.tables import designs_table, runs_table
from sizing.report.words import front_words
from sizing.search.context import Context
from sizing.search.evolution import Streams
from sizing.search.methods import METHODS, check_objectives, checkpoint_of, settled
from sizing.settings import RunSettings
from sizing.simulation.cache import Cached, KeyOf, SimulationCache
from sizing.simulation.pool import Pool, default_workers
from sizing.simulation.simulator import Outcome, Simulate
from sizing.simulation.simulators import SIMULATORS, pool_for
from sizing.spec.load import Spec, load_spec
from sizing.spec.mistakes import SpecError

Status = Literal["in spec", "max_sims", "max_seconds", "no progress", "exhausted", "interrupted", "failing"]
"""Why a run ended: enough designs in spec, a budget, patience, no new designs, Ctrl-C, or too many failures."""

TIMED = ("simulate", "train", "query", "simulator")
"""Wall-clock time waiting for simulations, training and judging; and time inside simulators, over all workers."""


@dataclass(frozen=True)
class Progress:
    """A live run, after each iteration."""

    iteration: int
    sims_total: int
    queries: int
    in_spec: int
    best_cost: float
    top_cost: float
    """Mean cost of the best designs, as many as are wanted in spec."""
    seconds: float
    objective: str = ""
    """The best value of the objective among designs in spec, or how many designs are on the front, in words."""
    warning: str = ""
    """What is wrong, if so many simulations fail that something must be."""


Observer = Callable[[Progress], None]
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
    if spec.run.method not in METHODS:
        raise SpecError([f"method: no method {spec.run.method!r}{nearest(spec.run.method, METHODS)}"])
    check_objectives(spec.run, spec.problem)
    spec = replace(spec, run=settled(spec.run))
    if METHODS[spec.run.method].looks and spec.task.look is None:
        raise InputError(f"method: {spec.run.method} looks at operating points: expected a bench with an `op` analysis")
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
            loop = _Loop(spec, before.answering(spec.problem, key, simulate), look, observer, before)
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
            _Loop(spec, replay, look, observer, before).run(RunFolder(record.path))
    return _finished(record.path)


def check(spec: Spec) -> Outcome:
    """Simulate every bench once, at the middle of the ranges; raises SimulationError where ngspice refuses a deck."""
    values = spec.problem.job(spec.problem.middle)
    with pool_for(spec.task, spec.run, 1) as pool:
        pool.load(values)
        return pool.run([values])[0]


class _Loop:
    def __init__(
        self, spec: Spec, simulate: Simulate, look: Simulate, observer: Observer | None, before: Before
    ) -> None:
        self._problem = spec.problem
        self._settings = spec.run
        self._recorder: RunFolder
        self._observer = observer
        self._clock = Clock()
        self._evaluator = Evaluator(self._problem, simulate, self._record, self._clock, spec.run.corners, look)
        circuits = {bench.name: bench.circuit for bench in spec.benches}
        streams = Streams.from_seed(spec.run.seed)
        known = tuple(before.known)
        context = Context(
            self._problem, spec.run, circuits, self._evaluator, streams, self._clock, before.others, known
        )
        self._given = len(known)
        """Designs that need no simulation and take nothing of the budget."""
        self._optimizer = METHODS[spec.run.method].optimizer(context)
        self._costs = np.empty(0)
        self._simulations = 0
        self._front = np.empty((0, len(self._problem.metrics)))
        """Metric values of the best design in spec by the objective, or of all on the front."""
        self._queries = 0
        self._looks = 0
        self._iteration = 0
        self._improved_at = 0
        self._failing = FailureWatch(spec.run.max_failed)
        self._going_on = False
        """Whether the run has passed the point where it was taken up."""
        self._standing = (0, np.inf)
        """Missing metrics and cost of the best designs when they last got better."""

    def run(self, recorder: RunFolder) -> None:
        """Iterate until there is a reason to stop or Ctrl-C, and leave the summary.

        After any other end there is none, and the run can be taken up again.
        """
        self._recorder = recorder
        with recorder:
            self._go_on()
            status: Status | None = None
            try:
                while status is None:
                    status = self._iterate()
            except KeyboardInterrupt:
                status = "interrupted"
            recorder.finish({"status": status, **self._seconds()})

    def _record(self, simulation: Simulation, purpose: Purpose) -> None:
        self._recorder.simulation(simulation, purpose, len(self._problem.corners))
        self._go_on()

    def _go_on(self) -> None:
        """Let the clock run on from the times before, once the run is past the point where it was taken up."""
        if self._going_on or self._recorder.replaying:
            return
        self._going_on = True
        if before := self._recorder.seconds_before:
            self._clock.set(before["wall_s"], {name: before[f"{name}_s"] for name in TIMED})

    def _seconds(self) -> Mapping[str, float]:
        """The run's times, those before it was taken up included; a replay takes none."""
        if not self._going_on:
            return self._recorder.seconds_before
        times = {"wall": self._clock.wall} | {name: self._clock[name] for name in TIMED}
        return {f"{name}_s": round(seconds, 3) for name, seconds in times.items()}

    def _iterate(self) -> Status | None:
        settings = self._settings
        proposal = self._optimizer.ask()
        budget = settings.max_sims + self._given - self._simulations if settings.max_sims else None
        designs = proposal.designs[:budget]
        if not designs:
            return "exhausted"
        evaluations = _within(budget, self._evaluator.evaluate(designs, proposal.purpose, budget))
        self._simulations += sum(len(evaluation.corners) for evaluation in evaluations)
        self._optimizer.tell(evaluations)
        self._recorder.batch(evaluations, proposal.decision, self._evaluator.looks - self._looks)
        self._looks = self._evaluator.looks
        self._queries += (proposal.decision.judged or 0) if proposal.decision else 0
        self._go_on()
        if self._going_on:
            self._recorder.note_seconds(self._seconds())
        if evaluations:
            self._note(evaluations)
        return self._reason_to_stop(cut_off=len(evaluations) < len(designs))

    def _note(self, evaluations: list[Evaluation]) -> None:
        """Bring the costs up to date and tell the observer."""
        costs = np.full(len(evaluations), np.inf)
        if rows := [row for row, evaluation in enumerate(evaluations) if evaluation.ok]:
            costs[rows] = cost(self._problem, values_of([evaluations[row] for row in rows]))
        self._costs = np.concatenate([self._costs, costs])
        further = bool(self._problem.objectives) and self._goes_further([evaluations[row] for row in rows])
        best = np.sort(self._costs)[: self._settings.in_spec]
        measured = best[np.isfinite(best)]
        standing = (int(np.sum(np.isinf(best))), float(np.sum(measured)))
        if standing < self._standing or len(self._costs) <= len(best) or further:
            self._standing, self._improved_at = standing, self._simulations
        self._iteration += 1
        warning = self._failing(evaluations)
        if self._observer:
            simulated = self._simulations - self._given
            counts = (self._iteration - 1, simulated, self._queries, int(np.sum(best == 0)))
            costs_of = (float(best[0]), float(np.mean(best)))
            words = front_words(self._problem, self._front)
            self._observer(Progress(*counts, *costs_of, self._clock.wall, words, warning))

    def _goes_further(self, evaluations: list[Evaluation]) -> bool:
        """Whether one of these joins the front, and none there had the same objectives."""
        if not evaluations:
            return False
        values = np.concatenate([self._front, values_of(evaluations)])
        before = set(map(tuple, figures(self._problem, self._front).tolist()))
        self._front = values[front(self._problem, values)]
        return not before.issuperset(map(tuple, figures(self._problem, self._front).tolist()))

    def _reason_to_stop(self, *, cut_off: bool) -> Status | None:
        settings, total = self._settings, self._simulations
        enough = np.count_nonzero(self._costs == 0) >= settings.in_spec
        if enough and not self._problem.objectives:
            return "in spec"
        if cut_off or (settings.max_sims and total - self._given >= settings.max_sims):
            return "max_sims"
        if settings.max_seconds and self._going_on and self._clock.wall >= settings.max_seconds:
            return "max_seconds"
        if total - self._improved_at >= settings.patience:
            return "no progress"
        if self._failing.hopeless:
            return "failing"
        return None


def most_frequent_failure(record: RunRecord) -> str | None:
    """The commonest reason for failed simulations of a run, with one of their messages."""
    return commonest_failure([each.outcome for each in record.simulations]) or None


def _within(budget: int | None, evaluations: Sequence[Evaluation]) -> list[Evaluation]:
    """The first of these designs, as many as a budget of simulations allows; an oracle may have simulated more."""
    spent = np.cumsum([len(evaluation.corners) for evaluation in evaluations])
    return [each for each, total in zip(evaluations, spent, strict=True) if budget is None or total <= budget]


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
    from sizing.cluster import ClusterPool, joined

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

        def look(jobs: Sequence[Mapping[str, float]]) -> Iterator[Outcome]:
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

    def __call__(self, jobs: Sequence[Mapping[str, float]]) -> Iterator[Outcome]:
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

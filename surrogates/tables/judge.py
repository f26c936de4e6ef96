"""The judge that knows transistors: metrics told from device tables, and what simulations say of the difference."""

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from sizing.evaluation.corners import NOMINAL, ActiveCorners
from sizing.evaluation.evaluator import Evaluation
from sizing.search.foresight import Foreseen
from sizing.simulation.simulator import Measured
from sizing.task.job import Conditions
from sizing.task.objectives import completed, figures, margin
from sizing.task.problem import Design, Problem
from surrogates.features import LogarithmicFeatures
from surrogates.processes.scales import Scale
from surrogates.tables.differences import Differences
from surrogates.tables.model import TableModel
from surrogates.tables.network import Unmodelled

if TYPE_CHECKING:
    from sizing.search.context import Context

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

TOLD_DEVIATION, UNTOLD_DEVIATION = 0.05, 1.0
"""How far a metric is from what is told of it before it was simulated, on its scale; and one from its target of which
nothing is told."""
SURE_DEVIATIONS = 1.0
"""Standard deviations by which a metric may be worse than expected."""
UNTELLING_SHARE = 0.98
"""Share of designs without a value from which on a metric counts as one that is not told."""
HOPELESS_MARGIN = -10.0
"""The margin of a design of which a metric has no value."""
MISSING_DIFFERENCE = 0.5
"""On a metric's scale: how much worse than told a design counts whose simulation gave no value."""
DESIGNS_INTEGRATED_FIRST, DESIGNS_INTEGRATED = 40, 24
"""Designs whose large steps are integrated: at first, to see what that tells; and of the best of every generation."""
_DESIGNS_TRIED = 10
"""Before a run, to see whether tables tell anything of them."""
MOST_LEARNED = 400
"""Integrated designs from which others' metrics are told."""


class Tell(Protocol):
    """Tells metrics from device tables."""

    def __call__(self, designs: Mapping[str, Array], conditions: Conditions, *, integrate: bool) -> Array:
        """Metric values (B, M) of designs with these values (B,) of every variable, NaN where not told."""


class TablesJudge:
    """Foresees metrics as what is told plus the difference that simulations have shown, with how sure that is.

    What large steps tell takes long to integrate: of the best designs it is, and others have what that lets expect.
    """

    def __init__(
        self, problem: Problem, features: Callable[[Indices], Array], tell: Tell, *, learned: bool = True
    ) -> None:
        """`features` are numbers (B, F) in about [-1, 1] of designs (B, V); `learned` is whether differences are."""
        self._problem = problem
        self._features = features
        self._tell = tell
        self._learned = learned
        self._scales: list[Scale] = []
        self._asked: tuple[int, ...] = (NOMINAL,)
        """The corners that have decided about a design so far."""
        self._known: dict[tuple[int, Design], Array] = {}
        """What is told of a design at a corner (M,), large steps aside unless it is integrated."""
        self._integrated: dict[tuple[int, Design], Array] = {}
        self._dear = self._untold = np.zeros(len(problem.metrics), dtype=bool)
        """Metrics (M,) that only integration tells, and that nothing does."""
        self._differences = Differences(np.full(len(problem.metrics), TOLD_DEVIATION))
        self._expected: dict[int, Differences] = {}
        """By corner: dear metrics, from those of integrated designs."""
        self._threads = ThreadpoolController()

    def fit(self, evaluations: Sequence[Evaluation]) -> None:
        """Learn from what measured designs gave at each corner that decides."""
        with self._one_thread():
            self._fit(evaluations)

    def _fit(self, evaluations: Sequence[Evaluation]) -> None:
        self._asked = (NOMINAL, *ActiveCorners(self._problem, (each.corners for each in evaluations)).worst_first)
        if not self._learned:
            return
        designs = np.array([each.design for each in evaluations])
        features, rows, found, known = self._features(designs), [], [], []
        for corner in self._asked:
            self._learn(designs, corner, integrate=True)
            told, _ = self._told(designs, corner)
            for row, evaluation in enumerate(evaluations):
                outcome = evaluation.corners.get(corner)
                if isinstance(outcome, Measured):
                    rows.append(row)
                    known.append(told[row])
                    found.append(self._difference(np.array(outcome.values), told[row]))
        self._differences = Differences(np.where(self._untold, UNTOLD_DEVIATION, TOLD_DEVIATION))
        self._differences.fit(features[rows], np.array(known), np.array(found))

    def foresee(self, candidates: Indices) -> Foreseen:
        """What is expected of candidates (B, V), as grid indices, at the worst of the corners that decide."""
        if not len(candidates):
            count = len(self._problem.metrics)
            return Foreseen(np.empty(0), np.empty((0, len(self._problem.objectives))), np.empty((0, count)))
        with self._one_thread():
            found = [self._foreseen(candidates, corner) for corner in self._asked]
        return Foreseen(
            np.min([each.margin for each in found], axis=0),
            np.max([each.figures for each in found], axis=0),
            np.min([each.probability for each in found], axis=0),
        )

    def _one_thread(self) -> AbstractContextManager[object]:
        """While its matrices are multiplied, which are too small to share."""
        limited: AbstractContextManager[object] = self._threads.limit(limits=1, user_api="blas")
        return limited

    def _foreseen(self, candidates: Indices, corner: int) -> Foreseen:
        self._learn(candidates, corner, integrate=False)
        found = self._at(candidates, corner)
        if self._dear.any():
            best = np.argsort(-found.margin, kind="stable")[:DESIGNS_INTEGRATED]
            if self._learn(candidates[best], corner, integrate=True):
                self._expect(corner)
                found = self._at(candidates, corner)
        return found

    def _at(self, candidates: Indices, corner: int) -> Foreseen:
        told, unsure = self._told(candidates, corner)
        mean, deviation = self._differences.predict(self._features(candidates), told)
        mean, deviation = mean + told, np.hypot(deviation, unsure)
        values = self._values(mean)
        return Foreseen(
            self._margin(mean, deviation), figures(self._problem, values), self._probability(mean, deviation)
        )

    def _learn(self, designs: Indices, corner: int, *, integrate: bool) -> bool:
        """Have the tables tell of designs of which they have not told; whether there were any."""
        if not self._scales:
            self._begin(designs, corner)
        if integrate and not self._dear.any():
            integrate = False
        store = self._integrated if integrate else self._known
        rows = [row for row, design in enumerate(_tuples(designs)) if (corner, design) not in store]
        if rows:
            told = self._asked_of_tables(designs[rows], corner, integrate=integrate)
            store.update(zip([(corner, design) for design in _tuples(designs[rows])], told, strict=True))
        return bool(rows)

    def _begin(self, designs: Indices, corner: int) -> None:
        """See what tables tell of the first designs: scales, and what is dear or not told."""
        told = self._asked_of_tables(designs, corner, integrate=False)
        self._known.update(zip([(corner, design) for design in _tuples(designs)], told, strict=True))
        silent = np.isnan(told).mean(axis=0) > UNTELLING_SHARE
        self._untold = silent
        scaled_by = told
        if silent.any():
            whole = self._asked_of_tables(designs[:DESIGNS_INTEGRATED_FIRST], corner, integrate=True)
            self._dear = silent & (np.isnan(whole).mean(axis=0) <= UNTELLING_SHARE)
            self._untold = silent & ~self._dear
            scaled_by = np.where(self._dear, np.resize(whole, told.shape), told)
            if self._dear.any():
                self._integrated.update(
                    zip([(corner, d) for d in _tuples(designs[:DESIGNS_INTEGRATED_FIRST])], whole, strict=True)
                )
        self._scales = [Scale.of(metric, scaled_by[:, m]) for m, metric in enumerate(self._problem.metrics)]
        if self._dear.any():
            self._expect(corner)

    def _asked_of_tables(self, designs: Indices, corner: int, *, integrate: bool) -> Array:
        conditions = self._problem.corners[corner].conditions
        return completed(self._problem, self._tell(self._problem.columns(designs), conditions, integrate=integrate))

    def _expect(self, corner: int) -> None:
        """Learn dear metrics from the designs that were integrated."""
        held = [(design, told) for (at, design), told in self._integrated.items() if at == corner][-MOST_LEARNED:]
        features = self._features(np.array([design for design, _ in held]))
        values = self._scaled(np.array([told for _, told in held]))
        expected = Differences(np.full(len(self._problem.metrics), UNTOLD_DEVIATION))
        expected.fit(features, np.zeros_like(values), np.where(self._dear, values, np.nan))
        self._expected[corner] = expected

    def _told(self, designs: Indices, corner: int) -> tuple[Array, Array]:
        """What is told (B, M) of designs, on the metrics' scales, and how unsure that is in itself.

        0, the target, of a metric that is not told at all; NaN where a design has no value of one that is.
        """
        keys = [(corner, design) for design in _tuples(designs)]
        told = self._scaled(np.array([self._known[key] for key in keys]))
        unsure = np.zeros_like(told)
        if self._dear.any():
            if corner not in self._expected:
                self._expect(corner)
            mean, deviation = self._expected[corner].predict(self._features(designs), np.zeros_like(told))
            told, unsure = np.where(self._dear, mean, told), np.where(self._dear, deviation, 0.0)
            rows = [row for row, key in enumerate(keys) if key in self._integrated]
            if rows:
                exact = self._scaled(np.array([self._integrated[keys[row]] for row in rows]))
                told[rows], unsure[rows] = np.where(self._dear, exact, told[rows]), 0.0
        return np.where(self._untold, 0.0, told), unsure

    def _scaled(self, told: Array) -> Array:
        columns = [np.where(np.isnan(told[:, m]), np.nan, scale(told[:, m])) for m, scale in enumerate(self._scales)]
        return np.stack(columns, axis=1)

    def _values(self, scaled: Array) -> Array:
        return np.stack([scale.inverse(scaled[:, m]) for m, scale in enumerate(self._scales)], axis=1)

    def _difference(self, simulated: Array, told: Array) -> Array:
        """Differences of one design (M,); where a simulation gave no value, as if it had been worse than told."""
        found = np.array([float(scale(simulated[m : m + 1])[0]) for m, scale in enumerate(self._scales)]) - told
        worse = np.array([scale.worse for scale in self._scales])
        return np.where(np.isnan(simulated), MISSING_DIFFERENCE * worse, found)

    def _margin(self, mean: Array, deviation: Array) -> Array:
        """The smallest margin (B,) with each metric worse than expected by what is uncertain of it."""
        ends = [self._values(mean + sign * SURE_DEVIATIONS * deviation) for sign in (-1, 1)]
        columns = [
            np.minimum(*(margin(metric, values[:, m]) for values in ends))
            for m, metric in enumerate(self._problem.metrics)
            if self._differences.seen[m] or not self._untold[m]  # of others nothing is known
        ]
        smallest = np.min(columns, axis=0)
        return np.asarray(np.where(np.isnan(mean).any(axis=1), HOPELESS_MARGIN, np.maximum(smallest, HOPELESS_MARGIN)))

    def _probability(self, mean: Array, deviation: Array) -> Array:
        low, high = np.array([scale.targets for scale in self._scales]).T
        return np.nan_to_num(_below((high - mean) / deviation) - _below((low - mean) / deviation))


def _tuples(designs: Indices) -> list[Design]:
    return list(map(tuple, designs.tolist()))


def _below(deviations: Array) -> Array:
    """The standard normal distribution function."""
    return np.asarray(_ERFC(-deviations / math.sqrt(2)), dtype=float) / 2


_ERFC = np.frompyfunc(math.erfc, 1, 1)
"""SciPy's would take a third of a second to import, once a run."""


def device_tables(context: "Context") -> TablesJudge:
    """The judge of a run; raises Unmodelled or Unmeasurable, both InputError, for a circuit that tables cannot tell."""
    learned = context.own is None or context.own.learned
    return TablesJudge(context.problem, LogarithmicFeatures(context.problem), telling(context), learned=learned)


def telling(context: "Context") -> Tell:
    """What tells a run's metrics, with tables that are made or read, and counted, when conditions are first asked for.

    Raises as `device_tables`.
    """
    problem = context.problem
    if not context.task.benches:
        raise Unmodelled("expected benches whose circuits are told, got none")
    model = TableModel.of(context.task, problem.variables)

    def prepare(conditions: Conditions) -> None:
        before = model.tables.sims_tables
        with context.clock.activity("tables"):
            model.prepare(conditions)
        context.clock.count("sims_tables", model.tables.sims_tables - before)

    def tell(designs: Mapping[str, Array], conditions: Conditions, *, integrate: bool) -> Array:
        prepare(conditions)
        return model.told(designs, conditions, integrate=integrate).values

    prepare(problem.corners[0].conditions)
    some = np.random.default_rng(0).integers(0, problem.shape, (_DESIGNS_TRIED, len(problem.shape)))
    with context.clock.activity("query"):
        told = model.told(problem.columns(some), problem.corners[0].conditions)
    if np.isnan(told.values).all():
        raise Unmodelled(f"they tell no metric: {next(iter(told.missing[0].values()))}")
    return tell

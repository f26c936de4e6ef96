"""Verification: designs simulated once more, at every corner, or as samples of what their models draw at random."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sizing.errors import InputError
from sizing.evaluation.evaluator import completed_outcome
from sizing.runs.records.reading import RunError, RunRecord
from sizing.simulation.pool import default_workers
from sizing.simulation.simulator import Measured, Outcome
from sizing.simulation.simulators import SimulatorEntry, pool_for
from sizing.specfile.load import Spec
from sizing.task.job import Conditions, Job
from sizing.task.objectives import in_spec
from sizing.task.problem import Problem

Values = Mapping[str, float]
"""The value of every variable of a design, by name."""


_NOT_DRAWN = (
    "Monte Carlo needs models that are drawn at random, expected agauss, gauss, aunif or unif in what the circuit uses"
)
_DRAWN_BY = (
    "a kit with mismatch has them (`models: sky130`), or a section of a library, or give the netlist's own parameters "
    "so, as in `.param dvt={agauss(0, 5m, 1)}`"
)


@dataclass(frozen=True)
class Verification:
    """What D designs gave under C conditions each: at corners, or as samples."""

    problem: Problem
    designs: tuple[Values, ...]
    conditions: tuple[str, ...]
    """Names of corners, or seeds of samples."""
    outcomes: tuple[tuple[Outcome, ...], ...]
    """By design and condition."""

    @property
    def measured(self) -> tuple[Measured, ...]:
        """Every outcome with metrics."""
        return tuple(each for row in self.outcomes for each in row if isinstance(each, Measured))

    @cached_property
    def values(self) -> NDArray[np.float64]:
        """Metric values (D, C, M), NaN where missing or failed."""
        nothing = (np.nan,) * len(self.problem.metrics)
        return np.array(
            [[each.values if isinstance(each, Measured) else nothing for each in row] for row in self.outcomes]
        )

    @cached_property
    def in_spec(self) -> NDArray[np.bool_]:
        """Whether a design meets every target under a condition (D, C)."""
        return np.asarray(in_spec(self.problem, self.values))


def best_designs(record: RunRecord, count: int, problem: Problem) -> tuple[Values, ...]:
    """Values of a run's best designs, best first, for a problem with the same variables.

    Raises RunError for a run without designs, and InputError where it lacks a variable.
    """
    known = {variable.name for variable in record.problem.variables}
    if lacking := [variable.name for variable in problem.variables if variable.name not in known]:
        raise InputError(f"{record.path}: expected a run with the spec's variables, got one without {lacking[0]}")
    if not record.population:
        raise RunError(f"{record.path}: expected a run with designs, got one without")
    best = record.ranked[:count]
    return tuple(record.problem.values(record.population[row].design) for row in best)


def at_corners(spec: Spec, designs: Sequence[Values], workers: int | None = None) -> Verification:
    """The designs at all corners of a spec."""
    return simulated(spec, designs, {each.name: (each.conditions, None) for each in spec.problem.corners}, workers)


def monte_carlo(
    spec: Spec, designs: Sequence[Values], samples: int, seed: int = 0, workers: int | None = None
) -> Verification:
    """The designs at the nominal corner of a spec (loaded with `mismatch`), with samples of what its models draw.

    All designs have the same seeds. Raises InputError where nothing is drawn, or what is drawn is switched off.
    """
    if not spec.task.draws:
        raise InputError(f"{spec.path}: {_NOT_DRAWN}, got none; {_DRAWN_BY}")
    nominal = spec.problem.corners[0].conditions
    drawn = np.random.default_rng(seed).integers(1, 2**31 - 1, 2 * samples)
    seeds = list(dict.fromkeys(drawn.tolist()))[:samples]  # more samples are these and others
    found = simulated(spec, designs, {str(each): (nominal, each) for each in seeds}, workers)
    if samples > 1 and found.measured and len({outcome.values for outcome in found.measured}) <= len(designs):
        raise InputError(f"{spec.path}: {_NOT_DRAWN}, got the same values in all samples: it is off; {_DRAWN_BY}")
    return found


def simulated(
    spec: Spec,
    designs: Sequence[Values],
    conditions: Mapping[str, tuple[Conditions, int | None]],
    workers: int | None,
    simulator: SimulatorEntry | None = None,
) -> Verification:
    """The designs under each of some conditions by name, with the seed of a sample where one is drawn."""
    variables = spec.task.variables
    chosen = [{name: design[name] for name in variables} for design in designs]
    jobs = [Job(design, *each) for design in chosen for each in conditions.values()]
    with pool_for(spec.task, spec.run, min(workers or default_workers(), len(jobs)), simulator) as pool:
        pool.load(jobs[0])
        outcomes = [completed_outcome(spec.problem, outcome) for outcome in pool.run(jobs)]
    rows = [tuple(outcomes[start : start + len(conditions)]) for start in range(0, len(jobs), len(conditions))]
    return Verification(spec.problem, tuple(chosen), tuple(conditions), tuple(rows))

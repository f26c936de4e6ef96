"""Evidence: what an earlier run measured, for judges that learn from more than the run's own designs.

Where it is of the very same circuit, these designs need no simulation in the new run, whatever is wanted of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from sizing.simulation.simulations import Answered, Simulations
from sizing.simulation.simulator import Measured
from sizing.task.objectives import completed
from sizing.task.problem import Design, Problem


@dataclass(frozen=True)
class Evidence:
    """Measured designs of one run, by the values of its variables, of this circuit or of another."""

    run: str
    """Where it came from."""
    simulations: int
    """What it cost."""
    topology: str
    variables: tuple[str, ...]
    settings: NDArray[np.float64]
    """Value of every variable (N, V) in SI units."""
    metrics: tuple[tuple[str, str], ...]
    """Name and unit of each."""
    values: NDArray[np.float64]
    """Metric values (N, M), NaN where missing."""
    missing: tuple[Mapping[str, str], ...]
    """Why metrics of each design are missing, by name."""
    circuit: str = ""
    """What was simulated, as `KeyOf.circuit`; empty where the run did not keep it."""
    measures: Mapping[str, str] = field(default_factory=dict)
    """How each metric was measured, as `KeyOf.measures`."""

    def of(self, problem: Problem) -> NDArray[np.float64]:
        """The values (N, M) in the order of the problem's metrics; raises KeyError where one was not measured."""
        columns = {metric: column for column, metric in enumerate(self.metrics)}
        return completed(problem, self.values[:, [columns[metric.name, metric.unit] for metric in problem.measured]])

    def is_of(self, problem: Problem, circuit: str, measures: Mapping[str, str]) -> bool:
        """Whether the run simulated this very circuit and measured the problem's metrics in this very way."""
        same = all(self.measures.get(metric.name) == measures[metric.name] for metric in problem.measured)
        return bool(self.circuit) and self.circuit == circuit and same

    def outcomes(self, problem: Problem) -> dict[Design, Measured]:
        """What is known of the designs on the problem's grid; the run is of its circuit."""
        grids = [{value: index for index, value in enumerate(variable.values)} for variable in problem.variables]
        columns = [self.variables.index(variable.name) for variable in problem.variables]
        found: dict[Design, Measured] = {}
        for setting, values, missing in zip(
            self.settings[:, columns].tolist(), self.of(problem), self.missing, strict=True
        ):
            design = tuple(grid.get(value, -1) for grid, value in zip(grids, setting, strict=True))
            reasons = {m: missing[metric.name] for m, metric in enumerate(problem.measured) if metric.name in missing}
            if min(design) >= 0:
                found[design] = Measured(tuple(values[: len(problem.measured)].tolist()), reasons)
        return found

    def to_json(self) -> dict[str, Any]:
        """As a document, without loss."""
        return {
            "run": self.run,
            "simulations": self.simulations,
            "topology": self.topology,
            "variables": self.variables,
            "settings": self.settings.tolist(),
            "metrics": self.metrics,
            "values": [[None if np.isnan(value) else value for value in row] for row in self.values.tolist()],
            "missing": self.missing,
            "circuit": self.circuit,
            "measures": self.measures,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """From such a document."""
        return cls(
            document["run"],
            document["simulations"],
            document["topology"],
            tuple(document["variables"]),
            np.array(document["settings"], dtype=float),
            tuple((name, unit) for name, unit in document["metrics"]),
            np.array(document["values"], dtype=float),
            tuple(document.get("missing", [{}] * len(document["values"]))),
            document.get("circuit", ""),
            document.get("measures", {}),
        )


@dataclass(frozen=True)
class Before:
    """What is known of earlier runs when a run begins."""

    known: Mapping[Design, Measured]
    """Outcomes of designs on the run's grid, of runs of its very circuit at its nominal corner and in their order."""
    others: tuple[Evidence, ...]
    """What was measured on other circuits, or in other ways."""

    @classmethod
    def of(cls, problem: Problem, evidence: Sequence[Evidence], circuit: str, measures: Mapping[str, str]) -> Self:
        """Told apart by what the run itself simulates and how it measures, as in Evidence."""
        same = [each for each in evidence if each.is_of(problem, circuit, measures)]
        known = {design: outcome for each in same for design, outcome in each.outcomes(problem).items()}
        return cls(known, tuple(each for each in evidence if not each.is_of(problem, circuit, measures)))

    def answering(self, problem: Problem, simulations: Simulations) -> Simulations:
        """The same simulations, those of known designs answered at once, as a cache would."""
        outcomes = {problem.job(design).key: replace(each, cached=True) for design, each in self.known.items()}
        return Answered(lambda job: outcomes.get(job.key), simulations) if outcomes else simulations

"""Evidence: what an earlier run measured, for judges that learn from more than the run's own designs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from sizing.problem import Problem


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

    def of(self, problem: Problem) -> NDArray[np.float64]:
        """The values (N, M) in the order of the problem's metrics; raises KeyError where one was not measured."""
        columns = {metric: column for column, metric in enumerate(self.metrics)}
        return self.values[:, [columns[metric.name, metric.unit] for metric in problem.metrics]]

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
        )

"""What a search method may be built from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sizing.clock import Clock
from sizing.evaluation.evaluator import Evaluator
from sizing.evaluation.evidence import Evidence
from sizing.search.evolution import Streams
from sizing.spice.circuit import Circuit
from sizing.task.bench import Task
from sizing.task.problem import Design, Problem
from sizing.task.settings import RunSettings

NO_TASK = Task((), (), ())


@dataclass(frozen=True)
class Context:
    """A run as its method sees it."""

    problem: Problem
    settings: RunSettings
    circuits: Mapping[str, Circuit]
    """The circuit of every test bench, stimulus included."""
    evaluator: Evaluator
    streams: Streams
    clock: Clock
    evidence: tuple[Evidence, ...] = ()
    """What earlier runs of other circuits measured, for methods that learn from it."""
    known: tuple[Design, ...] = ()
    """Designs that earlier runs of this circuit measured: they are answered without a simulation."""
    task: Task = NO_TASK
    """What is simulated and measured, for judges that tell of it without a simulation."""
    own: Any = None
    """The method's own settings, of the type that it says."""

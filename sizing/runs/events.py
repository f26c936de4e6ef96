"""What happens in a run, as frozen values: whoever has joined is told, in order."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from sizing.evaluation.evaluator import Evaluation, Purpose, Simulation
from sizing.search.optimizer import Decision, Proposal

Status = Literal["in spec", "max_sims", "max_seconds", "no progress", "exhausted", "interrupted", "failing"]
"""Why a run ended: enough designs in spec, a budget, patience, no new designs, Ctrl-C, or too many failures."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """The method has proposed designs, which are simulated next."""

    proposal: Proposal


@dataclass(frozen=True, slots=True)
class Simulated:
    """A simulation has ended."""

    simulation: Simulation
    purpose: Purpose


@dataclass(frozen=True, slots=True)
class Decided:
    """Designs have joined the population together."""

    evaluations: tuple[Evaluation, ...]
    decision: Decision | None
    """Why they were proposed, where the method says so."""
    looks: int | None
    """Operating points found for it; None where the method never looks."""


@dataclass(frozen=True)
class Progress:
    """How a run stands after an iteration."""

    iteration: int
    sims_total: int
    queries: int
    in_spec: int
    best_cost: float
    top_cost: float
    """Mean cost of the best designs, as many as are wanted in spec."""
    seconds: float
    front: tuple[tuple[float, ...], ...] = ()
    """Metric values of the best design in spec by the objective, or of all on the front of several."""
    warning: str = ""
    """What is wrong, if so many simulations fail that something must be."""
    times: Mapping[str, float] = field(default_factory=dict)
    """The run's times so far, by the names of the summary."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The run is over."""

    status: Status
    times: Mapping[str, float]


Event = Proposed | Simulated | Decided | Progress | Ended
Listener = Callable[[Event], None]
Observer = Callable[[Progress], None]


class Announcer:
    """Tells every event to all who have joined, in the order in which they did."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def join(self, *listeners: Listener) -> None:
        """Be told from now on."""
        self._listeners += listeners

    def __call__(self, event: Event) -> None:
        """Tell them."""
        for listener in self._listeners:
            listener(event)


def progress_to(observer: Observer) -> Listener:
    """A listener for whom only progress counts."""

    def hear(event: Event) -> None:
        if isinstance(event, Progress):
            observer(event)

    return hear

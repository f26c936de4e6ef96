"""What a simulator is to the rest: its protocol, its outcomes, and how waveforms become metrics."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from sizing.measures.batch import designs, size
from sizing.measures.catalogue import name_of
from sizing.measures.measure import Measure, Missing
from sizing.measures.waveforms import Results
from sizing.plugins import raised
from sizing.spice.bins import OutsideBins
from sizing.task.bench import Bench
from sizing.task.job import Job

_BLOCK = 256
"""Designs that are measured at a time: their waveforms stay in the processor's cache."""
Reason = Literal["netlist", "convergence", "invalid", "timeout", "memory", "crash", "measure"]
"""Why there is no result: the deck was refused; no solution was found; one that cannot be; a limit; an end; a mistake
in the code of a measurement."""


class SimulationError(Exception):
    """A simulation without a result: the reason, and the simulator's own last words as message."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(reason, message)
        self.reason: Reason = reason
        self.message = message

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True, slots=True)
class Measured:
    """Metric values in the order of the problem, NaN where missing with the reason under the metric's index."""

    values: tuple[float, ...]
    missing: Mapping[int, str]
    seconds: float = 0.0
    """Time inside the simulator."""
    cached: bool = False
    """Whether a cache knew it."""
    waveforms: Results | None = None
    """What was measured, where the task keeps it."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A design without metrics, and why."""

    reason: Reason
    message: str
    seconds: float = 0.0
    cached: bool = False


Outcome = Measured | Failed
Simulate = Callable[[Sequence[Job]], Iterable[Outcome]]
"""Outcomes of jobs, in their order and as they come."""


def outcome_entries(outcome: Outcome) -> dict[str, Any]:
    """An outcome without its time, as entries of a JSON object."""
    if isinstance(outcome, Failed):
        entries: dict[str, Any] = {"failed": outcome.reason, "message": outcome.message}
    else:
        entries = {"values": [None if np.isnan(value) else value for value in outcome.values]}
        if outcome.missing:
            entries["missing"] = {str(index): reason for index, reason in outcome.missing.items()}
    return entries | ({"cached": True} if outcome.cached else {})


def outcome_from(entries: Mapping[str, Any]) -> Outcome:
    """The outcome that these entries tell; raises KeyError, TypeError or ValueError where they tell none."""
    cached = entries.get("cached", False)
    if "failed" in entries:
        return Failed(entries["failed"], entries["message"], cached=cached)
    values = tuple(float("nan") if value is None else float(value) for value in entries["values"])
    missing = {int(index): reason for index, reason in entries.get("missing", {}).items()}
    return Measured(values, missing, cached=cached)


class Simulator(Protocol):
    """Runs every analysis of every bench for one job after the other."""

    seconds: float
    """Time spent inside the simulator since it was made."""
    version: str
    """Which simulator this is, once started: results of another version are other results."""
    unusable: bool
    """Whether it has reached a state after which its process must end."""

    def start(self, words: int | None = None) -> None:
        """Get ready, once; raises whatever stands in the way, such as a library or a licence that is not there.

        `words` is a file descriptor that takes complaints as they come, so that they outlive a crash.
        """

    def load(self, job: Job) -> None:
        """Read the decks of the job's conditions, once; raises SimulationError("netlist") where one is refused."""

    def simulate(self, job: Job) -> Results:
        """Waveforms by "bench.analysis"; raises SimulationError."""


def deck_of(bench: Bench, job: Job) -> str:
    """The bench's deck; raises SimulationError("netlist") where there is no model for a device."""
    try:
        return bench.deck(job)
    except OutsideBins as error:
        raise SimulationError("netlist", f"bench {bench.name}: {error}") from None


def measured(measures: Sequence[Measure], results: Results, seconds: float = 0.0) -> Measured:
    """Take every measurement; those that find nothing to measure are missing, with the reason.

    Raises SimulationError("measure") for a measurement whose code fails.
    """
    values: list[float] = []
    missing: dict[int, str] = {}
    for index, measure in enumerate(measures):
        try:
            value = _number(measure, results)
            if not np.isfinite(value):
                raise Missing(f"not a finite number ({value})")
            values.append(value)
        except Missing as reason:
            values.append(float("nan"))
            missing[index] = str(reason)
    return Measured(tuple(values), missing, seconds)


def _number(measure: Measure, results: Results) -> float:
    try:
        value = measure.value(results)
    except Missing:
        raise
    except Exception as error:  # whatever somebody else's code raises
        raise SimulationError("measure", f"{_called(measure)}: {raised(error)}") from error
    if not isinstance(value, Real) or isinstance(value, bool):
        raise SimulationError("measure", f"{_called(measure)}: expected a number, got {value!r:.80}")
    return float(value)


def _called(measure: Measure) -> str:
    return f"measurement {name_of(type(measure))} ({type(measure).__module__})"


def measured_batch(measures: Sequence[Measure], results: Results) -> tuple[NDArray[np.float64], list[dict[int, str]]]:
    """Take every measurement of a batch: values (B, M), NaN where missing, and the reasons of each design by metric."""
    blocks = [
        _measured_block(measures, designs(results, slice(begin, begin + _BLOCK)))
        for begin in range(0, max(size(results), 1), _BLOCK)  # no designs are a block too
    ]
    return np.concatenate([values for values, _ in blocks]), [reasons for _, missing in blocks for reasons in missing]


def _measured_block(measures: Sequence[Measure], results: Results) -> tuple[NDArray[np.float64], list[dict[int, str]]]:
    batches = [measure.values(results) for measure in measures]
    values = np.stack([batch.values for batch in batches], axis=1)
    missing: list[dict[int, str]] = [{} for _ in values]
    for row, index in np.argwhere(~np.isfinite(values)).tolist():
        missing[row][index] = batches[index].missing.get(row) or f"not a finite number ({values[row, index]})"
    values[~np.isfinite(values)] = np.nan
    return values, missing

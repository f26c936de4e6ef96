"""What one simulation is of: a design's variables, the conditions it is held under, which sample is drawn."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

NameValue = tuple[str, float]


@dataclass(frozen=True)
class Conditions:
    """What a simulation is held under; what is not said here is as the netlist and the benches have it.

    Each stands in a field of its own, so that no name of a variable or a parameter can be taken for another thing.
    """

    temperature: float | None = None
    """In degrees Celsius."""
    process: str | None = None
    """The name of a process among those of the benches, in lower case."""
    parameters: tuple[NameValue, ...] = ()
    """Parameters of the netlist or of stimuli by name, in SI units."""


NOMINAL_CONDITIONS = Conditions()
JobKey = tuple[tuple[NameValue, ...], Conditions, int | None]


@dataclass(frozen=True)
class Job:
    """One simulation of a design: the value of every variable by name, in SI units, under some conditions."""

    variables: Mapping[str, float]
    conditions: Conditions = NOMINAL_CONDITIONS
    sample: int | None = None
    """The seed of what models draw at random, where a sample of it is wanted."""

    @cached_property
    def values(self) -> Mapping[str, float]:
        """What the netlist's expressions see: the variables, and the parameters that the conditions set."""
        return {**self.variables, **dict(self.conditions.parameters)}

    @property
    def key(self) -> JobKey:
        """By which it is found again."""
        return tuple(self.variables.items()), self.conditions, self.sample

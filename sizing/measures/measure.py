"""What every measurement is: where it is taken, its unit and target, and how it says that there is nothing to measure.

Each final class of this package is one `measure:` name of a spec file; its fields are the keys the spec may give, its
docstring is the definition. A measurement that finds nothing to measure is missing, with the reason, and never a
stand-in value.
"""

from abc import abstractmethod
from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from sizing.measures.batch import Batch, Reasons, designs, size
from sizing.measures.curves import Array
from sizing.measures.waveforms import Results, Vector, Waveforms
from sizing.units import parse_quantity


class Missing(Exception):
    """The quantity does not exist in these waveforms; the message says why."""


def in_unit(unit: str) -> BeforeValidator:
    """For a field that holds a quantity: a number, or one with prefix and unit as text."""
    return BeforeValidator(lambda value: float(parse_quantity(value, unit)), json_schema_input_type=str | float)


Net = Annotated[
    str,
    Field(pattern=r"^[^\s()]+$"),
    BeforeValidator(lambda net: str(net).lower(), json_schema_input_type=str | int),
]
"""A net's name; ngspice ignores its case, and YAML reads a net called 6 as a number."""

Reference = Annotated[str, Field(pattern=r"^\w+\.\w+$", description="bench.analysis, as named under `benches`")]


class Measure(BaseModel):
    """What every metric has: where it is measured, its unit and its target."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    kinds: ClassVar[tuple[str, ...]]
    """The analyses it can be read from: op, ac, tran, dc, noise."""

    unit: str
    of: Reference
    at_least: float | None = None
    at_most: float | None = None
    weight: float = Field(1.0, gt=0, description="factor of this metric's penalty in the cost")

    @field_validator("at_least", "at_most", mode="before", json_schema_input_type=str | float | None)
    @classmethod
    def _target(cls, bound: str | float | None, info: ValidationInfo) -> float | None:
        if bound is None or "unit" not in info.data:  # a mistaken unit has been reported
            return None
        return float(parse_quantity(bound, info.data["unit"]))

    @model_validator(mode="after")
    def _target_makes_sense(self) -> Self:
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(f"at_least {self.at_least:g} lies above at_most {self.at_most:g}: nothing can meet both")
        return self

    @property
    def references(self) -> tuple[str, ...]:
        """Every "bench.analysis" it reads."""
        return (self.of,)

    @property
    @abstractmethod
    def vectors(self) -> tuple[str, ...]:
        """The vectors it reads from each of them."""

    @abstractmethod
    def value(self, results: Results) -> float:
        """The metric of one design in `unit`; raises Missing with the reason where it does not exist."""

    def values(self, results: Results) -> Batch:
        """The metric of every design of a batch (`sizing.measures.batch`)."""
        missing = Reasons()
        values = np.full(size(results), np.nan)
        for row in range(values.size):
            try:
                values[row] = self.value(designs(results, row))
            except Missing as reason:
                missing[row] = str(reason)
        return Batch(values, missing)


class Vectorized(Measure):
    """A measurement that is computed for all designs of a batch at once; one design is a batch of one."""

    def value(self, results: Results) -> float:
        batch = self.values(designs(results, np.newaxis))
        if batch.missing:
            raise Missing(batch.missing[0])
        return float(batch.values[0])

    def values(self, results: Results) -> Batch:
        missing = Reasons()
        with np.errstate(all="ignore"):  # rows without a value are computed too
            values = np.array(self.compute(results, missing))
        values[list(missing)] = np.nan
        return Batch(values, missing)

    @abstractmethod
    def compute(self, results: Results, missing: Reasons) -> Array:
        """The metric in `unit` (B,), with anything in rows for which `missing` is given a reason."""


class OfOutput(Vectorized):
    """A measurement of one net's voltage."""

    output: Net = Field(description="the net that is observed")

    @property
    def vectors(self) -> tuple[str, ...]:
        return (f"v({self.output})",)

    def observed(self, results: Results) -> tuple[Array, Vector]:
        """The axis (N,) and the output along it (B, N)."""
        waveforms = results[self.of]
        return waveforms.axis, waveforms.vectors[f"v({self.output})"]


def pair(waveforms: Waveforms, vectors: tuple[str, ...]) -> tuple[Array, Array]:
    """The real parts of two vectors, both (B, N)."""
    first, second = (np.real(waveforms.vectors[name]) for name in vectors)
    return first, second

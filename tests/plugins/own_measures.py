"""Measurements as a user's own file has them."""

from typing import Literal

import numpy as np

from sizing.measures.batch import Reasons
from sizing.measures.curves import Array
from sizing.measures.measure import Measure, OfOutput
from sizing.measures.waveforms import Results


class Droop(OfOutput):
    """By how much the output lies below a level."""

    measure: Literal["droop"]
    kinds = ("op",)
    unit: Literal["V"] = "V"
    level: float = 1.0

    def compute(self, results: Results, missing: Reasons) -> Array:
        return self.level - np.real(self.observed(results)[1])[:, 0]


class Broken(Droop):
    """Raises, or gives no number."""

    measure: Literal["broken"]
    how: str = "raises"

    def value(self, results: Results) -> float:
        if self.how == "raises":
            raise ZeroDivisionError("no droop")
        return "much"  # type: ignore[return-value]


class Nameless(Measure):
    """Says neither its name nor what it reads."""

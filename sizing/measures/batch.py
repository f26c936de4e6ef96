"""Batches: results of many designs, and what is measured on them: values, and why there is none.

In the results of a batch the axis (N,) is shared and vectors are (B, N), a row for each design, of which there is at
least one vector. What ngspice itself measured (`meas`) has no rows: it holds for all of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sizing.measures.waveforms import Results


@dataclass(frozen=True)
class Batch:
    """A metric of the designs of a batch."""

    values: NDArray[np.float64]
    """(B,), NaN where missing."""
    missing: Mapping[int, str]
    """The reason by row."""


class Reasons(dict[int, str]):
    """Why rows of a batch have no value; of several reasons the first given counts."""

    def where(self, mask: NDArray[np.bool_], reason: str | Callable[[int], str]) -> None:
        """Give the rows of a mask (B,) a reason: a text, or one for each row."""
        for row in np.flatnonzero(mask).tolist():
            if row not in self:
                self[row] = reason if isinstance(reason, str) else reason(row)


def size(results: Results) -> int:
    """How many designs there are in a batch."""
    return next(len(vector) for waveforms in results.values() for vector in waveforms.vectors.values())


def designs(results: Results, which: int | slice | NDArray[np.intp] | None) -> Results:
    """One design of a batch, or a batch of some of them; with `np.newaxis`, one design as a batch of one."""
    return {
        name: replace(waveforms, vectors={key: vector[which] for key, vector in waveforms.vectors.items()})
        for name, waveforms in results.items()
    }

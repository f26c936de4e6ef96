"""Calibration: of the answers that a judge held to be so and so probable, how many were true.

A judge answers for every design it proposes and every metric; the simulation then gives the truth. Only designs that
were chosen are simulated, so that this is said of them, not of all candidates.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from sizing.reports.styles import INK, Style, figure_with_panels, methods_in_order, number_axis
from sizing.runs.records.reading import RunRecord
from sizing.simulation.simulator import Measured
from sizing.task.objectives import meets, no_worse

Numbers = NDArray[np.float64]

BINS = 10
_NORMAL_QUANTILE = 1.96
"""Quantile of a two-sided interval of 95 %."""


@dataclass(frozen=True)
class Answers:
    """What a judge said (N,) and whether it was so (N,), one entry for each simulated design and metric."""

    probability: Numbers
    truth: NDArray[np.bool_]


def answers(records: Sequence[RunRecord]) -> Answers:
    """The answers in these runs' journals; none where nobody judged, or where the journal does not hold them."""
    said: list[Numbers] = [np.empty(0)]
    true: list[NDArray[np.bool_]] = [np.empty(0, dtype=bool)]
    for record in records:
        begin = 0
        for batch in record.batches:
            rows = slice(begin, begin + len(batch.evaluations))
            begin = rows.stop
            if batch.decision and (judgement := batch.decision.get("judgement")):
                truth = _truth(record, rows, batch.decision)
                said.append(np.array(judgement)[: len(truth)].ravel())  # a budget may have cut off the last designs
                true.append(truth.ravel())
    return Answers(np.concatenate(said), np.concatenate(true))


def calibration_tables(records: Sequence[RunRecord]) -> dict[str, pd.DataFrame]:
    """The table of every method that judged, in the methods' order."""
    tables = {}
    for name in methods_in_order(records):
        found = answers([record for record in records if record.manifest["method"] == name])
        if len(found.truth):
            tables[name] = calibration_table(found)
    return tables


def calibration_table(found: Answers) -> pd.DataFrame:
    """One row per bin of ten percent: its ends, `count`, mean `predicted` and `observed` share with `low` and `high`.

    `low` and `high` are Wilson's 95 % interval, as if answers were independent; numbers of an empty bin
    are NaN.
    """
    place = np.minimum((found.probability * BINS).astype(int), BINS - 1)
    count = np.bincount(place, minlength=BINS)
    some = np.where(count, count, np.nan)
    observed = np.bincount(place, weights=found.truth, minlength=BINS) / some
    low, high = wilson_interval(observed, some)
    return pd.DataFrame(
        {
            "from": np.arange(BINS) / BINS,
            "to": np.arange(1, BINS + 1) / BINS,
            "count": count,
            "predicted": np.bincount(place, weights=found.probability, minlength=BINS) / some,
            "observed": observed,
            "low": low,
            "high": high,
        }
    )


def wilson_interval(share: Numbers, count: Numbers) -> tuple[Numbers, Numbers]:
    """Ends of the 95 % score interval of shares observed among so many (Wilson, JASA 22, 1927)."""
    square = _NORMAL_QUANTILE**2 / count
    middle = (share + square / 2) / (1 + square)
    half = np.sqrt(square * (share * (1 - share) + square / 4)) / (1 + square)
    return np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1)


def reliability_diagram(tables: Mapping[str, pd.DataFrame], look: Mapping[str, Style]) -> Figure:
    """Observed shares over what was predicted, with their intervals, and below how many answers there were, by method.

    Answers on the diagonal are as often true as was said.
    """
    figure, (shares, counts) = figure_with_panels(4.4, (3, 1))
    shares.plot([0, 1], [0, 1], color=INK, linewidth=0.8, linestyle=(0, (1, 2)), zorder=1, label="_as said")
    width = 0.8 / BINS / len(tables)
    for number, (name, table) in enumerate(tables.items()):
        style, some = look[name], table[table["count"] > 0]
        shares.vlines(some["predicted"], some["low"], some["high"], color=style.colour, linewidth=1)
        shares.plot(
            some["predicted"], some["observed"], color=style.colour, linestyle=style.line, linewidth=1.2,
            marker=style.marker, markersize=5.5, clip_on=False, label=name,
        )  # fmt: skip
        left = some["from"] + 0.1 / BINS + number * width
        counts.bar(left, some["count"], width, align="edge", color=style.colour, linewidth=0, label=name)
    number_axis(shares, "y", "share that was so", 0, 1, log=False)
    number_axis(counts, "x", "probability by the judge", 0, 1, log=False)
    number_axis(counts, "y", "answers", 0.6, max(table["count"].max() for table in tables.values()), log=True)
    return figure


def _truth(record: RunRecord, rows: slice, decision: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Whether these designs of the population met each target, or were no worse than an evaluation (B, M).

    Objectives that were aimed at had the decision's aim as their target.

    A design that could not be measured did nothing of the kind.
    """
    problem, values, reference = record.problem, record.values[rows], decision["reference"]
    if reference is None:
        met = meets(problem, values)
        for m, metric in enumerate(problem.metrics):
            if metric.name in decision.get("aim", {}):
                met[:, m] &= metric.sign * values[:, m] <= metric.sign * decision["aim"][metric.name]
        return met
    measured = np.array([isinstance(evaluation.outcome, Measured) for evaluation in record.population[rows]])
    as_good = no_worse(problem, values, record.values[record.joined.index(reference)])
    return np.asarray(as_good & measured[:, None])

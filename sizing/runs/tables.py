"""Tables of runs (one row per spec, method and seed), of their means over seeds, and of a run's designs."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from sizing.evaluation.evaluator import Purpose
from sizing.runs.records.reading import RunRecord
from sizing.runs.verify import Verification
from sizing.simulation.simulator import Failed, Outcome
from sizing.task.objectives import cost, front, hypervolume, in_spec, smallest_margin

COLUMNS = [
    *("spec", "topology", "method", "seed", "status", "in_spec", "first_in_spec_at"),
    *("sims_initial", "sims_search", "sims_oracle", "sims_total", "sims_failed", "sims_op", "sims_tables"),
    *("sims_pretrain", "cache_hits", "queries", "best_cost", "top_cost", "margin"),
    *("wall_s", "simulate_s", "train_s", "query_s", "tables_s"),
    *("objective", "front", "hypervolume", "corners", "designs"),
]
"""The columns of every table of runs, in this order. One that does not apply to a run is empty, never 0."""

KEYS = ["spec", "topology", "method"]


def run_row(record: RunRecord) -> dict[str, Any]:
    """One run's counts. `sims_total` is the simulations of the designs that joined the population, initial ones and
    search, and of one that a budget cut off, but for those that a cache knew."""
    problem, wanted = record.problem, record.manifest["run"]["in_spec"]
    costs = np.sort(cost(problem, record.values))
    good = np.flatnonzero(in_spec(problem, record.values))
    simulated = [not evaluation.outcome.cached for evaluation in record.simulations]
    counted = _counted(record)
    by_corners = len(problem.corners) > 1
    judged = [decision["judged"] for decision in record.decisions if decision["judged"] is not None]
    looks = [batch.looks for batch in record.batches if batch.looks is not None]
    row = {
        "spec": problem.name,
        "topology": problem.topology,
        "method": record.manifest["method"],
        "seed": record.manifest["seed"],
        "status": "damaged" if record.damage else record.summary.get("status", "unfinished"),
        "in_spec": len(good),
        "first_in_spec_at": _simulated_until(record, int(good[0])) if good.size else None,
        "corners": len(problem.corners) if by_corners else None,
        "designs": len(record.joined) if by_corners else None,
        "sims_initial": counted["initial"],
        "sims_search": counted["search"],
        "sims_oracle": counted["oracle"] if "oracle" in record.purposes else None,
        "sims_total": counted["initial"] + counted["search"],
        "sims_failed": sum(isinstance(e.outcome, Failed) and not e.outcome.cached for e in record.simulations),
        "sims_op": sum(looks) if looks else None,
        "sims_pretrain": _before(record),
        "cache_hits": simulated.count(False) or (0 if record.manifest.get("cache") else None),
        "queries": sum(judged) if judged else None,
        "best_cost": _finite(costs[:1]),
        "top_cost": _finite(costs[:wanted]) if len(costs) >= wanted else None,
        "margin": _margin_of_best(record),
    }
    row |= _objectives(record)
    row |= {name: record.summary.get(name) for name in ("wall_s", "simulate_s", "train_s", "query_s")}
    if "sims_tables" in record.summary:
        row |= {name: record.summary[name] for name in ("sims_tables", "tables_s")}
    return {column: row.get(column) for column in COLUMNS}


def _counted(record: RunRecord) -> Counter[Purpose]:
    """Simulations by purpose, without answers from a cache.

    Those of an oracle are of the search where their design joined the population. Those of a design that did not join
    count where a budget cut it off, not where it will be taken up.
    """
    joined = {evaluation.design for evaluation in record.population}
    status = "interrupted" if record.damage else record.summary.get("status", "interrupted")
    counted: Counter[Purpose] = Counter()
    for simulation, purpose in zip(record.simulations, record.purposes, strict=True):
        if simulation.outcome.cached:
            continue
        if simulation.design in joined:
            counted["search" if purpose == "oracle" else purpose] += 1
        elif purpose == "oracle" or status != "interrupted":
            counted[purpose] += 1
    return counted


def _simulated_until(record: RunRecord, place: int) -> int:
    """Simulations of the population, without answers from a cache, up to the one in this place."""
    outcomes = (outcome for each in record.population[: place + 1] for outcome in each.corners.values())
    return sum(not outcome.cached for outcome in outcomes)


def _objectives(record: RunRecord) -> dict[str, Any]:
    """The best value of the only objective, or the size of the front of several and its hypervolume."""
    problem = record.problem
    if not problem.objectives:
        return {}
    best = record.values[front(problem, record.values)]
    if len(problem.objectives) > 1:
        return {"front": len(best), "hypervolume": hypervolume(problem, best)}
    return {"objective": float(best[0, problem.objectives[0]]) if len(best) else None}


def runs_table(records: Sequence[RunRecord]) -> pd.DataFrame:
    """One row per run, in COLUMNS; whole numbers stay whole where a column has gaps."""
    rows = sorted((run_row(record) for record in records), key=lambda r: (r["spec"], r["method"], r["seed"]))
    return pd.DataFrame(rows, columns=list(COLUMNS)).convert_dtypes()


def means_table(runs: pd.DataFrame) -> pd.DataFrame:
    """Means over seeds per spec and method, each column followed by its standard error (empty for one seed).

    Damaged runs are left out.
    """
    runs = runs[runs["status"] != "damaged"]
    numbers = [c for c in COLUMNS if c not in (*KEYS, "seed", "status") and c in runs and runs[c].notna().any()]
    rows = []
    for keys, group in runs.groupby(KEYS, sort=False):
        row: dict[str, Any] = dict(zip(KEYS, keys, strict=True)) | {"seeds": len(group)}
        for column in numbers:
            values = group[column].dropna().astype(float)
            row[column] = values.mean() if len(values) else None
            row[f"{column}_se"] = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else None
        rows.append(row)
    return pd.DataFrame(rows, columns=None if rows else [*KEYS, "seeds"])


def designs_table(record: RunRecord) -> pd.DataFrame:
    """Every design that joined the population, best first: rank, cost, in_spec, variables and metrics in SI units.

    Designs in spec are in the order of the objectives, or of their smallest margin (`margin`); with several objectives
    a last column, `front`, says which are on the front.
    """
    problem = record.problem
    ranked = record.ranked
    costs, good = cost(problem, record.values), in_spec(problem, record.values)
    smallest = smallest_margin(problem, record.values)
    rows = []
    for rank, row in enumerate(ranked, 1):
        values = dict(zip((metric.name for metric in problem.metrics), record.values[row], strict=True))
        head = {
            "rank": rank,
            "simulation": int(record.simulations_at[row]),
            "in_spec": bool(good[row]),
            "cost": float(costs[row]),
            "margin": float(smallest[row]) if np.isfinite(smallest[row]) else None,
        }
        rows.append(head | problem.values(record.population[row].design) | values)
    table = pd.DataFrame(rows)
    if len(problem.objectives) > 1 and len(table):
        table["front"] = front(problem, record.values)[ranked]
    return table


def _before(record: RunRecord) -> int | None:
    """Simulations behind what the run knew when it began: a checkpoint's, and those of earlier runs."""
    parts = [record.manifest.get("checkpoint"), *record.manifest.get("warm_start", [])]
    return sum(part["simulations"] for part in parts if part) if any(parts) else None


def _margin_of_best(record: RunRecord) -> float | None:
    if not len(record.ranked):
        return None
    margin = float(smallest_margin(record.problem, record.values[record.ranked[0]]))
    return margin if np.isfinite(margin) else None


def _finite(costs: Any) -> float | None:
    mean = float(np.mean(costs)) if len(costs) else np.inf
    return mean if np.isfinite(mean) else None


def simulations_table(found: Verification, condition: str) -> pd.DataFrame:
    """A row per design and condition, named so: cost, in_spec, variables and metrics in SI units, and what failed."""
    costs = cost(found.problem, found.values)
    names = [metric.name for metric in found.problem.metrics]
    rows = []
    for rank, (design, outcomes) in enumerate(zip(found.designs, found.outcomes, strict=True), 1):
        for column, (name, outcome) in enumerate(zip(found.conditions, outcomes, strict=True)):
            place = (rank - 1, column)
            head = {"rank": rank, condition: name, "in_spec": bool(found.in_spec[place]), "cost": float(costs[place])}
            metrics = dict(zip(names, found.values[place].tolist(), strict=True))
            rows.append({**head, **design, **metrics, "failure": _failure(outcome, names)})
    return pd.DataFrame(rows)


def overview(runs: pd.DataFrame, means: pd.DataFrame) -> str:
    """A table of runs and one of their means over seeds, as markdown."""
    return f"{markdown(runs)}\n\nMeans over seeds ± standard error:\n\n{markdown(means)}"


def markdown(table: pd.DataFrame) -> str:
    """The table as markdown, as `worded` has it."""
    return str(worded(table).to_markdown(index=False, disable_numparse=True))


def worded(table: pd.DataFrame) -> pd.DataFrame:
    """The table as people read it: rounded, empty columns left out, "mean ± standard error" in one column."""
    shown = pd.DataFrame(index=table.index)
    for column in table.columns:
        if column.endswith("_se") or table[column].isna().all():
            continue
        error = table.get(f"{column}_se")
        errors = [None] * len(table) if error is None else error
        shown[column] = [_text(value, se) for value, se in zip(table[column], errors, strict=True)]
    return shown


def _text(value: Any, error: Any = None) -> str:
    if pd.isna(value):
        return ""
    text = _rounded(value, 4) if isinstance(value, float) else str(value)
    return text if error is None or pd.isna(error) else f"{text} ± {_rounded(error, 3)}"


def _rounded(value: float, digits: int) -> str:
    return f"{value:.{digits}g}" if abs(value) < 10**digits else f"{value:.0f}"


def _failure(outcome: Outcome, names: Sequence[str]) -> str:
    if isinstance(outcome, Failed):
        return f"{outcome.reason}: {outcome.message}"
    return "; ".join(f"{names[m]}: {reason}" for m, reason in outcome.missing.items())

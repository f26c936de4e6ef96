"""What statuses, columns and targets mean, in the words of every terminal table and page."""

import numpy as np
from numpy.typing import NDArray

from sizing.task.objectives import hypervolume
from sizing.task.problem import Metric, Problem
from sizing.units import format_quantity

STATUS_WORDS = {
    "in spec": "every target met by as many designs as were asked for",
    "max_sims": "the simulation budget is used up",
    "max_seconds": "the time budget is used up",
    "no progress": "no better design for as long as `patience` allows",
    "exhausted": "the method has no new designs to offer",
    "interrupted": "interrupted; the tables hold what was simulated until then, and `sizing resume` goes on",
    "failing": "nearly all simulations failed: all initial ones, or `max_failed` of the latest 50",
    "unfinished": "under way, or killed; `sizing resume` goes on",
    "damaged": "a line of its journal cannot be read; what comes before it is shown, and counts in no mean",
}

COLUMN_WORDS = {
    "spec": "the sizing task",
    "topology": "its netlist",
    "method": "who chooses which designs are simulated",
    "seed": "of every random stream; all methods of a seed start from the same designs",
    "seeds": "runs behind a mean",
    "reached": "runs that came to as many designs in spec as were asked for",
    "status": "why the run ended",
    "in_spec": "designs that meet every target",
    "first_in_spec_at": "simulations until the first of them, initial ones included",
    "corners": "corners that each design in spec was simulated at",
    "designs": "designs simulated, at one corner or more",
    "sims_initial": "simulations of initial designs",
    "sims_search": "simulations of designs that were added by the search",
    "sims_oracle": "real simulations used only as answers of the oracle",
    "sims_total": "sims_initial + sims_search",
    "sims_failed": "simulations without a result",
    "sims_op": "looks at operating points",
    "sims_tables": "devices that ngspice measured for tables of what they do, none where a cache had them",
    "sims_pretrain": "operating points behind pretrained weights, the same ones for every run with them",
    "cache_hits": "answers from a cache",
    "queries": "candidates put to the judge, one each, however they were batched",
    "best_cost": "cost of the best design; 0 where it meets every target",
    "top_cost": "mean cost of the best designs, as many as are asked for",
    "margin": "of the best design: the smallest distance of a metric to its target, relative to the target",
    "wall_s": "wall-clock seconds; of a run that was taken up, the sum without the replay",
    "simulate_s": "of these, waiting for simulations",
    "train_s": "of these, training the judge",
    "query_s": "of these, judging",
    "tables_s": "of these, measuring devices for tables",
    "objective": "value of the objective of the best design in spec",
    "front": "designs on the Pareto front of several objectives",
    "hypervolume": "between the front and the targets of the objectives, each in units of its target",
}


def target_words(metric: Metric) -> str:
    """The target as people write it, such as "≥ 60 deg", and after it whether the metric is an objective."""
    signed = (("≥", metric.at_least), ("≤", metric.at_most))
    words = [f"{sign} {format_quantity(bound, metric.unit)}" for sign, bound in signed if bound is not None]
    return ", ".join([*words, metric.goal] if metric.goal else words)


def bounds(metric: Metric) -> tuple[float, ...]:
    """The ends of the target, one or both, or none."""
    return tuple(bound for bound in (metric.at_least, metric.at_most) if bound is not None)


def front_words(problem: Problem, values: NDArray[np.float64]) -> str:
    """The designs (N, M) on the front, such as "ibias 62.1 uA"; of several objectives their number and hypervolume."""
    if not problem.objectives or not len(values):
        return ""
    if len(problem.objectives) > 1:
        volume = hypervolume(problem, values)
        return f"{len(values)} on the front" + (f", hypervolume {volume:.4g}" if volume is not None else "")
    (m,) = problem.objectives
    metric = problem.metrics[m]
    return f"{metric.name} {format_quantity(float(values[0, m]), metric.unit)}"

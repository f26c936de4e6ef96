"""Designs and results as tables for a terminal."""

import numpy as np
import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from sizing.evaluation import completed_outcome
from sizing.loop import Result
from sizing.objectives import front, meets, order
from sizing.problem import Metric
from sizing.records.reading import RunRecord
from sizing.report.words import STATUS_WORDS, front_words, target_words
from sizing.simulation.simulator import Failed, Outcome
from sizing.spec.load import Spec
from sizing.units import format_quantity


def run_summary(result: Result, console: Console | None = None) -> None:
    """How a run ended, its best designs, and where everything is."""
    console = console or plain_console()
    row = result.table.iloc[0]
    best_designs(result.record, 3, console)
    queries = "" if pd.isna(row["queries"]) else f", {row['queries']} queries"
    simulations = f"{row['sims_total']} simulations ({row['sims_initial']} of them initial)"
    if not pd.isna(row["corners"]):
        simulations += f" of {row['designs']} designs at {row['corners']} corners"
    console.out(f"{row['in_spec']} designs in spec after {simulations}{queries}, {row['wall_s']:.1f} s:")
    console.out(f"{STATUS_WORDS[result.status]}.")
    problem, values = result.record.problem, result.record.values
    if words := front_words(problem, values[front(problem, values)]):
        console.out(f"Best in spec: {words}.")
    console.out(f"Sized netlist: {result.folder / 'sized.cir'}", f"More designs: sizing show {result.folder}", sep="\n")


def best_designs(record: RunRecord, count: int, console: Console | None = None) -> None:
    """Variables and metrics of the best designs in columns, what misses its target marked."""
    problem = record.problem
    ranked = order(problem, record.values)[:count]
    met = meets(problem, record.values)
    grid = Table(title=f"{escape(problem.name)}: best designs", title_justify="left")
    grid.add_column("")
    grid.add_column("target")
    for rank, row in enumerate(ranked, 1):
        grid.add_column(f"#{rank} (sim {record.simulations_at[row]})", justify="right")
    for index, variable in enumerate(problem.variables):
        values = (variable.values[record.population[row].design[index]] for row in ranked)
        grid.add_row(variable.name, "", *(format_quantity(value, variable.unit) for value in values))
    grid.add_section()
    for index, metric in enumerate(problem.metrics):
        cells = (_cell(metric, record.values[row, index], bool(met[row, index])) for row in ranked)
        grid.add_row(metric.name, target_words(metric), *cells)
    (console or plain_console()).print(grid)


def checked_design(spec: Spec, outcome: Outcome) -> bool:
    """Print what `sizing check` found; whether the middle design could be simulated."""
    problem = spec.problem
    print(f"{spec.path}: {len(problem.variables)} variables, {problem.size:.4g} designs, {len(spec.benches)} benches, "
          f"{len(problem.metrics)} metrics")  # fmt: skip
    outcome = completed_outcome(problem, outcome)
    if isinstance(outcome, Failed):
        print(f"the design in the middle of the ranges failed for {outcome.reason}: {outcome.message}")
        return False
    grid = Table(title="the design in the middle of the ranges", title_justify="left")
    for heading in ("metric", "target", "value", ""):
        grid.add_column(heading)
    met = meets(problem, np.array(outcome.values))
    for index, metric in enumerate(problem.metrics):
        why = outcome.missing.get(index, "")
        grid.add_row(
            metric.name, target_words(metric), _cell(metric, outcome.values[index], bool(met[index])), escape(why)
        )
    plain_console().print(grid)
    return True


def _cell(metric: Metric, value: float, met: bool) -> str:
    text = format_quantity(float(value), metric.unit)
    return f"[green]{text}  [/]" if met else f"[red]{text} ✗[/]"


def plain_console() -> Console:
    """Stdout; wide enough for a table where it is piped."""
    console = Console()
    return console if console.is_terminal else Console(width=160)

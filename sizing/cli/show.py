"""Designs and results as tables for a terminal."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from sizing.evaluation.evaluator import completed_outcome
from sizing.reports.designs import Setting, Sized, Target, best_sized, target
from sizing.reports.words import STATUS_WORDS, front_words, target_words
from sizing.runs.plan import usual_method
from sizing.runs.records.reading import RunRecord
from sizing.runs.run import Result
from sizing.simulation.simulator import Failed, Outcome
from sizing.specfile.load import Spec
from sizing.task.objectives import front, meets
from sizing.task.settings import AUTO

_SCALE_CHARACTERS = 13
"""Characters of a scale, a middle one among them."""
_SMALLEST_MARGIN = 0.005
"""Margins below which there is no bar."""
_UNLIMITED_COLUMNS = 1000
"""Columns, as wide as no table gets."""


def run_summary(result: Result, console: Console | None = None) -> None:
    """How a run ended, its best designs, and where everything is."""
    console = console or plain_console()
    row = result.table.iloc[0]
    best_designs(result.record, 3, console)
    counted = [("queries", "queries"), ("sims_op", "looks at operating points")]
    besides = "".join(f", {row[column]} {words}" for column, words in counted if not pd.isna(row[column]))
    simulations = f"{row['sims_total']} simulations ({row['sims_initial']} of them initial)"
    if not pd.isna(row["corners"]):
        simulations += f" of {row['designs']} designs at {row['corners']} corners"
    console.out(f"{row['in_spec']} designs in spec after {simulations}{besides}, {row['wall_s']:.1f} s:")
    console.out(f"{STATUS_WORDS[result.status]}.")
    problem, values = result.record.problem, result.record.values
    if words := front_words(problem, values[front(problem, values)]):
        console.out(f"Best in spec: {words}.")
    if (sized := result.folder / "sized.cir").exists():
        console.out(f"Sized netlist: {sized}", f"More designs: sizing show {result.folder}", sep="\n")


def best_designs(record: RunRecord, count: int, console: Console | None = None) -> None:
    """Variables and metrics of the best designs in columns, what misses its target marked.

    Beside the first, where there is room, where its values lie in their ranges and how far its metrics are from their
    targets, as bars.
    """
    console = console or plain_console()
    designs = best_sized(record, count)
    grid = _designs_table(record, designs, bars=True)
    if console.measure(grid, options=console.options.update_width(_UNLIMITED_COLUMNS)).maximum > console.width:
        grid = _designs_table(record, designs, bars=False)
    console.print(grid)


def tell_method(spec: Spec) -> None:
    """Print which method a spec that names none is run with, and why."""
    if spec.run.method == AUTO:
        name, why = usual_method(spec)
        print(f"method: {name}, since {why}")


def checked_design(spec: Spec, outcome: Outcome) -> bool:
    """Print what `sizing check` found; whether the design to look at first could be simulated."""
    problem = spec.problem
    design = "the design to begin with" if problem.has_start else "the design in the middle of the ranges"
    print(f"{spec.path}: {len(problem.variables)} variables, {problem.size:.4g} designs, {len(spec.benches)} benches, "
          f"{len(problem.metrics)} metrics")  # fmt: skip
    outcome = completed_outcome(problem, outcome)
    if isinstance(outcome, Failed):
        print(f"{design} failed for {outcome.reason}: {outcome.message}")
        return False
    grid = Table(title=design, title_justify="left")
    for heading in ("metric", "target", "value", ""):
        grid.add_column(heading)
    met = meets(problem, np.array(outcome.values))
    for index, metric in enumerate(problem.metrics):
        why = outcome.missing.get(index, "")
        found = target(metric, outcome.values[index], bool(met[index]))
        grid.add_row(escape(metric.name), escape(found.target), _cell(found), escape(why))
    plain_console().print(grid)
    return True


def _designs_table(record: RunRecord, designs: Sequence[Sized], *, bars: bool) -> Table:
    problem = record.problem
    first = designs[:1] if bars else ()
    grid = Table(title=f"{escape(problem.name)}: best designs", title_justify="left")
    grid.add_column("")
    grid.add_column("target")
    headings = [f"#{design.rank} (sim {design.simulation})" for design in designs]
    for heading in _with_bar(headings, ["range, margin" for _ in first]):
        grid.add_column(heading, justify="right" if heading in headings else "left")
    for index, variable in enumerate(problem.variables):
        cells = [escape(design.settings[index].value) for design in designs]
        grid.add_row(escape(variable.name), "", *_with_bar(cells, [_place(design.settings[index]) for design in first]))
    grid.add_section()
    for index, metric in enumerate(problem.metrics):
        cells = [_cell(design.targets[index]) for design in designs]
        margins = [_margin(design.targets[index]) for design in first]
        grid.add_row(escape(metric.name), escape(target_words(metric)), *_with_bar(cells, margins))
    return grid


def _with_bar(cells: list[str], bar: list[str]) -> list[str]:
    """The cells of a row with that of the bar behind the first."""
    return [*cells[:1], *bar, *cells[1:]]


def _cell(target: Target) -> str:
    value = escape(target.value)
    return f"[green]{value}  [/]" if target.met else f"[red]{value} ✗[/]"


def _place(setting: Setting) -> str:
    """A scale with a mark where in its range a value lies."""
    before = round(setting.place * (_SCALE_CHARACTERS - 1))
    return "├" + "─" * before + "●" + "─" * (_SCALE_CHARACTERS - 1 - before) + "┤"


def _margin(target: Target) -> str:
    """A bar to the right of the middle where the target is met, to the left where it is missed, and the margin."""
    half = _SCALE_CHARACTERS // 2
    length = 0 if abs(target.bar) < _SMALLEST_MARGIN else max(1, round(abs(target.bar) * half))
    left, right = ("░" * length, "") if target.bar < 0 else ("", "█" * length)
    return f"{left:>{half + 1}}│{right:<{half}} {target.margin}" if target.margin else ""


def plain_console() -> Console:
    """Stdout; wide enough for a table where it is piped."""
    console = Console()
    return console if console.is_terminal else Console(width=160)

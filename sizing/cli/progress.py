"""A live run, or many of them, on a terminal, or as plain lines where stderr is piped."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar
from rich.text import Text

from sizing.cli.schedule import Schedule
from sizing.reports.words import front_words
from sizing.runs.compare import Entry
from sizing.runs.events import Observer, Progress
from sizing.task.problem import Problem

SECONDS_BETWEEN_LINES = 5.0
MOST_NAMED_RUNS = 3
"""Runs under way that are named; of more there is a count."""


@contextmanager
def shown_progress(problem: Problem, wanted: int) -> Iterator[Observer]:
    """An observer that shows each iteration on stderr, for a run that wants this many designs in spec."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Lines(problem, wanted)
        return
    columns = (
        TextColumn("in spec"), BarColumn(bar_width=20), MofNCompleteColumn(), TextColumn("{task.fields[state]}"),
        TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(),
    )  # fmt: skip
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=wanted, state="starting the simulator")

        def show(progress: Progress) -> None:
            if progress.warning:
                console.out(f"warning: {progress.warning}", highlight=False)
            bar.update(task, completed=progress.in_spec, state=_state(problem, progress))

        yield show


@contextmanager
def shown_schedule(schedule: Schedule) -> Iterator[Callable[[Entry, str], None]]:
    """Takes each run of a comparison that ends, with its status, and shows on stderr how far the whole has come."""
    console = Console(stderr=True)
    if not console.is_terminal:

        def line(entry: Entry, status: str) -> None:
            schedule.end(entry, failed=status.startswith("failed"))
            state = f"{schedule.ended}/{schedule.total} {_name(entry)}: {_first_line(status)}"
            left = f"; {_time_left(schedule)}" if schedule.under_way else ""
            print(f"{state}{left}{_under_way(schedule)}", file=sys.stderr, flush=True)

        yield line
        return
    columns = (TextColumn("runs"), BarColumn(bar_width=20), MofNCompleteColumn(), TimeElapsedColumn(), _Left(schedule))
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=schedule.total)

        def ended(entry: Entry, status: str) -> None:
            schedule.end(entry, failed=status.startswith("failed"))
            bar.update(task, completed=schedule.ended)
            console.print(f"{_name(entry)}: {_first_line(status)}", markup=False, highlight=False)

        yield ended


class _Left(ProgressColumn):
    """The time left and the runs under way, as they are at each refresh."""

    def __init__(self, schedule: Schedule) -> None:
        super().__init__()
        self._schedule = schedule

    def render(self, task: Task) -> Text:
        """As plain text: names of specs may look like markup."""
        return Text(_time_left(self._schedule) + _under_way(self._schedule))


def _name(entry: Entry) -> str:
    return f"{entry.spec.stem} {entry.method} seed {entry.seed}"


def _first_line(status: str) -> str:
    """Why a run failed may take many; all of them are told at the end."""
    return status.partition("\n")[0]


def _time_left(schedule: Schedule) -> str:
    seconds = schedule.seconds_left()
    if seconds is None:
        return "time left not known yet"
    minutes = round(seconds / 60)
    return f"about {seconds:.0f} s left" if seconds < 90 else f"about {_hours(minutes)} left"


def _hours(minutes: int) -> str:
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


def _under_way(schedule: Schedule) -> str:
    names = [_name(entry) for entry in schedule.under_way]
    if not names:
        return ""
    more = f" and {len(names) - MOST_NAMED_RUNS} more" if len(names) > MOST_NAMED_RUNS else ""
    return f"; under way: {', '.join(names[:MOST_NAMED_RUNS])}{more}"


class _Lines:
    """One line every few seconds."""

    def __init__(self, problem: Problem, wanted: int) -> None:
        self._problem = problem
        self._wanted = wanted
        self._last = 0.0

    def __call__(self, progress: Progress) -> None:
        if progress.warning:
            print(f"warning: {progress.warning}", file=sys.stderr, flush=True)
        done = progress.in_spec >= self._wanted
        if progress.iteration == 0 or done or time.monotonic() - self._last >= SECONDS_BETWEEN_LINES:
            self._last = time.monotonic()
            state = _state(self._problem, progress)
            line = f"{progress.in_spec}/{self._wanted} in spec, {state}, {progress.seconds:.1f} s"
            print(line, file=sys.stderr, flush=True)


def _state(problem: Problem, progress: Progress) -> str:
    cost = f"cost of the best {progress.top_cost:.4g}" if progress.top_cost < float("inf") else "cost of the best –"
    queries = f", {progress.queries} queries" if progress.queries else ""
    words = front_words(problem, np.array(progress.front))
    objective = f", {words}" if words else ""
    return f"iteration {progress.iteration}, {progress.sims_total} simulations{queries}, {cost}{objective}"

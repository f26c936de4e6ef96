"""A live run on a terminal, or as plain lines where stderr is piped."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from sizing.loop import Observer, Progress

SECONDS_BETWEEN_LINES = 5.0


@contextmanager
def shown_progress(wanted: int) -> Iterator[Observer]:
    """An observer that shows each iteration on stderr, for a run that wants this many designs in spec."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Lines(wanted)
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
            bar.update(task, completed=progress.in_spec, state=_state(progress))

        yield show


class _Lines:
    """One line every few seconds."""

    def __init__(self, wanted: int) -> None:
        self._wanted = wanted
        self._last = 0.0

    def __call__(self, progress: Progress) -> None:
        if progress.warning:
            print(f"warning: {progress.warning}", file=sys.stderr, flush=True)
        done = progress.in_spec >= self._wanted
        if progress.iteration == 0 or done or time.monotonic() - self._last >= SECONDS_BETWEEN_LINES:
            self._last = time.monotonic()
            line = f"{progress.in_spec}/{self._wanted} in spec, {_state(progress)}, {progress.seconds:.1f} s"
            print(line, file=sys.stderr, flush=True)


def _state(progress: Progress) -> str:
    cost = f"cost of the best {progress.top_cost:.4g}" if progress.top_cost < float("inf") else "cost of the best –"
    queries = f", {progress.queries} queries" if progress.queries else ""
    return f"iteration {progress.iteration}, {progress.sims_total} simulations{queries}, {cost}"

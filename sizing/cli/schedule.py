"""How far a comparison has come: which runs are under way, and how long the others will take."""

import time
from collections.abc import Callable, Sequence

from sizing.runs.compare import Entry


class Schedule:
    """Runs that are started in order, so many at a time; told when each of them ends.

    The estimate is from runs that began and ended here: those taken up from an earlier call, and those that failed,
    say nothing of how long a whole one takes.
    """

    def __init__(self, entries: Sequence[Entry], jobs: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._jobs = jobs
        self._left = list(entries)
        self._taken_up = {entry for entry in entries if entry.folder.exists()}
        self._over = {entry for entry in self._taken_up if (entry.folder / "summary.json").exists()}
        self._began: dict[Entry, float] = {}
        self._seconds: dict[tuple[str, str], list[float]] = {}
        self.total = len(self._left)
        self._note_starts()

    @property
    def ended(self) -> int:
        """How many runs have ended."""
        return self.total - len(self._left)

    @property
    def under_way(self) -> list[Entry]:
        """The runs that are being made."""
        return self._left[: self._jobs]

    def end(self, entry: Entry, *, failed: bool = False) -> None:
        """Note that a run has ended."""
        self._left.remove(entry)
        if not failed and entry not in self._taken_up:
            self._seconds.setdefault((entry.spec.stem, entry.method), []).append(self._clock() - self._began[entry])
        self._note_starts()

    def seconds_left(self) -> float | None:
        """About how long it will take until all have ended; None while nothing is known of one that is left."""
        remaining = []
        for entry in self._left:
            expected = self._expected(entry)
            if expected is None:
                return None
            elapsed = self._clock() - self._began[entry] if entry in self._began else 0.0
            remaining.append(max(expected - elapsed, 0.0))
        return max(sum(remaining) / self._jobs, max(remaining, default=0.0))

    def _expected(self, entry: Entry) -> float | None:
        """Mean of the same spec and method, else of the spec, else of the method, else of all."""
        if entry in self._over:
            return 0.0
        spec, method = entry.spec.stem, entry.method
        alike: tuple[Callable[[str, str], bool], ...] = (
            lambda s, m: (s, m) == (spec, method),
            lambda s, m: s == spec,
            lambda s, m: m == method,
            lambda s, m: True,
        )
        for is_alike in alike:
            known = [each for (s, m), times in self._seconds.items() if is_alike(s, m) for each in times]
            if known:
                return sum(known) / len(known)
        return None

    def _note_starts(self) -> None:
        for entry in self.under_way:
            self._began.setdefault(entry, self._clock())

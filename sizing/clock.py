"""Where a run's wall-clock time goes."""

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


class Clock:
    """Exclusive wall-clock seconds by activity: time inside an inner activity does not count for the outer one."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._inner = [0.0]
        self.counts: dict[str, int] = {}
        """What was done besides the run's own simulations, by the names of the summary."""

    def count(self, name: str, more: int) -> None:
        """So many more of these; none is a count too."""
        self.counts[name] = self.counts.get(name, 0) + more

    @contextmanager
    def activity(self, name: str) -> Iterator[None]:
        """Count the time spent in the `with` block under `name`."""
        began = time.perf_counter()
        self._inner.append(0.0)
        try:
            yield
        finally:
            elapsed = time.perf_counter() - began
            self._seconds[name] += elapsed - self._inner.pop()
            self._inner[-1] += elapsed

    def add(self, name: str, seconds: float) -> None:
        """Count seconds that were measured elsewhere, such as those of other processes."""
        self._seconds[name] += seconds

    def set(self, wall: float, seconds: Mapping[str, float], counts: Mapping[str, int]) -> None:
        """Go on from these times and counts; an activity under way will count whole."""
        for name, before in counts.items():
            self.count(name, before)
        self._began = time.perf_counter() - wall
        self._seconds = defaultdict(float, seconds)

    @property
    def wall(self) -> float:
        """Seconds since the clock was made."""
        return time.perf_counter() - self._began

    def __getitem__(self, name: str) -> float:
        return self._seconds[name]

"""The time estimate of a comparison: from runs that were made whole, by spec and method, over so many jobs."""

from pathlib import Path

import pytest

from sizing.cli.schedule import Schedule
from sizing.runs.compare import Entry, entries_of


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def entries(out: Path, specs: str = "a", methods: str = "x", seeds: int = 1) -> list[Entry]:
    return entries_of([Path(f"{s}.yaml") for s in specs], list(methods), range(seeds), out)


def test_nothing_is_known_before_a_run_has_ended(tmp_path: Path, clock: Clock):
    schedule = Schedule(entries(tmp_path, seeds=3), 1, clock)
    assert schedule.seconds_left() is None
    assert (schedule.ended, schedule.total) == (0, 3)


def test_what_is_left_takes_as_long_as_what_has_ended(tmp_path: Path, clock: Clock):
    one, two, three = runs = entries(tmp_path, seeds=3)
    schedule = Schedule(runs, 1, clock)
    clock.now += 10
    schedule.end(one)
    assert schedule.under_way == [two]
    assert schedule.seconds_left() == 20
    clock.now += 4
    assert schedule.seconds_left() == 16
    clock.now += 100  # the second takes longer than the first
    assert schedule.seconds_left() == 10
    schedule.end(two)
    schedule.end(three)
    assert schedule.seconds_left() == 0
    assert (schedule.ended, schedule.under_way) == (3, [])


def test_runs_side_by_side_share_the_time_but_none_is_split(tmp_path: Path, clock: Clock):
    runs = entries(tmp_path, seeds=5)
    schedule = Schedule(runs, 2, clock)
    assert schedule.under_way == runs[:2]
    clock.now += 10
    schedule.end(runs[1])
    assert schedule.under_way == [runs[0], runs[2]]
    assert schedule.seconds_left() == (0 + 10 + 10 + 10) / 2
    for run in (runs[0], runs[2], runs[3]):
        schedule.end(run)
    assert schedule.seconds_left() == pytest.approx(sum([10, 10, 0, 0]) / 4)  # one is left, of the runs' mean


def test_a_run_is_expected_to_take_what_its_spec_and_method_took_else_its_spec(tmp_path: Path, clock: Clock):
    ax, ay, ax1, ay1, bx, *_ = runs = entries(tmp_path, "ab", "xy", 2)
    schedule = Schedule(runs[:6], 1, clock)
    clock.now += 2
    schedule.end(ax)
    assert schedule.seconds_left() == 5 * 2
    clock.now += 8
    schedule.end(ay)
    # ax1 like ax, ay1 like ay, bx like x of another spec, by like y of another.
    assert schedule.seconds_left() == 2 + 8 + 2 + 8
    for run in (ax1, ay1, bx):
        clock.now += 6
        schedule.end(run)
    assert schedule.seconds_left() == 6  # by like bx, of its spec


def test_runs_taken_up_and_failed_ones_say_nothing_of_the_others(tmp_path: Path, clock: Clock):
    over, half, failing, new, last = runs = entries(tmp_path, seeds=5)
    over.folder.mkdir()
    (over.folder / "summary.json").write_text("{}")
    half.folder.mkdir()
    schedule = Schedule(runs, 1, clock)
    for run in (over, half):
        clock.now += 1
        schedule.end(run)
    schedule.end(failing, failed=True)
    assert schedule.seconds_left() is None
    clock.now += 30
    schedule.end(new)
    assert schedule.seconds_left() == 30
    again = Schedule([over, last], 1, clock)
    again.end(over)
    assert again.seconds_left() is None

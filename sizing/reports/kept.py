"""Tables of runs that outlive the runs: a folder with table.csv in the usual columns, and about.json."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from sizing.runs.records.reading import RunError, find_runs, read_runs
from sizing.runs.tables import COLUMNS, KEYS, runs_table


def tabulated(paths: Sequence[Path]) -> tuple[pd.DataFrame, list[str]]:
    """A row per run below these paths, as `runs_table` has them, and those of kept tables named among them.

    Also what is wrong with damaged runs. A kept table is read where its own folder is named, not below another. Raises
    RunError where nothing is found, or where a kept table is none of runs.
    """
    kept = [path for path in paths if (path / "about.json").is_file() and (path / "table.csv").is_file()]
    tables = [_kept_table(path / "table.csv") for path in kept]
    problems: list[str] = []
    if others := [path for path in paths if path not in kept]:
        records, problems = read_runs(find_runs(others))
        tables.append(runs_table(records))
    rows = [row for table in tables for row in table.to_dict("records")]
    return pd.DataFrame(rows, columns=COLUMNS).convert_dtypes(), problems


def _kept_table(path: Path) -> pd.DataFrame:
    """A kept table; one of an earlier version lacks newer columns."""
    table = pd.read_csv(path)
    of_then = [column for column in COLUMNS if column in table.columns or column in (*KEYS, "seed")]
    if list(table.columns) != of_then:
        raise RunError(
            f"{path}: expected a table of runs, with the columns {', '.join(COLUMNS[:4])}, …, got "
            f"{', '.join(table.columns[:4])}, …; it is of another study, see docs/results.md"
        )
    return table

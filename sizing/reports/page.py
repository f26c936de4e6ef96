"""One self-contained HTML page of runs: what was run, tables, plots, and every run in detail."""

import re
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape
from numpy.typing import NDArray

from sizing.evaluation.failures import Lack
from sizing.reports.calibration import calibration_tables
from sizing.reports.curves import ended, reached_at, wanted
from sizing.reports.designs import Sized, best_sized
from sizing.reports.heat import HeatMap, correlation_map, elasticity_map
from sizing.reports.plot import Plot
from sizing.reports.plots import plots, plots_of_one
from sizing.reports.responses import response_plots
from sizing.reports.scatter import Pair
from sizing.reports.sensitivity import correlations, elasticities
from sizing.reports.styles import INK, RULE, methods_in_order
from sizing.reports.words import COLUMN_WORDS, STATUS_WORDS, target_words
from sizing.runs.records.inspection import Inspection
from sizing.runs.records.reading import RunRecord
from sizing.runs.tables import means_table, run_row, runs_table, worded

BEST_DESIGNS = 10
"""Designs listed of a run that has the page for itself."""
_TEXT_COLUMNS = ("method", "status", "reached")


@dataclass(frozen=True)
class Cell:
    """A cell of a table: what stands in it, and a standard error behind it."""

    text: str
    error: str = ""


@dataclass(frozen=True)
class Group:
    """The rows of a table that belong to one spec."""

    spec: str
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class PageTable:
    """A table of runs or means, grouped by spec."""

    columns: tuple[str, ...]
    with_error: frozenset[str]
    """Columns whose cells have a standard error."""
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class ReportedTask:
    """A spec as its runs' manifests tell it, and what ended them."""

    name: str
    topology: str
    variables: int
    designs: str
    """Points of the variables' grids."""
    targets: tuple[tuple[str, str], ...]
    initial: str
    wanted: str
    budget: str
    plots: tuple[tuple[Plot, Markup], ...]
    calibration: tuple[tuple[str, ...], ...]
    """Method, bin, answers, mean predicted, share observed and its interval."""


@dataclass(frozen=True)
class Detail:
    """One run in detail."""

    spec: str
    method: str
    seed: int
    folder: str
    status: str
    why: str
    damage: str
    sims_total: int
    in_spec: int
    designs: tuple[Sized, ...]
    settings: tuple[tuple[str, str], ...]
    decisions: int
    bred: int
    critical: tuple[str, ...]
    lacks: tuple[Lack, ...]


@dataclass(frozen=True)
class Closer:
    """A closer look at a run that has the page for itself."""

    correlations: HeatMap | None
    designs: str
    """How many these are of."""
    elasticities: HeatMap | None
    simulations: str
    """How many these are of."""
    simulator: str
    responses: tuple[tuple[Plot, Markup], ...]


@dataclass(frozen=True)
class Surroundings:
    """Where runs were made: what their manifests agree in, and how many they are."""

    runs: int
    facts: tuple[tuple[str, str], ...]


def page(
    records: Sequence[RunRecord],
    problems: Sequence[str],
    title: str,
    pairs: Sequence[Pair] = (),
    inspection: Inspection | None = None,
) -> str:
    """The page as HTML; `problems` say what could not be run or read. Everything from runs is escaped.

    For a page of one run: `pairs` of metrics to plot against each other, by default the two in conflict, and the
    `inspection` of its best design, if there is one.
    """
    methods = methods_in_order(records)
    records = sorted(
        records, key=lambda r: (r.problem.name, methods.index(r.manifest["method"]), r.manifest["seed"], r.path)
    )
    template = files("sizing.reports").joinpath("page.html.j2").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    one = len(records) == 1
    alone = records[0] if one and not records[0].damage else None
    table = runs_table(records)
    means = None if one or (table["status"] == "damaged").all() else _means(records, table, methods)
    runs = _page_table(table, methods)
    return environment.from_string(template).render(
        title=title,
        one=one,
        records=records,
        what=_what(records),
        dates=_dates(records),
        statuses=[(name, count, STATUS_WORDS.get(name, "")) for name, count in Counter(table["status"]).items()],
        open_runs=sum(not ended(record) and not record.damage for record in records),
        problems=problems,
        tasks=_tasks(records, plots_of_one(alone, pairs) if alone else plots(records)),
        closer=_closer(alone, inspection) if alone and alone.joined else None,
        means=means,
        runs=runs,
        details=[_detail(record, BEST_DESIGNS if one else 1) for record in records],
        surroundings=_surroundings(records),
        commands=Counter(shlex.join(record.manifest["command"]) for record in records).most_common(),
        words={name: COLUMN_WORDS[name] for name in dict.fromkeys([*(means.columns if means else ()), *runs.columns])},
        text_columns=_TEXT_COLUMNS,
    )


def _what(records: Sequence[RunRecord]) -> str:
    specs = {record.problem.name for record in records}
    methods = {record.manifest["method"] for record in records}
    seeds = {record.manifest["seed"] for record in records}
    whole = len(specs) * len(methods) * len(seeds) == len(records)
    counts = [f"{len(each)} {word}{'' if len(each) == 1 else 's'}" for each, word in
              ((specs, "spec"), (methods, "method"), (seeds, "seed"))]  # fmt: skip
    return (" × " if whole else ", ").join(counts)


def _dates(records: Sequence[RunRecord]) -> str:
    days = sorted({datetime.fromisoformat(record.manifest["created"]).date().isoformat() for record in records})
    return " to ".join(days if len(days) < 2 else [days[0], days[-1]])


def _means(records: Sequence[RunRecord], runs: pd.DataFrame, methods: Sequence[str]) -> PageTable:
    """Means over seeds, and how many of the runs came to enough designs in spec."""
    table = means_table(runs)
    reached = Counter(
        (record.problem.name, record.manifest["method"])
        for record in records
        if not record.damage and reached_at(record, wanted(record))
    )
    keys = zip(table["spec"], table["method"], table["seeds"], strict=True)
    table.insert(4, "reached", [f"{reached[spec, method]} of {n}" for spec, method, n in keys])
    return _page_table(table, methods)


def _page_table(table: pd.DataFrame, methods: Sequence[str]) -> PageTable:
    """The table in the words of every other, its rows by spec and then by method as everywhere on the page."""
    places = {method: number for number, method in enumerate(methods)}
    shown = worded(table.sort_values("method", key=lambda names: names.map(places), kind="stable"))
    columns = tuple(name for name in shown.columns if name not in ("spec", "topology"))
    cells = {name: [Cell(*text.split(" ± ")) for text in shown[name]] for name in columns}
    specs = list(shown["spec"])
    rows = list(zip(*cells.values(), strict=True))
    groups = (
        Group(spec, tuple(row for row, its in zip(rows, specs, strict=True) if its == spec))
        for spec in sorted(set(specs))
    )
    return PageTable(columns, frozenset(n for n in columns if any(cell.error for cell in cells[n])), tuple(groups))


def _tasks(records: Sequence[RunRecord], drawn: Sequence[Plot]) -> list[ReportedTask]:
    tasks = []
    for name in dict.fromkeys(record.problem.name for record in records):
        runs = [record for record in records if record.problem.name == name]
        problem = runs[0].problem
        settings = [record.manifest["run"] for record in runs]
        tasks.append(
            ReportedTask(
                name,
                problem.topology,
                len(problem.variables),
                _count(problem.size),
                tuple((metric.name, target_words(metric)) for metric in problem.metrics),
                _span([each["initial"] for each in settings]),
                _span([each["in_spec"] for each in settings]),
                _span([each["max_sims"] for each in settings]),
                tuple((plot, _inline(plot, f"p{number}")) for number, plot in enumerate(drawn) if plot.spec == name),
                _calibration([record for record in runs if not record.damage]),
            )
        )
    return tasks


def _calibration(runs: Sequence[RunRecord]) -> tuple[tuple[str, ...], ...]:
    """The rows of the methods' tables of calibration, without empty bins."""
    return tuple(
        (
            name,
            f"{row['from']:.0%} to {row['to']:.0%}",
            f"{row['count']:.0f}",
            f"{row['predicted']:.1%}",
            f"{row['observed']:.1%}",
            f"{row['low']:.1%} to {row['high']:.1%}",
        )
        for name, table in calibration_tables(runs).items()
        for _, row in table[table["count"] > 0].iterrows()
    )


def _count(number: int) -> str:
    if number < 1_000_000:
        return f"{number:,}".replace(",", "\u202f")
    digits, power = f"{number:.2e}".split("e+")
    return f"{digits} × 10" + str(int(power)).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _span(values: Sequence[int | None]) -> str:
    return " or ".join("no limit" if value is None else str(value) for value in dict.fromkeys(values))


def _inline(plot: Plot, prefix: str) -> Markup:
    """The figure as an SVG element in the page's colours, its names apart from those of other figures."""
    text = plot.svg(background="none")
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{prefix}-", text[text.index("<svg") :])
    text = text.replace(INK, "currentColor").replace(RULE, "var(--rule)")
    head, rest = text.split(">", 1)
    head = re.sub(r' (width|height)="[^"]*"', "", head)  # as wide as there is room
    name = escape(f"{plot.title}, {plot.spec}")
    return Markup(f'{head} role="img" aria-label="{name}">{rest}')


def _detail(record: RunRecord, best: int) -> Detail:
    row = run_row(record)
    decisions = record.decisions
    settings = _flat(record.manifest["run"]) | {"checkpoint": _flat(record.manifest.get("checkpoint") or {})}
    return Detail(
        record.problem.name,
        row["method"],
        row["seed"],
        str(record.path),
        row["status"],
        STATUS_WORDS.get(row["status"], ""),
        record.damage,
        row["sims_total"],
        row["in_spec"],
        best_sized(record, best),
        tuple((name, _setting(value)) for name, value in settings.items() if value != {}),
        len(decisions),
        sum(decision["bred"] for decision in decisions),
        tuple(decisions[-1]["critical"]) if decisions else (),
        tuple(record.lacks),
    )


def _closer(record: RunRecord, inspection: Inspection | None) -> Closer:
    """What the run's own designs tell of it, and what was simulated of its best one."""
    found = correlations(record)
    told = np.isfinite(found.value).any()
    around = elasticities(record, inspection) if inspection and inspection.steps else None
    responses = response_plots(record, inspection) if inspection else []
    return Closer(
        correlation_map(record.problem, found) if told else None,
        _from_to(found.designs[np.isfinite(found.value).any(axis=0)]),
        elasticity_map(record.problem, around) if around else None,
        str(len(inspection.steps)) if inspection else "",
        inspection.simulator if inspection else "",
        tuple((plot, _inline(plot, f"w{number}")) for number, plot in enumerate(responses)),
    )


def _from_to(counts: NDArray[np.int64]) -> str:
    return " to ".join(str(count) for count in dict.fromkeys((counts.min(), counts.max()))) if counts.size else ""


def _flat(settings: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        flat |= _flat(value, f"{before}{key}.") if isinstance(value, dict) else {f"{before}{key}": value}
    return flat


def _setting(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_setting(each)}" for name, each in value.items())
    return "–" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _surroundings(records: Sequence[RunRecord]) -> list[Surroundings]:
    found: Counter[tuple[tuple[str, str], ...]] = Counter()
    for record in records:
        manifest = record.manifest
        head = {"host": manifest["host"], "platform": manifest["platform"]}
        found[tuple((name, str(value)) for name, value in (head | manifest["versions"]).items())] += 1
    return [Surroundings(count, facts) for facts, count in found.most_common()]

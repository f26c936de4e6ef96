"""The commands. Exit status: 0 done, 1 the run or check failed, 2 wrong usage or spec."""

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sizing.cli.cache import cache
from sizing.cli.characterizing import characterize
from sizing.cli.executors import ExecutorOption, SchedulerOption
from sizing.cli.exporting import export
from sizing.cli.first_spec import init
from sizing.cli.learning import accuracy, graph
from sizing.cli.pretraining import dataset, pretrain
from sizing.cli.reporting import report, tell
from sizing.cli.studying import study
from sizing.cli.trust import TrustOption, harmless
from sizing.cli.verifying import verify
from sizing.errors import InputError
from sizing.files import CannotWrite

if TYPE_CHECKING:
    from sizing.runs.records.reading import RunRecord
    from sizing.runs.run import Result

app = typer.Typer(
    help="Sizes analog circuits in as few SPICE simulations as possible.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

SpecArgument = Annotated[Path, typer.Argument(metavar="SPEC", help="spec file (YAML)")]
RunArgument = Annotated[Path, typer.Argument(metavar="RUN", help="run folder")]
WorkersOption = Annotated[int | None, typer.Option(min=1, help="simulator processes [default: one per core]")]
AsJson = Annotated[bool, typer.Option("--json", help="print the result as JSON")]


def main() -> None:
    """Entry point of the console script: known errors become one message on stderr and an exit status."""
    try:
        app()
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except Exception as error:
        from sizing.plugins import PlugInError
        from sizing.simulation.ngspice import SimulatorMissing
        from sizing.simulation.simulator import SimulationError

        if not isinstance(error, InputError | SimulatorMissing | SimulationError | OSError):
            raise
        for line in str(error).splitlines():
            print(f"error: {harmless(line)}", file=sys.stderr)
        broken = isinstance(error, CannotWrite | PlugInError) or (
            isinstance(error, SimulationError) and error.reason != "netlist"
        )
        sys.exit(1 if broken else 2)


@app.callback(invoke_without_command=True)
def _options(show_version: Annotated[bool, typer.Option("--version", help="print the version")] = False) -> None:
    if show_version:
        from importlib.metadata import version

        print(f"sizing {version('circuit-sizing')}")
        raise typer.Exit


@app.command()
def run(
    spec: SpecArgument,
    method: Annotated[str | None, typer.Option(help="search method, see `sizing methods`; auto: the default")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="seed of every random stream")] = None,
    out: Annotated[Path | None, typer.Option(help="run folder [default: runs/SPEC-METHOD-sSEED]")] = None,
    workers: WorkersOption = None,
    max_sims: Annotated[int | None, typer.Option(min=1, help="simulation budget, initial ones included")] = None,
    trust: TrustOption = False,
    warm_start: Annotated[
        list[Path] | None, typer.Option(metavar="RUN", help="earlier run to learn from; again for more")
    ] = None,
    # Not a Path, which would make an empty name into the working directory.
    cache: Annotated[str | None, typer.Option(metavar="DIR", help="reuse and keep simulations in this folder")] = None,
    executor: ExecutorOption = "local",
    scheduler: SchedulerOption = None,
    as_json: AsJson = False,
) -> None:
    """Size a circuit: search until enough designs meet every target, or a budget ends.

    Example: sizing run specs/opamp_cc.yaml --method gp --seed 10 --max-sims 2000
    """
    from sizing.simulation.processes import process_context

    process_context()  # early: what it starts imports while this does
    from sizing.cli.progress import shown_progress
    from sizing.cli.show import tell_method
    from sizing.runs.run import run as run_spec
    from sizing.specfile.load import load_spec

    if cache == "":
        raise typer.BadParameter("expected a folder, got an empty name", param_hint="--cache")
    earlier = tuple(map(str, warm_start)) if warm_start else None
    task = load_spec(spec, trust=trust).with_run(method=method, seed=seed, max_sims=max_sims, warm_start=earlier)
    with shown_progress(task.problem, task.run.in_spec) as observer:
        result = run_spec(
            task, out=out, workers=workers, executor=scheduler or executor, cache=cache, observer=observer
        )
    if not as_json:
        tell_method(task)
    _report(result, as_json)


@app.command()
def resume(
    path: RunArgument,
    workers: WorkersOption = None,
    trust: TrustOption = False,
    executor: ExecutorOption = "local",
    scheduler: SchedulerOption = None,
    as_json: AsJson = False,
) -> None:
    """Take up a run that was killed or interrupted, as if nothing had happened.

    Example: sizing resume runs/opamp_cc-tables-s0
    """
    from sizing.simulation.processes import process_context

    process_context()
    from sizing.cli.progress import shown_progress
    from sizing.runs.records.reading import read_run
    from sizing.runs.run import resume as resume_run

    record = read_run(path)
    _print_notice(record)
    with shown_progress(record.problem, record.manifest["run"]["in_spec"]) as observer:
        result = resume_run(path, workers=workers, executor=scheduler or executor, observer=observer, trust=trust)
    _report(result, as_json)


@app.command()
def compare(
    specs: Annotated[list[Path], typer.Argument(metavar="SPEC...", help="spec files (YAML)")],
    methods: Annotated[str, typer.Option(help="methods by commas, with settings: fc,fc:initial=20")] = "gp,oracle,fc",
    seeds: Annotated[str, typer.Option(help="seeds, separated by commas")] = "0,10,20",
    max_sims: Annotated[int | None, typer.Option(min=1, help="simulation budget of each run")] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="runs at a time [default: one per core]")] = None,
    out: Annotated[Path, typer.Option(help="folder of the comparison")] = Path("runs/comparison"),
    trust: TrustOption = False,
    executor: ExecutorOption = "local",
    scheduler: SchedulerOption = None,
) -> None:
    """Compare methods over specs and seeds; the same command again takes up what was left.

    Leaves its tables, plots and a page, report.html, in the folder of the comparison.

    Example: sizing compare specs/opamp_cc.yaml specs/opamp_cc_rz.yaml --methods evo,fc --seeds 0,10,20
    """
    from sizing.cli.progress import shown_schedule
    from sizing.cli.schedule import Schedule
    from sizing.reports.report import report_comparison
    from sizing.runs.compare import compare as compare_methods
    from sizing.runs.compare import entries_of, runs_at_a_time
    from sizing.runs.tables import overview

    try:
        numbers = [int(seed) for seed in seeds.split(",")]
    except ValueError:
        raise typer.BadParameter(f"expected numbers separated by commas, got {seeds!r}", param_hint="--seeds") from None
    names = methods.split(",")
    where = scheduler or executor
    schedule = Schedule(entries_of(specs, names, numbers, out, max_sims), runs_at_a_time(where, jobs))
    with shown_schedule(schedule) as ended:
        comparison = compare_methods(
            specs, names, numbers, out, max_sims=max_sims, jobs=jobs, executor=where, trust=trust, on_end=ended
        )
    problems = [f"{run_name}: {why}" for run_name, why in comparison.failures.items()]
    if comparison.records:
        print(overview(comparison.table, comparison.means))
        print(f"Report: {report_comparison(comparison, problems, out)}", file=sys.stderr)
    tell(problems)


@app.command()
def check(spec: SpecArgument, trust: TrustOption = False) -> None:
    """Validate a spec and simulate each bench once, with the values to begin with (`start`, else the middle).

    Example: sizing check specs/opamp_cc.yaml
    """
    from sizing.simulation.processes import process_context

    process_context()
    from sizing.cli.show import checked_design, tell_method
    from sizing.runs.run import check as check_spec
    from sizing.specfile.load import load_spec

    task = load_spec(spec, trust=trust)
    outcome = check_spec(task)
    if not checked_design(task, outcome):
        raise typer.Exit(1)
    tell_method(task)


for command in (init, characterize, graph, dataset, pretrain, accuracy, report, export, study, verify):
    app.command()(command)
app.add_typer(cache, name="cache")


@app.command()
def schema() -> None:
    """Print the JSON schema of spec files, so that editors complete and check them.

    Example: sizing schema > spec.schema.json
    """
    from sizing.specfile.entries import json_schema

    print(json.dumps(json_schema(), indent=1))


@app.command()
def table(
    paths: Annotated[
        list[Path], typer.Argument(metavar="RUN_OR_DIR...", help="run folders, folders of runs, runs/studies/NAME")
    ],
    format_: Annotated[str, typer.Option("--format", help="markdown, csv or json")] = "markdown",
    means: Annotated[bool, typer.Option("--means", help="means over seeds instead of runs (csv, json)")] = False,
) -> None:
    """Tabulate simulations and queries: a row per spec, method and seed, and means with standard errors over seeds.

    Example: sizing table runs --format csv > runs.csv
    """
    from sizing.reports.kept import tabulated
    from sizing.runs.tables import means_table, overview

    if format_ not in ("markdown", "csv", "json"):
        raise typer.BadParameter(f"expected markdown, csv or json, got {format_!r}", param_hint="--format")
    rows, problems = tabulated(paths)
    summary = means_table(rows)
    chosen = summary if means else rows
    if format_ == "csv":
        print(chosen.to_csv(index=False), end="")
    elif format_ == "json":
        print(chosen.to_json(orient="records", indent=1))
    else:
        print(overview(rows, summary))
    tell(problems)


@app.command()
def show(
    path: RunArgument,
    best: Annotated[int, typer.Option("--best", min=1, help="how many designs")] = 5,
    as_json: AsJson = False,
) -> None:
    """List a run's best designs, each metric against its target.

    Example: sizing show runs/opamp_cc-tables-s0 --best 3
    """
    from sizing.cli.show import best_designs
    from sizing.runs.records.reading import read_run
    from sizing.runs.tables import designs_table

    record = read_run(path)
    _print_notice(record)
    if as_json:
        print(designs_table(record).head(best).to_json(orient="records", indent=1))
    else:
        best_designs(record, best)
    _print_lacks(record)


@app.command()
def methods(as_json: AsJson = False) -> None:
    """List the search methods and measurements that can be named.

    Example: sizing methods
    """
    from sizing.measures.catalogue import MEASURES
    from sizing.search.methods import METHODS

    known = {
        "methods": {name: _marked(each.description, METHODS.package(name)) for name, each in METHODS.items()},
        "measurements": {name: _marked(str(each.__doc__), MEASURES.package(name)) for name, each in MEASURES.items()},
    }
    if as_json:
        print(json.dumps(known, indent=1))
        return
    for title, entries in known.items():
        print(f"{title}:")
        for name, description in entries.items():
            print(f"  {name:<22} {' '.join(description.split())}")


@app.command()
def settings(
    method: Annotated[str | None, typer.Option(help="those that it heeds, with what it does best with")] = None,
    as_json: AsJson = False,
) -> None:
    """List every run setting: what it means, what it may be, its default, and which methods heed it.

    Example: sizing settings --method gp
    """
    from dataclasses import asdict

    from sizing.search.settings_table import setting_entries

    entries = setting_entries(method)
    if as_json:
        print(json.dumps([asdict(each) for each in entries], indent=1))
        return
    for each in entries:
        allowed = f" ({each.allowed})" if each.allowed else ""
        print(f"{each.name:<26} {each.default:<14} {each.meaning}{allowed}")


@app.command()
def examples(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="folder to make")],
) -> None:
    """Copy the shipped specs and netlists into a new folder, to run and to change.

    Example: sizing examples my_specs
    """
    from sizing.specfile.shipped import shipped_specs

    if folder.exists():
        raise InputError(f"{folder} already exists, and nothing is overwritten: name a new folder")
    shutil.copytree(shipped_specs(), folder)
    print(f"Copied the specs to {folder}. Next: sizing run {folder / 'opamp_cc.yaml'}", file=sys.stderr)


def _marked(description: str, package: str) -> str:
    return f"{description} [{package}]" if package else description


def _print_notice(record: "RunRecord") -> None:
    if record.notice:
        print(f"note: {record.notice}", file=sys.stderr)


def _print_lacks(record: "RunRecord") -> None:
    for lack in record.lacks:
        print(f"note: {lack}", file=sys.stderr)


def _report(result: "Result", as_json: bool) -> None:
    """Print how a run ended, and exit with the status that says so."""
    from sizing.cli.show import run_summary

    if as_json:
        print(result.table.to_json(orient="records", lines=True).strip())
    else:
        run_summary(result)
    _print_lacks(result.record)
    if result.status == "interrupted":
        raise typer.Exit(130)
    if result.status == "failing":
        raise typer.Exit(1)

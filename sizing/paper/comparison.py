"""Table II and figure 11: what each search method needs for the two op-amps, peers beside the paper's six."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sizing.errors import InputError
from sizing.paper.plots import PlottedLine, panels
from sizing.paper.study import Observer, Options, Scale, Section, Study, StudySettings, settings_for
from sizing.reports.curves import mean_curve, top_costs
from sizing.reports.styles import methods_in_order
from sizing.runs.compare import Entry, compare
from sizing.runs.records.reading import RunRecord, find_runs, read_run
from sizing.runs.tables import means_table, runs_table
from sizing.specfile.shipped import shipped_specs

OURS = ("tables", "gp-op", "gp", "evo", "oracle", "fc", "bagnet-tables", "gnn-random", "gnn-frozen", "gnn-finetuned")
"""The defaults, and the paper's six with one that reads tables."""
PEERS = (
    *(f"{name}:max_sims=600" for name in ("random", "grid", "optuna-tpe", "optuna-cmaes")),
    *(f"{name}:max_sims=600" for name in ("pymoo-ga", "pymoo-nsga2", "de")),
    "optuna-gp:max_sims=150",
)
"""Methods of other makers beside them, with budgets that their own time allows."""

PAPER = pd.DataFrame(
    [
        ("opamp_cc_rz", "evo", 2757.3, None),
        ("opamp_cc_rz", "oracle", 193.0, 3770.7),
        ("opamp_cc_rz", "fc", 397.7, 14720.0),
        ("opamp_cc_rz", "gnn-random", 254.7, 8892.0),
        ("opamp_cc_rz", "gnn-frozen", 347.3, 8000.3),
        ("opamp_cc_rz", "gnn-finetuned", 226.0, 4890.7),
        ("opamp_cc", "evo", 5422.7, None),
        ("opamp_cc", "oracle", 224.3, 18821.0),
        ("opamp_cc", "fc", 4024.0, 176568.3),
        ("opamp_cc", "gnn-random", 426.5, 47961.7),
        ("opamp_cc", "gnn-frozen", 500.3, 27309.0),
        ("opamp_cc", "gnn-finetuned", 293.0, 14408.7),
    ],
    columns=["spec", "method", "paper_sims_search", "paper_queries"],
)
"""Table II of Hakhamaneshi et al. (2022), means of three seeds; its simulations most likely exclude the 100 initial."""

SHOWN_COLUMNS = ("in_spec", "first_in_spec_at", "sims_search", "sims_total", "queries", "wall_s")
MOST_POINTS = 60
"""Points of a convergence curve, at most."""


class ComparisonSettings(StudySettings):
    """Which shipped specs, methods and seeds, and the budget of a run in simulations, initial ones included."""

    specs: tuple[str, ...]
    methods: tuple[str, ...]
    max_sims: int


class SizingComparison(Study):
    """One comparison in `runs`; table II is its counts, figure 11 its convergence."""

    def __init__(self, title: str, settings: ComparisonSettings, options: Options) -> None:
        if options.device != "cpu":
            raise InputError(f"--device: expected cpu for comparisons of methods, got {options.device!r}; set it in "
                             "a spec's run.judge.device for `sizing compare`")  # fmt: skip
        self.title = title
        self.settings: ComparisonSettings = settings
        self._jobs, self._executor = options.jobs, options.executor

    def carried_out(self, folder: Path, observer: Observer) -> pd.DataFrame:
        """Run what is left to run."""

        def ended(entry: Entry, status: str) -> None:
            observer(f"{entry.spec.stem} {entry.method} seed {entry.seed}: {status}")

        given = self.settings
        specs = [shipped_specs() / f"{name}.yaml" for name in given.specs]
        comparison = compare(
            specs, given.methods, given.seeds, folder / "runs",
            max_sims=given.max_sims, jobs=self._jobs, executor=self._executor, on_end=ended,
        )  # fmt: skip
        if comparison.failures:
            raise InputError("\n".join(f"{run}: {why}" for run, why in comparison.failures.items()))
        table = runs_table(comparison.records)
        table.to_csv(folder / "table.csv", index=False)
        return table

    def sections(self, table: pd.DataFrame) -> list[Section]:
        """Means over seeds beside the paper's."""
        words = (
            "Means over seeds ± standard error; `status` of every run is in table.csv: a run that ended on its budget "
            "of simulations without enough designs in spec counts that budget, which is no result. `sims_total` has "
            "the 100 initial designs, `sims_search` has not; `paper_sims_search` is what the paper prints, most likely "
            "without them. `first_in_spec_at` is in units of `sims_total`."
        )
        return [Section("Simulations and queries to 20 designs in spec", words, beside_paper(table))]

    def figure(self, table: pd.DataFrame, folder: Path) -> Figure:
        """Cost of the best 20 over simulations, mean and standard error over seeds."""
        records = [read_run(path) for path in find_runs([folder / "runs"])]
        return panels(
            {spec: _curves([r for r in records if r.problem.name == spec]) for spec in self.settings.specs},
            "simulations, initial ones included",
            "mean cost of the best 20",
            log_x=True,
        )


def beside_paper(runs: pd.DataFrame, columns: Sequence[str] = SHOWN_COLUMNS) -> pd.DataFrame:
    """Means over seeds of runs as `runs_table` gives them, with the paper's columns behind."""
    means = means_table(runs)
    kept = [c for name in columns for c in (name, f"{name}_se") if c in means]
    return means[["spec", "method", "seeds", *kept]].merge(PAPER, on=["spec", "method"], how="left")


def _curves(records: Sequence[RunRecord]) -> list[PlottedLine]:
    """A line for each method, through at most MOST_POINTS of its curve."""
    lines = []
    for method in methods_in_order(records):
        runs = [record for record in records if record.manifest["method"] == method]
        curve = mean_curve(runs, [top_costs(run) for run in runs])
        if len(curve.sims):
            shown = np.unique(np.geomspace(1, len(curve.sims), MOST_POINTS).astype(int)) - 1
            lines.append(
                PlottedLine(method, curve.sims[shown].tolist(), curve.mean[shown].tolist(), curve.error[shown].tolist())
            )
    return lines


COMPARISONS: Mapping[Scale, ComparisonSettings] = {
    "small": ComparisonSettings(specs=("cs_amp",), methods=("evo", "oracle", "fc"), max_sims=300),
    "full": ComparisonSettings(
        specs=("opamp_cc_rz", "opamp_cc"), methods=(*OURS, *PEERS), seeds=(0, 10, 20), max_sims=10_000
    ),
}


def table2(options: Options) -> SizingComparison:
    """Simulations and queries to 20 designs in spec."""
    return SizingComparison("Table II: sizing", settings_for(options, COMPARISONS), options)


def fig11(options: Options) -> SizingComparison:
    """Convergence of the same comparison."""
    return SizingComparison("Figure 11: convergence", settings_for(options, COMPARISONS), options)

"""Writes docs/results.md, and the sized designs in docs/circuits.md, from the tables under runs/studies.

The text of the results is in docs/results.template.md; `{counts[held_back]}` in it is what `counts` makes
of runs/studies/held_back.

python docs/results.py
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from sizing.paper.comparison import beside_paper
from sizing.paper.studies import study_named
from sizing.paper.study import Options, Study
from sizing.reports.kept import tabulated
from sizing.runs.tables import markdown, means_table

HERE = Path(__file__).parent
STUDIES = HERE.parent / "runs" / "studies"
CONDITIONS = "`{command}`\non {machine}; commit {commit}, {date}. {note}"
BESIDE_PAPER = ["in_spec", "first_in_spec_at", "sims_search", "sims_total", "queries", "wall_s", "train_s", "query_s"]


@dataclass(frozen=True)
class Made:
    """What a function makes of a study, by the study's name."""

    of: Callable[[str], str]

    def __getitem__(self, study: str) -> str:
        return self.of(study)


def main() -> None:
    template = (HERE / "results.template.md").read_text(encoding="utf-8")
    functions = (conditions, kept, counts, beside, runs, best_in_spec, best_by_spec, calibration, quality, head, study)
    text = template.format(cluster=many_machines(), **{each.__name__: Made(each) for each in functions})
    (HERE / "results.md").write_text(text, encoding="utf-8")
    circuits = HERE / "circuits.md"
    circuits.write_text(with_sized_designs(circuits.read_text(encoding="utf-8")), encoding="utf-8")


def conditions(study: str) -> str:
    """How it was measured."""
    return CONDITIONS.format(**json.loads((STUDIES / study / "about.json").read_text(encoding="utf-8")))


def table(study: str) -> pd.DataFrame:
    return pd.read_csv(STUDIES / study / "table.csv")


def kept(study: str) -> str:
    """Its table as it is kept."""
    return str(table(study).to_markdown(index=False))


def counts(study: str) -> str:
    """Means over seeds of a comparison, how many runs reached enough designs in spec, and the worst of them."""
    found = _runs(study)
    by = found.groupby(["spec", "method"], sort=False)
    reached = by["status"].agg(lambda status: int((status == "in spec").sum())).rename("reached")
    worst = by["sims_total"].max().rename("worst")
    means = means_table(found).merge(reached, on=["spec", "method"]).merge(worst, on=["spec", "method"])
    shown = [
        "sims_total",
        "first_in_spec_at",
        "margin",
        "designs",
        "sims_op",
        "sims_tables",
        "sims_pretrain",
        "queries",
    ]
    shown += ["wall_s", "simulate_s", "train_s", "query_s"]
    there = [column for name in shown for column in (name, f"{name}_se") if column in means]
    return markdown(means[["spec", "method", "seeds", "reached", "worst", *there]])


def beside(studies: str) -> str:
    """Means over seeds of two studies or more, joined by +, beside the paper's."""
    return markdown(beside_paper(_runs(studies), BESIDE_PAPER))


def runs(studies: str) -> str:
    """Every run of two studies or more, joined by +."""
    return markdown(_runs(studies).drop(columns=["topology", "best_cost"]))


def _runs(studies: str) -> pd.DataFrame:
    return tabulated([STUDIES / study for study in studies.split("+")])[0]


def with_sized_designs(text: str) -> str:
    """The text with a design of the study of the shipped circuits after each `<!-- sized: NAME -->`."""
    designs = pd.read_csv(STUDIES / "shipped" / "sized.csv", dtype=str)

    def sized(match: re.Match[str]) -> str:
        design = designs[designs["spec"] == match["name"]]
        head = design.iloc[0]
        of = {what: rows[["name", "value"]].values.tolist() for what, rows in design.groupby("what")}
        values = ", ".join(f"{name} = {value}" for name, value in of["variable"])
        metrics = ", ".join(f"{name} {value}" for name, value in of["metric"])
        cost = f"{head['in_spec']} designs in spec after {head['sims_total']} simulations"
        words = f"`gp` with seed {head['seed']} had {cost}."
        return f"{match['mark']}\n{words} The best: {values}; with {metrics}.\n{match['end']}"

    return re.sub(r"(?P<mark><!-- sized: (?P<name>\w+) -->).*?(?P<end><!-- end -->)", sized, text, flags=re.DOTALL)


def best_by_spec(study: str) -> str:
    """The same as `best_in_spec`, for each spec of several."""
    return "\n\n".join(f"`{spec}`:\n\n{_best(own)}" for spec, own in _runs(study).groupby("spec", sort=False))


def best_in_spec(study: str) -> str:
    """The best in spec of runs with a current as their objective, by method in µA: its mean and that of each seed."""
    return _best(_runs(study))


def _best(found: pd.DataFrame) -> str:
    by = found.assign(best=1e6 * found["objective"]).groupby("method")["best"]
    every = by.agg(lambda values: ", ".join("–" if pd.isna(value) else f"{value:.1f}" for value in values))
    shown = pd.DataFrame({"seeds": by.size(), "reached": by.count(), "mean": by.mean().round(1), "each": every})
    ranked = shown.sort_values(["reached", "mean"], ascending=[False, True])
    return str(ranked.astype(object).fillna("–").to_markdown())


def calibration(study: str) -> str:
    """How often what a judge held probable came true."""
    return markdown(pd.read_csv(STUDIES / study / "calibration.csv"))


def head(study: str) -> str:
    """The title of one of the paper's tables or figures, and how it was measured."""
    return f"### {_of_paper(study).title}\n\n{conditions(study)}"


def study(name: str) -> str:
    """One of the paper's tables or figures as its own page shows it."""
    parts = [f"![plot](../runs/studies/{name}/plot.svg)"]
    for section in _of_paper(name).sections(table(name)):
        parts += [f"{section.heading}. {section.words}", markdown(section.table)]
    return "\n\n".join(parts)


def _of_paper(name: str) -> Study:
    return study_named(name, Options("small", Path(), Path()))


def many_machines() -> dict[str, str]:
    """Of the cluster: what was measured in one batch and in smaller ones, the model's costs, and what it expects."""
    rows, costs = table("cluster"), pd.read_csv(STUDIES / "cluster" / "costs.csv")
    measured = rows["per_second"].notna()
    in_one = measured & (rows["batch"] == rows["simulations"])
    shown = ["workers", "seconds", "batch", "per_second", "model_per_second", "busy", "model_busy"]
    seconds = costs.set_index("cost")["milliseconds"] / 1e3
    limits = pd.DataFrame({"seconds": [0.001, 0.01, 0.1, 1.0, 10.0, 100.0]})
    limits["workers_worth_having"] = ((limits["seconds"] + seconds["handing"]) / seconds["scheduling"]).round()
    return {
        "costs": markdown(costs),
        "limits": markdown(limits),
        "measured": markdown(rows.loc[in_one, [*shown, "here_cpu_s"]].drop(columns="batch")),
        "batches": markdown(rows.loc[measured & ~in_one, shown]),
        "expected": markdown(rows[~measured].dropna(axis="columns")),
    }


def quality(study: str) -> str:
    """Areas by method and metric."""
    answers = table(study)
    by_metric = answers.pivot_table(index="method", columns="metric", values="area", sort=False)
    by_split = answers.groupby(["method", "split"])["area"].mean().groupby("method")
    return str(by_metric.assign(mean=by_split.mean(), se=by_split.sem()).round(3).to_markdown())


if __name__ == "__main__":
    main()

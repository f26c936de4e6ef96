"""Writes docs/results.md, and the sized designs in docs/circuits.md, from the tables under runs/studies.

python docs/results.py
"""

import json
import re
from pathlib import Path

import pandas as pd

from sizing.report.kept import tabulated
from sizing.report.tables import markdown, means_table
from sizing.study.comparison import beside_paper
from sizing.study.study import Options
from sizing.study.table import study_named

HERE = Path(__file__).parent
STUDIES = HERE.parent / "runs" / "studies"
TEXT = """# Results

Made by `python docs/results.py` from the tables under `runs/studies/`; no number here is written by hand.

## Fewer simulations than the oracle

{held_conditions}

{held}

Every run ended with 20 designs in spec. `worst` is the largest `sims_total` of the seeds. On `opamp_cc` it is more
than twice the mean: the first design in spec is what costs, and on some seeds ten random designs mislead for long; with
a warm start none do. The oracle of the published loop is further down; the paper's needs 293 and 324.

How sure the judge is, of the designs it had simulated in these runs (each metric of each design is an answer):

{calibration}

What its parts are worth, each beside `gp` in the table above:

{ablation_conditions}

{ablation}

- The process under the published filter (`search.acceptance=filter`) needs several times as many simulations: a filter
  lets everything pass that is no worse than a mediocre reference. Ranking a pool by the `fc` network's probabilities
  helps on `opamp_cc_rz` and does not on `opamp_cc`: it does not know how sure it is.
- Two designs an iteration instead of five, and ten random ones to begin with instead of twenty, save a few simulations
  on `opamp_cc_rz`; on `opamp_cc` the seeds do not tell.
- Letting the pool evolve for three generations instead of one is worth nothing that these seeds show.
- `gp` with 1 000 random designs of `opamp_cc_rz` to learn from needs half as many on `opamp_cc`. These simulations are
  `sims_pretrain`. A finished run, whose few designs are nearly all alike, gave little as a warm start when it was tried
  during development.

Whether the circuit is balanced decides much and is hard to learn from sizes alone: with node voltages beside them the
first design in spec comes sooner, and the bad seeds go, whether the simulator finds them (`gp-op`) or a graph network
pretrained on operating points predicts them (`gp-pretrained`):

{voltages_conditions}

{voltages}

Looking at a hundred designs and a hundred children twice an iteration is worth as much as three times that, and once a
design is in spec looks are worth nothing, so that `gp-op` stops there.

Ten random designs to begin with are as good as any tried; points spread out as far as possible, at the edges of the
ranges therefore, are worse, and five are no better than ten:

{initial_conditions}

{initial}

### Beside other people's optimizers

{peers_conditions}

{peers}

The same peers on ten seeds held back, for which `gp` is in the table at the top:

{peers_held_back_conditions}

{peers_held_back}

And those that fit Gaussian processes themselves, of which a step takes seconds:

{bayesian_conditions}

{bayesian}

{optuna_gp_conditions}

{optuna_gp}

{one_run_conditions}

{one_run}

Each peer hears of every target as a constraint, natively where it can; `runs/studies/peer_settings` has what their
settings were chosen by. No run of any peer ended before `gp` did with the same seed.

## The best design in spec

{objective_conditions}

The least supply current, in µA, among the designs in spec of `opamp_cc_rz` with `minimize: ibias` (target: at most
200) when the budget is spent. `reached` is how many runs had a design in spec, and `mean` is over these:

{objective}

## The shipped circuits

{shipped_conditions}

{shipped}

## Over 30 corners

{corners_conditions}

{corners}

`gp` simulates a design at the nominal corner first, and only one that meets every target there at others;
`gp:corners=all` simulates every design at all 30. The least for 20 designs in spec is 600, since each is simulated at
every corner. `designs` are those simulated at one corner or more.

## Simulations to 20 designs in spec with the published loop

{conditions}

100 initial designs are the same for every method of a seed, and are counted in `sims_total`. Queries are candidates
judged; the oracle's real simulations behind its answers are `sims_oracle`.

{beside}

Standard errors are over the seeds. The paper's columns are its Table II, where simulations most likely exclude the
100 initial ones, so `paper_sims_search` stands beside `sims_search`.

- Pretrained and left as it is, the graph network needs the fewest simulations of the learned judges on both tasks, and
  varies least over seeds; fine-tuning it helps less. It was pretrained on operating points of the first task's
  topology. Three seeds do not separate it from `fc` on `opamp_cc_rz`, nor on `opamp_cc` from an `fc` that learns from
  random pairs, and it takes two to three times the wall clock; on circuits unlike the op-amp nothing has been shown.
- `fc` with 32 designs each with each is worse on `opamp_cc` than with 64 random pairs of 128 designs; the spread over
  three seeds is too wide to say whether by chance.
- With random weights the graph network is no better than `fc`: the gain is from pretraining, not from the graph.
- `sims_pretrain` is the same 126 000 operating points, of about a millisecond each, for every run.

Differences from the paper that no ablation has separated: `fc` sees each variable on its grid and logarithmically; all
judges answer one question, whether the penalty is at most the reference's; a training step compares 32 designs each
with each, instead of 64 pairs; a fine-tuned backbone learns in 20 of 100 steps; the graph network is the device
relaxation network, whose terminals are slots of a device and not nodes, and whose readout also sees devices.

`evo` on `opamp_cc` used up its budget on every seed without 20 designs in spec (`in_spec` says how many it had), where
the paper reports an end: its `sims_total` is the budget, not a result. Why it is slower here is not known.

## Networks that tell operating points

{pretraining_conditions}

`at_k_free` is Acc@K over the nets that no source holds (on ladders, the paper's output nodes); `at_k` is over all nets.
Tests other than validation are without further training. Accuracy against processor time of every one of these
trainings is in `runs/studies/pretraining/curves.csv`; before the learning rate falls it is noisy.

{pretraining}

For comparison, the paper: ladders, validation 0.92 and 0.819 on 128 branches (15 layers); op-amp, validation 0.91.

## What pretraining knows

{quality_conditions}

Fitted on 100 random designs of `opamp_cc_rz`, each judge is asked of 500 others whether they are no worse than the
20th best of the hundred. Area under the ROC curve by metric, mean over splits, and its standard error over splits:

{quality}

A network that has seen operating points tells what the operating point decides (gain, supply and common-mode rejection,
offset, current) far better than `fc` does, and what capacitors and slewing decide (unity-gain frequency, settling) no
better or a little worse: no DC voltage depends on them. A child must pass in every critical metric, and settling is
critical in nearly every iteration of the runs above, so that much better answers about the others save few simulations:
the likeliest reason, though not put to the test. With random weights, a hundred designs do not train the network.

## The paper's tables and figures, again

`sizing study NAME` does each of them again, at a scale of minutes (`small`) or at the paper's (`full`). What stands
here was measured at the small scale: fewer and shorter trainings, of smaller networks where said so. Table II and
figure 11 are the comparison above.

{studies}

### Figure 9 for longer, one seed

{few_shot_conditions}

{few_shot}

## Nothing lost

{faults_conditions}

{faults}

A campaign is a run with random faults, killed and taken up until it ends; its journal and designs are then compared
with those of the same run without faults, byte for byte.

{memory_conditions}

{memory}

`simulators_mb` is the memory of the simulator processes, which stays as it is; `here_mb`, that of the main process,
grows with what it remembers of every design.

## Many machines

{cluster_conditions}

{cluster_words}

Simulations per second, all in one batch, and which share of the time simulators were busy:

{cluster_measured}

In smaller batches, each begun when the one before was there:

{cluster_batches}

What the model expects beyond what was measured:

{cluster_expected}

## Every run

{runs}
"""
WORDS = {
    "table1": """Without further training the relaxation network tells ladders of 128 branches about as well as those of
12, and all better than anything in the paper's table, where accuracy falls with length. It is another network, whose
rounds share their weights and settle as a solver's do, so this is no reproduction of DeepGEN's figures; DeepGEN at the
paper's size is in `--scale full`, which wants a GPU. The perceptron is, as in the paper, far behind and the worse the
longer the ladder; its figures are below the paper's, having a tenth of the graphs and a short training. That the
pretrained network is ahead of the one specialised to 12 branches says that it was trained for longer, no more;
specialised networks of more branches are in `--scale full` as well.""",
    "fig6": """The relaxation network reaches in these few steps what the paper's network has in the end; it begins as a
damped Jacobi iteration and has only to be refined. DeepGEN, GCN and GAT, narrower and shallower here than the paper's,
have not begun to learn after as many steps: this scale cannot tell them apart, and says nothing of the paper's order
of the three. Longer trainings of the three at the paper's width and depth, one seed each, are in the table further up;
they had not converged either. The figure's size is in `--scale full`, which wants a GPU.""",
    "fig7": """The network pretrained on ladders tells these circuits before any further training, so that little is
left to fine-tune; from scratch the series pair is behind at both sizes, and the other two are nearly there with a
tenth of the graphs. The paper's claim holds where there is something to win; where both tell nearly everything
within the tolerance there is no difference to see, but in the mean error. The fractions between are in `--scale
full`.""",
    "fig8": """As in the paper, the fine-tuned network is ahead of the one from scratch, and attention far ahead of mean
pooling, from which hardly anything was learned in these steps: the resistance is seen at one net of many, and a mean
over all of them says little of it. From scratch the spread is wide, because some trainings had begun to learn when they
ended and others had not; longer ones would bring the two closer, which was not measured. Mean pooling was run from the
pretrained network only. All fine-tuned trainings start from one pretrained network: error bars are over training, not
over pretraining. The fractions between, and twelve times the steps, are in `--scale full`.""",
    "fig9": """As in the paper, the fine-tuned network is ahead of the one from scratch at every fraction, in voltages
and in gain. How far ahead says as much of the short trainings as of the data: the voltages of both are far below what
the longer trainings further down reach, where the gap narrows as graphs are added. Gain is told as a decimal
logarithm, because random biases leave most amplifiers without any and its values span a dozen decades; whether the
paper did so is not known. The two largest fractions and mean pooling are in `--scale full`.""",
}
CLUSTER = """The model: a batch of B simulations of t seconds on n workers takes
max(B × scheduling, ⌈B / n⌉ × (t + handing)) + round trip, with three costs fitted to the rates below:

{costs}

- By the model, workers beyond (t + handing) / scheduling add nothing: the scheduler and the client, which do one thing
  after another, are then always busy (a run has 1000 simulations under way at most, whatever the model says):

{limits}

- Before that the batch ends it: a batch of 2 keeps at most 2 simulators busy, whatever their number. The round trip
  between batches matters below a second.
- What was measured differs: with 1 and 10 ms rates still rise up to 16 workers, and fall at 32, where those with 0.1 s
  are far below the model. Other work on this machine, which grew meanwhile, and the workers' own processor time on
  two cores were not told apart from Dask's.
- `here_cpu_s` is the processor time of scheduler and client for each simulation, idling included. With
  16 and 32 workers and batches of 500 it is less than half of the fitted `scheduling`.
- With simulations of 1 s on 8 workers and more, batches of two rounds took three: the model knows no uneven shares."""
CONDITIONS = "`{command}`\non {machine}; commit {commit}, {date}. {note}"


def main() -> None:
    runs, _ = tabulated([STUDIES / "main_job", STUDIES / "extractors"])
    wanted = ["in_spec", "first_in_spec_at", "sims_search", "sims_total", "queries", "wall_s", "train_s", "query_s"]
    text = TEXT.format(
        held_conditions=conditions("held_back"),
        held=counts("held_back"),
        calibration=markdown(pd.read_csv(STUDIES / "held_back" / "calibration.csv")),
        ablation_conditions=conditions("ablation"),
        ablation=counts("ablation"),
        voltages_conditions=conditions("voltages"),
        voltages=counts("voltages"),
        initial_conditions=conditions("initial"),
        initial=counts("initial"),
        peers_conditions=conditions("peers"),
        peers=counts("peers"),
        peers_held_back_conditions=conditions("peers_held_back"),
        peers_held_back=counts("peers_held_back"),
        optuna_gp_conditions=conditions("optuna_gp"),
        optuna_gp=counts("optuna_gp"),
        one_run_conditions=conditions("one_run"),
        one_run=counts("one_run"),
        bayesian_conditions=conditions("bayesian"),
        bayesian=counts("bayesian"),
        objective_conditions=conditions("objective"),
        objective=best_in_spec("objective"),
        shipped_conditions=conditions("shipped"),
        shipped=counts("shipped"),
        corners_conditions=conditions("corners"),
        corners=counts("corners"),
        conditions="\n\n".join(conditions(study) for study in ("main_job", "extractors")),
        beside=markdown(beside_paper(runs, wanted)),
        faults_conditions=conditions("faults"),
        faults=table("faults").to_markdown(index=False),
        memory_conditions=conditions("memory"),
        memory=table("memory").to_markdown(index=False),
        cluster_conditions=conditions("cluster"),
        cluster_words=cluster_words(pd.read_csv(STUDIES / "cluster" / "costs.csv")),
        **many_machines(table("cluster")),
        runs=markdown(runs.drop(columns=["topology", "best_cost"])),
        pretraining_conditions=conditions("pretraining"),
        pretraining=table("pretraining").to_markdown(index=False),
        quality_conditions=conditions("judge_quality"),
        quality=quality(table("judge_quality")).to_markdown(),
        few_shot_conditions=conditions("few_shot"),
        few_shot=table("few_shot").to_markdown(index=False),
        studies="\n\n".join(studied(name, words) for name, words in WORDS.items()),
    )
    (HERE / "results.md").write_text(text, encoding="utf-8")
    circuits = HERE / "circuits.md"
    circuits.write_text(with_sized_designs(circuits.read_text(encoding="utf-8")), encoding="utf-8")


def counts(study: str) -> str:
    """Means over seeds of a comparison, how many runs reached enough designs in spec, and the worst of them."""
    runs, _ = tabulated([STUDIES / study])
    by = runs.groupby(["spec", "method"], sort=False)
    reached = by["status"].agg(lambda status: int((status == "in spec").sum())).rename("reached")
    worst = by["sims_total"].max().rename("worst")
    means = means_table(runs).merge(reached, on=["spec", "method"]).merge(worst, on=["spec", "method"])
    shown = ["sims_total", "first_in_spec_at", "designs", "sims_op", "sims_pretrain", "queries"]
    shown += ["wall_s", "simulate_s", "train_s", "query_s"]
    kept = [column for name in shown for column in (name, f"{name}_se") if column in means]
    return markdown(means[["spec", "method", "seeds", "reached", "worst", *kept]])


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


def best_in_spec(study: str) -> str:
    """Of runs with a current as their objective: the best in spec by method in µA, its mean and that of each seed."""
    runs, _ = tabulated([STUDIES / study])
    by = runs.assign(best=1e6 * runs["objective"]).groupby("method")["best"]
    every = by.agg(lambda values: ", ".join("–" if pd.isna(value) else f"{value:.1f}" for value in values))
    shown = pd.DataFrame({"seeds": by.size(), "reached": by.count(), "mean": by.mean().round(1), "each": every})
    ranked = shown.sort_values(["reached", "mean"], ascending=[False, True])
    return str(ranked.astype(object).fillna("–").to_markdown())


def studied(name: str, words: str) -> str:
    """A study of which the table is kept, as its own page shows it, and what is to be said of it."""
    study = study_named(name, Options("small", Path(), Path()))
    parts = [f"### {study.title}", conditions(name), words, f"![plot](../runs/studies/{name}/plot.svg)"]
    for section in study.sections(table(name)):
        parts += [f"{section.heading}. {section.words}", markdown(section.table)]
    return "\n\n".join(parts)


def cluster_words(costs: pd.DataFrame) -> str:
    """The model, its costs, and how many workers it finds worth having."""
    seconds = costs.set_index("cost")["milliseconds"] / 1e3
    limits = pd.DataFrame({"seconds": [0.001, 0.01, 0.1, 1.0, 10.0, 100.0]})
    limits["workers_worth_having"] = ((limits["seconds"] + seconds["handing"]) / seconds["scheduling"]).round()
    return CLUSTER.format(costs=markdown(costs), limits=markdown(limits))


def many_machines(rows: pd.DataFrame) -> dict[str, str]:
    """What was measured in one batch and in smaller ones, and what is expected beyond."""
    measured = rows["per_second"].notna()
    in_one = measured & (rows["batch"] == rows["simulations"])
    shown = ["workers", "seconds", "batch", "per_second", "model_per_second", "busy", "model_busy"]
    expected = rows[~measured].dropna(axis="columns")
    return {
        "cluster_measured": markdown(rows.loc[in_one, [*shown, "here_cpu_s"]].drop(columns="batch")),
        "cluster_batches": markdown(rows.loc[measured & ~in_one, shown]),
        "cluster_expected": markdown(expected),
    }


def quality(answers: pd.DataFrame) -> pd.DataFrame:
    """Areas by method and metric."""
    by_metric = answers.pivot_table(index="method", columns="metric", values="area", sort=False)
    by_split = answers.groupby(["method", "split"])["area"].mean().groupby("method")
    return by_metric.assign(mean=by_split.mean(), se=by_split.sem()).round(3)


def table(study: str) -> pd.DataFrame:
    return pd.read_csv(STUDIES / study / "table.csv")


def conditions(study: str) -> str:
    return CONDITIONS.format(**json.loads((STUDIES / study / "about.json").read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()

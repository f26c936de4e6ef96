"""Writes docs/results.md from the tables under runs/studies: python docs/results.py"""

import json
from pathlib import Path

import pandas as pd

from sizing.report.tables import markdown, means_table

HERE = Path(__file__).parent
STUDY = HERE.parent / "runs" / "studies" / "main_job"
PAPER = pd.DataFrame(
    [
        ("opamp_cc_rz", "evo", 2757.3, None),
        ("opamp_cc_rz", "oracle", 193.0, 3770.7),
        ("opamp_cc_rz", "fc", 397.7, 14720.0),
        ("opamp_cc", "evo", 5422.7, None),
        ("opamp_cc", "oracle", 224.3, 18821.0),
        ("opamp_cc", "fc", 4024.0, 176568.3),
    ],
    columns=["spec", "method", "paper_sims_search", "paper_queries"],
)
"""Table II of Hakhamaneshi et al. (2022), means of three seeds; its simulations most likely exclude the 100 initial."""

TEXT = """# Results

Made by `python docs/results.py` from the tables under `runs/studies/`; no number here is written by hand.

## Simulations to 20 designs in spec

`{command}`
on {machine}; commit {commit}, {date}. {note}

100 initial designs are the same for every method of a seed, and are counted in `sims_total`. Queries are candidates
judged; the oracle's real simulations behind its answers are `sims_oracle`.

{beside}

Standard errors are over three seeds. The paper's columns are its Table II, where simulations most likely exclude the
100 initial ones, so `paper_sims_search` stands beside `sims_search`.

- On `opamp_cc_rz`, `evo` is where the paper has it; `oracle` and `fc` need fewer simulations than the paper's.
- `fc` differs from the paper's in two ways that have not been separated by an ablation: it sees each variable on its
  grid and logarithmically, and it is asked one question, whether the penalty is at most the reference's.
- `evo` on `opamp_cc` used up its budget on every seed without 20 designs in spec (`in_spec` says how many it had),
  where the paper reports an end: its `sims_total` is the budget, not a result. Why it is slower here is not known.

## Every run

{runs}
"""


def main() -> None:
    runs = pd.read_csv(STUDY / "table.csv").convert_dtypes()
    about = json.loads((STUDY / "about.json").read_text(encoding="utf-8"))
    wanted = ["in_spec", "first_in_spec_at", "sims_search", "sims_oracle", "sims_total", "queries", "wall_s"]
    means = means_table(runs)
    keep = ["spec", "method", "seeds", *(c for name in wanted for c in (name, f"{name}_se"))]
    beside = means[keep].merge(PAPER, on=["spec", "method"], how="left")
    shown = runs.drop(columns=["topology", "best_cost"])
    text = TEXT.format(beside=markdown(beside), runs=markdown(shown), **about)
    (HERE / "results.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

"""Over seeds: means with standard errors, and differences of what shares a seed."""

from collections.abc import Sequence

import pandas as pd


def over_seeds(table: pd.DataFrame, keys: Sequence[str], values: Sequence[str]) -> pd.DataFrame:
    """Means by `keys` in their order of appearance, each followed by its standard error (`_se`), and `seeds`."""
    groups = table.groupby(list(keys), sort=False, dropna=False)
    result = groups["seed"].nunique().rename("seeds").to_frame()
    for value in values:
        result[value] = groups[value].mean()
        result[f"{value}_se"] = groups[value].sem()
    return result.reset_index()


def differences(
    table: pd.DataFrame, keys: Sequence[str], column: str, better: str, worse: str, value: str
) -> pd.DataFrame:
    """How much larger `value` is where `column` says `better` than where it says `worse`, by `keys`.

    The difference is taken for every seed that has both; `seeds_won` of `seeds` have it above zero.
    """
    wide = table.pivot_table(index=[*keys, "seed"], columns=column, values=value, sort=False)
    if not {better, worse} <= set(wide.columns):
        return pd.DataFrame(columns=[*keys, "difference", "difference_se", "seeds_won", "seeds"])
    difference = (wide[better] - wide[worse]).dropna()
    groups = difference.groupby(level=list(keys), sort=False)
    result = pd.DataFrame(
        {
            "difference": groups.mean(),
            "difference_se": groups.sem(),
            "seeds_won": (difference > 0).groupby(level=list(keys), sort=False).sum(),
            "seeds": groups.size(),
        }
    )
    return result.reset_index()

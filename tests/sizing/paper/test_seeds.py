"""Means and differences over seeds."""

import pandas as pd
import pytest

from sizing.paper.seeds import differences, over_seeds

TABLE = pd.DataFrame(
    {
        "rows": [10] * 6 + [20] * 2,
        "start": ["a"] * 3 + ["b"] * 3 + ["a", "b"],
        "seed": [0, 1, 2, 0, 1, 2, 0, 1],
        "value": [5.0, 6.0, 7.0, 4.0, 6.5, 5.0, 1.0, 2.0],
    }
)


def test_means_have_standard_errors_over_seeds():
    means = over_seeds(TABLE, ["rows", "start"], ["value"])
    assert means.loc[0, ["rows", "start", "seeds", "value"]].tolist() == [10, "a", 3, 6.0]
    assert means.loc[0, "value_se"] == pytest.approx(1 / 3**0.5)
    assert means["value_se"].isna().tolist() == [False, False, True, True]


def test_differences_are_within_a_seed():
    found = differences(TABLE, ["rows"], "start", "a", "b", "value")
    assert found["rows"].tolist() == [10]  # with 20 rows, no seed has both
    assert found.loc[0, "difference"] == pytest.approx((1.0 - 0.5 + 2.0) / 3)
    assert found.loc[0, ["seeds_won", "seeds"]].tolist() == [2, 3]


def test_without_one_of_the_two_there_is_nothing_to_compare():
    assert differences(TABLE, ["rows"], "start", "a", "c", "value").empty

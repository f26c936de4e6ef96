"""Variables of a spec: which values they take."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sizing.search.optimizer import initial_proposal
from sizing.specfile.entries import VariableEntry
from sizing.task.problem import Problem, Variable


def grid(**keys: Any) -> tuple[float, ...]:
    return VariableEntry.model_validate(keys).variable("x").values


def refusal(**keys: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        VariableEntry.model_validate(keys)
    return "; ".join(str(error["msg"]).removeprefix("Value error, ") for error in caught.value.errors())


def test_both_ends_of_a_linear_range_belong_to_it():
    assert grid(**{"from": 1, "to": 99, "step": 1}) == tuple(map(float, range(1, 100)))
    assert grid(**{"from": 0, "to": 950, "step": 50}) == tuple(50.0 * n for n in range(20))
    assert grid(**{"from": -1, "to": 1, "step": "0.5"}) == (-1.0, -0.5, 0.0, 0.5, 1.0)
    assert grid(**{"from": 3, "to": 3, "step": 1}) == (3.0,)


def test_values_are_the_floats_a_person_would_type():
    values = grid(**{"from": "0.1p", "to": "9.9p", "step": "0.1p", "unit": "F"})
    assert len(values) == 99
    assert values == tuple(float(f"{n / 10:.1f}e-12") for n in range(1, 100))
    assert grid(**{"from": 0.1, "to": 0.7, "step": 0.1}) == (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)


def test_prefixes_and_units_may_be_mixed():
    assert grid(**{"from": 500, "to": "2 kOhm", "step": "0.5k", "unit": "Ohm"}) == (500.0, 1000.0, 1500.0, 2000.0)


def test_a_linear_range_may_be_given_by_its_number_of_points():
    assert grid(**{"from": 0, "to": 1, "points": 5}) == (0.0, 0.25, 0.5, 0.75, 1.0)
    assert grid(**{"from": "1u", "to": "2u", "points": 2, "unit": "m"}) == (1e-6, 2e-6)


def test_a_logarithmic_range_is_evenly_spaced_in_ratio_and_ends_where_it_says():
    assert grid(**{"from": 1, "to": "1k", "points": 4, "scale": "log"}) == (1.0, 10.0, 100.0, 1000.0)
    values = grid(**{"from": "0.3u", "to": "7u", "points": 40, "scale": "log", "unit": "m"})
    assert (values[0], values[-1], len(values)) == (0.3e-6, 7e-6, 40)
    ratios = np.diff(np.log(values))
    np.testing.assert_allclose(ratios, ratios.mean(), rtol=1e-4)


def test_a_manufacturing_grid_takes_multiples_of_it_within_the_range():
    values = grid(**{"from": 0.5, "to": 20, "points": 40, "scale": "log", "grid": 0.005})
    assert (values[0], values[-1], len(values)) == (0.5, 20.0, 40)
    assert values == tuple(float(f"{round(value / 0.005) * 0.005:.3f}") for value in values)
    plain = grid(**{"from": 0.5, "to": 20, "points": 40, "scale": "log"})
    np.testing.assert_allclose(values, plain, rtol=0, atol=0.0025 * (1 + 1e-9))
    assert grid(**{"from": "101n", "to": "109n", "step": "1n", "unit": "m", "grid": "5n"}) == (105e-9,)
    assert grid(**{"from": 0.11, "to": 0.12, "points": 11, "grid": 0.005}) == (0.11, 0.115, 0.12)
    assert grid(values=[0.18, 0.181, 0.35], grid="0.01") == (0.18, 0.35)


def test_listed_values_are_sorted():
    assert grid(values=["10k", 1, "2.2k"], unit="Ohm") == (1.0, 2200.0, 10000.0)
    assert grid(values=[4]) == (4.0,)


def test_the_variable_keeps_unit_and_scale():
    entry = VariableEntry.model_validate({"from": 1, "to": 10, "points": 3, "scale": "log", "unit": "Ohm"})
    assert entry.variable("rz") == Variable("rz", (1.0, 3.16228, 10.0), "Ohm", "log")


def test_a_hundred_thousand_values_are_enough():
    assert len(grid(**{"from": 1, "to": 100_000, "step": 1})) == 100_000
    assert refusal(**{"from": 0, "to": 100_000, "step": 1}) == (
        "expected at most 100000 values, got more with steps of 1"
    )
    assert refusal(**{"from": 0, "to": 1, "step": "1e-40"}) == (
        "expected at most 100000 values, got more with steps of 1e-40"
    )


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({}, "expected `from`, `to` and one of `step` and `points`, or `values`"),
        ({"from": 1, "to": 2}, "expected `from`, `to` and one of `step` and `points`, or `values`"),
        ({"from": 1, "step": 2}, "expected `from`, `to` and one of `step` and `points`, or `values`"),
        (
            {"from": 1, "to": 2, "step": 1, "points": 2},
            "expected `from`, `to` and one of `step` and `points`, or `values`",
        ),
        ({"values": [1], "to": 2}, "expected either `values` or a range (from, to and step or points), got both"),
        ({"from": "5k", "to": 1, "step": 1}, "empty range: from 5k lies above to 1"),
        ({"from": 1, "to": 2, "step": 0}, "expected a step above 0, got 0"),
        ({"from": 1, "to": 2, "step": "-1"}, "expected a step above 0, got -1"),
        (
            {"from": 1, "to": 10, "step": 4},
            "expected `to` on the grid: steps of 4 from 1 miss 10 (nearest: 9 and 13)",
        ),
        ({"from": 0, "to": 1, "points": 3, "scale": "log"}, "a logarithmic range needs ends above 0, got from 0"),
        ({"from": 1, "to": 1, "points": 3}, "expected distinct values, got some twice"),
        ({"values": [1, "1.0"]}, "expected distinct values, got some twice"),
        ({"values": [1, "1.00000000000000000001"]}, "expected distinct values, got some twice"),
        ({"values": [1, "1 V"], "unit": "Ohm"}, "expected ohms, got '1 V'"),
        ({"from": "0.1p", "to": "10M", "step": 1, "unit": "F"},
         "expected farads, got '10M', which is milli in SPICE and mega in SI: write 10m or 10Meg"),
        ({"from": 1, "to": "1e400", "step": 1}, "expected a number without unit, got '1e400', beyond 1e±280"),
        ({"values": [1], "unit": "kg"},
         "unit: expected one of V A W Hz s F H m Ohm B V/V V/s S S/A A/m dB deg % , got 'kg'"),
        ({"values": []}, "List should have at least 1 item after validation, not 0"),
        ({"values": [[1]]}, "expected a number such as 2.5 or 2.5p, got [1]"),
        ({"values": [None]}, "expected a number such as 2.5 or 2.5p, got none"),
        ({"from": True, "to": 2, "step": 1}, "expected a number such as 2.5 or 2.5p, got true"),
        ({"from": 1, "to": float("inf"), "step": 1}, "expected a number such as 2.5 or 2.5p, got inf"),
        ({"values": [1], "grid": 0}, "expected a grid above 0, got 0"),
        ({"values": [1], "grid": "1 V", "unit": "m"}, "expected metres, got '1 V'"),
        ({"from": "181n", "to": "184n", "step": "1n", "unit": "m", "grid": "5n"},
         "expected a multiple of the grid, 5n, within the range, got none"),
        ({"from": 1, "to": 2, "points": 1}, "Input should be greater than or equal to 2"),
        ({"from": 1, "to": 2, "points": 3, "start": 2.1}, "start: expected a value from 1 to 2, got 2.1"),
        ({"from": 1, "to": 2, "points": 3, "start": "1 V"}, "expected a number without unit, got '1 V'"),
        ({"from": 1, "to": 2, "points": 3, "scale": "dB"}, "String should match pattern '^(linear|log)$'"),
    ],
)  # fmt: skip
def test_what_is_no_grid_is_refused_with_the_reason(keys: dict[str, Any], message: str):
    assert refusal(**keys) == message


@given(st.integers(-500, 500), st.integers(1, 50), st.integers(0, 60), st.sampled_from(["", "p", "k", "Meg"]))
def test_a_range_has_its_ends_ascends_and_counts_its_steps(first: int, step: int, count: int, prefix: str):
    keys = {"from": f"{first}{prefix}", "to": f"{first + count * step}{prefix}", "step": f"{step}{prefix}"}
    values = grid(**keys)
    scale = {"": 1.0, "p": 1e-12, "k": 1e3, "Meg": 1e6}[prefix]
    assert len(values) == count + 1
    assert values[0] == pytest.approx(first * scale)
    assert values[-1] == pytest.approx((first + count * step) * scale)
    assert list(values) == sorted(set(values))


def test_a_problem_reads_a_design_as_values():
    problem = Problem("p", "t", (Variable("a", (1.0, 2.0, 3.0)), Variable("b", (5.0, 6.0))), ())
    assert problem.size == 6
    assert problem.shape.tolist() == [3, 2]
    assert problem.start == (1, 1)
    assert not problem.has_start
    assert problem.values((2, 0)) == {"a": 3.0, "b": 5.0}
    with pytest.raises(ValueError, match="shorter"):
        problem.values((2,))


@pytest.mark.parametrize(("start", "place"), [("1u", 0), ("4u", 4), ("3.7u", 4), ("16u", 8)])
def test_a_value_to_begin_with_is_the_nearest_of_the_grid(start: str, place: int):
    entry = VariableEntry.model_validate(
        {"from": "1u", "to": "16u", "points": 9, "scale": "log", "unit": "m", "start": start}
    )
    variable = entry.variable("w")
    assert variable.start == place
    problem = Problem("p", "t", (variable, Variable("b", (5.0, 6.0, 7.0))), ())
    assert problem.start == (place, 1)
    assert problem.has_start
    several = initial_proposal(problem, 4, np.random.default_rng(0)).designs
    plain = initial_proposal(
        replace(problem, variables=(replace(variable, start=None), problem.variables[1])), 4, np.random.default_rng(0)
    ).designs
    assert several == (problem.start, *(each for each in plain if each != problem.start))[:4]
    assert initial_proposal(problem, 0, np.random.default_rng(0)).designs == (problem.start,)
    assert initial_proposal(problem, 0, np.random.default_rng(0), [(1, 1)]).designs == ((1, 1), problem.start)

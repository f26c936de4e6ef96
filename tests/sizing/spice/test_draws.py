"""Calls of random functions in a deck, and what stands in their place where nothing is to be drawn."""

import pytest

from sizing.spice.draws import draws, nominal


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (".param d={agauss(0, 5m, 1)}", ".param d={(0)}"),
        ("r1 a 0 {1k+AGAUSS( vth*(1+x) , {dev}, 1)*2}", "r1 a 0 {1k+(vth*(1+x))*2}"),
        (".param d=aunif(5,1) e={unif(2,0.1)+gauss(3,0.1,3)}", ".param d=(5) e={(2)+(3)}"),
        (".param d={agauss(limit(1, 2), agauss(1,1,1), 3)}", ".param d={((1))}"),
        ("b1 a 0 v=v(b,c)*agauss(min(1,2),1,1)", "b1 a 0 v=v(b,c)*(min(1,2))"),
        (".model lim limit(gain=1 fraction=true)", ".model lim limit(gain=1 fraction=true)"),
        ("b1 a 0 v=limit(v(b),0,1)", "b1 a 0 v=limit(v(b),0,1)"),
        ("r1 gauss 0 {x.unif(1,2)}", "r1 gauss 0 {x.unif(1,2)}"),
        (".param d={agauss(0,1,1", ".param d={agauss(0,1,1"),
    ],
)
def test_the_nominal_value_stands_in_the_place_of_a_call(line: str, expected: str):
    assert nominal([line]) == [expected]
    assert draws([line]) == (line != expected)


def test_a_function_of_the_deck_keeps_its_name():
    lines = [".func limit(x, y) {min(x, y)}", "r1 a 0 {limit(1k, 2)}", "r2 a 0 {unif(1k, 0.1)}"]
    assert nominal(lines) == [*lines[:2], "r2 a 0 {(1k)}"]

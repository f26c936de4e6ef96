"""Whatever a spec file says, it is a Spec or a SpecError, never another exception."""

import copy
import io
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from sizing.specfile.load import Spec, load_spec
from sizing.specfile.mistakes import SpecError

NETLIST = ".param ra=1k rb=1k\nr1 in out {ra}\nr2 out 0 {rb}\nm1 out in 0 0 n m={rb}\n.model n nmos\n"
DOCUMENT = {
    "netlist": "divider.cir",
    "variables": {
        "ra": {"from": "1k", "to": "3k", "step": "1k", "unit": "Ohm"},
        "rb": {"values": [1, "2k"], "unit": "Ohm"},
    },
    "benches": {
        "b": {
            "stimulus": "vin in 0 1\nvdd vdd 0 1\n",
            "options": {"trtol": 1},
            "analyses": {
                "bias": "op",
                "response": {"run": "ac dec 10 1 1G", "excite": "vin"},
                "step": {"run": "tran 1n 1u", "meas": {"t": "max v(out)"}},
            },
        }
    },
    "metrics": {
        "gain": {"measure": "dc_gain", "of": "b.response", "output": "out", "at_least": "3 dB", "unit": "dB"},
        "psrr": {"measure": "gain_ratio", "of": "b.response", "over": "b.response", "output": "out", "at_least": 1},
        "tset": {"measure": "settling_time", "of": "b.step", "output": "out", "input": "in", "at_most": "1 us"},
        "t": {"measure": "meas", "of": "b.step", "name": "t", "unit": "s", "at_most": 1, "weight": 2},
    },
    "run": {"seed": 1, "timeout": "5 s", "search": {"pool": 50}},
}
Place = tuple[str | int, ...]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Beside the spec its netlist; short, for hypothesis keeps what it was given."""
    made = Path(tempfile.mkdtemp())
    (made / "divider.cir").write_text(NETLIST)
    yield made
    shutil.rmtree(made)


def places(node: Any, place: Place = ()) -> Iterator[Place]:
    yield place
    entries = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in entries:
        yield from places(value, (*place, key))


def at(document: Any, place: Place) -> Any:
    for key in place:
        document = document[key]
    return document


def spec_or_mistakes(path: Path) -> Spec | tuple[str, ...]:
    try:
        return load_spec(path)
    except SpecError as error:
        return error.mistakes


def assert_well_said(found: Spec | tuple[str, ...], path: Path) -> None:
    if not isinstance(found, Spec):
        assert found
        assert len(set(found)) == len(found)
        assert all(mistake.startswith(f"{path}:") and len(mistake.splitlines()) == 1 for mistake in found)


NUMBERS = st.sampled_from([0, 1, -1, 3, 1.5, 1e300, float("inf"), float("-inf"), float("nan"), 10**30, True, None])
TEXTS = st.sampled_from(
    [
        *("1k", "10M", "-5 V", "1e999", "3 %", "V/V", "0", "log", "op", "ac dec 1 1 1", "b.bias", "a.b", "a b", "out"),
        *("ra", "measure", ".", "../divider.cir", ".include x", ".param ra=1", "vin in 0 1", "r1 a b\n+ 1", "\n", " "),
    ]
) | st.text(max_size=6)
SCALARS = NUMBERS | TEXTS
KEYS = st.sampled_from(
    [
        "measure",
        "of",
        "over",
        "unit",
        "values",
        "step",
        "points",
        "scale",
        "excite",
        "options",
        "weight",
        "search",
        1,
        None,
    ]
) | st.text(max_size=3)
JUNK = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=5
)


@pytest.mark.slow
@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10**6), st.sampled_from(["drop", "replace", "add"]), KEYS, JUNK), max_size=3))
def test_a_spec_with_anything_dropped_replaced_or_added_is_read_or_refused(
    folder: Path, changes: list[tuple[int, str, Any, Any]]
):
    document: Any = copy.deepcopy(DOCUMENT)
    for number, what, key, junk in changes:
        inner = [place for place in places(document) if place]
        if not inner:
            break
        place = inner[number % len(inner)]
        parent = at(document, place[:-1])
        if what == "drop":
            del parent[place[-1]]
        elif what == "replace":
            parent[place[-1]] = junk
        elif isinstance(parent, dict):
            parent[key] = junk
    text = io.StringIO()
    YAML(typ="safe").dump(document, text)
    path = folder / "spec.yaml"
    path.write_text(text.getvalue(), encoding="utf-8")
    found = spec_or_mistakes(path)
    assert_well_said(found, path)
    if not changes:
        assert isinstance(found, Spec)


PIECES = (
    *(
        "&a ",
        "*a",
        "!!int ",
        "!!set ",
        "!!omap ",
        "!!binary ",
        "!foo ",
        "? ",
        ": ",
        "- ",
        "[",
        "]",
        "{",
        "}",
        "|\n",
        ">-\n",
    ),
    *(
        "'",
        '"',
        "%YAML 1.1\n",
        "---\n",
        "...\n",
        "<<: ",
        "<<: *a\n",
        "@",
        "#",
        "\t",
        "\n",
        "  ",
        "2001-13-45",
        "0x",
        "~",
    ),
    *(
        "netlist: divider.cir\n",
        "variables:\n",
        "benches:\n",
        "metrics:\n",
        "run: {",
        "  ra: {from: 1, to: 2, step: 1}\n",
    ),
)


@settings(deadline=None)
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=12).map("".join))
@example("a: !!set 3\n")
@example("!!int")
@example("a: &a {b: &a 1}\n<<: *a\n")
@example("<<: 3\n")
@example("? {a: 1}\n: 2\n")
def test_any_text_is_read_or_refused(folder: Path, text: str):
    path = folder / "text.yaml"
    path.write_text(text, encoding="utf-8")
    assert_well_said(spec_or_mistakes(path), path)

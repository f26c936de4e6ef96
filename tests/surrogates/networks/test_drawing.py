"""Pictures of graphs: every device and net is in them, they are the same each time, and nothing lies on another."""

import re
from pathlib import Path

import numpy as np
import pytest

from sizing.specfile.load import Spec
from surrogates.networks.drawing import _COLOURS, _picture, _places, draw
from surrogates.networks.graph import CircuitGraph, Topology
from surrogates.networks.kinds import KIND_NUMBERS, GraphError
from surrogates.pretraining.circuits import ladder
from surrogates.pretraining.dataset import graph_of

pytestmark = pytest.mark.slow


def drawn_texts(path: Path) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", path.read_text(encoding="utf-8"))


def test_every_kind_has_its_own_colour():
    assert _COLOURS.keys() == KIND_NUMBERS.keys()
    assert len(set(_COLOURS.values())) == len(_COLOURS)


def test_the_op_amps_devices_and_nets_are_all_named(opamp: Spec, tmp_path: Path):
    topology = CircuitGraph(opamp.benches[1].circuit).topology
    draw(topology, "a title", tmp_path / "opamp.svg")
    texts = drawn_texts(tmp_path / "opamp.svg")
    assert {*topology.devices, *topology.nets[1:], "a title", "nmos", "ground (one net)"} <= set(texts)
    assert "inductor" not in texts
    assert texts.count("vdd") == 2  # the source, and the net that it supplies


def test_a_picture_is_the_same_each_time(opamp: Spec, tmp_path: Path):
    topology = CircuitGraph(opamp.benches[0].circuit).topology
    for name in ("one.svg", "two.svg"):
        draw(topology, "title", tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


def test_no_node_lies_on_another_in_a_circuit_of_61_devices():
    spots = np.array(list(_places(_picture(graph_of(ladder(20).netlist, "ladder").topology)).values()))
    apart = np.linalg.norm(spots[:, None] - spots[None], axis=-1) + np.eye(len(spots)) * 9
    assert apart.min() > 0.35  # inches; text is an eighth of an inch high


def test_parts_that_only_ground_joins_are_drawn_beside_one_another(tmp_path: Path):
    topology = graph_of("v1 a 0 1\nr1 a 0 1\nv2 b 0 1\nr2 b 0 1\n", "two").topology
    spots = np.array(list(_places(_picture(topology)).values()))
    assert np.ptp(spots, axis=0).max() < 12
    draw(topology, "two", tmp_path / "two.png")
    assert (tmp_path / "two.png").read_bytes().startswith(b"\x89PNG")


def test_other_formats_are_refused(tmp_path: Path):
    with pytest.raises(GraphError, match=r"a\.pdf: expected a name that ends in \.svg or \.png"):
        draw(graph_of("r1 a 0 1", "one").topology, "one", tmp_path / "a.pdf")


def test_dollars_in_names_are_no_formulas(tmp_path: Path):
    topology = Topology(("0", "n$1$", "o$ut$"), ("r$a$", "m$_x$"), (2, 0), ((1, 0), (1, 2, 0, 0)))
    draw(topology, "of $5$", tmp_path / "a.svg")
    assert {"n$1$", "o$ut$", "r$a$", "m$_x$", "of $5$"} <= set(drawn_texts(tmp_path / "a.svg"))

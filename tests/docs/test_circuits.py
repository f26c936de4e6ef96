"""Every shipped spec has its section and picture in docs/circuits.md, and the picture is its netlist."""

import re
from pathlib import Path
from typing import Any

import networkx as nx
import pytest
from ruamel.yaml import YAML

from docs.drawing.sheet import Sheet, touches
from docs.schematics import CIRCUITS, drawn
from sizing.spice.device import Device, read_device
from sizing.spice.netlist import read_netlist

ROOT = Path(__file__).parent.parent.parent
SPECS = sorted((ROOT / "specs").glob("*.yaml"))
SYMBOLS = {
    **dict.fromkeys(("nmos", "n"), ("AnalogNFet", 3)),
    **dict.fromkeys(("pmos", "p"), ("AnalogPFet", 3)),
    **dict.fromkeys(("r", "sky130_fd_pr__res_high_po"), ("ResistorIEEE", 2)),
    **dict.fromkeys(("c", "sky130_fd_pr__cap_mim_m3_1"), ("Capacitor", 2)),
    "i": ("SourceI", 2),
    "stage": ("box", 5),
}
"""What a model, or without one a kind, is drawn as, and with how many terminals: bulks come last, and are not drawn."""


@pytest.fixture(scope="module", params=SPECS, ids=lambda path: path.stem)
def spec(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


@pytest.fixture(scope="module")
def sheet(spec: Path) -> Sheet:
    (circuit,) = [circuit for circuit in CIRCUITS if circuit.__name__ == spec.stem]
    return drawn(circuit)


def devices(spec: Path) -> list[Device]:
    """Those of the netlist's own file, in sub-circuits too; not those of what it includes."""
    path = spec.parent / "netlists" / f"{spec.stem}.cir"
    lines = [line for line in read_netlist(path) if line.file == str(path) and not line.keyword.startswith(".")]
    return [read_device(line, ()) for line in lines]


def drawn_nets(sheet: Sheet) -> list[set[Any]]:
    """Devices' terminals and names of nets that are connected: by wires that touch at an end, or by the same name."""
    terminals = [
        ((name, index), place) for name, device in sheet.devices.items() for index, place in enumerate(device.terminals)
    ]
    wires = [(wire, place) for wire in sheet.wires for place in wire]
    graph = nx.Graph()
    for what, place in [*terminals, *sheet.names, *wires]:
        graph.add_edge(what, place)
        graph.add_edges_from((place, wire) for wire in sheet.wires if touches(place, wire))
    known = {what for what, _ in [*terminals, *sheet.names]}
    return [connected & known for connected in nx.connected_components(graph)]


def words(text: str) -> list[str]:
    """Names and numbers in a size, such as w1, l1 and 2 of w1/l1 ×2."""
    return sorted(re.findall(r"(?<![\w.])[a-z]\w*|[\d.]+", text))


def test_pictures_are_connected_as_the_netlists_are(spec: Path, sheet: Sheet):
    nets: dict[str, set[Any]] = {}
    for device in devices(spec):
        for index, net in enumerate(device.nets[: SYMBOLS[device.model or device.kind][1]]):
            nets.setdefault(net, set()).add((device.name, index))
    for connected in drawn_nets(sheet):
        names = {member for member in connected if isinstance(member, str)}
        net = next((net for net, terminals in nets.items() if terminals & connected), None)
        assert net is not None, f"drawn, but on no net: {connected}"
        assert connected - names == nets.pop(net), f"net {net}"
        assert names <= {net}
    assert not nets


def test_pictures_name_every_device_with_its_sizes(spec: Path, sheet: Sheet):
    picture = (ROOT / "docs" / "schematics" / f"{spec.stem}.svg").read_text()
    texts = re.findall(r"<tspan[^>]*>([^<]*)</tspan>", picture)
    for device in devices(spec):
        drawn = sheet.devices[device.name]
        assert drawn.symbol == SYMBOLS[device.model or device.kind][0]
        assert device.name in texts
        assert drawn.size in texts
        sized = ("m",) if device.kind == "m" else device.parameters  # W and L of the 45 nm transistors are all the same
        expected = [word for name in sized for word in words(device.parameters[name])]
        assert words(drawn.size) == (sorted(expected) or [device.model]), device.name


def test_pictures_are_those_that_the_script_draws(spec: Path, sheet: Sheet):
    picture = ROOT / "docs" / "schematics" / f"{spec.stem}.svg"
    assert picture.read_bytes() == sheet.svg(), "run python -m docs.schematics"


def test_sections_have_the_picture_the_targets_and_the_command(spec: Path):
    document = (ROOT / "docs" / "circuits.md").read_text()
    (section,) = [part for part in document.split("\n## ")[1:] if f"(schematics/{spec.stem}.svg)" in part]
    lines = section.splitlines()
    assert f"sizing run specs/{spec.stem}.yaml" in lines
    assert f"<!-- sized: {spec.stem} -->" in lines
    metrics = YAML(typ="base", pure=True).load(spec)["metrics"]
    rows = {f"| {name} | `{entry['measure']}` | {target(entry)} |" for name, entry in metrics.items()}
    assert rows == {line for line in lines if line.startswith("| ") and not line.startswith("| metric")}


def target(entry: dict[str, str]) -> str:
    return ", ".join(f"{bound.replace('_', ' ')} {entry[bound]}" for bound in ("at_least", "at_most") if bound in entry)

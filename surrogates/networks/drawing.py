"""Draws a circuit's graph: devices as boxes coloured by kind, nets as circles, a line for every joined terminal.

Ground is one net, but drawn at every device that touches it: as one circle it would pull everything into a knot.
"""

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
import networkx as nx
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from surrogates.networks.graph import Topology
from surrogates.networks.kinds import KINDS, GraphError

FORMATS = (".svg", ".png")

Node = tuple[str, int]
"""("device", its number), ("net", its number), or ("ground", the number of the device that it is drawn for)."""
Places = Mapping[Node, NDArray[np.float64]]

# Light enough for black text; kinds that are likely to meet are easy to tell apart.
_COLOURS = {
    "nmos": "#8ecae6", "pmos": "#ffb4a2", "resistor": "#e3d5b8", "capacitor": "#b7e4c7", "inductor": "#d8c4ea",
    "voltage source": "#ffe066", "current source": "#f9b24e", "diode": "#e8a0bf", "npn": "#a5b4fc", "pnp": "#f9a8d4",
    "njf": "#99d5d0", "pjf": "#f6c9a0", "vcvs": "#d9f99d", "cccs": "#a7d129", "vccs": "#c5e1a5", "ccvs": "#e6ee9c",
}  # fmt: skip
_LINE = "#9a9a9a"
_LINE_INCHES = 0.95
"""Mean length of a line."""
_GROUND_LENGTH = 0.7
"""Length of the line to a ground, as a part of the others'."""
_BOX = np.array([0.78, 0.46])
"""Inches that every node has for itself."""
_MARGIN_INCHES = 0.5


def draw(topology: Topology, title: str, path: Path) -> None:
    """Write a picture of the graph; raises GraphError for a path that is neither .svg nor .png.

    Text has the same size in every picture; the picture grows with the circuit.
    """
    if path.suffix.lower() not in FORMATS:
        raise GraphError(f"{path}: expected a name that ends in {' or '.join(FORMATS)}; choose another --out")
    graph = _picture(topology)
    places = _places(graph)
    spots = np.array(list(places.values()))
    low, high = spots.min(axis=0) - _MARGIN_INCHES, spots.max(axis=0) + _MARGIN_INCHES
    figure = Figure(figsize=tuple(high - low))
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0), xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    axes.set_axis_off()
    _draw_lines(axes, topology, graph, places)
    _draw_nodes(axes, topology, places)
    legend = axes.legend(
        handles=_legend(topology), title=title, loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False,
        alignment="left", title_fontproperties={"weight": "bold", "size": 11},
    )  # fmt: skip
    legend.get_title().set_parse_math(False)  # names may have a $, which is no formula
    # Otherwise SVG files of the same graph differ in their date and in random names.
    dated = {"Date": None} if path.suffix.lower() == ".svg" else {}
    with mpl.rc_context({"svg.hashsalt": "graph", "svg.fonttype": "none"}):
        figure.savefig(path, dpi=130, bbox_inches="tight", bbox_extra_artists=[legend], metadata=dated)


def _picture(topology: Topology) -> nx.Graph:
    """Devices and nets; a line's `terminals` are those of the device that are on the net."""
    graph = nx.Graph()
    for device, nets in enumerate(topology.device_nets):
        graph.add_node(("device", device))
        for net in dict.fromkeys(nets):
            kind = KINDS[topology.kinds[device]]
            on_net = [name for name, other in zip(kind.terminals, nets, strict=True) if other == net]
            node: Node = ("net", net) if net else ("ground", device)
            label = "" if kind.symmetric else " ".join(on_net)
            graph.add_edge(("device", device), node, terminals=label, length=1.0 if net else _GROUND_LENGTH)
    return graph


def _places(graph: nx.Graph) -> Places:
    """Where nodes are, in inches: joined ones near, nothing on top of another, wider than high."""
    nodes = list(graph)
    apart = len(nodes) ** 0.5  # what no line joins has to be somewhere too
    near = nx.all_pairs_dijkstra_path_length(graph, weight="length")
    distances = {node: dict.fromkeys(nodes, apart) | reached for node, reached in near}
    start = nx.circular_layout(graph)
    found = nx.kamada_kawai_layout(graph, dist=distances, pos=start)
    spots = np.array([found[node] for node in nodes])
    index = {node: number for number, node in enumerate(nodes)}
    ends = np.array([(index[a], index[b]) for a, b in graph.edges])
    spots = spots - spots.mean(axis=0)
    _, axes = np.linalg.eigh(spots.T @ spots)
    spots = spots @ axes[:, ::-1]
    spots *= _LINE_INCHES / np.linalg.norm(spots[ends[:, 0]] - spots[ends[:, 1]], axis=1).mean()
    return dict(zip(nodes, _pushed_apart(spots), strict=True))


def _pushed_apart(spots: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same places (n, 2), moved until no two boxes overlap, or for long enough."""
    for _ in range(300):
        between = spots[:, None] - spots[None]
        # In units of the box, so that names beside one another keep more distance than names below one another.
        reach = np.linalg.norm(between / _BOX, axis=-1)
        np.fill_diagonal(reach, np.inf)
        if reach.min() >= 1:
            break
        push = np.maximum(1 - reach, 0)[..., None] * between / np.maximum(reach, 1e-3)[..., None]
        spots = spots + 0.5 * push.sum(axis=1)
    return spots


def _draw_lines(axes: Axes, topology: Topology, graph: nx.Graph, places: Places) -> None:
    for a, b, terminals in graph.edges(data="terminals"):
        device, other = (a, b) if a[0] == "device" else (b, a)
        start, end = places[device], places[other]
        axes.plot(*zip(start, end, strict=True), color=_LINE, linewidth=1.1, zorder=1)
        # Just outside the box, whatever the direction.
        half = np.array([0.13 + 0.036 * len(topology.devices[device[1]]), 0.2])
        step = (end - start) / np.maximum(np.abs((end - start) / half).max(), 1e-9)
        spot = start + step * 1.25
        axes.text(
            spot[0], spot[1], terminals, fontsize=7, color="#333333", ha="center", va="center", zorder=2,
            bbox={"boxstyle": "square,pad=0.08", "facecolor": "white", "edgecolor": "none"},
        )  # fmt: skip


def _draw_nodes(axes: Axes, topology: Topology, places: Places) -> None:
    for (what, number), (x, y) in places.items():
        if what == "ground":
            axes.plot(x, y, marker="v", color="#333333", markersize=8, zorder=3)
            continue
        device = what == "device"
        colour = _COLOURS[KINDS[topology.kinds[number]].name] if device else "white"
        name = topology.devices[number] if device else topology.nets[number]
        # A circle around a long name would be as high as the name is long.
        shape = "round,pad=0.35" if device else "circle,pad=0.3" if len(name) < 4 else "ellipse,pad=0.15"
        box = {"boxstyle": shape, "facecolor": colour, "edgecolor": "#333333"}
        axes.text(
            x, y, name, fontsize=9 if device else 8, ha="center", va="center", zorder=4, bbox=box, parse_math=False
        )


def _legend(topology: Topology) -> list[Artist]:
    kinds = [KINDS[number].name for number in sorted(set(topology.kinds))]
    marks: list[Artist] = [Patch(facecolor=_COLOURS[kind], edgecolor="#333333", label=kind) for kind in kinds]
    for marker, colour, label in (("o", "white", "net"), ("v", "#333333", "ground (one net)")):
        marks.append(
            Line2D([], [], color="none", marker=marker, markerfacecolor=colour, markeredgecolor="#333333", label=label)
        )
    return marks

"""Charts of a transistor against inversion: what designers size from, a line for every length."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from surrogates.tables.lookup import Lookup, figures_of

FORMATS = (".svg", ".png")
_PANELS = (
    ("GM/ID", "ID/W", "gm/Id in 1/V", "Id/W in A/m", True),
    ("GM/ID", "fT", "gm/Id in 1/V", "transit frequency in Hz", True),
    ("GM/ID", "GM/GDS", "gm/Id in 1/V", "self-gain gm/gds", False),
    ("VGS", "GM/ID", "gate-source voltage in V", "gm/Id in 1/V", False),
)
_LEAST_EFFICIENCY = 1.0
"""1/V, from which on charts show a transistor."""
_INCHES = (9.0, 7.0)
_LEAST_CURRENT = 1e-6
"""A/m, below which it is off."""


def draw(lookup: Lookup, vds: float, path: Path) -> None:
    """Four charts of a transistor with its bulk at its source, as SVG or PNG by the path's suffix."""
    own = figures_of(lookup, lookup.at(vds, float(lookup.axes["VSB"][0])))
    figure = Figure(figsize=_INCHES, layout="constrained")
    FigureCanvasAgg(figure)
    colours = mpl.colormaps["viridis"](np.linspace(0, 0.9, len(lookup.axes["L"])))
    for axes, (across, up, label, other, is_logarithmic) in zip(figure.subplots(2, 2).flat, _PANELS, strict=True):
        for length, colour in enumerate(colours):
            shown = (own["GM/ID"][length] > _LEAST_EFFICIENCY) & (own["ID/W"][length] > _LEAST_CURRENT)
            name = f"L = {lookup.axes['L'][length] * 1e6:.3g} µm"
            axes.plot(own[across][length][shown], own[up][length][shown], color=colour, label=name, linewidth=1.4)
        axes.set_xlabel(label)
        axes.set_ylabel(other)
        axes.set_yscale("log" if is_logarithmic else "linear")
        axes.grid(alpha=0.3)
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 6), frameon=False, fontsize=9)
    figure.suptitle(f"{lookup.name}, W = {lookup.width * 1e6:g} µm, Vds = {vds:g} V", fontsize=11)
    with mpl.rc_context({"svg.hashsalt": lookup.name}):
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None, dpi=150)

"""The circuits of Hakhamaneshi et al. (2022) that backbones are pretrained on, and how their parameters are drawn.

Ranges are those of the paper and of the configurations released with it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from sizing.spice.netlist import inline_includes

Sample = Mapping[str, NDArray[np.float64]]
Draw = Callable[[Generator, int], Sample]

_LEAST_RESISTANCE = 1e-6
"""Resistances are uniform on (0, 1); a draw of exactly nothing would be a short."""


@dataclass(frozen=True)
class SampledCircuit:
    """A netlist with free top-level parameters, and how to draw (n,) values of each."""

    name: str
    netlist: str
    draw: Draw
    exact: bool
    """Whether it is of resistors and grounded sources, to be solved exactly; otherwise ngspice solves it."""
    output: str | None = None
    """The net whose output resistance (exact) or gain per volt of AC input (ngspice) is a further target."""
    grids: Mapping[str, tuple[float, ...]] | None = None
    """The values that are drawn from, where the name and netlist do not say it all: a user's circuit."""


def ladder(branches: int, *, output_resistance: bool = False) -> SampledCircuit:
    """A resistor ladder; every branch is a series resistor to a node, and a shunt from there to a source of its own."""
    lines = ["v0 in 0 {v0}"]
    for i in range(1, branches + 1):
        before = f"n{i - 1}" if i > 1 else "in"
        lines += [f"rs{i} {before} n{i} {{rs{i}}}", f"rp{i} n{i} s{i} {{rp{i}}}", f"v{i} s{i} 0 {{v{i}}}"]
    output = f"n{branches}" if output_resistance else None
    return _resistive(f"ladder{branches}", lines, output)


def series_pair() -> SampledCircuit:
    """A divider whose upper resistor is two in series: two outputs."""
    return _resistive("series", ["v0 in 0 {v0}", "r1 in a {r1}", "r2 a b {r2}", "r3 b 0 {r3}"])


def parallel_pair() -> SampledCircuit:
    """A divider whose upper resistor is two in parallel."""
    return _resistive("parallel", ["v0 in 0 {v0}", "r1 in a {r1}", "r2 in a {r2}", "r3 a 0 {r3}"])


def loaded_divider() -> SampledCircuit:
    """A divider with a load resistor."""
    return _resistive("loaded", ["v0 in 0 {v0}", "r1 in a {r1}", "r2 a 0 {r2}", "r3 a 0 {r3}"])


def opamp(models: Path) -> SampledCircuit:
    """The two-stage op-amp with nulling resistor on the 45 nm card in folder `models`, its inputs at sources.

    The bulks of the NMOS whose sources are on ground have a net of their own, vss. One of nine placements of AC sources
    is drawn with every sample.
    """
    return SampledCircuit("opamp", _opamp_netlist(models, _MIRROR), _draw_opamp, exact=False)


def voltage_biased_opamp(models: Path) -> SampledCircuit:
    """The same with the gates of the first stage's load on a source 0.2 to 0.8 V below the supply; target: the gain."""

    def draw(rng: Generator, count: int) -> Sample:
        sample = dict(_draw_opamp(rng, count))
        sample["vb"] = sample["vdd"] - rng.uniform(0.2, 0.8, count)
        for name in _AC_NAMES:  # excited differentially, for the gain
            sample[name] = np.full(count, {"ac1": 0.5, "ac2": -0.5}.get(name, 0.0))
        return sample

    netlist = _opamp_netlist(models, ("mp1 4 b vdd vdd", "mp2 5 b vdd vdd", "vb b 0 dc {vb}"))
    return SampledCircuit("opamp_voltage_biased", netlist, draw, exact=False, output="6")


_AC_NAMES = ("ac_vdd", "ac_vss", "ac_bias", "ac1", "ac2")
# supply, vss, bias, input 1, input 2, both in phase, both out of phase (either way), and none
_PLACEMENTS = np.array(
    [
        [1, 0, 0, 0, 0],
        [0, 1, 0, 0, 0],
        [0, 0, 1, 0, 0],
        [0, 0, 0, 1, 0],
        [0, 0, 0, 0, 1],
        [0, 0, 0, 1, 1],
        [0, 0, 0, 0.5, -0.5],
        [0, 0, 0, -0.5, 0.5],
        [0, 0, 0, 0, 0],
    ]
)
_MIRROR = ("mp1 4 4 vdd vdd", "mp2 5 4 vdd vdd")


def _opamp_netlist(models: Path, loads: tuple[str, ...]) -> str:
    transistors = (
        *(f"{load} pmos w=0.5u l=90n m={{mp1}}" if load.startswith("m") else load for load in loads),
        "mn1 4 2 3 3 nmos w=0.5u l=90n m={mn1}",
        "mn2 5 1 3 3 nmos w=0.5u l=90n m={mn1}",
        "mn3 3 7 0 vss nmos w=0.5u l=90n m={mn3}",
        "mn4 7 7 0 vss nmos w=0.5u l=90n m={mn4}",
        "mp3 6 5 vdd vdd pmos w=0.5u l=90n m={mp3}",
        "mn5 6 7 0 vss nmos w=0.5u l=90n m={mn5}",
    )
    around = (
        "cc 5 8 {cc}",
        "rz 8 6 {rz}",
        "cl 6 0 {cl}",
        "ibias vdd 7 dc {ibias} ac {ac_bias}",
        "vdd vdd 0 dc {vdd} ac {ac_vdd}",
        "vss vss 0 dc {vss} ac {ac_vss}",
        "v1 1 0 dc {v1} ac {ac1}",
        "v2 2 0 dc {v2} ac {ac2}",
    )
    free = ("mp1 mn1 mp3 mn3 mn4 mn5 cc rz cl ibias vdd vss v1 v2", *_AC_NAMES)
    parameters = " ".join(f"{name}=0" for name in " ".join(free).split())
    if any(load.startswith("vb") for load in loads):
        parameters += " vb=0"
    card = inline_includes(".include bptm45.mod\n", models)
    return "\n".join([card.rstrip("\n"), f".param {parameters}", *transistors, *around]) + "\n"


def _draw_opamp(rng: Generator, count: int) -> Sample:
    sample = {
        name: rng.integers(1, 99, count, endpoint=True) * 1.0 for name in ("mp1", "mn1", "mp3", "mn3", "mn4", "mn5")
    }
    for name, low, high in (
        ("cc", 0.1e-12, 10e-12), ("rz", 0.0, 1e3), ("cl", 0.1e-12, 10e-12), ("ibias", 10e-6, 50e-6),
        ("vdd", 1.0, 1.2), ("vss", 0.0, 0.2), ("v1", 0.4, 0.8), ("v2", 0.4, 0.8),
    ):  # fmt: skip
        sample[name] = rng.uniform(low, high, count)
    sample["rz"] = np.maximum(sample["rz"], _LEAST_RESISTANCE)
    sample["v2"] = np.where(rng.random(count) < 0.5, sample["v1"], sample["v2"])
    placement = _PLACEMENTS[rng.integers(len(_PLACEMENTS), size=count)]
    return sample | dict(zip(_AC_NAMES, placement.T, strict=True))


def _resistive(name: str, lines: list[str], output: str | None = None) -> SampledCircuit:
    names = [line.split()[0] for line in lines]

    def draw(rng: Generator, count: int) -> Sample:
        return {each: np.maximum(rng.random(count), _LEAST_RESISTANCE if each[0] == "r" else 0.0) for each in names}

    netlist = "\n".join([".param " + " ".join(f"{each}=1" for each in names), *lines]) + "\n"
    return SampledCircuit(name, netlist, draw, exact=True, output=output)

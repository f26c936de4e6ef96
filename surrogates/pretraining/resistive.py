"""Exact operating points of circuits of resistors and grounded sources, many at once."""

import numpy as np
from numpy.typing import NDArray

from surrogates.networks.graph import Topology
from surrogates.networks.kinds import KIND_NUMBERS

_AT_ONCE = 2**22
"""Matrix entries solved together: more would leave the cache."""


def solve(
    topology: Topology, parameters: NDArray[np.float32], output: str | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Voltages (n, N) of all nets and, with `output`, the resistance (n,) seen there with all sources at zero.

    By nodal analysis of the free nets; the others are held by sources. Raises ValueError for other devices.
    """
    resistor, source = KIND_NUMBERS["resistor"], KIND_NUMBERS["voltage source"]
    count, nets = len(parameters), len(topology.nets)
    voltages = np.zeros((count, nets))
    conductance = np.zeros((count, nets, nets))
    for device, (kind, joined) in enumerate(zip(topology.kinds, topology.device_nets, strict=True)):
        p, n = joined[:2]
        if kind == source and n == 0:
            voltages[:, p] = parameters[:, device, 0]
        elif kind == resistor:
            g = 10.0 ** -parameters[:, device, 0].astype(np.float64)
            conductance[:, [p, n], [p, n]] += g[:, None]
            conductance[:, [p, n], [n, p]] -= g[:, None]
        else:
            raise ValueError(f"expected resistors and grounded voltage sources, got {topology.devices[device]!r}")
    free, held = list(topology.free_nets), list(topology.fixed_nets)
    matrix = conductance[np.ix_(range(count), free, free)]
    current = -np.einsum("bfh,bh->bf", conductance[np.ix_(range(count), free, held)], voltages[:, held])
    if output is None:
        voltages[:, free] = np.linalg.solve(matrix, current[..., None])[..., 0]
        return voltages, None
    probe = np.zeros_like(current)
    place = free.index(topology.nets.index(output))
    probe[:, place] = 1.0
    both = np.linalg.solve(matrix, np.stack([current, probe], axis=-1))
    voltages[:, free] = both[..., 0]
    return voltages, both[:, place, 1]


def is_resistive(topology: Topology) -> bool:
    """Whether `solve` can solve it."""
    return all(
        kind == KIND_NUMBERS["resistor"] or (kind == KIND_NUMBERS["voltage source"] and nets[1] == 0)
        for kind, nets in zip(topology.kinds, topology.device_nets, strict=True)
    )


def chunk_rows(topology: Topology) -> int:
    """How many circuits of this topology to solve together."""
    return max(1, _AT_ONCE // len(topology.nets) ** 2)

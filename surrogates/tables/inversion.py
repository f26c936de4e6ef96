"""How strongly transistors of a circuit as it is are inverted: what a first range of their widths goes by."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from sizing.first_spec.ranges import Inversion
from sizing.measures.transistors import OperatingPoint
from sizing.task.bench import Analysis, Task, transistors
from surrogates.tables.characterisation import Tables, kind_of
from surrogates.tables.lookup import falling_from
from surrogates.tables.model import TableModel
from surrogates.tables.network import Network
from surrogates.tables.table import Table

Array = NDArray[np.float64]
STRONGEST, WEAKEST = 5.0, 25.0
"""1/V of gm/Id, between which designers size."""
_LEAST_AMPERES = 1e-9
_LEAST_VOLTS = 0.05
"""Volts from source to drain, below which a transistor is a switch."""
_GATES = 200
_LARGER = 1.1
_Quantity = Literal["id", "gm", "vds", "vgs", "vbs"]


def inversions(task: Task, values: Mapping[str, float], folder: Path | None = None) -> dict[str, tuple[Inversion, ...]]:
    """Of each variable that is a width: how its transistors are inverted at the operating point of these values.

    Looked up in device tables, which are measured where they are not known, at the first bench's operating point. Those
    that carry nothing, or are switches, are left out. Raises Unmodelled, and Unmeasurable.
    """
    bench = replace(task.benches[0], analyses=(Analysis("bias", "op"),))
    network = Network(bench.circuit)
    devices = {each.name: each for each in network.tabled if each.name in transistors(bench.circuit)}
    if not devices:
        return {}
    quantities: tuple[_Quantity, ...] = get_args(_Quantity)
    measures = tuple(
        OperatingPoint.model_validate(
            {"measure": "operating_point", "of": f"{bench.name}.bias", "devices": name, "quantity": each}
        )
        for name in devices
        for each in quantities
    )
    samples = {name: np.array([value]) for name, value in values.items()}
    model = TableModel(Task((bench,), measures, task.variables), samples, Tables(folder))
    told = model.told(values).values.reshape(len(devices), len(quantities))
    tables = model.prepare()
    found: dict[str, tuple[Inversion, ...]] = {}
    sized, given = _widths(network, values), network.resolved(dict(values))
    for (name, device), known in zip(devices.items(), told, strict=True):
        at = dict(zip(quantities, known.tolist(), strict=True))
        if not abs(at["id"]) > _LEAST_AMPERES or not at["vds"] > _LEAST_VOLTS:
            continue
        kind = kind_of(device)
        parameters = np.array([[float(given[f"{name} {each}"]) for each in kind.parameters]])
        own = _inversion(tables[kind], parameters, at)
        for variable in sized.get(name, ()):
            found[variable] = (*found.get(variable, ()), own)
    return found


def _inversion(table: Table, parameters: Array, at: Mapping[str, float]) -> Inversion:
    """Of one device with these parameters (1, P)."""

    def looked_up(gates: Array) -> Mapping[str, Array]:
        bias = np.stack(np.broadcast_arrays(at["vds"], gates, at["vbs"]), axis=1)
        return table.transistor(table.geometries(np.tile(parameters, (len(gates), 1))), bias)

    now = float(looked_up(np.array([at["vgs"]]))["id"][0])
    swept = looked_up(np.linspace(0.0, max(at["vgs"], at["vds"]) + 0.3, _GATES))
    first, rising = falling_from(swept["gm"] / swept["id"])
    strong, weak = np.interp((STRONGEST, WEAKEST), rising, np.log(swept["id"][first:])[::-1])
    return Inversion(abs(at["id"]), at["gm"] / at["id"], (now / float(np.exp(strong)), now / float(np.exp(weak))))


def _widths(network: Network, values: Mapping[str, float]) -> dict[str, list[str]]:
    """The variables by the transistors whose width they change."""
    names, each = list(values), np.arange(len(values))
    given = network.resolved(dict(values))
    larger = network.resolved(
        {name: values[name] * np.where(each == own, _LARGER, 1.0) for own, name in enumerate(names)}
    )
    widths = {device.name: f"{device.name} w" for device in network.tabled if "w" in device.parameters}
    return {
        device: [names[index] for index in np.flatnonzero(np.ravel(larger[width]) != given[width])]
        for device, width in widths.items()
    }

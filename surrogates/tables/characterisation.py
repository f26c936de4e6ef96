"""The tables of all devices that benches have: which devices share one, and what ngspice has to measure."""

import logging
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sizing.spice.device import Device
from sizing.spice.expression import Value
from sizing.spice.netlist import Line
from sizing.task.bench import Task
from sizing.task.job import Conditions
from surrogates.tables.deck import Part, Unit, UnitDevice, measure, polarity, reached
from surrogates.tables.geometry import Geometry, TooManyParameters, geometry
from surrogates.tables.grids import Grids, grids
from surrogates.tables.network import Network, Unmodelled, quantity, roles
from surrogates.tables.store import Measurements, Store, default_folder, key_of
from surrogates.tables.table import Table

_LOG = logging.getLogger(__name__)
WORTH_A_WORD = 10
"""Devices to measure, from which on it takes so long that one is told."""
SECONDS_BETWEEN_WORDS = 3.0
_NO_PARAMETERS = frozenset({"m", "on", "off", "ic"})
_NOT_TOLD = ("q", "j")
"""Devices whose gate or base conducts: a spline of what flows there rings where it grows by decades."""
_ROUNDING_VOLTS = 0.1
"""Volts to which a circuit's reach is rounded up, so that circuits of nearly the same supplies share tables."""


@dataclass(frozen=True)
class Kind:
    """Devices that a single table tells: of one model, with the same parameters given."""

    letter: str
    model: str
    roles: str
    parameters: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """What a table of a kind takes: a device, its geometries and its bias points."""

    kind: Kind
    unit: Unit
    geometry: Geometry
    grids: Grids
    reach: float
    """Volts"""
    parts: tuple[Part, ...] = ("bias",)


def kind_of(device: Device) -> Kind:
    """The kind of a device, whichever order its parameters have."""
    names = tuple(sorted(device.parameters.keys() - _NO_PARAMETERS))
    return Kind(device.kind, device.model or "", roles(device), names)


def is_tied(device: Device) -> bool:
    """Whether its bulk, if it has one, is its source's net."""
    terminals = dict(zip(roles(device), device.nets, strict=True))
    return terminals.get("b", terminals["s"]) == terminals["s"]


def plans(task: Task, networks: Sequence[Network], samples: Mapping[str, Value], conditions: Conditions) -> list[Plan]:
    """What has to be measured for designs such as these samples, arrays (N,) by name, under some conditions.

    Raises Unmodelled.
    """
    benches, parts = task.benches, _parts(task, networks)
    samples = {**samples, **dict(conditions.parameters)}
    found: dict[Kind, list[NDArray[np.float64]]] = {}
    moving: set[Kind] = set()
    lines: dict[Kind, tuple[Line, ...]] = {}
    reach = 0.0
    for bench, network in zip(benches, networks, strict=True):
        values = network.resolved(samples)
        reach = max(reach, _reach(network, values))
        for device in network.tabled:
            kind = kind_of(device)
            columns = [np.ravel(values[f"{device.name} {name}"]) for name in kind.parameters]
            found.setdefault(kind, []).append(
                np.stack(np.broadcast_arrays(*columns), -1) if columns else np.empty((1, 0))
            )
            if not is_tied(device):
                moving.add(kind)
            chosen = bench if conditions.process is None else bench.processes[conditions.process]
            lines.setdefault(kind, chosen.lines)
    if found and reach == 0:
        raise Unmodelled("expected a voltage source, which tells how far nets go, got none with a DC value")
    result = []
    for kind, samples_of in found.items():
        try:
            shape = geometry(kind.parameters, np.concatenate(samples_of), is_smooth="g" not in kind.roles)
        except TooManyParameters as error:
            raise Unmodelled(
                f"{kind.model}: expected at most two parameters to vary on their own, got {error}"
            ) from None
        bias = grids(kind.roles, reach, kind in moving)
        definitions = reached(lines[kind], kind.letter, kind.model)
        if other := next((line for line in definitions if line.keyword[:1] in _NOT_TOLD), None):
            raise Unmodelled(f"{kind.model}: device tables know no such device as its {other.keyword}")
        unit = Unit(kind.letter, kind.model, kind.roles, kind.parameters, definitions, conditions.temperature)
        result.append(Plan(kind, unit, shape, bias, reach, tuple(parts[kind])))
    return result


def _parts(task: Task, networks: Sequence[Network]) -> dict[Kind, list[Part]]:
    """What is measured of each kind: more where a measurement reads quantities of a device, or noise."""
    found: dict[Kind, list[Part]] = {kind_of(d): ["bias"] for network in networks for d in network.tabled}
    for bench, network in zip(task.benches, networks, strict=True):
        for analysis in bench.analyses:
            wanted = task.vectors[f"{bench.name}.{analysis.name}"]
            read = [of[0] for vector in wanted if (of := quantity(bench.circuit, vector))]
            noisy = network.tabled if wanted and analysis.kind == "noise" else ()
            more: list[tuple[Part, Device]] = [*(("channel", d) for d in read), *(("noise", d) for d in noisy)]
            for part, device in more:
                if part not in (own := found[kind_of(device)]):
                    own.append(part)
    return found


@dataclass(frozen=True)
class _Job:
    """One device of a plan."""

    plan: Plan
    device: UnitDevice

    @cached_property
    def keys(self) -> Mapping[Part, str]:
        """The key in the store of each part that is measured."""
        return {part: key_of(self.device, part, self.plan.grids) for part in self.plan.parts}


class Tables:
    """Tables by what they take, from a folder or measured now; each is made once."""

    def __init__(self, folder: Path | None = None) -> None:
        """Measurements are kept in `folder`, by default in the user's cache."""
        self.sims_tables = 0
        """Devices that ngspice has measured."""
        self.tables_s = 0.0
        """Seconds that this has taken."""
        self._store = Store(folder or default_folder())
        self._made: dict[Plan, Table] = {}
        self._polarities: dict[Plan, int] = {}

    def of(self, wanted: Sequence[Plan]) -> dict[Kind, Table]:
        """The tables of these plans, what is to be measured a deck at a time on each core; raises Unmeasurable."""
        new = [plan for plan in wanted if plan not in self._made]
        jobs = [_Job(plan, UnitDevice(plan.unit, values)) for plan in new for values in plan.geometry.measured]
        unknown = sum(not all(map(self._store.holds, job.keys.values())) for job in jobs)
        if unknown >= WORTH_A_WORD:
            _LOG.warning("measuring %d devices with ngspice, which are kept in %s", unknown, self._store.folder)
        began = time.perf_counter()
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            try:
                measured = list(self._told(pool.map(self._measured, jobs), unknown))
            except BaseException:  # an interrupt does not wait for what has not begun
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        if count := sum(is_new for _, is_new in measured):
            self._store.shrink()
            self.sims_tables += count
            self.tables_s += time.perf_counter() - began
        for plan in new:
            own = [measured.pop(0)[0] for _ in plan.geometry.measured]
            self._made[plan] = Table(plan.geometry, plan.grids, own)
        return {plan.kind: self._made[plan] for plan in wanted}

    @staticmethod
    def _told(measured: Iterable[tuple[Measurements, bool]], unknown: int) -> Iterator[tuple[Measurements, bool]]:
        """The same, and every few seconds a word of how many of the unknown devices are there."""
        said, count = time.monotonic(), 0
        for each in measured:
            count += each[1]
            if unknown >= WORTH_A_WORD and time.monotonic() - said > SECONDS_BETWEEN_WORDS:
                _LOG.warning("measured %d of %d devices", count, unknown)
                said = time.monotonic()
            yield each

    def _measured(self, job: "_Job") -> tuple[Measurements, bool]:
        """What is known of a device, and whether ngspice had to measure it."""
        found: dict[str, NDArray[np.float64]] = {}
        is_new = False
        for part, key in job.keys.items():
            kept = self._store.read(key)
            if kept is None:
                sign = int(found["polarity"][0]) if found else self._polarity(job.plan, job.device)
                kept = measure(job.device, part, sign, job.plan.grids)
                self._store.write(key, kept)
                is_new = True
            found.update(kept)
        return found, is_new

    def _polarity(self, plan: Plan, device: UnitDevice) -> int:
        """That of the first of a kind's devices, which is that of the others."""
        if plan not in self._polarities:
            self._polarities[plan] = polarity(device, plan.reach)
        return self._polarities[plan]


def _reach(network: Network, values: Mapping[str, Value]) -> float:
    """Volts between the highest and the lowest of a circuit's voltage sources, ground included, rounded up."""
    voltages = [values.get(f"{source.device.name} dc", 0.0) for source in network.sources if source.device.kind == "v"]
    highest = max((float(np.max(voltage)) for voltage in voltages), default=0.0)
    lowest = min((float(np.min(voltage)) for voltage in voltages), default=0.0)
    return float(np.ceil((max(highest, 0.0) - min(lowest, 0.0)) / _ROUNDING_VOLTS - 1e-6) * _ROUNDING_VOLTS)

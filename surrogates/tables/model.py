"""What designs of a task measure, told from device tables: thousands at once, and no simulation of the circuit."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from sizing.measures.batch import Batch, Reasons
from sizing.measures.batch import designs as designs_of
from sizing.measures.meas import Meas
from sizing.measures.measure import Measure, Missing
from sizing.measures.waveforms import Results, Waveforms
from sizing.spice.device import Device
from sizing.spice.expression import ExpressionError, Value
from sizing.task.bench import Task
from sizing.task.job import NOMINAL_CONDITIONS, Conditions
from sizing.task.problem import Variable
from surrogates.tables.characterisation import Kind, Tables, is_tied, kind_of, plans
from surrogates.tables.equations import Equations, Group, group
from surrogates.tables.network import Network, Unmodelled
from surrogates.tables.responses import Response, Responses
from surrogates.tables.table import Table

Array = NDArray[np.float64]
_AT_ONCE = 2048
"""Designs whose waveforms are held at a time."""
_BLOCK = 256
"""Designs that are measured at a time: their waveforms stay in the processor's cache."""
_START_SAMPLES = 32
"""Samples from which operating points are looked for."""
_RANGE_SAMPLES = 256
"""Designs from which the ranges of devices' parameters are taken."""


@dataclass(frozen=True)
class Told:
    """Metrics (B, M) in SI units, NaN where missing, with each design's reasons by the metric's index."""

    values: Array
    missing: tuple[Mapping[int, str], ...]


class TableModel:
    """A task on device tables, which are made, or read, when a process and temperature is first asked for."""

    def __init__(self, task: Task, samples: Mapping[str, Array], tables: Tables) -> None:
        """`samples` has every variable's values (N,) in designs that span what will be asked.

        Raises Unmodelled for what tables cannot tell.
        """
        self.task = task
        self.tables = tables
        self._samples = samples
        self._networks = tuple(Network(bench.circuit) for bench in task.benches)
        self._prepared: dict[Conditions, dict[Kind, Table]] = {}
        self._joined: dict[tuple[Table, ...], Table] = {}
        self._starts: dict[Conditions, Mapping[str, Array | None]] = {}
        """By conditions and bench: where operating points usually are (n,)."""

    @classmethod
    def of(cls, task: Task, variables: Sequence[Variable], folder: Path | None = None) -> "TableModel":
        """The model for designs in the variables' ranges, with tables in `folder`, by default in the user's cache."""
        generator = np.random.default_rng(0)
        samples = {
            each.name: np.array([each.values[0], each.values[-1], *generator.choice(each.values, _RANGE_SAMPLES)])
            for each in variables
        }
        return cls(task, samples, Tables(folder))

    def spanning(self, samples: Mapping[str, Array]) -> "TableModel":
        """The same for designs in other ranges."""
        other = copy(self)
        other._samples, other._prepared, other._starts = samples, {}, {}
        return other

    def prepare(self, conditions: Conditions = NOMINAL_CONDITIONS) -> dict[Kind, Table]:
        """The tables under some conditions, from the store or measured now; raises Unmodelled, Unmeasurable."""
        if conditions not in self._prepared:
            try:
                wanted = plans(self.task, self._networks, self._samples, conditions)
            except ExpressionError as error:
                raise Unmodelled(str(error)) from None
            self._prepared[conditions] = self.tables.of(wanted)
        return self._prepared[conditions]

    def told(
        self, designs: Mapping[str, Value], conditions: Conditions = NOMINAL_CONDITIONS, *, integrate: bool = True
    ) -> Told:
        """The metrics of designs with these values (B,) of every variable, by name.

        To `integrate` large steps takes most of the time; without, what they tell is missing.
        """
        values: list[Array] = []
        missing: list[Mapping[int, str]] = []
        for count, responses in self._parts(designs, conditions, integrate):
            batches = [_measured(measure, responses, count) for measure in self.task.measures]
            values.append(np.stack([batch.values for batch in batches], axis=1))
            missing += [
                {index: batch.missing[row] for index, batch in enumerate(batches) if row in batch.missing}
                for row in range(count)
            ]
        return Told(np.concatenate(values), tuple(missing))

    def results(
        self, designs: Mapping[str, Value], conditions: Conditions = NOMINAL_CONDITIONS, *, integrate: bool = True
    ) -> Iterator[Results]:
        """What measurements read, of one design after another; what is not known raises Missing when it is read."""
        for count, responses in self._parts(designs, conditions, integrate):
            for row in range(count):
                yield _OfDesign(responses, row)

    def _parts(
        self, designs: Mapping[str, Value], conditions: Conditions, integrate: bool
    ) -> Iterator[tuple[int, Mapping[str, Response | Unmodelled]]]:
        """The responses of so many designs at a time as fit into memory."""
        columns = {name: np.atleast_1d(designs[name]) for name in self.task.variables}
        count = max((len(column) for column in columns.values()), default=1)
        tables, held = self.prepare(conditions), dict(conditions.parameters)
        starts = self._usual(conditions, tables)
        for first in range(0, count, _AT_ONCE):
            part = {name: column[first : first + _AT_ONCE] for name, column in columns.items()}
            some = min(_AT_ONCE, count - first)
            yield some, self._responses({**held, **part}, some, tables, integrate, starts, conditions.temperature)

    def _responses(
        self,
        values: Mapping[str, Value],
        count: int,
        tables: Mapping[Kind, Table],
        integrate: bool,
        starts: Mapping[str, Array | None],
        celsius: float | None,
    ) -> Mapping[str, Response | Unmodelled]:
        found: dict[str, Response | Unmodelled] = {}
        wanted = self.task.vectors
        for bench, network in zip(self.task.benches, self._networks, strict=True):
            resolved = network.resolved(values)
            equations = Equations.of(network, self._groups(network, tables), resolved, count)
            responses = Responses(equations, resolved, integrate, starts.get(bench.name), celsius)
            for analysis in bench.analyses:
                reference = f"{bench.name}.{analysis.name}"
                if not wanted[reference] and not analysis.meas:
                    continue  # nothing is measured
                try:
                    found[reference] = responses.response(analysis, wanted[reference])
                except Unmodelled as reason:
                    found[reference] = reason
        return found

    def _usual(self, conditions: Conditions, tables: Mapping[Kind, Table]) -> Mapping[str, Array | None]:
        """By bench: where the operating points of some of the samples are (n,), to look for others from there."""
        if conditions not in self._starts:
            some: dict[str, Value] = {name: each[:_START_SAMPLES] for name, each in self._samples.items()}
            some.update(conditions.parameters)
            count = min(_START_SAMPLES, max((len(each) for each in self._samples.values()), default=1))
            found = {}
            for bench, network in zip(self.task.benches, self._networks, strict=True):
                resolved = network.resolved(some)
                equations = Equations.of(network, self._groups(network, tables), resolved, count)
                found[bench.name] = Responses(equations, resolved, integrate=False).usual
            self._starts[conditions] = found
        return self._starts[conditions]

    def _groups(self, network: Network, tables: Mapping[Kind, Table]) -> tuple[Group, ...]:
        """Devices whose tables have one layout: looked up together, which takes little longer than one alone."""
        alike: dict[Hashable, dict[Table, list[Device]]] = {}
        for device in network.tabled:
            own = tables[kind_of(device)]
            table = own.tied if is_tied(device) else own
            alike.setdefault(table.layout, {}).setdefault(table, []).append(device)
        return tuple(group(network, self._together(tuple(members)), members) for members in alike.values())

    def _together(self, tables: tuple[Table, ...]) -> Table:
        if tables not in self._joined:
            self._joined[tables] = Table.joined(tables)
        return self._joined[tables]


def _measured(measure: Measure, responses: Mapping[str, Response | Unmodelled], count: int) -> Batch:
    """A metric of all designs, missing where one of the responses that it reads is not known."""
    values, missing = np.full(count, np.nan), Reasons()
    read: dict[str, Waveforms] = {}
    for reference in measure.references:
        response = responses[reference]
        if isinstance(response, Unmodelled):
            missing.where(np.ones(count, dtype=bool), str(response))
            return Batch(values, missing)
        missing.where(~response.known, response.otherwise)
        read[reference] = response.waveforms
    rows = np.array([row for row in range(count) if row not in missing], dtype=np.intp)
    if isinstance(measure, Meas):
        told = cast(Response, responses[measure.of]).meas
        if measure.name not in told:
            missing.where(np.ones(count, dtype=bool), f".meas {measure.name}: device tables do not tell such a result")
        values = told.get(measure.name, values).copy()
        missing.where(np.isnan(values), f".meas {measure.name} found nothing")
        values[list(missing)] = np.nan
        return Batch(values, missing)
    for first in range(0, len(rows), _BLOCK):
        some = rows[first : first + _BLOCK]
        batch = measure.values(designs_of(read, some))
        values[some] = batch.values
        missing.update({int(some[row]): reason for row, reason in batch.missing.items()})
    missing.where(~np.isfinite(values), "not a finite number")
    values[list(missing)] = np.nan
    return Batch(values, missing)


class _OfDesign(Mapping[str, Waveforms]):
    """The waveforms of one design among many."""

    def __init__(self, responses: Mapping[str, Response | Unmodelled], row: int) -> None:
        self._responses = responses
        self._row = row

    def __getitem__(self, reference: str) -> Waveforms:
        """Raises Missing where they are not known."""
        response = self._responses[reference]
        if isinstance(response, Unmodelled):
            raise Missing(str(response))
        if not response.known[self._row]:
            raise Missing(response.otherwise)
        waveforms = response.waveforms
        vectors = {name: vector[self._row] for name, vector in waveforms.vectors.items()}
        found = {name: float(each[self._row]) for name, each in response.meas.items()}
        return Waveforms(waveforms.axis, vectors, {name: each for name, each in found.items() if np.isfinite(each)})

    def __iter__(self) -> Iterator[str]:
        return iter(self._responses)

    def __len__(self) -> int:
        return len(self._responses)

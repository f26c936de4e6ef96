"""The keys of a spec file, as pydantic models: what may be written where, and each entry checked by itself."""

import re
import sys
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache, reduce
from math import ceil, floor, isfinite
from operator import or_
from typing import Annotated, Any, Self

import numpy as np
from pydantic import BaseModel, BeforeValidator, Field, PrivateAttr, ValidationError, create_model, model_validator
from pydantic_core import InitErrorDetails

from sizing.errors import nearest
from sizing.measures.catalogue import MEASURES, AnyMeasure
from sizing.measures.measure import Measure, in_unit
from sizing.measures.transistors import Devices, Saturation
from sizing.specfile.commands import checked_analysis, checked_meas
from sizing.spice.kits import KITS, TYPICAL
from sizing.task.problem import Variable
from sizing.task.settings import RunSettings, Settings
from sizing.units import UNIT_NAMES, format_quantity, parse_celsius, parse_quantity

LARGEST_GRID = 100_000
MOST_VARIABLES = 200
MOST_METRICS = 1000
MOST_BENCHES = 100
MOST_FILES = 100
MOST_ANALYSES = 100
"""Analyses of a bench."""


def _scalar(value: Any) -> Any:
    endless = isinstance(value, float) and not isfinite(value)
    if endless or isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"expected a number such as 2.5 or 2.5p, got {str(value).lower():.80}")
    return value


def _option(value: Any) -> Any:
    number = isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
    if not number and not (isinstance(value, str) and re.fullmatch(r"[\w.+-]+", value)):
        raise ValueError(f"expected a number or a word, got {value!r:.80}")
    return value


def _excitation(value: Any) -> Any:
    """AC magnitudes by source name; a name alone is a magnitude of 1."""
    if not isinstance(value, str | dict | None):
        raise ValueError(f"expected the name of a source, got {value!r:.80}")
    magnitudes = {} if value is None else value if isinstance(value, dict) else {value: 1.0}
    if value == {}:
        raise ValueError("expected a source, or sources with their AC magnitudes, got an empty mapping")
    for source, magnitude in magnitudes.items():
        if not (isinstance(source, str) and re.fullmatch(r"[\w.+-]+", source)):
            raise ValueError(f"expected the name of a source, got {source!r:.80}")
        number = isinstance(magnitude, int | float) and not isinstance(magnitude, bool)
        if not number or not 0 < abs(magnitude) <= sys.float_info.max:
            raise ValueError(f"{source}: expected an AC magnitude such as 1 or -0.5, not 0, got {magnitude!r:.80}")
    if len({source.lower() for source in magnitudes}) < len(magnitudes):
        raise ValueError(f"expected each source once, got {', '.join(magnitudes)}: SPICE ignores case")
    return {source.lower(): float(magnitude) for source, magnitude in magnitudes.items()}


def _objectives(value: Any) -> Any:
    """A metric's name is one objective, a list of names several, and metrics with weights are one that is their sum."""
    if isinstance(value, str):
        return ({value: 1.0},)
    if isinstance(value, list) and value and all(isinstance(name, str) for name in value):
        return tuple({name: 1.0} for name in value)
    if isinstance(value, dict) and value:
        for name, weight in value.items():
            number = isinstance(weight, int | float) and not isinstance(weight, bool)
            if not number or not 0 < abs(weight) <= sys.float_info.max:
                raise ValueError(f"{name}: expected a weight such as 1 or 0.2, not 0, got {weight!r:.80}")
        return ({name: float(weight) for name, weight in value.items()},)
    raise ValueError(f"expected a metric, a list of metrics, or metrics with their weights, got {value!r:.80}")


def _models(value: Any) -> Any:
    """A list of entries; an entry alone may be the name of a kit."""
    entries = value if isinstance(value, list) else [value]
    return [{"kit": entry} if isinstance(entry, str) else entry for entry in entries]


Name = Annotated[str, Field(pattern=r"^\w+$")]
Scalar = str | int | float
Quantity = Annotated[Scalar, BeforeValidator(_scalar)]
SourceName = Annotated[str, Field(pattern=r"^[\w.+-]+$")]
Excitation = Annotated[
    dict[str, float],
    BeforeValidator(
        _excitation,
        json_schema_input_type=SourceName | Annotated[dict[SourceName, float], Field(min_length=1)] | None,
    ),
]
Option = Annotated[str | int | float, BeforeValidator(_option)]
Weight = Annotated[float, Field(strict=True)]
Celsius = Annotated[float, BeforeValidator(parse_celsius)]
Objectives = Annotated[
    tuple[dict[str, Weight], ...],
    BeforeValidator(
        _objectives,
        json_schema_input_type=Name
        | Annotated[list[Name], Field(min_length=1)]
        | Annotated[dict[Name, Weight], Field(min_length=1)],
    ),
]
"""Each the metrics that it is made of, with their weights."""


def _corners(value: Any) -> Any:
    if not isinstance(value, list | dict) or not value:
        raise ValueError(
            "expected a list of values, such as [27, -40, 125], or a mapping of what this corner sets, such as "
            f"{{temperature: 125}}, got {value!r:.80}"
        )
    for name in value if isinstance(value, dict) else ():
        if not (isinstance(name, str) and re.fullmatch(r"\w+", name)):
            raise ValueError(f"expected the name of a parameter, got {name!r:.80}")
    for each in value.values() if isinstance(value, dict) else value:
        _scalar(each)
    return value


CornerEntry = Annotated[
    list[Quantity] | dict[Name, Quantity],
    BeforeValidator(_corners, json_schema_input_type=list[Scalar] | dict[Name, Scalar]),
]


class ModelsEntry(Settings):
    """Device models: an installed process kit at one of its corners, or a file, whole or one section of it."""

    kit: str | None = Field(None, description=f"{' '.join(KITS.shipped)}, or one that a plug-in brings")
    corner: Name | None = Field(None, description=f"of the kit [default: {TYPICAL}]")
    path: str | None = Field(None, pattern=r'^[^"\x00-\x1f]+$', description="of a SPICE file, relative to this one")
    section: Name | None = Field(None, description="of a file with sections, `.lib NAME` to `.endl`")

    @model_validator(mode="after")
    def _kit_or_path(self) -> Self:
        if (self.kit is None) == (self.path is None):
            raise ValueError("expected either `kit` or `path`")
        if (self.path if self.corner else self.kit if self.section else None) is not None:
            raise ValueError("expected `corner` with a kit and `section` with a path")
        if self.kit is not None and self.kit not in KITS:
            raise ValueError(f"unknown kit {self.kit!r}{nearest(self.kit, KITS)}; for others give `path`")
        return self


class VariableEntry(Settings):
    """A variable: a linear range (`step`), a logarithmic one (`points` and `scale: log`), or a list of `values`.

    Both ends belong to it, unless a manufacturing `grid` moves them inwards.
    """

    from_: Quantity | None = Field(None, alias="from")
    to: Quantity | None = None
    step: Quantity | None = None
    points: int | None = Field(None, ge=2, le=LARGEST_GRID)
    scale: str = Field("linear", pattern="^(linear|log)$", description="spacing of `points`: linear or log")
    values: list[Quantity] | None = Field(None, min_length=1)
    start: Quantity | None = Field(None, description="the value to begin with, or near one of the grid: as it is today")
    unit: str = Field("", description="one of " + " ".join(UNIT_NAMES))
    grid: Quantity | None = Field(None, description="manufacturing grid: values are rounded to multiples of it")
    _choices: tuple[float, ...] = PrivateAttr()
    _start: int | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _has_choices(self) -> Self:
        if self.unit not in UNIT_NAMES:
            raise ValueError(f"unit: expected one of {' '.join(UNIT_NAMES)}, got {self.unit!r}")
        exact = sorted(self._listed() if self.values is not None else self._ranged())
        if len(set(map(float, exact))) < len(exact):
            raise ValueError("expected distinct values, got some twice")
        object.__setattr__(self, "_choices", tuple(map(float, exact if self.grid is None else self._rounded(exact))))
        if self.start is not None:
            object.__setattr__(self, "_start", self._place(float(parse_quantity(self.start, self.unit)), self._choices))
        return self

    def _place(self, start: float, choices: Sequence[float]) -> int:
        """The place of the value that is nearest."""
        if not choices[0] <= start <= choices[-1]:
            low, high = (format_quantity(end, self.unit, digits=6) for end in (choices[0], choices[-1]))
            raise ValueError(f"start: expected a value from {low} to {high}, got {self.start}")
        return int(np.abs(np.array(choices) - start).argmin())

    def _rounded(self, values: Sequence[Decimal]) -> list[Decimal]:
        """The multiples of the grid next to the values, ascending, each once and none beyond the ends."""
        grid = parse_quantity(self.grid or 0, self.unit)
        if grid <= 0:
            raise ValueError(f"expected a grid above 0, got {self.grid}")
        first, last = ceil(values[0] / grid), floor(values[-1] / grid)
        if first > last:
            raise ValueError(f"expected a multiple of the grid, {self.grid}, within the range, got none")
        return [grid * index for index in dict.fromkeys(min(max(round(each / grid), first), last) for each in values)]

    def _listed(self) -> list[Decimal]:
        if any(given is not None for given in (self.from_, self.to, self.step, self.points)):
            raise ValueError("expected either `values` or a range (from, to and step or points), got both")
        return [parse_quantity(value, self.unit) for value in self.values or ()]

    def _ranged(self) -> list[Decimal]:
        if self.from_ is None or self.to is None or (self.step is None) == (self.points is None):
            raise ValueError("expected `from`, `to` and one of `step` and `points`, or `values`")
        first, last = parse_quantity(self.from_, self.unit), parse_quantity(self.to, self.unit)
        if first > last:
            raise ValueError(f"empty range: from {self.from_} lies above to {self.to}")
        if self.points is not None:
            return self._spaced(first, last, self.points)
        step = parse_quantity(self.step or 0, self.unit)
        if step <= 0:
            raise ValueError(f"expected a step above 0, got {self.step}")
        if last - first >= step * LARGEST_GRID:
            raise ValueError(f"expected at most {LARGEST_GRID} values, got more with steps of {self.step}")
        count, rest = divmod(last - first, step)
        if rest:
            near = [format_quantity(float(first + index * step), self.unit, digits=12) for index in (count, count + 1)]
            raise ValueError(f"expected `to` on the grid: steps of {self.step} from {self.from_} miss {self.to} "
                             f"(nearest: {' and '.join(near)})")  # fmt: skip
        return [first + index * step for index in range(int(count) + 1)]

    def _spaced(self, first: Decimal, last: Decimal, points: int) -> list[Decimal]:
        if self.scale == "linear":
            return [first + (last - first) * index / (points - 1) for index in range(points)]
        if first <= 0:
            raise ValueError(f"a logarithmic range needs ends above 0, got from {self.from_}")
        inner = np.geomspace(float(first), float(last), points)[1:-1]
        return [first, *(Decimal(f"{value:.6g}") for value in inner), last]

    def variable(self, name: str) -> Variable:
        """The variable as the search sees it."""
        return Variable(name, self._choices, self.unit, self.scale, self._start)


class AnalysisEntry(Settings):
    """An analysis: the ngspice command, the sources to excite, and `.meas` results to take."""

    run: str = Field(description="such as `ac dec 10 1 10G`, `tran 1n 1u`, `op`, `noise v(out) vin dec 10 1 1G`")
    excite: Excitation = Field(
        {},
        description="source whose AC magnitude is 1 in this analysis, or sources with theirs: `{vp: 0.5, vn: -0.5}`",
    )
    meas: dict[Name, str] = Field({}, description="ngspice .meas results by name: what follows `.meas tran NAME`")

    @model_validator(mode="before")
    @classmethod
    def _short(cls, entry: Any) -> Any:
        return {"run": entry} if isinstance(entry, str) else entry

    @property
    def kind(self) -> str:
        """The analysis' first word: op, ac, tran, dc or noise."""
        return self.run.split()[0].lower()

    @model_validator(mode="after")
    def _one_command(self) -> Self:
        checked_analysis(self.run)
        mistakes: list[InitErrorDetails] = []
        for name, text in self.meas.items():
            try:
                checked_meas(self.run, text)
            except ValueError as error:
                mistakes.append(
                    InitErrorDetails(type="value_error", loc=("meas", name), input=text, ctx={"error": error})
                )
        if mistakes:
            raise ValidationError.from_exception_data(self.run, mistakes)
        return self


Models = Annotated[
    list[ModelsEntry], BeforeValidator(_models, json_schema_input_type=str | ModelsEntry | list[str | ModelsEntry])
]


class BenchEntry(Settings):
    """A test bench: a stimulus netlist around the circuit, options, and analyses by name."""

    stimulus: str = Field(description="SPICE lines: sources, loads, feedback")
    options: dict[Name, Option] = Field({}, description="ngspice .options, such as `trtol: 2e-4`")
    temperature: Celsius = Field(27.0, description="degrees Celsius")
    analyses: dict[Name, AnalysisEntry] = Field(min_length=1, max_length=MOST_ANALYSES)


class SaturationEntry(Settings):
    """Transistors that must be saturated, by some margin, at the first operating point: a metric `saturation`."""

    devices: Devices
    margin: Annotated[float, in_unit("V")] = Field(0.0, description="of |vds| above |vdsat|")

    @model_validator(mode="before")
    @classmethod
    def _short(cls, entry: Any) -> Any:
        return entry if isinstance(entry, dict) else {"devices": entry}

    def metric(self, of: str) -> Saturation:
        """What it stands for, read from the operating point `of`."""
        return Saturation(measure="saturation", of=of, devices=self.devices, at_least=self.margin)


class SpecModel(BaseModel):
    """A sizing task: circuit, variables, test benches, metrics with targets, run settings."""

    model_config = Settings.model_config | {"title": "sizing spec"}

    name: str = Field(
        "",
        pattern=r"^(\w[\w .,()+-]*)?$",
        max_length=100,
        description="of the task in tables; the file's name by default",
    )
    description: str = ""
    netlist: str = Field(description="the circuit's SPICE file, relative to this one")
    models: Models = Field([], max_length=MOST_FILES, description="process kits or files of models: `sky130`")
    variables: dict[Annotated[str, Field(pattern=r"^[A-Za-z_]\w*$")], VariableEntry] = Field(
        min_length=1, max_length=MOST_VARIABLES
    )
    benches: dict[Name, BenchEntry] = Field(min_length=1, max_length=MOST_BENCHES)
    metrics: dict[Name, AnyMeasure] = Field(min_length=1, max_length=MOST_METRICS)
    saturation: SaturationEntry | None = None
    corners: dict[Name, CornerEntry] = Field(
        {},
        description="conditions that every design has to stand: lists of temperatures and of values of parameters, all "
        "of whose combinations are corners, or mappings of these by the corner's name; the first is nominal",
    )
    minimize: Objectives = Field(
        (),
        description="objective among the designs in spec: a metric; `{ibias: 1, area: 0.2}`, a weighted sum; or a list",
    )
    maximize: Objectives = Field((), description="the same, the other way; both may be given")
    run: RunSettings = RunSettings()


@lru_cache
def spec_model(own: frozenset[type[Measure]]) -> type[SpecModel]:
    """The keys of a spec file whose metrics may be of these measurements too, which are not shipped."""
    if not own:
        return SpecModel
    kinds = (*MEASURES.shipped.values(), *sorted(own, key=lambda kind: kind.__name__))
    any_measure: Any = Annotated[reduce(or_, kinds), Field(discriminator="measure")]
    metrics = (dict[Name, any_measure], Field(min_length=1, max_length=MOST_METRICS))
    return create_model("SpecModel", __base__=SpecModel, metrics=metrics)


def json_schema() -> dict[str, Any]:
    """The JSON schema of a spec file, for editors that complete YAML; measurements of plug-ins are in it."""
    own = frozenset(kind for name, kind in MEASURES.items() if name not in MEASURES.shipped)
    schema = spec_model(own).model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema

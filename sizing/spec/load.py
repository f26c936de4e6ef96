"""A spec file, validated: its entries by themselves, then against each other and against the netlists."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sizing.bench import Analysis, Bench, Task, transistors
from sizing.bins import find_bins
from sizing.circuit import Circuit, parse_circuit
from sizing.kit import Library, subcircuits, top_level
from sizing.measures.sweep import SWEPT
from sizing.measures.table import AnyMeasure
from sizing.mistakes import InputError, nearest
from sizing.netlist import Line, NetlistError, read_netlist, read_text
from sizing.problem import Metric, Problem
from sizing.settings import RunSettings, merged
from sizing.spec.entries import SpecModel
from sizing.spec.goals import ObjectiveEntries
from sizing.spec.mistakes import Location, SpecError, dotted, in_words
from sizing.spec.models import OPTIONS, ModelFile, model_files, read_models, with_whole_paths
from sizing.spec.shipped import shipped_specs
from sizing.spec.source import SpecSource, read_source
from sizing.trust import UNTRUSTED, checked, unknown_option

SATURATION = "saturation"
"""The key of the short form, and the metric that it stands for."""


@dataclass(frozen=True)
class Spec:
    """A validated spec: what is searched, how it is simulated and measured, and how a run goes."""

    path: Path
    description: str
    netlist: Path
    problem: Problem
    models: tuple[ModelFile, ...]
    benches: tuple[Bench, ...]
    measures: tuple[AnyMeasure, ...]
    run: RunSettings
    own_run: RunSettings
    """The run settings of the file, whatever replaced them."""
    document: Mapping[str, Any]
    """The YAML as read."""

    @property
    def task(self) -> Task:
        """What a simulator needs of it."""
        return Task(self.benches, self.measures, tuple(variable.name for variable in self.problem.variables))

    def with_run(self, **overrides: Any) -> "Spec":
        """The same spec with some run settings replaced; raises SpecError where one does not fit.

        A checkpoint's path begins at the working directory here, at the spec's folder in a spec.
        """
        given = {name: value for name, value in overrides.items() if value is not None}
        settings = merged(self.run.model_dump(exclude_unset=True), given)
        run = _with_whole_paths(run_settings(settings), Path())
        return replace(self, run=run)


def run_settings(given: Mapping[str, Any]) -> RunSettings:
    """Run settings from what a spec's `run` may hold; raises SpecError with every mistake."""
    try:
        return RunSettings.model_validate(given)
    except ValidationError as error:
        bad = [(("run", *each["loc"]), each) for each in error.errors()]
        raise SpecError([f"{dotted(loc)}: {in_words(each, loc)}" for loc, each in bad]) from None


def load_spec(path: str | Path, *, trust: bool = False) -> Spec:
    """Read and validate a spec file; raises SpecError with every mistake found, each as "file:line: key: message".

    Unless one's `trust` is put in it, netlists may be read only from the spec's folder and from the shipped ones, and
    hold only what is known to be harmless.
    """
    path = Path(path)
    source = read_source(path)
    raw = source.plain()
    if not isinstance(raw, dict):
        raise SpecError([f"{path}: expected a mapping with the keys {', '.join(SpecModel.model_fields)}"])
    mistakes: list[tuple[Location, str]] = []
    model = _validated(raw, mistakes)
    spec = None
    if model is not None:
        spec = _Checker(source, model, mistakes, trust).spec()
    if mistakes or spec is None:
        raise SpecError(list(dict.fromkeys(source.place(loc, message) for loc, message in mistakes)))
    run = _with_whole_paths(spec.run, path.parent)
    models = {"models": with_whole_paths(model.models, path.parent)} if model and model.models else {}
    return replace(spec, document=raw | models, run=run, own_run=run)


def _with_whole_paths(run: RunSettings, folder: Path) -> RunSettings:
    """The settings with paths, of earlier runs and of a checkpoint that is no name, that hold anywhere."""
    if run.warm_start:
        run = run.model_copy(update={"warm_start": tuple(str((folder / path).resolve()) for path in run.warm_start)})
    checkpoint = Path(run.judge.checkpoint)
    if len(checkpoint.parts) < 2:
        return run
    judge = run.judge.model_copy(update={"checkpoint": str((folder / checkpoint).resolve())})
    return run.model_copy(update={"judge": judge})


def _validated(raw: dict[str, Any], mistakes: list[tuple[Location, str]]) -> SpecModel | None:
    """The model, without the entries that are mistaken; None where too little is left to go on."""
    try:
        return SpecModel.model_validate(raw)
    except ValidationError as error:
        bad = error.errors()
    rest = {section: dict(entries) if isinstance(entries, dict) else entries for section, entries in raw.items()}
    for each in bad:
        loc = tuple(each["loc"])
        mistakes.append((_in_file(loc, raw), in_words(each, loc)))
        if len(loc) == 1:
            rest.pop(str(loc[0]), None)
        elif isinstance(rest.get(str(loc[0])), dict):
            rest[str(loc[0])].pop(loc[1], None)
    try:
        return SpecModel.model_validate(rest)
    except ValidationError:
        return None


def _in_file(loc: Location, raw: Any) -> Location:
    """The location without the union tags that pydantic puts into it."""
    result: list[str | int] = []
    for key in loc:
        if key == "[key]":  # pydantic's mark for a mistake in the key itself
            break
        known = isinstance(raw, dict) and key in raw
        if known or not (isinstance(raw, dict) and key == raw.get("measure")):
            result.append(key)
            raw = raw[key] if known else raw
    return tuple(result)


@dataclass(frozen=True)
class _Checker:
    """Holds the parts of a spec against each other and against the netlists."""

    source: SpecSource
    model: SpecModel
    mistakes: list[tuple[Location, str]]
    trust: bool

    def spec(self) -> Spec | None:
        path, model = self.source.path, self.model
        netlist = path.parent / model.netlist
        lines, library = self._netlist(netlist), self._library()
        if lines is None or library is None:
            return None
        circuit = self._circuit(("netlist",), lines, library)
        if circuit is not None:
            self._check_variables(circuit)
        benches = [self._bench(name, lines, library) for name in model.benches]
        found = tuple(bench for bench in benches if bench is not None)
        metrics = self._metrics()
        self._check_metrics(metrics, {bench.name: bench for bench in found})
        objectives = ObjectiveEntries(model, metrics)
        self.mistakes.extend(objectives.mistakes([*self.source.plain()["metrics"], *metrics]))
        problem = self._problem(() if self.mistakes else objectives.metrics())
        return Spec(path, model.description, netlist, problem, model_files(model.models, path.parent),
                    found, tuple(metrics.values()), model.run, model.run, {})  # fmt: skip

    def _metrics(self) -> Mapping[str, AnyMeasure]:
        """The metrics, with the one that `saturation` stands for."""
        metrics, saturation = self.model.metrics, self.model.saturation
        if saturation is None:
            return metrics
        benches = self.model.benches.items()
        points = (f"{b}.{a}" for b, entry in benches for a, each in entry.analyses.items() if each.kind == "op")
        of = next(points, None)
        if of is None:
            self.mistakes.append(((SATURATION,), "expected a bench with an `op` analysis, got none; add one"))
        elif SATURATION in metrics:
            self.mistakes.append(((SATURATION,), "the metrics have one of this name too; rename that or remove this"))
        else:
            return {**metrics, SATURATION: saturation.metric(of)}
        return metrics

    def _problem(self, metrics: tuple[Metric, ...]) -> Problem:
        variables = tuple(entry.variable(name.lower()) for name, entry in self.model.variables.items())
        return Problem(self.model.name or self.source.path.stem, Path(self.model.netlist).stem, variables, metrics)

    def _netlist(self, path: Path) -> tuple[Line, ...] | None:
        try:
            what = "" if path.is_file() else "a directory" if path.is_dir() else "no such file"
        except OSError as error:
            what = str(error.strerror)
        if what:
            self.mistakes.append((("netlist",), f"expected a SPICE netlist at {path}: {what}"))
            return None
        try:
            return self._trusted(read_netlist(path, within=self._folders))
        except NetlistError as error:
            self.mistakes.append((("netlist",), str(error)))
            return None

    def _library(self) -> Library | None:
        try:
            return read_models(model_files(self.model.models, self.source.path.parent), self._folders)
        except InputError as error:
            self.mistakes.append((("models",), str(error)))
            return None

    @property
    def _folders(self) -> tuple[Path, ...] | None:
        """Where netlists may be read."""
        return None if self.trust else (self.source.path.parent, shipped_specs())

    def _trusted(self, lines: tuple[Line, ...]) -> tuple[Line, ...]:
        if not self.trust:
            checked(lines)
        return lines

    def _circuit(self, loc: Location, lines: tuple[Line, ...], library: Library) -> Circuit | None:
        """The circuit of these lines; a sub-circuit of the library is one device."""
        models = library.reached(lines)
        try:
            return parse_circuit((*top_level(models), *lines), subcircuits(models))
        except NetlistError as error:
            if loc == ("netlist",) or str(error) not in {message for _, message in self.mistakes}:
                self.mistakes.append((loc, str(error)))
            return None

    def _check_variables(self, circuit: Circuit) -> None:
        first: dict[str, str] = {}
        for name in self.model.variables:
            if (other := first.setdefault(name.lower(), name)) != name:
                self.mistakes.append((("variables", name), f"the same variable as {other!r}: SPICE ignores case"))
            if name.lower() not in circuit.parameters:
                near = nearest(name, circuit.parameters)
                self.mistakes.append((("variables", name), f"the netlist has no `.param {name}=…`{near}"))
            elif name.lower() not in circuit.used_names:
                self.mistakes.append((("variables", name), "the netlist defines this parameter but never uses it"))

    def _bench(self, name: str, netlist: tuple[Line, ...], library: Library) -> Bench | None:
        entry = self.model.benches[name]
        loc: Location = ("benches", name, "stimulus")
        path = self.source.path
        try:
            first = (self.source.line(loc) or 0) + ("\n" in entry.stimulus)
            stimulus = self._trusted(read_text(entry.stimulus, str(path), path.parent, first, within=self._folders))
            models = self._trusted(library.reached((*netlist, *stimulus)))
        except NetlistError as error:
            self.mistakes.append((loc, str(error)))
            return None
        for option in () if self.trust else filter(unknown_option, entry.options):
            self.mistakes.append((("benches", name, "options", option), UNTRUSTED.format(f"the option {option}")))
        options = {"temp": entry.temperature, **(OPTIONS if self.model.models else {}), **entry.options}
        option_line = Line(".options " + " ".join(f"{k}={v}" for k, v in options.items()), str(path), first)
        lines = (*netlist, *stimulus, option_line)
        circuit = self._circuit(loc, lines, library)
        if circuit is None:
            return None
        sources = {device.name: device for device in circuit.devices if device.kind in "vi"}
        excitable = [source for source in sources if "." not in source]  # ngspice names inner sources differently
        for key, analysis in entry.analyses.items():
            at = ("benches", name, "analyses", key, "excite")
            for source in analysis.excite:
                if source not in excitable:
                    self.mistakes.append((at, f"no source {source!r}{nearest(source, excitable)}"))
            for other in sources.values():
                if analysis.excite and "ac" in other.parameters:
                    self.mistakes.append((at, f"source {other.name} also has an AC value; take it out of the netlist"))
        analyses = tuple(
            Analysis(key, a.run, tuple(a.excite.items()), tuple((n.lower(), text) for n, text in a.meas.items()))
            for key, a in entry.analyses.items()
        )
        return Bench(name, (*models, *lines), circuit, analyses, find_bins((*models, *lines)))

    def _check_metrics(self, metrics: Mapping[str, AnyMeasure], benches: Mapping[str, Bench]) -> None:
        mistaken = self.source.plain()["benches"].keys() - self.model.benches.keys()
        known = {f"{bench}.{name}" for bench, entry in self.model.benches.items() for name in entry.analyses}
        for name, metric in metrics.items():
            at: Location = ("metrics", name) if name in self.model.metrics else (name,)
            for reference, key in zip(metric.references, ("of", "over"), strict=False):
                if reference.split(".")[0] in mistaken:
                    continue
                if reference not in known:
                    self.mistakes.append(((*at, key), f"no analysis {reference!r}{nearest(reference, known)}"))
                elif reference.split(".")[0] in benches:
                    problems = _mismatch(metric, reference, benches[reference.split(".")[0]])
                    self.mistakes.extend((at, problem) for problem in problems)


def _mismatch(metric: AnyMeasure, reference: str, bench: Bench) -> Iterator[str]:
    """What the measurement needs and this analysis does not have."""
    analysis = next(a for a in bench.analyses if a.name == reference.split(".")[1])
    if analysis.kind not in metric.kinds:
        yield f"{metric.measure} reads {' or '.join(metric.kinds)}, but {reference} is `{analysis.command}`"
    names = {name for name, _ in analysis.meas}
    if metric.measure == "meas" and metric.name not in names:
        yield f"name: {reference} has no meas {metric.name!r}{nearest(metric.name, names)}"
    if metric.measure == "regulation" and metric.unit in SWEPT and analysis.kind == "dc":
        _, source, _, _, _, *more = analysis.command.lower().split()
        if more or source[0] != SWEPT[metric.unit]:
            expected = "voltage" if metric.unit == "V/V" else "current"
            yield f"a regulation in {metric.unit} is by one swept {expected}, but {reference} is `{analysis.command}`"
    nets = bench.circuit.nets
    sources = {device.name for device in bench.circuit.devices if device.kind == "v"}
    devices = transistors(bench.circuit)
    for vector in metric.vectors:
        device = vector[1:].partition("[")[0]
        if vector.startswith("@") and device not in devices:
            inside = sorted(name for name in devices if name.startswith(f"{device}."))
            many = f"; {device} holds several, such as {inside[0]}" if inside else nearest(device, devices)
            yield f"no transistor {device!r} in bench {bench.name}{many}"
        letter, _, name = vector.rstrip(")").partition("(")
        if letter == "v" and name not in nets:
            yield f"net {name!r} is not in the netlist of bench {bench.name}{nearest(name, nets)}"
        if letter == "i" and name not in sources:
            yield f"no voltage source {name!r} in bench {bench.name}{nearest(name, sources)}"

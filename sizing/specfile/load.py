"""A spec file, validated: its entries by themselves, then against each other and against the netlists."""

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sizing.errors import InputError, nearest
from sizing.measures.catalogue import MEASURES, name_of, wrong_with
from sizing.measures.measure import Measure
from sizing.specfile.corners import CornerReader, named_processes, nominal_alone
from sizing.specfile.decks import DeckReader
from sizing.specfile.entries import SpecModel, spec_model
from sizing.specfile.fit import lacking
from sizing.specfile.goals import ObjectiveEntries
from sizing.specfile.mistakes import Location, SpecError, dotted, in_words
from sizing.specfile.models import ModelFile, with_whole_paths
from sizing.specfile.settled import set_again
from sizing.specfile.source import SpecSource, read_source
from sizing.spice.circuit import Circuit
from sizing.spice.netlist import Line
from sizing.task.bench import Bench, Task
from sizing.task.problem import Corner, Metric, Problem
from sizing.task.settings import RunSettings, merged

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
    measures: tuple[Measure, ...]
    run: RunSettings
    own_run: RunSettings
    """The run settings of the file, whatever replaced them."""
    document: Mapping[str, Any]
    """The YAML as read."""
    run_lines: Mapping[str, int]
    """In which line of the file each run setting stands, by its name such as "judge.steps"."""

    @property
    def task(self) -> Task:
        """What a simulator needs of it."""
        return Task(self.benches, self.measures, tuple(variable.name for variable in self.problem.variables))

    @classmethod
    def from_document(
        cls,
        document: Mapping[str, Any],
        folder: str | Path,
        *,
        measures: Collection[type[Measure]] = (),
        trust: bool = False,
    ) -> "Spec":
        """The spec that a file in this folder with these keys would be, validated as `load_spec` does.

        Raises SpecError with every mistake, each as "key: message".
        """
        return _validated_spec(SpecSource(Path(folder) / "document", document, is_file=False), measures, trust)

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


def load_spec(
    path: str | Path,
    *,
    measures: Collection[type[Measure]] = (),
    trust: bool = False,
    mismatch: bool = False,
) -> Spec:
    """Read and validate a spec file; raises SpecError with every mistake found, each as "file:line: key: message".

    Unless one's `trust` is put in it, netlists may be read only from the spec's folder and from the shipped ones, and
    hold only what is known to be harmless. With `mismatch` it has the nominal corner alone, of kits the one in which
    devices deviate from each other at random. `measures` are measurements of one's own that no package brings, as
    classes at the top of a file, since simulator processes import them.
    """
    return _validated_spec(read_source(Path(path)), measures, trust, mismatch)


def _validated_spec(
    source: SpecSource, measures: Collection[type[Measure]], trust: bool, mismatch: bool = False
) -> Spec:
    path, raw = source.path, source.plain()
    if not isinstance(raw, dict):
        raise SpecError([source.place((), f"expected a mapping with the keys {', '.join(SpecModel.model_fields)}")])
    mistakes: list[tuple[Location, str]] = []
    model = _validated(raw, spec_model(_own_measures(source, raw, measures)), mistakes)
    spec = None
    if model is not None:
        if mismatch:
            model = model.model_copy(update={"corners": nominal_alone(model.corners)})
        spec = _Checker(source, model, mistakes, DeckReader(source, model, mistakes, trust, mismatch)).spec()
    if mistakes or spec is None:
        raise SpecError(list(dict.fromkeys(source.place(loc, message) for loc, message in mistakes)))
    run = _with_whole_paths(spec.run, path.parent)
    models = {"models": with_whole_paths(model.models, path.parent)} if model and model.models else {}
    return replace(spec, document=raw | models, run=run, own_run=run, run_lines=_run_lines(source, raw))


def _own_measures(
    source: SpecSource, raw: Mapping[str, Any], given: Collection[type[Measure]]
) -> frozenset[type[Measure]]:
    """The measurements that are not shipped: those given, and those of plug-ins that the spec names."""
    for kind in given:
        if wrong := wrong_with(kind):
            raise InputError(f"measures: {wrong}")
    known = {*MEASURES.shipped, *map(name_of, given)}
    metrics = raw.get("metrics")
    found = set(given)
    for metric, entry in metrics.items() if isinstance(metrics, dict) else ():
        name = entry.get("measure") if isinstance(entry, dict) else None
        if isinstance(name, str) and name not in known:
            try:
                found |= {MEASURES[name]} if name in MEASURES else set()
            except InputError as error:
                raise SpecError([source.place(("metrics", metric, "measure"), str(error))]) from error
    return frozenset(found)


def _run_lines(source: SpecSource, raw: Mapping[str, Any]) -> Mapping[str, int]:
    lines: dict[str, int] = {}
    for key, value in (raw.get("run") or {}).items():
        inner = [(key, name) for name in value] if isinstance(value, dict) else [(key,)]
        lines |= {".".join(loc): line for loc in inner if (line := source.line(("run", *loc))) is not None}
    return lines


def _with_whole_paths(run: RunSettings, folder: Path) -> RunSettings:
    """The settings with paths, of earlier runs and of a checkpoint that is no name, that hold anywhere."""
    if run.warm_start:
        run = run.model_copy(update={"warm_start": tuple(str((folder / path).resolve()) for path in run.warm_start)})
    checkpoint = Path(run.judge.checkpoint)
    if len(checkpoint.parts) < 2:
        return run
    judge = run.judge.model_copy(update={"checkpoint": str((folder / checkpoint).resolve())})
    return run.model_copy(update={"judge": judge})


def _validated(raw: dict[str, Any], model: type[SpecModel], mistakes: list[tuple[Location, str]]) -> SpecModel | None:
    """The model, without the entries that are mistaken; None where too little is left to go on."""
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        bad = error.errors()
    rest = {section: dict(entries) if isinstance(entries, dict) else entries for section, entries in raw.items()}
    for each in bad:
        loc = tuple(each["loc"])
        mistakes.append((_in_file(loc, raw), in_words(each, loc, model)))
        if len(loc) == 1:
            rest.pop(str(loc[0]), None)
        elif isinstance(rest.get(str(loc[0])), dict):
            rest[str(loc[0])].pop(loc[1], None)
    try:
        return model.model_validate(rest)
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
    decks: DeckReader

    def spec(self) -> Spec | None:
        path, model = self.source.path, self.model
        netlist = path.parent / model.netlist
        lines, libraries = self.decks.netlist(netlist), self.decks.libraries()
        if lines is None or libraries is None:
            return None
        circuit = self.decks.circuit(("netlist",), lines, libraries[self.decks.nominal])
        if circuit is not None:
            if not self.decks.harmless(("netlist",), lines):
                return None
            self._check_variables(circuit, lines)
        benches = [self.decks.bench(name, lines, libraries) for name in model.benches]
        found = tuple(bench for bench in benches if bench is not None)
        metrics = self._metrics()
        self._check_metrics(metrics, {bench.name: bench for bench in found})
        objectives = ObjectiveEntries(model, metrics)
        self.mistakes.extend(objectives.mistakes([*self.source.plain()["metrics"], *metrics]))
        corners = self._corners(found)
        problem = self._problem(() if self.mistakes else objectives.metrics(), corners)
        return Spec(path, model.description, netlist, problem, self.decks.model_files(self.decks.nominal),
                    found, tuple(metrics.values()), model.run, model.run, {}, {})  # fmt: skip

    def _corners(self, benches: Sequence[Bench]) -> tuple[Corner, ...]:
        """The corners, where every bench could be read: another one may have the parameters."""
        if len(benches) < len(self.source.plain()["benches"]):
            return ()
        used = {name for bench in benches for name in bench.circuit.parameters if name in bench.circuit.used_names}
        variables = {name.lower() for name in self.model.variables}
        processes = list(named_processes(self.model.corners))
        return CornerReader(variables, sorted(used), processes, self.mistakes).corners(self.model.corners)

    def _metrics(self) -> Mapping[str, Measure]:
        """The metrics, with the one that `saturation` stands for."""
        metrics, saturation = self.model.metrics, self.model.saturation
        if saturation is None:
            return metrics
        benches = self.model.benches.items()
        points = (f"{b}.{a}" for b, entry in benches for a, each in entry.analyses.items() if each.kind == "op")
        of = next(points, None)
        if of is None and self._mistaken_benches:
            return metrics  # one of them may have it
        if of is None:
            self.mistakes.append(((SATURATION,), "expected a bench with an `op` analysis, got none; add one"))
        elif SATURATION in metrics:
            self.mistakes.append(((SATURATION,), "the metrics have one of this name too; rename that or remove this"))
        else:
            return {**metrics, SATURATION: saturation.metric(of)}
        return metrics

    def _problem(self, metrics: tuple[Metric, ...], corners: tuple[Corner, ...]) -> Problem:
        model, stem = self.model, self.source.path.stem
        variables = tuple(entry.variable(name.lower()) for name, entry in model.variables.items())
        return Problem(model.name or stem, Path(model.netlist).stem, variables, metrics, corners)

    def _check_variables(self, circuit: Circuit, netlist: Sequence[Line]) -> None:
        first: dict[str, str] = {}
        for name in self.model.variables:
            if (other := first.setdefault(name.lower(), name)) != name:
                self.mistakes.append((("variables", name), f"the same variable as {other!r}: SPICE ignores case"))
            if name.lower() not in circuit.parameters:
                near = nearest(name, circuit.parameters)
                self.mistakes.append((("variables", name), f"the netlist has no `.param {name}=…`{near}"))
            elif name.lower() not in circuit.used_names:
                self.mistakes.append((("variables", name), "the netlist defines this parameter but never uses it"))
            if again := set_again(netlist, name.lower()):
                place = f"{again.file}:{again.number}"
                self.mistakes.append(
                    (("variables", name), f"expected one `.param {name}=…`, got another at {place}; remove one")
                )

    @property
    def _mistaken_benches(self) -> Set[str]:
        """Those of the file that are mistaken in themselves."""
        return set(self.source.plain()["benches"]) - set(self.model.benches)

    def _check_metrics(self, metrics: Mapping[str, Measure], benches: Mapping[str, Bench]) -> None:
        mistaken = self._mistaken_benches
        known = {f"{bench}.{name}" for bench, entry in self.model.benches.items() for name in entry.analyses}
        for name, metric in metrics.items():
            at: Location = ("metrics", name) if name in self.model.metrics else (name,)
            for reference, key in zip(metric.references, ("of", "over"), strict=False):
                if reference.split(".")[0] in mistaken:
                    continue
                if reference not in known:
                    self.mistakes.append(((*at, key), f"no analysis {reference!r}{nearest(reference, known)}"))
                elif reference.split(".")[0] in benches:
                    problems = lacking(metric, reference, benches[reference.split(".")[0]])
                    self.mistakes.extend((at, problem) for problem in problems)

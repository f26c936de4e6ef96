"""A run folder, written: never over another, and taken up again only where the journal agrees to the byte."""

import json
import os
import platform
import socket
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from io import StringIO
from pathlib import Path
from shutil import rmtree
from typing import Any, Self

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import LiteralScalarString

from sizing.evaluation.evidence import Evidence
from sizing.files import CannotWrite, cannot_make, only_writer, remove_parts, sync_folder, write_whole
from sizing.runs.events import Decided, Ended, Event, Progress, Simulated
from sizing.runs.records.evidence import EVIDENCE
from sizing.runs.records.journal import Journal, RunError
from sizing.search.optimizer import Decision
from sizing.simulation.cache import KeyOf
from sizing.simulation.simulator import outcome_entries
from sizing.specfile.load import Spec
from sizing.specfile.models import deck_lines
from sizing.spice.netlist import inline_includes
from sizing.spice.parameters import parameter_files

FORMAT = 2
"""1 was a journal without seals, which can be read but not taken up."""
SECONDS_BETWEEN_NOTES = 5.0
TABLES = ("designs.csv", "sized.cir", "table.csv")
"""What is written after the summary, in this order."""
OWN_FOLDER = "own"
"""The folder of the user's files that give variables their values."""
_SUMMARY = "summary.json"
_ELAPSED = "elapsed.json"
PACKAGES = ("circuit-sizing", "numpy", "deap", "PySpice", "torch", "torch-geometric", "safetensors")


class RunFolder:
    """The folder of one run, held by this process alone while the `with` block lasts.

    Raises InputError where another process holds it, and CannotWrite where the disk is full or fails; the run can be
    taken up then.
    """

    def __init__(self, path: Path, corners: int) -> None:
        """`corners` is how many the run's problem has."""
        self.path = path
        self._corners = corners
        self.seconds_before: Mapping[str, float] = {}
        """Times of the run so far, where it is taken up."""
        self._journal: Journal
        self._noted = -SECONDS_BETWEEN_NOTES

    @classmethod
    def create(
        cls,
        path: Path,
        spec: Spec,
        method: str,
        simulator: str,
        checkpoint: Mapping[str, Any] | None = None,
        cache: Path | None = None,
        evidence: Sequence[Evidence] = (),
        key: KeyOf | None = None,
    ) -> Self:
        """A new folder with the resolved spec, the circuit and the manifest; raises RunError where one exists.

        `method` is the variant that searches, `simulator` says which one simulates, `checkpoint` which pretrained
        network, and `cache` which cache of simulations the run uses, if any. `evidence` is kept in the folder, so that
        it stands alone, and of `key` what tells later runs whether they are of the same circuit.
        """
        cls.refuse_existing(path)
        partial = path.with_name(f".{path.name}.{os.getpid()}.part")
        before = {"warm_start": [{"run": each.run, "simulations": each.simulations} for each in evidence]}
        manifest = (
            _manifest(spec, method, simulator) | {"checkpoint": checkpoint, "cache": cache and str(cache)} | before
        )
        if key:
            names = [metric.name for metric in spec.problem.measured]
            manifest |= {"circuit": key.circuit, "measures": dict(zip(names, key.measures, strict=True))}
        circuit = inline_includes(spec.netlist.read_text(encoding="utf-8"), spec.netlist.parent)
        try:
            (partial / "circuit").mkdir(parents=True)
            write_whole(partial / "circuit" / spec.netlist.name, circuit.encode())
            for place, file in _own_files(spec).items():
                (partial / OWN_FOLDER / place).parent.mkdir(parents=True, exist_ok=True)
                write_whole(partial / OWN_FOLDER / place, file.read_bytes())
            write_whole(partial / "spec.yaml", _resolved(spec).encode())
            if evidence:
                write_whole(partial / EVIDENCE, _json({"runs": [each.to_json() for each in evidence]}))
            write_whole(partial / "manifest.json", _json(manifest))
            partial.rename(path)
            sync_folder(path.parent)
        except OSError as error:
            rmtree(partial, ignore_errors=True)
            raise cannot_make(path, error) from None
        return cls(path, len(spec.problem.corners))

    @staticmethod
    def refuse_existing(path: Path) -> None:
        """Raise RunError where something is already there."""
        if path.exists():
            raise RunError(
                f"{path} already exists, and a run is never overwritten: look at it with `sizing show {path}`, "
                "or choose another --out or --seed"
            )

    @property
    def replaying(self) -> bool:
        """Whether the run being taken up has yet to reach the point where it ended."""
        return self._journal.replaying

    def __call__(self, event: Event) -> None:
        """Keep what the journal and the files beside it have of an event."""
        with self._writing():
            match event:
                case Simulated():
                    self._simulated(event)
                case Decided():
                    self._decided(event)
                case Progress() if not self.replaying:
                    self._note(event.times)
                case Ended():
                    self._journal.sync()
                    summary = {"status": event.status, **event.times, "seal": self._journal.seal}
                    write_whole(self.path / _SUMMARY, _json(summary))
                    (self.path / _ELAPSED).unlink(missing_ok=True)

    def _simulated(self, event: Simulated) -> None:
        """One simulation, with its corner where there are several."""
        simulation = event.simulation
        line = {"evaluation": simulation.index, "purpose": event.purpose, "design": simulation.design}
        corner = {"corner": simulation.corner} if self._corners > 1 else {}
        self._journal.append(line | corner | outcome_entries(simulation.outcome))

    def _decided(self, event: Decided) -> None:
        """Which evaluations joined the population together, and the decision and any looks behind them."""
        line: dict[str, Any] = {"batch": [evaluation.index for evaluation in event.evaluations]}
        line |= {} if event.looks is None else {"looks": event.looks}
        self._journal.append(line | ({"decision": _entries(event.decision)} if event.decision else {}))
        if not self._journal.replaying:
            self._journal.sync()

    def _note(self, times: Mapping[str, float]) -> None:
        """Keep the run's times so far beside the journal, now and then, for the case that the run is killed."""
        if time.monotonic() - self._noted >= SECONDS_BETWEEN_NOTES:
            write_whole(self.path / _ELAPSED, _json(times))
            self._noted = time.monotonic()

    def __enter__(self) -> Self:
        with self._writing(), ExitStack() as stack:
            stack.enter_context(only_writer(self.path, "run"))
            self._journal = stack.enter_context(Journal(self.path))
            self._take_up()
            self._held = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    def _take_up(self) -> None:
        """Read the times so far; the summary and tables of a run that was interrupted go, for they hold no longer."""
        remove_parts(self.path)
        summary, elapsed = self.path / _SUMMARY, self.path / _ELAPSED
        if summary.exists():
            kept = json.loads(summary.read_bytes())
            times = {name: value for name, value in kept.items() if name not in ("status", "seal")}
            write_whole(elapsed, _json(times))
            summary.unlink()
        for table in TABLES:
            (self.path / table).unlink(missing_ok=True)
        if elapsed.exists():
            self.seconds_before = json.loads(elapsed.read_bytes())

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise cannot_write(self.path, error) from error


def cannot_write(run: Path, error: OSError) -> CannotWrite:
    """What to say where a run under way cannot be written."""
    return CannotWrite(
        f"{run}: cannot be written: {error.strerror}; once that is put right, `sizing resume {run}` goes on"
    )


def _entries(decision: Decision) -> dict[str, Any]:
    """As in the journal, where an aim stands only in a run that has one."""
    entries = asdict(decision)
    return entries if decision.aim else {name: value for name, value in entries.items() if name != "aim"}


def _json(document: Mapping[str, Any]) -> bytes:
    return (json.dumps(document, indent=1) + "\n").encode()


def _resolved(spec: Spec) -> str:
    """The spec with its run settings filled in and the circuit beside it, so that the folder stands alone."""
    names = {"name": spec.problem.name, "netlist": f"circuit/{spec.netlist.name}"}
    document = dict(spec.document) | names | {"run": spec.run.model_dump(exclude_none=True)}
    document["benches"] = {
        name: bench | {"stimulus": LiteralScalarString(inline_includes(bench["stimulus"], spec.path.parent))}
        for name, bench in document["benches"].items()
    }
    stream = StringIO()
    yaml = YAML()
    yaml.width = 110
    yaml.dump(document, stream)
    return stream.getvalue()


def _own_files(spec: Spec) -> dict[str, Path]:
    """The files with the variables' `.param` lines, by their place below the folder that they share with the netlist.

    A stimulus that stands in the spec itself is none.
    """
    names = [variable.name.lower() for variable in spec.problem.variables]
    lines = [line for bench in spec.benches for line in bench.lines if Path(line.file) != spec.path]
    files = {Path(file).resolve() for file in parameter_files(lines, names)}
    shared = os.path.commonpath([spec.netlist.parent.resolve(), *(file.parent for file in files)])
    return {str(file.relative_to(shared)): file for file in sorted(files)}


def _manifest(spec: Spec, method: str, simulator: str) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "spec": spec.problem.name,
        "spec_file": str(spec.path),
        "topology": spec.problem.topology,
        "netlist": f"circuit/{spec.netlist.name}",
        "models": deck_lines(spec.models),
        "method": method,
        "seed": spec.run.seed,
        "initial_designs": "distinct uniform random, by spec and seed alone: the same for every method",
        "run": spec.run.model_dump(),
        "command": sys.argv,
        "created": datetime.now().astimezone().isoformat(timespec="seconds"),
        "host": socket.gethostname(),
        "platform": platform.platform(),
        "versions": {"python": platform.python_version(), "simulator": simulator, **_versions()},
        "problem": asdict(spec.problem),
    }


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found

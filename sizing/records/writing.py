"""A run folder, written: never over another, and taken up again only where the journal agrees to the byte."""

import fcntl
import json
import os
import platform
import socket
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from io import StringIO
from pathlib import Path
from typing import Any, Self

import numpy as np
from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import LiteralScalarString

from sizing.evaluation import Evaluation, Purpose
from sizing.netlist import inline_includes
from sizing.records.reading import RunError
from sizing.search.methods import variant
from sizing.search.optimizer import Decision
from sizing.simulation.simulator import Failed
from sizing.spec.load import Spec

FORMAT = 1
PACKAGES = ("circuit-sizing", "numpy", "deap", "PySpice", "torch", "torch-geometric", "safetensors")


class RunFolder:
    """The journal of one run, open for writing by this process alone.

    The journal holds no clock, so that the same spec and seed give the same bytes whatever the number of workers. A run
    taken up again writes the same lines as before: those the journal has are compared, not written twice.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._journal = (path / "journal.jsonl").open("a+", encoding="utf-8")
        try:
            fcntl.flock(self._journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._journal.close()
            raise RunError(f"{path}: another process writes this run; wait for it or end it") from None
        self._held = self._complete_lines()

    @classmethod
    def create(cls, path: Path, spec: Spec, ngspice: str, checkpoint: Mapping[str, Any] | None = None) -> Self:
        """A new folder with the resolved spec, the circuit and the manifest; raises RunError where one exists.

        `checkpoint` says which pretrained network the run uses, if any.
        """
        cls.refuse_existing(path)
        partial = path.with_name(f"{path.name}.part{os.getpid()}")
        (partial / "circuit").mkdir(parents=True)
        circuit = inline_includes(spec.netlist.read_text(encoding="utf-8"), spec.netlist.parent)
        (partial / "circuit" / spec.netlist.name).write_text(circuit, encoding="utf-8")
        (partial / "spec.yaml").write_text(_resolved(spec), encoding="utf-8")
        (partial / "manifest.json").write_text(
            json.dumps(_manifest(spec, ngspice) | {"checkpoint": checkpoint}, indent=1) + "\n", encoding="utf-8"
        )
        partial.rename(path)
        return cls(path)

    @staticmethod
    def refuse_existing(path: Path) -> None:
        """Raise RunError where something is already there."""
        if path.exists():
            raise RunError(
                f"{path} already exists, and a run is never overwritten: look at it with `sizing show {path}`, "
                "or choose another --out or --seed"
            )

    def evaluation(self, evaluation: Evaluation, purpose: Purpose) -> None:
        """Append one simulation."""
        line: dict[str, Any] = {"evaluation": evaluation.index, "purpose": purpose, "design": evaluation.design}
        outcome = evaluation.outcome
        if isinstance(outcome, Failed):
            line |= {"failed": outcome.reason, "message": outcome.message}
        else:
            line["values"] = [None if np.isnan(value) else value for value in outcome.values]
            if outcome.missing:
                line["missing"] = {str(index): reason for index, reason in outcome.missing.items()}
        self._append(line)

    def batch(self, evaluations: Sequence[Evaluation], decision: Decision | None) -> None:
        """Append which evaluations joined the population together, and the decision behind them."""
        line: dict[str, Any] = {"batch": [evaluation.index for evaluation in evaluations]}
        self._append(line | ({"decision": asdict(decision)} if decision else {}))

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Write the summary."""
        partial = self.path / "summary.json.part"
        partial.write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
        partial.replace(self.path / "summary.json")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._journal.close()

    def _append(self, line: Mapping[str, Any]) -> None:
        text = json.dumps(line, separators=(",", ":"))
        if self._held:
            if (held := self._held.popleft()) != text:
                raise RunError(
                    f"{self.path}: cannot be taken up again: its journal has {held:.200} where this machine and these "
                    f"versions give {text:.200}; start a new run"
                )
            return
        self._journal.write(text + "\n")
        self._journal.flush()

    def _complete_lines(self) -> deque[str]:
        """The lines of the journal; a last one that was torn is cut off."""
        self._journal.seek(0)
        text = self._journal.read()
        whole = text[: text.rfind("\n") + 1]
        if whole != text:
            self._journal.truncate(len(whole.encode()))
        return deque(whole.splitlines())


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


def _manifest(spec: Spec, ngspice: str) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "spec": spec.problem.name,
        "spec_file": str(spec.path),
        "topology": spec.problem.topology,
        "netlist": f"circuit/{spec.netlist.name}",
        "method": variant(spec.run, spec.own_run),
        "seed": spec.run.seed,
        "initial_designs": "distinct uniform random, by spec and seed alone: the same for every method",
        "run": spec.run.model_dump(),
        "command": sys.argv,
        "created": datetime.now().astimezone().isoformat(timespec="seconds"),
        "host": socket.gethostname(),
        "platform": platform.platform(),
        "versions": {"python": platform.python_version(), "ngspice": ngspice, **_versions()},
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

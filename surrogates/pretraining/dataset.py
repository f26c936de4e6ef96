"""Data sets of operating points on disk: a netlist and arrays per circuit, and a manifest that vouches for them.

manifest.json       what is in it, how it was drawn, versions, and a SHA-256 of every other file
CIRCUIT.cir         the netlist, which is the topology; every drawn value is a top-level parameter of it
CIRCUIT.npz         values (n, V), voltages (n, N), and graph-level targets (n,) by name, all float32
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from sizing.errors import InputError
from sizing.files import write_whole
from sizing.spice.circuit import parse_circuit
from sizing.spice.netlist import read_text
from surrogates.networks.graph import CircuitGraph, Topology

FORMAT = 1
Array = NDArray[np.float32]


class DatasetError(InputError):
    """A data set that is not what it claims to be; the message says where, and what to do."""


@dataclass(frozen=True)
class Samples:
    """Operating points of one circuit: parameter values (n, V), voltages (n, N) of the topology's nets in its order."""

    name: str
    netlist: str
    variables: tuple[str, ...]
    values: Array
    voltages: Array
    targets: Mapping[str, Array] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.values)

    @cached_property
    def graph(self) -> CircuitGraph:
        """The circuit as a graph."""
        return graph_of(self.netlist, self.name)

    @property
    def topology(self) -> Topology:
        """The graph's topology."""
        return self.graph.topology

    @cached_property
    def parameters(self) -> Array:
        """Device features (n, D, FEATURES)."""
        return self.graph.parameters({name: self.values[:, v].astype(float) for v, name in enumerate(self.variables)})

    def __getitem__(self, rows: slice) -> "Samples":
        targets = {name: target[rows] for name, target in self.targets.items()}
        return Samples(self.name, self.netlist, self.variables, self.values[rows], self.voltages[rows], targets)


def graph_of(netlist: str, name: str) -> CircuitGraph:
    """The graph of netlist text without includes."""
    return CircuitGraph(parse_circuit(read_text(netlist, f"{name}.cir", Path())))


@dataclass(frozen=True)
class CircuitEntry:
    """What the manifest says of one circuit: rows kept, operating points that failed by reason, what was drawn."""

    name: str
    rows: int
    failed: Mapping[str, int]
    ranges: Mapping[str, tuple[float, float]]
    nets: tuple[str, ...]
    targets: tuple[str, ...]
    files: Mapping[str, str]


@dataclass(frozen=True)
class Manifest:
    """A data set's own account of itself; `plan` is a digest of all that decided its contents."""

    name: str
    seed: int
    plan: str
    versions: Mapping[str, str]
    circuits: tuple[CircuitEntry, ...]
    format: int = FORMAT

    @property
    def digest(self) -> str:
        """One SHA-256 over all files: what a checkpoint names its data by."""
        files = json.dumps([dict(sorted(circuit.files.items())) for circuit in self.circuits])
        return hashlib.sha256(files.encode()).hexdigest()


def write_circuit(folder: Path, samples: Samples, failed: Mapping[str, int]) -> CircuitEntry:
    """Write one circuit's files, each whole or not at all; what the manifest should say of it."""
    if not (np.isfinite(samples.values).all() and np.isfinite(samples.voltages).all()):
        raise DatasetError(
            f"{folder}: {samples.name}: expected finite values and voltages, got others; nothing written"
        )
    names = (f"{samples.name}.cir", f"{samples.name}.npz")
    targets = {f"target_{name}": target for name, target in samples.targets.items()}
    write_whole(folder / names[0], samples.netlist.encode())
    write_whole(folder / names[1], packed(values=samples.values, voltages=samples.voltages, **targets))
    low, high = samples.values.min(axis=0), samples.values.max(axis=0)
    return CircuitEntry(
        samples.name,
        len(samples),
        dict(failed),
        {name: (float(low[v]), float(high[v])) for v, name in enumerate(samples.variables)},
        samples.topology.nets,
        tuple(samples.targets),
        {name: digest_of(folder / name) for name in names},
    )


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """The manifest last: a folder without one is a data set under way."""
    text = json.dumps(asdict(manifest), indent=1) + "\n"
    write_whole(folder / "manifest.json", text.encode())


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a data set; raises DatasetError where there is none, or one of another format."""
    path = folder / "manifest.json"
    if not path.is_file():
        raise DatasetError(
            f"{folder}: expected a finished data set, found no manifest.json; make it with `sizing dataset`"
        )
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        if raw.get("format") != FORMAT:
            raise DatasetError(f"{path}: expected format {FORMAT}, got {raw.get('format')!r}; make the data set again")
        circuits = tuple(
            CircuitEntry(
                entry["name"], entry["rows"], entry["failed"],
                {name: (low, high) for name, (low, high) in entry["ranges"].items()},
                tuple(entry["nets"]), tuple(entry["targets"]), entry["files"],
            )
            for entry in raw["circuits"]
        )  # fmt: skip
        return Manifest(raw["name"], raw["seed"], raw["plan"], raw["versions"], circuits)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, DatasetError):
            raise
        raise DatasetError(
            f"{path}: expected a manifest, got something else ({error}); make the data set again"
        ) from None


def read_dataset(folder: Path) -> tuple[Manifest, tuple[Samples, ...]]:
    """A whole data set; raises DatasetError where a file is missing or not the one that the manifest describes."""
    manifest = read_manifest(folder)
    return manifest, tuple(_samples(folder, entry) for entry in manifest.circuits)


def _samples(folder: Path, entry: CircuitEntry) -> Samples:
    for name, expected in entry.files.items():
        if Path(name).name != name or not (folder / name).is_file():
            raise DatasetError(f"{folder}: expected the file {name!r} that the manifest names, found none")
        if digest_of(folder / name) != expected:
            raise DatasetError(
                f"{folder / name}: not the file that the manifest describes (SHA-256); make the data set again"
            )
    try:
        with (folder / f"{entry.name}.npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            values, voltages = arrays["values"], arrays["voltages"]
            targets = {name: arrays[f"target_{name}"] for name in entry.targets}
    except (KeyError, ValueError, EOFError, OSError, BadZipFile) as error:
        raise DatasetError(f"{folder / entry.name}.npz: expected the arrays that the manifest lists: {error}") from None
    netlist = (folder / f"{entry.name}.cir").read_text(encoding="utf-8")
    samples = Samples(entry.name, netlist, tuple(entry.ranges), values, voltages, targets)
    shapes = (values.shape, voltages.shape, *(target.shape for target in targets.values()))
    expected_shapes = (
        (entry.rows, len(entry.ranges)),
        (entry.rows, len(entry.nets)),
        *((entry.rows,) for _ in targets),
    )
    if samples.topology.nets != entry.nets:
        raise DatasetError(
            f"{folder / entry.name}.cir: expected the nets {', '.join(entry.nets)} of the manifest in this order, got "
            f"{', '.join(samples.topology.nets)}; make the data set again"
        )
    if shapes != expected_shapes:
        raise DatasetError(f"{folder / entry.name}.npz: expected shapes {expected_shapes}, got {shapes}")
    if not (np.isfinite(values).all() and np.isfinite(voltages).all()):
        raise DatasetError(f"{folder / entry.name}.npz: expected finite voltages, got others; make the data set again")
    return samples


def packed(**arrays: NDArray[Any]) -> bytes:
    """Arrays as the bytes of an .npz file."""
    buffer = BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def digest_of(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

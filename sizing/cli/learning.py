"""The commands that show what graph networks see of a circuit, and how well they know it."""

import json
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sizing.cli.trust import TrustOption
from sizing.errors import InputError

if TYPE_CHECKING:
    from sizing.specfile.load import Spec
    from sizing.task.bench import Bench


def graph(
    spec: Annotated[Path, typer.Argument(metavar="SPEC", help="spec file (YAML)")],
    bench: Annotated[str | None, typer.Option(help="test bench [default: the first]")] = None,
    out: Annotated[Path | None, typer.Option(help=".svg or .png [default: runs/graphs/SPEC-BENCH.svg]")] = None,
    trust: TrustOption = False,
) -> None:
    """Draw and count the graph of a bench's circuit with its stimulus: what graph networks see.

    The picture in the default place is drawn anew each time; a file named with --out is never overwritten.

    Example: sizing graph specs/opamp_cc.yaml --bench follower --out follower.svg
    """
    from sizing.specfile.load import load_spec

    task = load_spec(spec, trust=trust)
    chosen = bench_of(task, bench)
    if out is not None and out.exists():
        raise InputError(f"{out} already exists, and nothing is overwritten: choose another --out")
    circuit = import_module("surrogates.networks.graph").CircuitGraph(chosen.circuit)
    circuit.parameters({})  # a network could not read the devices that this refuses
    topology = circuit.topology
    title = f"{task.problem.name}, {chosen.name}"
    if out is None:
        out = Path("runs/graphs") / f"{task.problem.name}-{chosen.name}.svg"
        out.parent.mkdir(parents=True, exist_ok=True)
    import_module("surrogates.networks.drawing").draw(topology, title, out)
    print(f"{title}: {len(topology.nets)} nets, {len(topology.devices)} devices, {topology.terminals} terminals")
    print(f"terminal-level graph: {topology.nodes} nodes, {topology.edges} edges")
    print(out)


def bench_of(spec: "Spec", name: str | None) -> "Bench":
    """A spec's test bench by name, else its first; raises InputError for an unknown name."""
    benches = {each.name: each for each in spec.benches}
    if name is not None and name not in benches:
        raise InputError(f"--bench: expected a test bench of {spec.path} ({', '.join(benches)}), got {name!r}")
    return benches[name or next(iter(benches))]


def accuracy(
    checkpoint: Annotated[str, typer.Argument(metavar="CHECKPOINT", help="a shipped one by name, or a path")],
    data: Annotated[Path, typer.Argument(metavar="DATA", help="folder of a data set")],
    k: Annotated[int, typer.Option("--k", min=1, help="K of Acc@K")] = 200,
    rows: Annotated[int | None, typer.Option(min=1, help="only the last rows of each circuit")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the result as JSON")] = False,
) -> None:
    """How well a trained graph network tells the voltages of a data set's circuits, without further training.

    Acc@K is the share of voltages told within 1/K of their range over the circuit's nets that no source holds.

    Example: sizing accuracy opamp runs/data/my_amplifier
    """
    backbone, _ = import_module("surrogates.networks.checkpoints").read_checkpoint(checkpoint)
    _, samples = import_module("surrogates.pretraining.dataset").read_dataset(data)
    measured = import_module("surrogates.pretraining.accuracy").accuracy_of
    found = {each.name: measured(backbone, [each if rows is None else each[-rows:]], k) for each in samples}
    if as_json:
        print(json.dumps({name: asdict(each) for name, each in found.items()}, indent=1))
        return
    for name, each in found.items():
        print(
            f"{name}: Acc@{k} {each.at_k_free:.4f} over nets that no source holds ({each.at_k:.4f} over all), "
            f"mean error {1e3 * each.mean_error_free:.3g} mV"
        )

"""The commands that make data sets and train graph networks on them."""

import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from sizing.cli.trust import TrustOption

DATA = Path("runs/data")
OPERATING_POINTS = 10_000
"""Drawn of a spec's circuit, unless told otherwise."""


def dataset(
    source: Annotated[str, typer.Argument(metavar="NAME|SPEC", help="a named data set, or a spec file (YAML)")],
    n: Annotated[
        int | None, typer.Option("--n", min=10, help="operating points to draw, of a spec's circuit [default: 10000]")
    ] = None,
    bench: Annotated[str | None, typer.Option(help="test bench of the spec [default: the first]")] = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    out: Annotated[Path | None, typer.Option(help="folder [default: runs/data/NAME]")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="simulator processes [default: one per core]")] = None,
    trust: TrustOption = False,
) -> None:
    """Draw operating points of a circuit, for pretraining. Interrupted, the same command goes on.

    Example: sizing dataset opamp
    """
    manifest, folder = made_dataset(source, out, n=n, bench=bench, seed=seed, workers=workers, trust=trust)
    for circuit in manifest.circuits:
        failed = ", ".join(f"{count} {reason}" for reason, count in circuit.failed.items())
        print(f"{circuit.name}: {circuit.rows} operating points{f' (left out: {failed})' if failed else ''}")
    print(f"{folder}, SHA-256 {manifest.digest[:16]}")


def pretrain(
    recipe: Annotated[str, typer.Argument(metavar="NAME|CONFIG", help="a shipped recipe, or a YAML file")],
    seed: Annotated[int, typer.Option(min=0)] = 0,
    device: Annotated[str, typer.Option(help="cpu, or cuda")] = "cpu",
    # Not a Path, which would make ./opamp, a folder, into opamp, a name.
    data: Annotated[str | None, typer.Option(help="data set to train on [default: the recipe's]")] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="instead of the recipe's number of steps")] = None,
    rows: Annotated[int | None, typer.Option(min=1, help="train on only this many operating points")] = None,
    start_from: Annotated[str | None, typer.Option(help="checkpoint to fine-tune, by name or path")] = None,
    out: Annotated[Path | None, typer.Option(help="folder [default: runs/pretrain/NAME-sSEED]")] = None,
) -> None:
    """Train a graph network on operating points. Interrupted, the same command goes on.

    Writes checkpoint.safetensors with its manifest checkpoint.json, and log.csv. A named data set that is not there is
    made first. Use the result with `run: {judge: {checkpoint: FOLDER/checkpoint}}` in a spec.

    Example: sizing pretrain opamp --seed 0
    """
    chosen = import_module("surrogates.pretraining.recipe").read_recipe(
        recipe, data=data, steps=steps, rows=rows, start_from=start_from
    )
    out = out or Path("runs/pretrain") / f"{chosen.name}-s{seed}"
    pretraining = import_module("surrogates.pretraining.training")
    pretraining.refuse_early(chosen, out, seed=seed, device=device)
    folder = Path(chosen.data)
    if chosen.data in import_module("surrogates.pretraining.named").DATASETS or not folder.is_dir():
        _, folder = made_dataset(chosen.data, None)
    manifest, samples = import_module("surrogates.pretraining.dataset").read_dataset(folder)
    training = pretraining.Training(chosen, manifest, samples, out, seed=seed, device=device)
    with _shown("training") as update:
        reached = training.run(lambda progress: update(progress.step, progress.steps, _state(progress)))
    command = shlex.join(["sizing", *sys.argv[1:]])
    training.publish(out / "checkpoint", reached, command)
    print(
        f"Acc@{reached.k} {reached.at_k:.4f} over all nets, {reached.at_k_free:.4f} over those that no source holds; "
        f"mean error {1e3 * reached.mean_error_free:.3g} mV; {training.cpu_s / 60:.1f} minutes of training"
    )
    print(out / "checkpoint.safetensors")


def made_dataset(
    source: str,
    out: Path | None,
    *,
    n: int | None = None,
    bench: str | None = None,
    seed: int = 0,
    workers: int | None = None,
    trust: bool = False,
) -> tuple[Any, Path]:
    """A data set's manifest and folder, made unless it is there; raises InputError for an unknown name."""
    from sizing.cli.learning import bench_of
    from sizing.errors import InputError
    from sizing.simulation.ngspice import library_path
    from sizing.specfile.load import load_spec
    from sizing.specfile.shipped import shipped_specs

    generate = import_module("surrogates.pretraining.generate")
    named = import_module("surrogates.pretraining.named").DATASETS
    if source in named:
        if n is not None or bench is not None:
            raise InputError(f"expected --n and --bench with a spec file only, got {source!r}, which says both itself")
        name, wanted = source, named[source].circuits(shipped_specs() / "netlists")
    elif Path(source).is_file():
        spec = load_spec(source, trust=trust)
        circuit = generate.circuit_of(spec.problem, bench_of(spec, bench))
        name, wanted = circuit.name, [(circuit, n or OPERATING_POINTS)]
    else:
        raise InputError(f"expected a data set ({', '.join(named)}) or a spec file, got {source!r}")
    if not all(circuit.exact for circuit, _ in wanted):
        library_path()
    folder = out or DATA / name
    with _shown(f"data set {name}") as update:
        return generate.generate(name, wanted, folder, seed=seed, workers=workers, observer=update), folder


def _state(progress: Any) -> str:
    seen = progress.accuracy
    return f"loss {progress.loss:.2e}" + (f", Acc@{seen.k} {seen.at_k:.3f}" if seen else "")


@contextmanager
def _shown(what: str) -> Iterator[Callable[..., None]]:
    """A bar on stderr, where that is a terminal, else a line for every tenth; Ctrl-C ends the command."""
    try:
        with _bar_or_lines(what) as update:
            yield update
    except KeyboardInterrupt:
        print("interrupted; the same command goes on", file=sys.stderr)
        raise typer.Exit(130) from None


@contextmanager
def _bar_or_lines(what: str) -> Iterator[Callable[..., None]]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    if not console.is_terminal:
        shown = {0}

        def line(done: int, total: int, state: str = "") -> None:
            if done * 10 // total not in shown:
                shown.add(done * 10 // total)
                print(f"{what}: {done}/{total} {state}".rstrip(), file=sys.stderr, flush=True)

        yield line
        return
    columns = (
        TextColumn(what), BarColumn(bar_width=20), MofNCompleteColumn(), TextColumn("{task.fields[state]}"),
        TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None, state="")
        yield lambda done, total, state="": bar.update(task, completed=done, total=total, state=state)

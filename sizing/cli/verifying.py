"""The command that verifies a run's best designs."""

import json
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from sizing.cli.trust import TrustOption
from sizing.errors import InputError
from sizing.files import write_all_whole


def verify(
    path: Annotated[Path, typer.Argument(metavar="RUN", help="run folder")],
    corners: Annotated[bool, typer.Option("--corners", help="at all corners [default without --monte-carlo]")] = False,
    monte_carlo: Annotated[
        int | None, typer.Option(min=2, metavar="N", help="N samples of mismatch at the nominal corner")
    ] = None,
    best: Annotated[int, typer.Option(min=1, help="how many of the run's best designs")] = 3,
    seed: Annotated[int, typer.Option(min=0, help="of the samples; designs share them")] = 0,
    least_yield: Annotated[
        float, typer.Option(min=0, max=1, help="share of samples in spec below which a design fails")
    ] = 0.0,
    spec: Annotated[
        Path | None, typer.Option(metavar="SPEC", help="with the corners, benches and targets of this spec")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="simulator processes [default: one per core]")] = None,
    trust: TrustOption = False,
) -> None:
    """Simulate a run's best designs at every corner, or with samples of mismatch: what holds, and how often.

    Tables, and histograms of samples, go into the run's folder `verify`, in place of those of an earlier call; the
    run and its counts stay as they are. Exit status 1 if a design misses a target at a corner, or has too low a yield.

    Example: sizing verify runs/sky130_miller-gp-s0 --corners --monte-carlo 200 --best 1
    """
    from sizing.reports.verified import corners_files, corners_table, readable, samples_files, yield_table
    from sizing.runs.records.reading import read_run
    from sizing.runs.tables import markdown
    from sizing.runs.verify import at_corners, best_designs
    from sizing.runs.verify import monte_carlo as sampled
    from sizing.specfile.load import load_spec

    if spec is not None and not spec.is_file():
        raise InputError(f"--spec: expected a spec file, found none at {spec}")
    record = read_run(path)
    chosen = spec or record.path / "spec.yaml"
    task = load_spec(chosen, trust=trust)
    designs = best_designs(record, best, task.problem)
    about = {"command": shlex.join(sys.argv), "spec": str(chosen), "designs": len(designs)}
    folder = record.path / "verify"
    failed: set[int] = set()
    if corners or monte_carlo is None:
        found = at_corners(task, designs, workers)
        how = about | {"corners": found.conditions, "simulations": found.in_spec.size}
        _write(folder, corners_files(found) | {"corners.json": json.dumps(how, indent=1) + "\n"})
        failed.update(np.flatnonzero(~found.in_spec.all(axis=1)).tolist())
        table = markdown(readable(corners_table(found)))
        print(f"Corners: {len(found.conditions)}. The worst of each metric:\n{table}")
    if monte_carlo is not None:
        found = sampled(load_spec(chosen, trust=trust, mismatch=True), designs, monte_carlo, seed, workers)
        for plot in folder.glob("samples-*.svg"):
            plot.unlink()
        how = about | {"seed": seed, "simulations": found.in_spec.size}
        _write(folder, samples_files(found) | {"samples.json": json.dumps(how, indent=1) + "\n"})
        failed.update(np.flatnonzero(found.in_spec.mean(axis=1) < least_yield).tolist())
        print(f"{monte_carlo} samples:\n{markdown(readable(yield_table(found)))}")
    print(f"Tables and plots: {folder}")
    if failed:
        print(f"Designs that fail: {', '.join(f'#{row + 1}' for row in sorted(failed))}")
        raise typer.Exit(1)


def _write(folder: Path, files: Mapping[str, str]) -> None:
    folder.mkdir(exist_ok=True)
    write_all_whole({folder / name: text.encode() for name, text in files.items()})

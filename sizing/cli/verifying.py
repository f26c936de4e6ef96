"""The command that verifies a run's best designs."""

from pathlib import Path
from typing import Annotated

import typer

from sizing.cli.trust import TrustOption


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
    from sizing.reports.verified import readable
    from sizing.reports.verified import verify as verified_run
    from sizing.runs.tables import markdown

    verified = verified_run(
        path,
        corners=corners or None,
        samples=monte_carlo,
        best=best,
        seed=seed,
        least_yield=least_yield,
        spec=spec,
        workers=workers,
        trust=trust,
    )
    if verified.corners is not None:
        table = markdown(readable(verified.corners))
        print(f"Corners: {len(verified.conditions)}. The worst of each metric:\n{table}")
    if verified.samples is not None:
        print(f"{monte_carlo} samples:\n{markdown(readable(verified.samples))}")
    print(f"Tables and plots: {verified.folder}")
    if verified.failed:
        print(f"Designs that fail: {', '.join(f'#{rank}' for rank in verified.failed)}")
        raise typer.Exit(1)

"""The studies that can be named; what they need is imported when one is asked for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import get_args

from sizing.errors import InputError, nearest
from sizing.paper.study import Done, Observer, Options, Scale, Study, carry_out
from sizing.specfile.shipped import shipped_specs


@dataclass(frozen=True)
class Listed:
    """What it shows, and "module:function" that makes it of Options."""

    description: str
    maker: str
    of_runs: bool = False
    """Whether it compares runs, which a cluster can do."""


STUDIES: Mapping[str, Listed] = {
    "table1": Listed("zero-shot accuracy on long ladders", "surrogates.studies.table1:table1"),
    "table2": Listed(
        "simulations and queries of every method on both op-amps", "sizing.paper.comparison:table2", of_runs=True
    ),
    "fig6": Listed("how fast backbones learn ladders", "surrogates.studies.fig6:fig6"),
    "fig7": Listed("few-shot resistor circuits", "surrogates.studies.few_shot:fig7"),
    "fig8": Listed("output resistance: fine-tuning, attention and mean pooling", "surrogates.studies.few_shot:fig8"),
    "fig9": Listed("few-shot op-amp with voltage-biased loads", "surrogates.studies.few_shot:fig9"),
    "fig11": Listed("convergence of every method on both op-amps", "sizing.paper.comparison:fig11", of_runs=True),
}


def study(
    name: str,
    *,
    scale: str = "small",
    seeds: Sequence[int] | None = None,
    device: str = "cpu",
    jobs: int | None = None,
    executor: str = "local",
    out: str | Path | None = None,
    data: str | Path = "runs/data",
    command: str = "",
    observer: Observer = lambda line: None,
) -> Done:
    """Do a table or figure of the paper again, into `out`, by default runs/NAME-SCALE; goes on where it was left.

    `seeds` are the scale's own where none are given; data sets that are not in the folder `data` are made first.
    `observer` is told of every part that is done, and `command` stands on the page. Raises InputError.
    """
    if scale not in get_args(Scale):
        raise InputError(f"--scale: expected small or full, got {scale!r}")
    numbers = None if seeds is None else tuple(seeds)
    if numbers is not None and (len(set(numbers)) < len(numbers) or min(numbers) < 0):
        raise InputError(f"--seeds: expected each once and none below 0, got {','.join(map(str, numbers))!r}")
    options = Options(
        "small" if scale == "small" else "full",
        Path(data),
        shipped_specs() / "netlists",
        numbers,
        device,
        jobs,
        executor,
    )
    chosen = study_named(name, options)
    folder = Path(out) if out else Path("runs") / f"{name}-{scale}"
    return carry_out(chosen, folder, command or f"sizing.study({name!r}, scale={scale!r})", observer)


def study_named(name: str, options: Options) -> Study:
    """A study by name; raises InputError for one that is not in STUDIES, or no cluster can do."""
    if name not in STUDIES:
        raise InputError(f"expected a study ({', '.join(STUDIES)}), got {name!r}{nearest(name, STUDIES)}")
    if options.executor != "local" and not STUDIES[name].of_runs:
        of_runs = ", ".join(each for each, listed in STUDIES.items() if listed.of_runs)
        raise InputError(f"{name}: expected executor local, got {options.executor}: a cluster does {of_runs} alone")
    module, function = STUDIES[name].maker.split(":")
    maker: Callable[[Options], Study] = getattr(import_module(module), function)
    return maker(options)

"""The studies that can be named; what they need is imported when one is asked for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module

from sizing.errors import InputError, nearest
from sizing.paper.study import Options, Study


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

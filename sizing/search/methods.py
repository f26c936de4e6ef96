"""The methods that can be named, in one table; what they need is imported when they are used."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from sizing.errors import InputError, nearest
from sizing.search.context import Context
from sizing.search.discriminator import AcceptAll, Discriminator, Oracle
from sizing.search.evolution import Evolution
from sizing.search.optimizer import Optimizer
from sizing.task.problem import Problem
from sizing.task.settings import RunSettings, merged

GOALS = ("seed", "in_spec", "max_sims", "max_seconds", "patience", "max_failed", "timeout", "judge.device")
"""Run settings that say what is asked of a method and where, not how it goes about it."""


@dataclass(frozen=True)
class Method:
    """A search method that can be named."""

    description: str
    optimizer: Callable[[Context], Optimizer]
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Run settings that it does best with; a spec and the command line come first."""
    pretrained: bool = False
    """Whether it uses the settings' checkpoint."""
    warm: bool = False
    """Whether it learns from earlier runs."""
    objectives: float = math.inf
    """The most objectives that it can pursue among designs in spec."""
    looks: bool = False
    """Whether it looks at operating points."""


def _learned(judge: str, context: Context) -> Discriminator:
    discriminator: Discriminator = getattr(import_module("surrogates.judges"), judge)(context)
    return discriminator


DISCRIMINATORS: Mapping[str, Callable[[Context], Discriminator]] = {
    "evo": lambda c: AcceptAll(c.problem),
    "oracle": lambda c: Oracle(c.problem, c.evaluator),
    "fc": partial(_learned, "fully_connected"),
    "gp": partial(_learned, "gaussian_process"),
    "gp-pretrained": partial(_learned, "gaussian_process_on_voltages"),
    "gp-op": partial(_learned, "gaussian_process"),
    "gnn-random": partial(_learned, "graph_from_scratch"),
    "gnn-frozen": partial(_learned, "graph_frozen"),
    "gnn-finetuned": partial(_learned, "graph_finetuned"),
}
"""Who filters the children of the evolutionary loop, by the name of the method."""


CLOSER: Mapping[str, Callable[[Context], Discriminator]] = {
    "gp-op": partial(_learned, "gaussian_process_on_operating_points"),
}
"""Who judges the best of them again, looking closer."""


def _evolution(name: str, context: Context) -> Optimizer:
    judge = DISCRIMINATORS[name](context)
    closer = CLOSER[name](context) if name in CLOSER else None
    settings, streams, known = context.settings, context.streams, context.known
    return Evolution(context.problem, settings, judge, streams, context.clock, closer, known)


RANKING = {"initial": 10, "batch": 2, "search": {"acceptance": "ranking"}}


def _peer(module: str, begin: str, context: Context) -> Optimizer:
    optimizer: Optimizer = import_module("sizing.search.peers.optimizer").PeerOptimizer(
        context, getattr(import_module(f"sizing.search.peers.{module}"), begin)
    )
    return optimizer


METHODS = {
    "gp": Method(
        "a Gaussian process for every metric ranks the children by the probability that they meet every target",
        partial(_evolution, "gp"),
        RANKING,
        warm=True,
    ),
    "gp-pretrained": Method(
        "the same, which also reads the node voltages that a pretrained graph network tells of each design",
        partial(_evolution, "gp-pretrained"),
        RANKING,
        pretrained=True,
    ),
    "gp-op": Method(
        "the same as gp; until a design is in spec, it also looks at the operating points of the most promising "
        "(the default where a look takes a millisecond or two; else it is gp)",
        partial(_evolution, "gp-op"),
        RANKING,
        looks=True,
    ),
    "evo": Method("evolution without a filter: every child is simulated", partial(_evolution, "evo")),
    "oracle": Method(
        "every child is really simulated before it is let through; bounds what a judge inside this loop can save",
        partial(_evolution, "oracle"),
    ),
    "fc": Method(
        "a fully connected network judges the children, trained on the run's own designs", partial(_evolution, "fc")
    ),
    "gnn-random": Method(
        "a graph network judges the children, trained on the run's own designs alone",
        partial(_evolution, "gnn-random"),
    ),
    "gnn-frozen": Method(
        "the same, pretrained on operating points and left as it is; only its heads are trained",
        partial(_evolution, "gnn-frozen"),
        pretrained=True,
    ),
    "gnn-finetuned": Method(
        "the same, pretrained on operating points and trained further",
        partial(_evolution, "gnn-finetuned"),
        pretrained=True,
    ),
    "random": Method("random designs, each once", partial(_peer, "sampling", "uniform"), {"initial": 20}),
    "grid": Method("a Sobol sequence over the grid (SciPy)", partial(_peer, "sampling", "sobol"), {"initial": 20}),
    "optuna-tpe": Method(
        "tree-structured Parzen estimator with constraints (Optuna)",
        partial(_peer, "optuna_samplers", "tpe"),
        {"initial": 20},
    ),
    "optuna-gp": Method(
        "Gaussian processes, expected improvement with constraints (Optuna)",
        partial(_peer, "optuna_samplers", "gaussian_process"),
        {"initial": 20, "peer": {"scale": "log"}},
    ),
    "optuna-cmaes": Method(
        "covariance matrix adaptation, started from the initial designs (Optuna); its cost holds the constraints",
        partial(_peer, "optuna_samplers", "cmaes"),
        {"initial": 20, "peer": {"scale": "log"}},
        objectives=0,
    ),
    "pymoo-ga": Method(
        "genetic algorithm with constraints (pymoo); its population is `initial`, its offspring `batch`",
        partial(_peer, "pymoo_algorithms", "genetic"),
        {"initial": 20},
        objectives=1,
    ),
    "pymoo-nsga2": Method(
        "NSGA-II with constraints (pymoo); without objectives, every metric's margin is one",
        partial(_peer, "pymoo_algorithms", "nsga2"),
        {"initial": 20, "peer": {"scale": "log"}},
    ),
    "de": Method(
        "differential evolution with constraints (pymoo)",
        partial(_peer, "pymoo_algorithms", "differential_evolution"),
        {"initial": 20, "batch": 1},
        objectives=1,
    ),
    "turbo": Method(
        "constrained Bayesian optimisation in a trust region, SCBO (BoTorch); pip install 'circuit-sizing[botorch]'",
        partial(_peer, "trust_region", "TrustRegion"),
        {"initial": 20},
        objectives=1,
    ),
}


def check_objectives(settings: RunSettings, problem: Problem) -> None:
    """Raise InputError where the method cannot pursue so many objectives, or where nothing would end the run."""
    asked = len(problem.objectives)
    if not asked:
        return
    if METHODS[settings.method].objectives < asked:
        able = ", ".join(name for name, method in METHODS.items() if method.objectives >= asked)
        number = "an objective" if asked == 1 else f"{asked} objectives"
        raise InputError(f"minimize, maximize: {settings.method} cannot pursue {number}; expected one of {able}")
    if settings.max_sims is None and settings.max_seconds is None and "patience" not in settings.model_fields_set:
        raise InputError(
            "minimize, maximize: expected a budget, since with an objective a run goes on after designs are in spec: "
            "give it max_sims (or --max-sims), max_seconds or patience"
        )


def settled(given: RunSettings) -> RunSettings:
    """Every setting of a run: as given, else as its method does best with, else the default.

    A run that knows of earlier ones starts from two designs. Raises KeyError for a method not in METHODS.
    """
    method = METHODS[given.method]
    usual = {**method.settings, "initial": 2} if given.warm_start else method.settings
    return RunSettings.model_validate(merged(usual, given.model_dump(exclude_unset=True)))


def variant(settings: RunSettings, of_spec: RunSettings) -> str:
    """The method's name, followed by the settings that it has by neither itself nor the spec: "fc:judge.batch=64".

    What says when to stop is left out: runs of one spec and variant search in the same way.
    """
    asked = of_spec.model_copy(update={"method": settings.method, "warm_start": settings.warm_start})
    usual = _flat(settled(asked).model_dump()) | {"warm_start": of_spec.warm_start}
    chosen = _flat(settings.model_dump())
    changed = [f"{key}={_word(value)}" for key, value in chosen.items() if key not in GOALS and value != usual[key]]
    return ":".join([settings.method, *changed])


def parse_variant(text: str) -> dict[str, Any]:
    """The run settings, as Spec.with_run takes them, of a variant in these words.

    Raises InputError for a method not in METHODS, and where a part is not "setting=value".
    """
    method, *parts = text.split(":")
    if method not in METHODS:
        raise InputError(f"no method {method!r}{nearest(method, METHODS)}")
    settings: dict[str, Any] = {"method": method}
    for part in parts:
        key, equals, value = part.partition("=")
        if not equals:
            raise InputError(f"{text}: expected setting=value after the method, such as initial=20, got {part!r}")
        group, _, name = key.rpartition(".")
        if group:
            settings.setdefault(group, {})[name] = value
        else:
            settings[name] = value
    return settings


def _word(value: Any) -> str:
    """A setting in a few characters: of folders, their names."""
    return "+".join(Path(each).name for each in value) if isinstance(value, tuple) else str(value)


def _flat(settings: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        flat |= _flat(value, f"{before}{key}.") if isinstance(value, dict) else {f"{before}{key}": value}
    return flat


def checkpoint_of(settings: RunSettings) -> dict[str, Any] | None:
    """The name, SHA-256 and simulations of the checkpoint that a run with these settings uses, if it uses one.

    Raises InputError where there is none of that name.
    """
    if not METHODS[settings.method].pretrained:
        return None
    described: dict[str, Any] = import_module("surrogates.networks.checkpoints").provenance(settings.judge.checkpoint)
    return described

"""The methods that can be named, in one table; what they need is imported when they are used."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from importlib import import_module

from sizing.errors import InputError, nearest
from sizing.plugins import Named
from sizing.search.context import Context
from sizing.search.discriminator import AcceptAll, Discriminator, Oracle
from sizing.search.evolution import toolbox
from sizing.search.foresight import Foreseer, Foresight, TablesSettings
from sizing.search.method import Method, evolution
from sizing.search.optimizer import Optimizer
from sizing.task.settings import RunSettings, merged

_LOG = logging.getLogger(__name__)


def _learned(judge: str, context: Context) -> Discriminator:
    discriminator: Discriminator = getattr(import_module("surrogates.judges"), judge)(context)
    return discriminator


DISCRIMINATORS: Mapping[str, Callable[[Context], Discriminator]] = {
    "evo": lambda c: AcceptAll(c.problem),
    "oracle": lambda c: Oracle(c.problem, c.evaluator),
    "fc": partial(_learned, "fully_connected"),
    "bagnet-tables": partial(_learned, "fully_connected_on_tables"),
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


def _peer(module: str, begin: str, context: Context) -> Optimizer:
    optimizer: Optimizer = import_module("sizing.search.peers.optimizer").PeerOptimizer(
        context, getattr(import_module(f"sizing.search.peers.{module}"), begin)
    )
    return optimizer


def _by_tables(context: Context) -> Optimizer:
    """Foresight by device tables; where they tell nothing of the circuit, what `gp` does."""
    try:
        foreseer: Foreseer = import_module("surrogates.tables.judge").device_tables(context)
    except InputError as error:
        _LOG.warning("device tables do not tell this circuit (%s): the run goes on as gp does", error)
        as_gp = merged(context.settings.model_dump(exclude={"ranking", "own"}), RANKING)
        return METHODS["gp"].optimizer(replace(context, settings=RunSettings.model_validate(as_gp)))
    box = toolbox(context.problem, context.settings.search, context.streams.variation)
    return Foresight(context, foreseer, box)


_RANKED = {"search": {"acceptance": "ranking"}}
RANKING = {"initial": 10, "batch": 2, **_RANKED}
_NETWORK = ("search", "ranking", "judge.steps", "judge.batch", "judge.learning_rate", "judge.dropout", "judge.device")
_GRAPH = (*_NETWORK, "judge.readout", "judge.graph")
_PROCESS = ("search", "ranking", "judge.designs")
_SHIPPED = {
    "gp": Method(
        "a Gaussian process for every metric ranks the children by the probability that they meet every target",
        evolution(DISCRIMINATORS["gp"]),
        RANKING,
        warm=True,
        heeds=(*_PROCESS, "judge.evidence"),
    ),
    "gp-pretrained": Method(
        "the same, which also reads the node voltages that a pretrained graph network tells of each design",
        evolution(DISCRIMINATORS["gp-pretrained"]),
        RANKING,
        pretrained=True,
        heeds=(*_PROCESS, "judge.checkpoint", "judge.graph", "judge.device"),
    ),
    "gp-op": Method(
        "the same as gp; until a design is in spec, it also looks at the operating points of the most promising "
        "(the default where a look takes a millisecond or two; else it is gp)",
        evolution(DISCRIMINATORS["gp-op"], CLOSER["gp-op"]),
        RANKING,
        looks=True,
        heeds=_PROCESS,
    ),
    "tables": Method(
        "tables of what each device does tell a design's metrics before the first simulation; evolution finds the best "
        "margins by them, simulations confirm these and show how far the tables are off",
        _by_tables,
        {"initial": 0, "batch": 1, "ranking": {"children": 300, "generations": 15, "elite": 60}, **_RANKED},
        heeds=tuple(f"ranking.{name}" for name in ("drawn", "children", "generations", "kept", "elite")),
        least_initial=0,
        own=TablesSettings,
    ),
    "evo": Method(
        "evolution without a filter: every child is simulated",
        evolution(DISCRIMINATORS["evo"]),
        heeds=("search", "ranking"),
    ),
    "oracle": Method(
        "every child is really simulated before it is let through; bounds what a judge inside this loop can save",
        evolution(DISCRIMINATORS["oracle"]),
        heeds=("search", "ranking"),
    ),
    "fc": Method(
        "a fully connected network judges the children, trained on the run's own designs",
        evolution(DISCRIMINATORS["fc"]),
        heeds=_NETWORK,
    ),
    "bagnet-tables": Method(
        "the same, which also reads what device tables tell of each design, by how far it is from its targets",
        evolution(DISCRIMINATORS["bagnet-tables"]),
        heeds=_NETWORK,
    ),
    "gnn-random": Method(
        "a graph network judges the children, trained on the run's own designs alone",
        evolution(DISCRIMINATORS["gnn-random"]),
        heeds=(*_GRAPH, "judge.body_steps"),
    ),
    "gnn-frozen": Method(
        "the same, pretrained on operating points and left as it is; only its heads are trained",
        evolution(DISCRIMINATORS["gnn-frozen"]),
        pretrained=True,
        heeds=(*_GRAPH, "judge.checkpoint"),
    ),
    "gnn-finetuned": Method(
        "the same, pretrained on operating points and trained further",
        evolution(DISCRIMINATORS["gnn-finetuned"]),
        pretrained=True,
        heeds=(*_GRAPH, "judge.checkpoint", "judge.body_steps", "judge.body_rate"),
    ),
    "random": Method(
        "random designs, each once", partial(_peer, "sampling", "uniform"), {"initial": 20}, heeds=("peer",)
    ),
    "grid": Method(
        "a Sobol sequence over the grid (SciPy)",
        partial(_peer, "sampling", "sobol"),
        {"initial": 20},
        heeds=("peer",),
    ),
    "optuna-tpe": Method(
        "tree-structured Parzen estimator with constraints (Optuna)",
        partial(_peer, "optuna_samplers", "tpe"),
        {"initial": 20},
        heeds=("peer",),
    ),
    "optuna-gp": Method(
        "Gaussian processes, expected improvement with constraints (Optuna)",
        partial(_peer, "optuna_samplers", "gaussian_process"),
        {"initial": 20, "peer": {"scale": "log"}},
        heeds=("peer",),
    ),
    "optuna-cmaes": Method(
        "covariance matrix adaptation, started from the initial designs (Optuna); its cost holds the constraints",
        partial(_peer, "optuna_samplers", "cmaes"),
        {"initial": 20, "peer": {"scale": "log"}},
        objectives=0,
        heeds=("peer",),
    ),
    "pymoo-ga": Method(
        "genetic algorithm with constraints (pymoo); its population is `initial`, its offspring `batch`",
        partial(_peer, "pymoo_algorithms", "genetic"),
        {"initial": 20},
        objectives=1,
        heeds=("peer",),
    ),
    "pymoo-nsga2": Method(
        "NSGA-II with constraints (pymoo); without objectives, every metric's margin is one",
        partial(_peer, "pymoo_algorithms", "nsga2"),
        {"initial": 20, "peer": {"scale": "log"}},
        heeds=("peer",),
    ),
    "de": Method(
        "differential evolution with constraints (pymoo)",
        partial(_peer, "pymoo_algorithms", "differential_evolution"),
        {"initial": 20, "batch": 1},
        objectives=1,
        heeds=("peer",),
    ),
    "turbo": Method(
        "constrained Bayesian optimisation in a trust region, SCBO (BoTorch); pip install 'circuit-sizing[botorch]'",
        partial(_peer, "trust_region", "TrustRegion"),
        {"initial": 20},
        objectives=1,
        heeds=("peer",),
    ),
}


def _no_method(name: str, found: object) -> str:
    return "" if isinstance(found, Method) else f"expected a sizing.Method, got {found!r}"


METHODS: Named[Method] = Named("methods", _SHIPPED, _no_method)
"""By name: those that are shipped, and those of plug-ins."""


def method_named(name: str) -> Method:
    """The method of this name; raises InputError where there is none."""
    if name not in METHODS:
        raise InputError(f"method: no method {name!r}{nearest(name, METHODS)}")
    return METHODS[name]

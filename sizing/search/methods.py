"""The methods that can be named, in one table; what they need is imported when they are used."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module

from sizing.circuit import Circuit
from sizing.clock import Clock
from sizing.evaluation import Evaluator
from sizing.problem import Problem
from sizing.search.discriminator import AcceptAll, Discriminator, Oracle
from sizing.search.evolution import Evolution, Streams
from sizing.search.optimizer import Optimizer
from sizing.settings import RunSettings


@dataclass(frozen=True)
class Context:
    """What a discriminator may be built from."""

    problem: Problem
    settings: RunSettings
    circuits: Mapping[str, Circuit]
    """Of every test bench, stimulus included."""
    evaluator: Evaluator
    streams: Streams


@dataclass(frozen=True)
class Method:
    """A method's one-line description and how to build its discriminator."""

    description: str
    discriminator: Callable[[Context], Discriminator]


def _learned(judge: str, context: Context) -> Discriminator:
    discriminator: Discriminator = getattr(import_module("surrogates.judges"), judge)(context)
    return discriminator


METHODS = {
    "evo": Method("evolution without a filter: every child is simulated", lambda c: AcceptAll(c.problem)),
    "oracle": Method(
        "every child is really simulated before it is let through; bounds what a judge inside this loop can save",
        lambda c: Oracle(c.problem, c.evaluator),
    ),
    "fc": Method(
        "a fully connected network judges the children, trained on the run's own designs",
        partial(_learned, "fully_connected"),
    ),
    "gnn-random": Method(
        "a graph network judges the children, trained on the run's own designs alone",
        partial(_learned, "graph_from_scratch"),
    ),
    "gnn-frozen": Method(
        "the same, pretrained on operating points and left as it is; only its heads are trained",
        partial(_learned, "graph_frozen"),
    ),
    "gnn-finetuned": Method(
        "the same, pretrained on operating points and trained further",
        partial(_learned, "graph_finetuned"),
    ),
}


def build(method: str, context: Context, clock: Clock) -> Optimizer:
    """The optimizer of a method; raises KeyError for a name not in METHODS."""
    discriminator = METHODS[method].discriminator(context)
    return Evolution(context.problem, context.settings, discriminator, context.streams, clock)

"""The methods that can be named, in one table; what they need is imported when they are used."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

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
    evaluator: Evaluator
    streams: Streams


@dataclass(frozen=True)
class Method:
    """A method's one-line description and how to build its discriminator."""

    description: str
    discriminator: Callable[[Context], Discriminator]


def _fully_connected(context: Context) -> Discriminator:
    module = import_module("surrogates.discriminator")
    discriminator: Discriminator = module.LearnedDiscriminator(
        context.problem, context.settings.judge, context.streams.training
    )
    return discriminator


METHODS = {
    "evo": Method("evolution without a filter: every child is simulated", lambda c: AcceptAll(c.problem)),
    "oracle": Method(
        "every child is really simulated before it is let through; bounds what a judge inside this loop can save",
        lambda c: Oracle(c.problem, c.evaluator),
    ),
    "fc": Method("a fully connected network judges the children, trained on the run's own designs", _fully_connected),
}


def build(method: str, context: Context, clock: Clock) -> Optimizer:
    """The optimizer of a method; raises KeyError for a name not in METHODS."""
    discriminator = METHODS[method].discriminator(context)
    return Evolution(context.problem, context.settings, discriminator, context.streams, clock)

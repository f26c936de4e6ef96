"""The methods that can be named, in one table; what they need is imported when they are used."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any

from sizing.clock import Clock
from sizing.search.context import Context
from sizing.search.discriminator import AcceptAll, Discriminator, Oracle
from sizing.search.evolution import Evolution
from sizing.search.optimizer import Optimizer
from sizing.settings import RunSettings


@dataclass(frozen=True)
class Method:
    """A method's one-line description and how to build its discriminator."""

    description: str
    discriminator: Callable[[Context], Discriminator]
    pretrained: bool = False
    """Whether it uses the settings' checkpoint."""


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
        pretrained=True,
    ),
    "gnn-finetuned": Method(
        "the same, pretrained on operating points and trained further",
        partial(_learned, "graph_finetuned"),
        pretrained=True,
    ),
}


def checkpoint_of(settings: RunSettings) -> dict[str, Any] | None:
    """The name, SHA-256 and simulations of the checkpoint that a run with these settings uses, if it uses one.

    Raises InputError where there is none of that name.
    """
    if not METHODS[settings.method].pretrained:
        return None
    described: dict[str, Any] = import_module("surrogates.checkpoints").provenance(settings.judge.checkpoint)
    return described


def build(method: str, context: Context, clock: Clock) -> Optimizer:
    """The optimizer of a method; raises KeyError for a name not in METHODS."""
    discriminator = METHODS[method].discriminator(context)
    return Evolution(context.problem, context.settings, discriminator, context.streams, clock)

"""A search method: who proposes designs, with which settings, and what it can do."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from deap.base import Toolbox
from numpy.random import Generator
from pydantic import ValidationError

from sizing.errors import InputError
from sizing.search.context import Context
from sizing.search.discriminator import Discriminator
from sizing.search.evolution import Evolution, toolbox
from sizing.search.guard import CheckedDiscriminator, checked_children
from sizing.search.optimizer import Optimizer
from sizing.task.problem import Problem
from sizing.task.settings import RunSettings, SearchSettings, Settings

MakeToolbox = Callable[[Problem, SearchSettings, Generator], Toolbox]


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
    least_initial: int = 2
    """How few initial designs it may start from."""
    heeds: tuple[str, ...] = ()
    """Settings of groups that it heeds, each by its name or by that of the whole group; those outside groups all do."""
    own: type[Settings] | None = None
    """Settings of its own, as `own` in a spec's `run`; a search gets them as `context.own`."""

    def __post_init__(self) -> None:
        """Raise InputError where the settings are none of a run's, or `own` is no type of settings."""
        if self.own is not None and not (isinstance(self.own, type) and issubclass(self.own, Settings)):
            raise InputError(f"Method: own: expected a subclass of sizing.Settings, got {self.own!r:.80}")
        try:
            RunSettings.model_validate(dict(self.settings))
        except ValidationError as error:
            bad = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
            raise InputError(f"Method: settings: expected run settings, got {dict(self.settings)}: {bad}") from None


def evolution(
    judge: Callable[[Context], Discriminator],
    closer: Callable[[Context], Discriminator] | None = None,
    make_toolbox: MakeToolbox = toolbox,
) -> Callable[[Context], Optimizer]:
    """The evolutionary loop with this judge: what a Method has as its optimizer.

    `closer` judges the most promising again, looking closer; `make_toolbox` has DEAP's toolbox made: that of
    `sizing.toolbox`, with operators that are registered anew.
    """

    def begin(context: Context) -> Optimizer:
        chosen = CheckedDiscriminator(judge(context), context.problem)
        looking = CheckedDiscriminator(closer(context), context.problem) if closer else None
        box = make_toolbox(context.problem, context.settings.search, context.streams.variation)
        if make_toolbox is not toolbox:
            who = f"operators of {getattr(make_toolbox, '__name__', make_toolbox)}"
            box.decorate("breed", checked_children(context.problem, who))
            box.decorate("wander", checked_children(context.problem, who))
        return Evolution(
            context.problem, context.settings, chosen, context.streams, context.clock, looking, context.known, box
        )

    return begin

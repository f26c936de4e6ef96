"""Searches that learn nothing: what any other must beat."""

from collections.abc import Iterator
from itertools import islice

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.stats.qmc import Sobol

from sizing.search.context import Context
from sizing.search.peers.optimizer import Answers
from sizing.search.peers.scale import UnitCube
from sizing.search.variation import Indices

POINTS_DRAWN = 64
"""Points of a Sobol sequence drawn at once: a power of 2 keeps them balanced."""


def uniform(context: Context, initial: Answers) -> "Sequence":
    """Uniform random designs."""
    return Sequence(context, _uniform_points(len(context.problem.variables), context.streams.proposal))


def sobol(context: Context, initial: Answers) -> "Sequence":
    """A scrambled Sobol sequence, which fills the space evenly."""
    return Sequence(context, _sobol_points(len(context.problem.variables), context.streams.proposal))


class Sequence:
    """The designs at one point of the unit cube after the other, whatever becomes of them."""

    def __init__(self, context: Context, points: Iterator[NDArray[np.float64]]) -> None:
        self._cube = UnitCube(context.problem, context.settings.peer.scale)
        self._points = points

    def ask(self, count: int) -> Indices:
        """The next designs (N, V)."""
        return self._cube.designs(np.array(list(islice(self._points, count))))

    def tell(self, answers: Answers) -> None:
        """Nothing to learn."""


def _uniform_points(dimensions: int, rng: Generator) -> Iterator[NDArray[np.float64]]:
    while True:
        yield rng.random(dimensions)


def _sobol_points(dimensions: int, rng: Generator) -> Iterator[NDArray[np.float64]]:
    engine = Sobol(dimensions, rng=rng)
    while True:
        yield from engine.random(POINTS_DRAWN)

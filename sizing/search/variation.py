"""Variation operators on grid indices, many children at once; every random draw comes from the given generator.

Parents and children are integer arrays (N, V); `shape` (V,) holds the number of values of every variable.
"""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Indices = NDArray[np.int64]

CROSSED_SHARE = 0.4
"""Share of wandering children with two parents."""
STEPS = (0.02, 0.06, 0.15, 0.3)
"""Standard deviation of a wandering child's steps, as a share of the range."""
MOVED_SHARES = (0.2, 0.4, 0.8)
"""Share of its genes that move."""


def blend(mothers: Indices, fathers: Indices, shape: Indices, alpha: float, rng: Generator) -> tuple[Indices, Indices]:
    """DEAP's blend crossover (`cxBlend`): per gene, a random mixture that may leave the interval by `alpha` of it.

    Of the two children one is rounded down and one up, and both are clipped to the grid.
    """
    gamma = (1 + 2 * alpha) * rng.random(mothers.shape) - alpha
    first = np.floor((1 - gamma) * mothers + gamma * fathers).astype(np.int64)
    second = np.ceil(gamma * mothers + (1 - gamma) * fathers).astype(np.int64)
    return np.clip(first, 0, shape - 1), np.clip(second, 0, shape - 1)


def swap(mothers: Indices, fathers: Indices, probability: float, rng: Generator) -> tuple[Indices, Indices]:
    """Uniform crossover: each gene changes sides with this probability."""
    crossed = rng.random(mothers.shape) < probability
    return np.where(crossed, fathers, mothers), np.where(crossed, mothers, fathers)


def mutate(parents: Indices, shape: Indices, probability: float, rng: Generator) -> Indices:
    """Each gene is replaced with this probability by a uniform random one."""
    fresh = rng.integers(0, shape, parents.shape)
    return np.where(rng.random(parents.shape) < probability, fresh, parents)


def wander(parents: Indices, count: int, shape: Indices, rng: Generator) -> Indices:
    """`count` children (N, V) near their parents: some have genes of a second one, and each has steps of a size of
    its own, from 2 % to 30 % of the range, in a share of its genes of its own."""
    first, second = parents[rng.integers(0, len(parents), (2, count))]
    crossed = rng.random((count, 1)) < CROSSED_SHARE
    children: Indices = np.where(crossed & (rng.random(first.shape) < 0.5), second, first)
    size = rng.choice(STEPS, (count, 1)) * shape
    moved = rng.random(first.shape) < rng.choice(MOVED_SHARES, (count, 1))
    stepped = children + np.where(moved, np.rint(rng.normal(size=first.shape) * size), 0).astype(np.int64)
    clipped: Indices = np.clip(stepped, 0, shape - 1)
    return clipped


def differ(parents: Indices, count: int, shape: Indices, rng: Generator) -> Indices:
    """`count` children (N, V): a parent, moved by a share of the difference of two others, and by a step or two.

    As in differential evolution (Storn and Price, 1997): steps are as large, and as correlated, as the parents differ.
    """
    one, other, third = parents[rng.integers(0, len(parents), (3, count))]
    moved = one + rng.uniform(0.2, 1.0, (count, 1)) * (other - third)
    steps = np.where(rng.random(one.shape) < 1 / one.shape[1], rng.choice((-1, 1), one.shape), 0)
    children: Indices = np.clip(np.rint(moved).astype(np.int64) + steps, 0, shape - 1)
    return children


def random_designs(count: int, shape: Indices, rng: Generator) -> Indices:
    """Distinct uniform random designs (N, V), fewer only where the grid has fewer."""
    total = int(np.prod(shape.astype(object)))
    if total <= 4 * count:
        flat = rng.permutation(total)[:count]
        return np.stack(np.unravel_index(flat, tuple(shape)), axis=1).astype(np.int64)
    chosen: dict[tuple[int, ...], None] = {}
    while len(chosen) < count:
        drawn = rng.integers(0, shape, (count - len(chosen), len(shape)))
        chosen.update(dict.fromkeys(map(tuple, drawn.tolist())))
    return np.array(list(chosen))

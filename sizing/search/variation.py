"""Variation operators on grid indices, many children at once; every random draw comes from the given generator.

Parents and children are integer arrays (N, V); `shape` (V,) holds the number of values of every variable.
"""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Indices = NDArray[np.int64]


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

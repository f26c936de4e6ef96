"""Constrained Bayesian optimisation in a trust region on BoTorch: SCBO (Eriksson and Poloczek, AISTATS 2021).

Trust regions and their constants are those of TuRBO (Eriksson et al., NeurIPS 2019), which SCBO extends.
"""

import math
import warnings

import numpy as np
from numpy.typing import NDArray
from scipy.stats.qmc import Sobol

from sizing.errors import InputError
from sizing.search.context import Context
from sizing.search.peers.optimizer import Answers
from sizing.search.peers.scale import UnitCube
from sizing.search.variation import Indices

try:
    import torch
    from botorch.exceptions.warnings import InputDataWarning
    from botorch.fit import fit_gpytorch_mll
    from botorch.generation.sampling import ConstrainedMaxPosteriorSampling
    from botorch.models.gp_regression import SingleTaskGP
    from botorch.models.model_list_gp_regression import ModelListGP
    from gpytorch.mlls import ExactMarginalLogLikelihood
    from linear_operator.utils.warnings import NumericalWarning
except ImportError as error:
    raise InputError(
        f"method turbo: expected BoTorch, got {error}; install it with: pip install 'circuit-sizing[botorch]'"
    ) from None

CANDIDATES = 2048
FIRST_EDGE, LARGEST_EDGE, SMALLEST_EDGE = 0.8, 1.6, 0.5**7
"""Edges of the box."""
MOVED_VARIABLES = 20
"""Variables in which a candidate differs from the best design, on average, where there are more."""
SUCCESSES = 3
"""Batches in a row with a better best design after which the box doubles."""


class TrustRegion:
    """Thompson sampling in a box around the best design, which grows with success and shrinks without.

    The objective is the problem's, else the worst violation, below 0 a margin: a cost would be 0 wherever all
    constraints are met, and say nothing about where to go on. A box that has become too small is given up, and another
    begun with as many random designs as the first.
    """

    def __init__(self, context: Context, initial: Answers) -> None:
        self._cube = UnitCube(context.problem, context.settings.peer.scale)
        self._rng = context.streams.proposal
        self._dimensions = len(context.problem.variables)
        self._batch = context.settings.batch
        self._wanted = len(initial.designs)
        self._known = initial
        self._box = _Box(self._dimensions, self._batch)

    def ask(self, count: int) -> Indices:
        """Designs (N, V): random ones until there are enough to learn from, then the best in draws from what is learnt.

        None where the box holds no design that is not known.
        """
        if self._box.edge < SMALLEST_EDGE:
            self._known = self._known.first(0)
            self._box = _Box(self._dimensions, self._batch)
        missing = self._wanted - len(self._known.designs)
        if missing > 0:
            return self._cube.designs(self._rng.random((min(count, missing), self._dimensions)))
        candidates = self._candidates()
        if len(candidates) == 0:
            self._box.edge = 0.0
        return candidates if len(candidates) <= count else self._thompson_sample(candidates, count)

    def tell(self, answers: Answers) -> None:
        """Learn from these designs; the box moves to the best of all, and is resized."""
        if len(self._known.designs) >= self._wanted:
            self._box.resize(better=_best(answers)[1:] < _best(self._known)[1:])
        self._known = self._known.followed_by(answers)

    def _candidates(self) -> Indices:
        """Distinct designs (N, V) in the box that are not known."""
        centre = self._cube.points(self._known.designs[[_best(self._known)[0]]])
        low, high = np.clip(centre - self._box.edge / 2, 0, 1), np.clip(centre + self._box.edge / 2, 0, 1)
        points = low + (high - low) * Sobol(self._dimensions, rng=self._rng).random(CANDIDATES)
        moved = self._rng.random(points.shape) < MOVED_VARIABLES / self._dimensions
        drawn = np.unique(self._cube.designs(np.where(moved, points, centre)), axis=0)
        known = set(map(tuple, self._known.designs.tolist()))
        return drawn[[design not in known for design in map(tuple, drawn.tolist())]]

    def _thompson_sample(self, candidates: Indices, count: int) -> Indices:
        points = torch.from_numpy(self._cube.points(candidates))
        known = torch.from_numpy(self._cube.points(self._known.designs))
        violations = self._known.violations
        with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
            warnings.simplefilter("ignore", NumericalWarning)  # jitter on the diagonal of a covariance
            warnings.simplefilter("ignore", InputDataWarning)  # a metric that has been the same in all designs
            torch.manual_seed(int(self._rng.integers(2**31)))
            constraints = ModelListGP(*(_fitted(known, column) for column in violations.T))
            objective = _fitted(known, -_objective(self._known))
            with torch.no_grad():
                draw = ConstrainedMaxPosteriorSampling(objective, constraints, replacement=False)
                return self._cube.designs(draw(points, num_samples=count).numpy())


class _Box:
    """The length of its edge, as a share of the unit cube's."""

    def __init__(self, dimensions: int, batch: int) -> None:
        self.edge = FIRST_EDGE
        self._patience = math.ceil(max(4, dimensions) / batch)
        self._successes = self._failures = 0

    def resize(self, *, better: bool) -> None:
        """Count a batch, which held a better best design or not: enough in a row double or halve the edge."""
        self._successes, self._failures = (self._successes + 1, 0) if better else (0, self._failures + 1)
        if self._successes == SUCCESSES:
            self.edge, self._successes = min(2 * self.edge, LARGEST_EDGE), 0
        elif self._failures == self._patience:
            self.edge, self._failures = self.edge / 2, 0


def _fitted(points: torch.Tensor, values: NDArray[np.float64]) -> SingleTaskGP:
    """A Gaussian process with BoTorch's usual kernel and priors."""
    model = SingleTaskGP(points, torch.from_numpy(values.copy())[:, None])
    fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
    return model


def _best(answers: Answers) -> tuple[int, float, float]:
    """Row, cost and objective of the best design: the lowest cost, among designs in spec the lowest objective."""
    objective = _objective(answers)
    row = np.lexsort((objective, answers.cost))[0]
    return int(row), float(answers.cost[row]), float(objective[row])


def _objective(answers: Answers) -> NDArray[np.float64]:
    """What to minimise (N,) among designs in spec: the problem's objective, else the worst violation."""
    return answers.figures[:, 0] if answers.figures.shape[1] else answers.violations.max(axis=1)

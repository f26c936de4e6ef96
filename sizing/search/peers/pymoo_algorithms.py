"""pymoo's algorithms, asked and told generation by generation: `initial` is the population, `batch` the offspring."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymoo.algorithms.base.genetic import GeneticAlgorithm
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.algorithms.soo.nonconvex.de import DE
from pymoo.algorithms.soo.nonconvex.ga import GA
from pymoo.core.evaluator import Evaluator
from pymoo.core.population import Population
from pymoo.core.problem import Problem
from pymoo.core.repair import Repair
from pymoo.core.termination import NoTermination
from pymoo.problems.static import StaticProblem

from sizing.search.context import Context
from sizing.search.peers.optimizer import Answers
from sizing.search.peers.scale import Points, UnitCube
from sizing.search.variation import Indices


def genetic(context: Context, initial: Answers) -> "Generations":
    """A genetic algorithm that minimises the objective, or the cost; what violates less comes first."""
    return Generations(context, initial, GA(**_common(context, initial)), _objectives)


def nsga2(context: Context, initial: Answers) -> "Generations":
    """NSGA-II; what violates less comes first, and designs in spec spread over the objectives, or over all margins."""
    of = _objectives if context.problem.objectives else _margins
    return Generations(context, initial, NSGA2(**_common(context, initial)), of)


def differential_evolution(context: Context, initial: Answers) -> "Generations":
    """Differential evolution; a child takes its parent's place where it violates less."""
    algorithm = DE(**_common(context, initial))
    return Generations(context, initial, algorithm, _objectives)


class Generations:
    """An algorithm asked for one generation of children after the other, on the unit cube."""

    def __init__(
        self,
        context: Context,
        initial: Answers,
        algorithm: GeneticAlgorithm,
        objectives: Callable[[Answers], NDArray[np.float64]],
    ) -> None:
        self._cube = _cube(context)
        self._objectives = objectives
        self._problem = Problem(
            n_var=initial.designs.shape[1],
            n_obj=objectives(initial).shape[1],
            n_ieq_constr=initial.violations.shape[1],
            xl=0.0,
            xu=1.0,
        )
        seed = int(context.streams.proposal.integers(2**31))
        self._algorithm = algorithm.setup(self._problem, termination=NoTermination(), seed=seed)
        self._asked: Population = self._algorithm.ask()  # the initial designs
        self.tell(initial)

    def ask(self, count: int) -> Indices:
        """The next generation (N, V); none where the algorithm finds no children but those that it has."""
        self._asked = self._algorithm.ask()
        if self._asked is None:
            return np.empty((0, self._problem.n_var), dtype=np.int64)
        return self._cube.designs(self._asked.get("X"))

    def tell(self, answers: Answers) -> None:
        """Let it select."""
        known = StaticProblem(self._problem, F=self._objectives(answers), G=answers.violations)
        Evaluator().eval(known, self._asked)
        self._algorithm.tell(infills=self._asked)


class _OnGrid(Repair):  # type: ignore[misc]  # pymoo has no types
    """Moves points to the middle of their cell, so that duplicates are found to be such."""

    def __init__(self, cube: UnitCube) -> None:
        super().__init__()
        self._cube = cube

    def _do(self, problem: Problem, points: Points, **_: Any) -> Points:
        return self._cube.points(self._cube.designs(points))


def _common(context: Context, initial: Answers) -> dict[str, Any]:
    """What the algorithms have in common."""
    cube = _cube(context)
    return {
        "pop_size": len(initial.designs),
        "n_offsprings": context.settings.batch,
        "sampling": cube.points(initial.designs),
        "repair": _OnGrid(cube),
    }


def _cube(context: Context) -> UnitCube:
    return UnitCube(context.problem, context.settings.peer.scale)


def _objectives(answers: Answers) -> NDArray[np.float64]:
    return answers.objectives


def _margins(answers: Answers) -> NDArray[np.float64]:
    return answers.violations

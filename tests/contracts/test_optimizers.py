"""Shipped search methods keep what every search method promises."""

import pytest

from sizing.search.method import Method
from sizing.search.methods import METHODS
from sizing.testing import LearningContract, OptimizerContract

pytestmark = pytest.mark.slow

FILTERED = ("oracle", "fc", "bagnet-tables", "gp-pretrained", "gnn-random", "gnn-frozen", "gnn-finetuned")
"""Evolution with a filter: they share its optimizer, and tests/contracts/test_discriminators.py has the filters."""
CHANCE = ("evo", "random", "grid")
SLOW = ("optuna-gp", "turbo")
"""A question to them takes a second."""
OF_CIRCUITS = ("tables",)
"""They compute what benches say of a circuit; the contract's problem is a formula. tests/sizing/search has theirs."""
LEARNING = [name for name in METHODS.shipped if name not in (*FILTERED, *CHANCE, *SLOW, *OF_CIRCUITS)]


class TestChance(OptimizerContract):
    @pytest.fixture(params=CHANCE)
    def method(self, request: pytest.FixtureRequest) -> Method:
        return METHODS[request.param]


class TestSlow(OptimizerContract):
    most = 22

    @pytest.fixture(params=SLOW)
    def method(self, request: pytest.FixtureRequest) -> Method:
        return METHODS[request.param]


class TestLearning(LearningContract):
    most = 90

    @pytest.fixture(params=LEARNING)
    def method(self, request: pytest.FixtureRequest) -> Method:
        return METHODS[request.param]

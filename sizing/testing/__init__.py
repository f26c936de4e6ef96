"""What simulators, optimizers, discriminators and measurements promise, as classes of tests for pytest.

Whoever writes one derives a class from the contract, and gives what is to be tested as a fixture:

    class TestMySimulator(SimulatorContract):
        @pytest.fixture
        def entry(self) -> SimulatorEntry:
            return MY_ENTRY

Those that are shipped are held to the same (tests/contracts).
"""

import pytest

pytest.register_assert_rewrite(
    *(f"{__name__}.{module}" for module in ("simulators", "optimizers", "discriminators", "measures"))
)

from sizing.testing.discriminators import DiscriminatorContract  # noqa: E402  # asserts are rewritten from here on
from sizing.testing.measures import MeasureContract  # noqa: E402
from sizing.testing.optimizers import LearningContract, OptimizerContract  # noqa: E402
from sizing.testing.simulators import SimulatorContract  # noqa: E402

__all__ = [
    "DiscriminatorContract",
    "LearningContract",
    "MeasureContract",
    "OptimizerContract",
    "SimulatorContract",
]

"""The package keeps what methods, measurements and simulators promise: python -m pytest test_contracts.py"""

import pytest
import sizing_example

import sizing
from sizing.testing import LearningContract, MeasureContract, SimulatorContract


class TestNearby(LearningContract):
    @pytest.fixture
    def method(self) -> sizing.Method:
        return sizing_example.NEARBY


class TestPhaseLag(MeasureContract):
    @pytest.fixture
    def metric(self) -> sizing.Measure:
        return sizing_example.PhaseLag(measure="phase_lag", of="b.a", output="out", frequency=2e3, at_most=90)


class TestLinear(SimulatorContract):
    analyses = ("op", "ac")
    devices = ()

    @pytest.fixture
    def entry(self) -> sizing.SimulatorEntry:
        return sizing_example.LINEAR

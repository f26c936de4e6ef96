"""Shared by all tests: the shipped specs, and the smallest spec that is a real task."""

import os
from pathlib import Path

import pytest

from sizing.specfile.load import Spec, load_spec

SPECS = Path(__file__).parent.parent / "specs"


def pytest_configure() -> None:
    """Have torch compute on one thread, also in processes that tests start: ours are too small for two, and tests that
    run beside one another would wait for each other's.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def specs() -> Path:
    """Folder of the shipped specs."""
    return SPECS


@pytest.fixture(scope="session")
def amplifier() -> Spec:
    """The common-source amplifier: a design takes about a millisecond."""
    return load_spec(SPECS / "cs_amp.yaml")


@pytest.fixture(scope="session")
def opamp() -> Spec:
    """The two-stage op-amp with nulling resistor."""
    return load_spec(SPECS / "opamp_cc_rz.yaml")

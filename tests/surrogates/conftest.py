"""Shared by the tests of networks."""

import pytest
import torch


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Networks this small are slower on two, and results are the same to the bit on one only."""
    torch.set_num_threads(1)

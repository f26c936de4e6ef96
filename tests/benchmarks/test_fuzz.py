"""A short run of benchmarks/fuzz.py: whatever a spec or netlist says, it is simulated or refused, and nothing else."""

import importlib.util
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SOURCE = Path(__file__).parents[2] / "benchmarks" / "fuzz.py"


def test_damaged_and_hostile_specs_end_in_a_simulation_or_a_message(tmp_path: Path):
    found = importlib.util.spec_from_file_location("fuzz", SOURCE)
    assert found is not None
    assert found.loader is not None
    fuzz = importlib.util.module_from_spec(found)
    found.loader.exec_module(fuzz)
    endings, _ = fuzz.fuzz(200, 7, tmp_path, simulations=3)
    assert endings.keys() <= fuzz.GOOD, f"{endings}: see {tmp_path}"
    assert endings["simulated"]
    assert endings["spec refused"]

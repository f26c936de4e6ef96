"""The examples of the documentation do what their page says."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

pytest.importorskip("dask_jobqueue")
EXAMPLES = Path(__file__).parent.parent.parent / "docs" / "examples"


@pytest.fixture(scope="module")
def batch_system() -> ModuleType:
    specification = importlib.util.spec_from_file_location("batch_system", EXAMPLES / "batch_system.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("system", "words"),
    [
        ("slurm", ["#SBATCH -p analog", "#SBATCH --cpus-per-task=8", "#SBATCH --mem=30G", "#SBATCH -t 08:00:00"]),
        ("lsf", ["#BSUB -q analog", "#BSUB -n 8", '#BSUB -R "span[hosts=1]"', "#BSUB -W 08:00"]),
    ],
)
def test_jobs_start_one_dask_worker_that_may_have_simulators(system: str, words: list[str], batch_system: ModuleType):
    with getattr(batch_system, system)() as machines:
        script = machines.job_script().splitlines()
        assert set(words) <= set(script)
        (start,) = [line for line in script if "distributed.cli.dask_worker" in line]
        assert start.startswith(f"{sys.executable} -m distributed.cli.dask_worker {machines.scheduler_address} ")
        assert "--nthreads 8" in start
        assert "--nworkers" not in start
        assert script.index("export DASK_DISTRIBUTED__WORKER__DAEMON=False") < script.index(start)

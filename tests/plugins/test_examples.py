"""The examples of docs/examples: a package is installed and used from the command line, scripts do what they say."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import sizing
from sizing.search.context import Context
from sizing.search.discriminator import Discriminator
from sizing.specfile.load import Spec
from sizing.task.settings import Settings
from sizing.testing import DiscriminatorContract

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = ROOT / "docs" / "examples"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the example package, whose module is installed in `site` there and nowhere else."""
    folder = tmp_path_factory.mktemp("example") / "package"
    shutil.copytree(EXAMPLES / "package", folder)
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps", "--no-build-isolation"]
    done = subprocess.run([*pip, "-t", str(folder / "site"), str(folder)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (folder / "sizing_example.py").unlink()
    return folder


def called(package: Path, *arguments: str) -> str:
    """What a command with the package installed says."""
    path = os.pathsep.join([str(ROOT), str(package / "site")])
    done = subprocess.run(
        [sys.executable, *arguments], cwd=package, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


COMMAND = ("-c", "from sizing.cli import main; main()")


def test_the_package_is_short():
    lines = (EXAMPLES / "package" / "sizing_example.py").read_text().splitlines()
    assert sum(bool(line.strip()) for line in lines) < 100


def test_methods_lists_what_the_package_brings_and_marks_it(package: Path):
    lines = [line for line in called(package, *COMMAND, "methods").splitlines() if "sizing-example" in line]
    assert [line.split()[0] for line in lines] == ["nearby", "phase_lag"]
    assert all(line.endswith("[the package sizing-example]") for line in lines)


def test_a_spec_with_its_simulator_measurement_and_method_is_sized_from_the_command_line(package: Path):
    assert "lag" in called(package, *COMMAND, "check", "filter.yaml")
    said = called(package, *COMMAND, "run", "filter.yaml", "--out", "run")
    assert "5 designs in spec" in said
    again = sizing.load_run(package / "run")
    assert again.record.manifest["versions"]["simulator"].startswith("linear 1.0")
    assert again.record.manifest["run"]["own"] == {"reach": 0.1}


def test_the_package_keeps_the_contracts(package: Path):
    said = called(package, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "test_contracts.py")
    assert "failed" not in said
    assert "passed" in said


def loaded(name: str) -> ModuleType:
    specification = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_an_environment_takes_steps(specs: Path):
    environment = loaded("environment").Environment(specs / "cs_amp.yaml")
    first = environment.reset()
    before = environment.cost
    observed, reward, done = environment.step(np.array([-200, 3]))
    assert first.shape == observed.shape == (3,)
    assert environment.place.tolist()[0] == 0
    assert reward == pytest.approx(before - environment.cost)
    assert done in (True, False)


class TestNearest(DiscriminatorContract):
    @pytest.fixture
    def make(self) -> object:
        judge = loaded("judge")

        def make(context: Context) -> Discriminator:
            object.__setattr__(context, "own", judge.Vote())
            return judge.Nearest(context)

        return make


def test_a_judge_of_ones_own_sizes(amplifier: Spec, tmp_path: Path):
    judge = loaded("judge")
    result = sizing.run(amplifier, method=judge.METHOD, own={"k": 3}, out=tmp_path / "run", workers=1, in_spec=3)
    assert result.status == "in spec"
    assert issubclass(judge.Vote, Settings)
    with pytest.raises(sizing.InputError, match=r"run\.own\.k: input should be a valid integer"):
        sizing.run(amplifier, method=judge.METHOD, own={"k": "three"}, out=tmp_path / "other", workers=1)

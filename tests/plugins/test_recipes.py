"""The recipes of docs/guide.md, followed: what is written there is all that has to be written."""

import re
import shutil
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

import sizing
from sizing.measures.catalogue import MEASURES
from sizing.search.methods import METHODS
from sizing.simulation.simulator import Measured
from sizing.specfile.load import Spec
from tests.plugins.conftest import forget

GUIDE = (Path(__file__).parent.parent.parent / "docs" / "guide.md").read_text()
ADDING = GUIDE[GUIDE.index("## Adding to it") :]


@pytest.fixture(scope="module")
def my_parts(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A package of the files of all recipes, installed."""
    folder = tmp_path_factory.mktemp("site")
    package, metadata = folder / "my_parts", folder / "my_parts-1.0.dist-info"
    for each in (package, metadata):
        each.mkdir()
    (package / "__init__.py").touch()
    models = ".model n1 nmos level=1 vto={threshold} kp=200u\n"
    (package / "models.lib").write_text(
        "".join(f".lib {name}\n.param threshold={volts}\n{models}.endl\n" for name, volts in (("tt", 0.4), ("ss", 0.6)))
    )
    for name, code in re.findall(r"`my_parts/(\w+\.py)`[^`]*(?:`[^`]+`[^`]*)*?```python\n(.*?)```", ADDING, re.S):
        (package / name).write_text(code)
    groups = [tomllib.loads(text)["project"]["entry-points"] for text in re.findall(r"```toml\n(.*?)```", ADDING, re.S)]
    brought = [(group, *each) for entries in groups for group, values in entries.items() for each in values.items()]
    lines = [f"[{group}]\n{name} = {value}\n" for group, name, value in brought]
    (metadata / "entry_points.txt").write_text("".join(lines))
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: my-parts\n")
    sys.path.insert(0, str(folder))
    forget()
    yield package
    sys.path.remove(str(folder))
    forget()


def test_every_recipe_has_its_file(my_parts: Path):
    assert {path.name for path in my_parts.iterdir()} >= {"measures.py", "judges.py", "kits.py", "simulators.py"}
    packages = {MEASURES.package("swing"), METHODS.package("alternating")}
    assert packages == {"the package my-parts"}


@pytest.fixture
def document(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "stage.cir").write_text("* stage\n.param r=1k\nm1 out in 0 0 n1 w=10u l=1u\nr1 vdd out {r}\n")
    return {
        "netlist": "stage.cir",
        "models": "my_kit",
        "variables": {"r": {"from": 1000, "to": 9000, "step": 100}},
        "benches": {
            "b": {"stimulus": "vdd vdd 0 1.2\nvin in 0 0.7 pulse(0 0.7 1n 1n 1n 1 2)", "analyses": {"t": "tran 1n 20n"}}
        },
        "metrics": {"swing": {"measure": "swing", "of": "b.t", "output": "out", "at_least": "0.2 V"}},
        "run": {"simulator": "polite", "method": "alternating", "in_spec": 1, "initial": 4},
    }


@pytest.mark.skipif(shutil.which("ngspice") is None, reason="the ngspice program is not installed")
def test_measurement_kit_and_simulator_work_together(my_parts: Path, document: dict[str, Any], tmp_path: Path):
    typical = sizing.check(Spec.from_document(document, tmp_path))
    slow = sizing.check(Spec.from_document(document | {"models": {"kit": "my_kit", "corner": "ss"}}, tmp_path))
    assert isinstance(typical, Measured)
    assert isinstance(slow, Measured)
    assert typical.values[0] == pytest.approx(5e3 * 0.5 * 200e-6 * 10 * 0.3**2, rel=0.8)
    assert 0 < slow.values[0] < typical.values[0]


@pytest.mark.skipif(shutil.which("ngspice") is None, reason="the ngspice program is not installed")
def test_the_judge_searches(my_parts: Path, document: dict[str, Any], tmp_path: Path):
    result = sizing.run(Spec.from_document(document, tmp_path), out=tmp_path / "run", workers=1)
    assert result.status == "in spec"
    assert result.record.manifest["method"] == "alternating"
    assert sizing.load_run(tmp_path / "run").designs.equals(result.designs)


def test_other_operators_are_registered_as_the_guide_says(my_parts: Path, amplifier: Spec, tmp_path: Path):
    (code,) = (text for text in re.findall(r"```python\n(.*?)```", ADDING, re.S) if "make_toolbox" in text)
    names: dict[str, Any] = {}
    exec((my_parts / "judges.py").read_text(), names)
    exec(code, names)
    quick = {"initial": 4, "batch": 2, "max_sims": 8, "workers": 1}
    result = sizing.run(amplifier, method=names["METHOD"], out=tmp_path / "run", **quick)
    assert result.status == "max_sims"

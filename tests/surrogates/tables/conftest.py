"""Tables made once for all of these tests, in a folder of their own."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from sizing.measures.catalogue import AnyMeasure
from sizing.measures.operating_point import DcValue
from sizing.specfile.load import Spec
from sizing.spice.circuit import parse_circuit
from sizing.spice.netlist import read_text
from sizing.task.bench import Analysis, Bench, Task
from surrogates.tables.model import TableModel

Build = Callable[..., Task]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where tables are kept."""
    if shutil.which("ngspice") is None:
        pytest.skip("the ngspice program is not installed")
    return tmp_path_factory.mktemp("tables")


@pytest.fixture(scope="session")
def opamp_model(specs: Path, folder: Path) -> tuple[Spec, TableModel]:
    """The op-amp without nulling resistor, and its model."""
    from sizing.specfile.load import load_spec

    spec = load_spec(specs / "opamp_cc.yaml")
    return spec, TableModel.of(spec.task, spec.problem.variables, folder)


@pytest.fixture
def task(specs: Path) -> Build:
    """Makes a task of one bench from the lines of a netlist, commands by analysis, and measures."""

    def build(
        netlist: str, *, measures: tuple[AnyMeasure, ...] = (), variables: tuple[str, ...] = (), **runs: str
    ) -> Task:
        lines = read_text(netlist, "test", specs / "netlists")
        analyses = tuple(Analysis(name, command) for name, command in runs.items())
        return Task((Bench("bench", lines, parse_circuit(lines), analyses),), measures, variables)

    return build


def dc(net: str, of: str = "bias") -> DcValue:
    """A measure of a net's voltage."""
    return DcValue(measure="dc_value", of=f"bench.{of}", output=net)

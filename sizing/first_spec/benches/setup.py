"""What a class of circuit is measured with: benches and metrics as a spec has them, and what several classes share."""

from collections.abc import Iterator
from dataclasses import dataclass

from sizing.first_spec.fixture import Fixture
from sizing.first_spec.recognition.classes import Structure
from sizing.first_spec.scalars import scalar
from sizing.units import spice_text

LOAD_FARADS = 1e-12


@dataclass(frozen=True)
class BenchText:
    """A test bench as a spec has it."""

    name: str
    comment: str
    stimulus: tuple[str, ...]
    analyses: tuple[tuple[str, str], ...]
    precise: bool = False
    """Whether its transients need a small truncation error."""


@dataclass(frozen=True)
class MetricText:
    """A metric as a spec has it, and what its target is: a bound on one side or both, at first a usual value."""

    name: str
    entry: str
    bound: str
    """at_least, at_most, or around for both."""
    usual: float
    unit: str
    follows: bool = True
    """Whether what the circuit has as it is becomes the target."""


@dataclass(frozen=True)
class Setup:
    """The benches and metrics for a circuit."""

    title: str
    benches: tuple[BenchText, ...]
    metrics: tuple[MetricText, ...]


def supply_current(bench: str, fixture: Fixture) -> MetricText:
    """The supply's current at the operating point `bias` of a bench."""
    entry = f"measure: supply_current, of: {bench}.bias, source: {fixture.source}"
    return MetricText("current", entry, "at_most", 1e-3, "A")


def load_capacitor(structure: Structure, fixture: Fixture, output: str, value: float = LOAD_FARADS) -> Iterator[str]:
    """A load at the output, unless the netlist has one."""
    if not any(device.kind == "c" for device in structure.loads):
        yield f"{fixture.name('cl')} {output} 0 {spice_text(value)} $ TODO: load"


def resting_inputs(structure: Structure, fixture: Fixture) -> Iterator[str]:
    """Sources for all inputs, at the voltages that they rest at."""
    for net in (*structure.ports.inputs, *structure.ports.clocks):
        known = "as the netlist had it" if net in fixture.held else "TODO: voltage of this input"
        yield f"{fixture.source_at(net)} {net} 0 dc {spice_text(fixture.level(net))} $ {known}"


def transient(window: float) -> str:
    """A transient of this many seconds whose steps follow the truncation error."""
    return f"tran {spice_text(window / 1000)} {spice_text(window)} 0 {spice_text(window / 50)}"


def response(output: str, stimulus: str = "") -> str:
    """The keys of a metric that say where it is observed."""
    return f"output: {scalar(output)}" + (f", input: {scalar(stimulus)}" if stimulus else "")

"""The data sets that have names: their circuits, and how many operating points of each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from surrogates.pretraining.circuits import (
    SampledCircuit,
    ladder,
    loaded_divider,
    opamp,
    parallel_pair,
    series_pair,
    voltage_biased_opamp,
)


@dataclass(frozen=True)
class NamedDataset:
    """Its circuits, given the folder of model cards, each with the number of operating points to draw."""

    description: str
    circuits: Callable[[Path], Sequence[tuple[SampledCircuit, int]]]


DATASETS: Mapping[str, NamedDataset] = {
    "ladder": NamedDataset(
        "resistor ladders of 2 to 10 branches, solved exactly; 20 000",
        lambda _: [(ladder(n), 20_000 // 9 + (n - 2 < 20_000 % 9)) for n in range(2, 11)],
    ),
    "ladder_test": NamedDataset(
        "longer ladders for tests without further training: 12, 16, 32, 128 branches, 1 000 each, and 512, 100",
        lambda _: [(ladder(n), 100 if n == 512 else 1000) for n in (12, 16, 32, 128, 512)],
    ),
    "resistors": NamedDataset(
        "the three few-shot resistor circuits; 2 000 each",
        lambda _: [(make(), 2000) for make in (series_pair, parallel_pair, loaded_divider)],
    ),
    "output_resistance": NamedDataset(
        "ladders of 10 branches with the output resistance at the last node; 2 000",
        lambda _: [(ladder(10, output_resistance=True), 2000)],
    ),
    "opamp": NamedDataset(
        "operating points of the two-stage op-amp from ngspice; 126 000", lambda models: [(opamp(models), 126_000)]
    ),
    "opamp_voltage_biased": NamedDataset(
        "the op-amp with voltage-biased loads from ngspice, with its gain; 11 000",
        lambda models: [(voltage_biased_opamp(models), 11_000)],
    ),
}

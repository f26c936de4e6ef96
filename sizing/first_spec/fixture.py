"""What all test benches of a circuit have in common: its call, supplies, grounds and biases, and names still free."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sizing.errors import InputError
from sizing.first_spec.ranges import LONGEST_IN_METRES
from sizing.first_spec.recognition.classes import Structure
from sizing.first_spec.recognition.transistors import number
from sizing.first_spec.source import UserNetlist
from sizing.units import spice_text

VOLTAGES = (
    (28e-9, 0.9), (40e-9, 1.1), (90e-9, 1.2), (130e-9, 1.5), (180e-9, 1.8), (250e-9, 2.5), (350e-9, 3.3), (1e-3, 5.0),
)  # fmt: skip
"""Supply voltages by the shortest channel up to which they are usual, where the netlist does not tell."""
BIAS_CURRENT = 10e-6

_VOLTAGE = re.compile(r"(?<![^\W_])(\d{1,2})v(\d)(?!\d)")


@dataclass(frozen=True)
class Fixture:
    """The lines around a circuit, and what the benches need to know of them."""

    lines: tuple[str, ...]
    supply: str
    """The main supply's net."""
    source: str
    """Its source."""
    voltage: float
    ground_voltage: float
    taken: frozenset[str]
    """Names of devices at the top level, those of the lines included."""
    nets: frozenset[str]
    held: dict[str, float]
    """Voltages of nets by the netlist's own sources."""

    @property
    def middle(self) -> float:
        """Half way between the rails."""
        return (self.voltage + self.ground_voltage) / 2

    @property
    def span(self) -> float:
        """From rail to rail."""
        return self.voltage - self.ground_voltage

    def name(self, wanted: str) -> str:
        """A device name that the netlist does not have."""
        stem = re.sub(r"\W", "_", wanted)
        return next(name for name in (stem, *(f"{stem}_{n}" for n in range(1, 1000))) if name not in self.taken)

    def source_at(self, net: str, letter: str = "v") -> str:
        """The name of a source at a net, another one for each."""
        if net.startswith(letter):
            return self.name(net)
        return self.name(f"{letter}_{net}" if f"{letter}{net}" in self.nets else f"{letter}{net}")

    def level(self, net: str, otherwise: float | None = None) -> float:
        """Where an input rests: as the netlist's own source has it if that is between the rails, else half way."""
        held = self.held.get(net, self.ground_voltage)
        if self.ground_voltage < held < self.voltage:
            return held
        return self.middle if otherwise is None else otherwise


def fixture_of(netlist: UserNetlist, structure: Structure) -> Fixture:
    """The fixture of a circuit; raises InputError where it has no supply."""
    rails, ports = structure.rails, structure.ports
    if not rails.supplies:
        raise InputError(
            f"{netlist.path}: expected a supply, found none: no net is called vdd, vcc or the like, and no p "
            "devices have their sources at a net from outside; call the supply's net vdd"
        )
    top = frozenset(device.name for device in netlist.circuit.devices if "." not in device.name)
    aside = {line.keyword for line in netlist.sources}
    held = dict(rails.voltages)
    voltage = held.get(rails.supplies[0]) or _own_voltage(netlist, rails.supplies) or _usual_voltage(structure)
    low = min((held.get(net, 0.0) for net in rails.grounds), default=0.0)
    bare = Fixture((), rails.supplies[0], "", voltage, low, top - aside, structure.nets, held)
    lines = [f"{netlist.call} $ the circuit"] if netlist.call else []
    for net in rails.supplies:
        known = "as the netlist had it" if net in held else "TODO: supply voltage"
        lines.append(f"{bare.source_at(net)} {net} 0 dc {spice_text(held.get(net, voltage))} $ {known}")
    for net in rails.grounds:
        if net != "0":
            known = " $ as the netlist had it" if net in held else ""
            lines.append(f"{bare.source_at(net)} {net} 0 dc {spice_text(held.get(net, 0.0))}{known}")
    for net in ports.bias_voltages:
        known = "as the netlist had it" if net in held else "TODO: bias voltage"
        lines.append(
            f"{bare.source_at(net)} {net} 0 dc {spice_text(bare.level(net, _bias(structure, net, bare)))} $ {known}"
        )
    for net, polarity in ports.bias_currents:
        ends = f"{rails.supplies[0]} {net}" if polarity == "n" else f"{net} {rails.grounds[-1]}"
        lines.append(f"{bare.source_at(net, 'i')} {ends} dc {spice_text(BIAS_CURRENT)} $ TODO: bias current")
    source = bare.source_at(rails.supplies[0])
    taken = bare.taken | {line.split()[0] for line in lines}
    return replace(bare, lines=tuple(lines), source=source, taken=taken)


def _own_voltage(netlist: UserNetlist, supplies: Sequence[str]) -> float | None:
    """What a parameter called as a supply, or as supplies are, says."""
    parameters = netlist.circuit.parameters
    name = next((name for name in (*supplies, "vdd", "vcc", "vsup", "vsupply") if name in parameters), None)
    return None if name is None else number(name, netlist.circuit)


def _usual_voltage(structure: Structure) -> float:
    """What the models' names say, as `nfet_01v8` does, or what is usual for the shortest channel."""
    named = [_VOLTAGE.search(each.device.model or "") for each in structure.transistors]
    if rated := [float(f"{match[1]}.{match[2]}") for match in named if match]:
        return min(rated)
    lengths = [dict(each.sizes)["l"] for each in structure.transistors if "l" in dict(each.sizes)]
    shortest = min(lengths, default=180e-9)
    shortest = shortest if shortest < LONGEST_IN_METRES else shortest * 1e-6
    return next((voltage for length, voltage in VOLTAGES if shortest <= length * 1.001), VOLTAGES[-1][1])


def _bias(structure: Structure, net: str, fixture: Fixture) -> float:
    """A first guess: a bit above a threshold from the rail that most devices with their gate there belong to."""
    polarities = [each.polarity for each in structure.transistors if each.gate == net]
    fraction = 0.6 if polarities.count("p") > polarities.count("n") else 0.4
    return fixture.ground_voltage + fraction * fixture.span

"""What no operating point can be, whatever a simulator says."""

from collections.abc import Mapping

from sizing.circuit import Circuit
from sizing.expression import ExpressionError, resolve

_PASSIVE = frozenset("rclkvdmqj")
"""Kinds of devices that cannot make a DC voltage larger than the sources do."""
MARGIN = 2.0
LEAST = 1.0


def highest_voltage(circuit: Circuit, variables: Mapping[str, float]) -> float:
    """The magnitude in volts beyond which a net's voltage is impossible at DC; infinite where there is no such limit.

    In a network of voltage sources and of resistors, diodes and transistors, which have no voltage gain between their
    own terminals, every voltage is at most the sum of the sources' magnitudes (Willson, "The no-gain property …", IEEE
    Trans. Circuits and Systems, 1975). Twice that and 1 V allow for what solvers and device models add. Current
    sources, controlled sources, switches, negative resistors, and sources without a DC value that can be read, lift the
    limit.
    """
    sources: dict[str, str] = {}
    resistors: dict[str, str] = {}
    for device in circuit.devices:
        if device.kind not in _PASSIVE:
            return float("inf")
        if device.kind == "v":
            if "waveform" in device.parameters and "dc" not in device.parameters:
                return float("inf")
            sources[f"source {device.name}"] = device.parameters.get("dc", "0")
        elif device.kind == "r" and "r" in device.parameters:
            resistors[f"resistor {device.name}"] = device.parameters["r"]
    try:
        values = resolve({**circuit.parameters, **sources, **resistors}, variables, [*sources, *resistors])
    except (ExpressionError, ArithmeticError):
        return float("inf")
    if min((float(values[name]) for name in resistors), default=0.0) < 0:
        return float("inf")
    return LEAST + MARGIN * sum(abs(float(values[name])) for name in sources)

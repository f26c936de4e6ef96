"""Whether what a simulator left behind is a result, whatever it says of it."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from sizing.measures.waveforms import Vector, Waveforms
from sizing.simulation.simulator import SimulationError
from sizing.spice.circuit import Circuit
from sizing.spice.expression import ExpressionError, resolve
from sizing.task.bench import Analysis
from sizing.units import parse_quantity

_PASSIVE = frozenset("rclkvdmqjx")
"""Kinds of devices that cannot make a DC voltage larger than the sources do; `x` is what a kit calls a device."""
MARGIN = 2.0
LEAST_VOLTS = 1.0


def checked(analysis: Analysis, axis: NDArray[np.float64], vectors: Mapping[str, Vector]) -> Waveforms:
    """The vectors of an analysis over its axis (one zero for `op`), if they are whole, equally long and finite.

    Raises SimulationError.
    """
    _check_complete(analysis, axis)
    for name, vector in vectors.items():
        if vector.shape != axis.shape:
            raise SimulationError("invalid", f"{name} has {vector.size} points, expected {axis.size}")
        if not np.isfinite(vector).all():
            raise SimulationError("invalid", f"{name} is not finite")
    return Waveforms(axis, vectors)


def check_possible(circuit: Circuit, variables: Mapping[str, float], voltages: Mapping[str, float]) -> None:
    """Raise SimulationError where a net of an operating point has a voltage that the sources cannot make."""
    limit = highest_voltage(circuit, variables)
    for net, voltage in voltages.items():
        if not abs(voltage) <= limit:
            raise SimulationError("invalid", f"v({net}) is {voltage:g} V where sources allow {limit:g} V at most")


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
    return LEAST_VOLTS + MARGIN * sum(abs(float(values[name])) for name in sources)


def _check_complete(analysis: Analysis, axis: NDArray[np.float64]) -> None:
    """Raise where a sweep ended early."""
    words = analysis.command.split()
    try:
        if analysis.kind == "tran":
            last = float(parse_quantity(words[2], ""))
        elif analysis.kind == "dc":
            last, step = (float(parse_quantity(word, "")) for word in words[3:5])
        elif analysis.kind in ("ac", "noise"):
            last = float(parse_quantity(words[-1] if analysis.kind == "ac" else words[6], ""))
        else:
            return
    except (IndexError, ValueError):
        return  # an expression; ngspice has judged it
    if analysis.kind == "tran" and axis[-1] < last * (1 - 1e-6):
        raise SimulationError("convergence", f"ended at {axis[-1]:g} of {last:g}")
    if analysis.kind == "dc" and abs(axis[-1] - last) > abs(step) * 1.001:
        raise SimulationError("convergence", f"ended at {axis[-1]:g} of {last:g}")
    if analysis.kind in ("ac", "noise") and axis[-1] < last * 0.5:
        raise SimulationError("convergence", f"ended at {axis[-1]:g} Hz of {last:g} Hz")

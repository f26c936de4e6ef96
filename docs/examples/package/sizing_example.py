"""What a package may bring: a method, a measurement and a simulator."""

from time import perf_counter
from typing import Literal

import numpy as np
from pydantic import Field

import sizing
from sizing.spice.expression import parse_expression, resolve


class Reach(sizing.Settings):
    reach: float = Field(0.05, gt=0, le=1, description="how far a design may be from the best, as a share of the range")


class Nearby:
    def __init__(self, context: sizing.Context) -> None:
        self.context, self.costs = context, {}

    def ask(self) -> sizing.Proposal:
        context, problem, rng = self.context, self.context.problem, self.context.streams.proposal
        if not self.costs:
            return sizing.initial_proposal(problem, context.settings.initial, context.streams.initial, context.known)
        best, batch = min(self.costs, key=self.costs.get), context.settings.batch
        steps = rng.normal(size=(8 * batch, len(problem.shape))) * context.own.reach * problem.shape
        near = np.clip(np.rint(best + steps), 0, problem.shape - 1).astype(int)
        far = sizing.random_designs(batch + len(self.costs), problem.shape, rng)
        new = dict.fromkeys(d for d in map(tuple, np.concatenate([near, far]).tolist()) if d not in self.costs)
        return sizing.Proposal(tuple(new)[:batch], "search")

    def tell(self, evaluations: list[sizing.Evaluation]) -> None:
        for each in evaluations:
            found = sizing.cost(self.context.problem, sizing.values_of([each]))[0] if each.ok else np.inf
            self.costs[each.design] = found


NEARBY = sizing.Method("small steps from the best design", Nearby, {"initial": 20}, own=Reach)


class PhaseLag(sizing.Measure):
    """By how many degrees the output lags behind the excited source at a frequency."""

    measure: Literal["phase_lag"]
    kinds = ("ac",)
    unit: Literal["deg"] = "deg"
    output: str
    frequency: float = Field(gt=0, description="in Hz")

    @property
    def vectors(self) -> tuple[str, ...]:
        return (f"v({self.output})",)

    def value(self, results: dict[str, sizing.Waveforms]) -> float:
        axis, (response,) = results[self.of].axis, results[self.of].vectors.values()
        if not axis[0] <= self.frequency <= axis[-1]:
            raise sizing.Missing(f"the sweep does not reach {self.frequency:g} Hz")
        return float(np.interp(self.frequency, axis, -np.unwrap(np.angle(response)) * 180 / np.pi))


class Linear:
    """Operating points and frequency responses of R, C, L and sources, by modified nodal analysis."""

    version, unusable, seconds = "linear 1.0", False, 0.0

    def __init__(self, task: object) -> None:
        self.benches, self.wanted = task.benches, task.vectors

    def start(self, words: int | None = None) -> None:
        pass

    def load(self, job: object) -> None:
        for bench in self.benches:
            if odd := [device.name for device in bench.circuit.devices if device.kind not in "rclvi"]:
                raise sizing.SimulationError("netlist", f"bench {bench.name}: expected R, C, L, V and I, got {odd[0]}")

    def simulate(self, job: object) -> dict[str, sizing.Waveforms]:
        began = perf_counter()
        found = {f"{b.name}.{a.name}": self.solved(b, a, job) for b in self.benches for a in b.analyses}
        self.seconds += perf_counter() - began
        return found

    def solved(self, bench: object, analysis: object, job: object) -> sizing.Waveforms:
        name, (kind, *words) = f"{bench.name}.{analysis.name}", analysis.command.split()
        devices, nets = bench.circuit.devices, [net for net in bench.circuit.nets if net != "0"]
        row = {net: r for r, net in enumerate([*nets, *(f"i({d.name})" for d in devices if d.kind in "vl")])}
        texts = {f" {d.name}": d.parameters.get("dc" if d.kind in "vi" else d.kind, "0") for d in devices}
        values = resolve({**bench.circuit.parameters, **texts}, job.values, list(texts))
        axis = np.zeros(1)
        if kind == "ac":
            points, first, last = (float(parse_expression(word)({})) for word in words[1:])
            decades = {"dec": np.log10(last / first), "oct": np.log2(last / first), "lin": 1 - 1 / points}[words[0]]
            axis = (np.linspace if words[0] == "lin" else np.geomspace)(first, last, round(points * decades) + 1)
        excited, s = dict(analysis.excite), 2j * np.pi * axis
        matrix, right = np.zeros((len(axis), len(row), len(row)), complex), np.zeros((len(row), 1), complex)
        for device in devices:
            value, branch = values[f" {device.name}"], row.get(f"i({device.name})")
            ends = [(row[net], sign) for net, sign in zip(device.nets, (1, -1), strict=True) if net != "0"]
            if device.kind in "vi":
                value = value if kind == "op" else excited.get(device.name, 0.0)
            for r, sign in ends:
                if branch is not None:
                    matrix[:, r, branch] += sign
                    matrix[:, branch, r] += sign
                elif device.kind == "i":
                    right[r] -= sign * value
                for c, other in ends if device.kind in "rc" else ():
                    matrix[:, r, c] += sign * other * (1 / value if device.kind == "r" else s * value)
            if device.kind == "l":
                matrix[:, branch, branch] -= s * value
            elif device.kind == "v":
                right[branch] = value
        try:
            solution = np.linalg.solve(matrix, np.broadcast_to(right, (len(axis), *right.shape)))[:, :, 0]
        except np.linalg.LinAlgError:
            raise sizing.SimulationError("convergence", f"{name}: the equations have no solution") from None
        solution = solution.real if kind == "op" else solution
        places = {vector: row[vector if vector[0] == "i" else vector[2:-1]] for vector in self.wanted[name]}
        return sizing.Waveforms(axis, {vector: solution[:, place] for vector, place in places.items()})


LINEAR = sizing.SimulatorEntry(Linear, lambda: __file__)

"""The device relaxation network: devices propose, nets settle where the proposals balance, round after round.

A circuit solver relaxes, and so does this network. Devices and nets are its two kinds of node; terminals are slots of a
device, not nodes of their own. In a round every device, seeing the states of its nets, sends each of its terminals a
value and a conductance; every net moves to the mean of what arrives, weighted by conductance. The weights are the same
in all rounds. Two linear paths beside the networks make the first rounds a damped Jacobi iteration, from which training
starts.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

import torch
from torch import nn
from torch.nn.functional import gelu

from surrogates.networks.backbones.backbone import Backbone
from surrogates.networks.backbones.normalisation import Normalisation
from surrogates.networks.graph import Topology
from surrogates.networks.kinds import FEATURES, KIND_NUMBERS, KINDS, TERMINAL_NUMBERS

VOLTAGES = 8
"""Channels of a net's state that behave like voltages."""
CLAMP = 4.0
HEADS = 4
MOST_TERMINALS = 4
_SCORE_LIMIT = 10.0


@dataclass(frozen=True)
class _Group:
    """The devices with the same number of terminals: their indices (G,), and by terminal nets and numbers (T, G)."""

    terminals: int
    devices: torch.Tensor
    nets: torch.Tensor
    numbers: torch.Tensor


class Wiring:
    """A topology as index tensors, grouped so that a round is a handful of dense operations.

    `held` nets are kept at the voltage of `sources`, times `signs`, to ground; the `moving` ones are neither these nor
    ground. `active` devices touch one that moves, and alone take part in rounds; `groups` has them all. `incidence`
    (moving nets, terminals of active devices) is 1 where a terminal is on a net.
    """

    def __init__(self, topology: Topology, device: torch.device | str = "cpu") -> None:
        self.topology = topology
        self.kinds = torch.tensor(topology.kinds, device=device)
        held = [
            (d, nets.index(0), nets[1 - nets.index(0)])
            for d, nets in enumerate(topology.device_nets)
            if topology.kinds[d] == KIND_NUMBERS["voltage source"] and 0 in nets and nets != (0, 0)
        ]
        self.sources = torch.tensor([d for d, _, _ in held], dtype=torch.long, device=device)
        self.signs = torch.tensor([1.0 if grounded == 1 else -1.0 for _, grounded, _ in held], device=device)
        self.held = torch.tensor([net for _, _, net in held], dtype=torch.long, device=device)
        known = {0, *(net for _, _, net in held)}
        moving = [net for net in range(len(topology.nets)) if net not in known]
        self.moving = torch.tensor(moving, dtype=torch.long, device=device)
        everything = range(len(topology.devices))
        self.groups = _grouped(topology, everything, device)
        self.active = _grouped(
            topology, [d for d in everything if not known.issuperset(topology.device_nets[d])], device
        )
        arriving = torch.cat([self.moving[:0], *(group.nets.flatten() for group in self.active)])
        self.incidence = (self.moving[:, None] == arriving).float()


def _grouped(topology: Topology, devices: Iterable[int], device: torch.device | str) -> list[_Group]:
    """These devices by their number of terminals."""
    groups = []
    for count in range(2, MOST_TERMINALS + 1):
        members = [d for d in devices if len(topology.device_nets[d]) == count]
        if members:
            kinds = [KINDS[topology.kinds[d]] for d in members]
            numbers = [[TERMINAL_NUMBERS[kind.name, terminal] for terminal in kind.terminals] for kind in kinds]
            nets = [topology.device_nets[d] for d in members]
            by_terminal = (torch.tensor(each, device=device).T.contiguous() for each in (nets, numbers))
            groups.append(_Group(count, torch.tensor(members, device=device), *by_terminal))
    return groups


def _rows(values: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    """`values[index]` for an index of two dimensions, four times as fast."""
    return values.index_select(0, index.flatten()).view(*index.shape, *values.shape[1:])


class DeviceRelaxation(Backbone):
    """Parameters (B, D, FEATURES) of one topology's devices -> states (N, B, width) of its nets, and their voltages."""

    def __init__(self, width: int = 32, rounds: int = 6, hidden: int = 64, encoding: int = 32) -> None:
        super().__init__()
        self.width = width
        self.rounds = rounds
        self.hidden = hidden
        self.token_width = width + hidden + FEATURES
        self.normalisation = Normalisation()
        terminals = len(TERMINAL_NUMBERS)
        self.start = nn.Parameter(torch.zeros(width))
        self.encode = _PerTerminal(terminals, FEATURES, encoding)
        self.conduct = _PerTerminal(terminals, FEATURES, HEADS)
        self.offset = _PerTerminal(terminals, FEATURES, width)
        self.mix = nn.Parameter(torch.zeros(terminals, MOST_TERMINALS))
        self.norm = nn.LayerNorm(width - VOLTAGES)
        self.devices = nn.ModuleDict(
            {
                str(count): _DeviceNetwork(1 if count == 2 else count, count, width, encoding, hidden)
                for count in range(2, MOST_TERMINALS + 1)
            }
        )
        self.settle = nn.Sequential(nn.Linear(2 * width + HEADS, hidden), nn.GELU(), nn.Linear(hidden, width))
        self.gate = nn.Parameter(torch.full((width,), 2.0))
        self.read_linear = nn.Linear(VOLTAGES, 1)
        self.read_network = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, 1))
        with torch.no_grad():
            self.start[:VOLTAGES] = 0.5
            self.start[VOLTAGES:].normal_(0, 0.5)
            self.read_linear.weight.fill_(1 / VOLTAGES)
            self.read_linear.bias.zero_()
            for last in (self.settle[-1], self.read_network[-1]):
                cast(nn.Linear, last).weight.mul_(0.1)
                cast(nn.Linear, last).bias.zero_()

    def bind(self, topology: Topology, device: torch.device | str = "cpu") -> Wiring:
        """The topology as index tensors."""
        return Wiring(topology, device)

    def forward(self, wiring: Wiring, parameters: torch.Tensor) -> list[torch.Tensor]:
        """States (N, B, width) of the nets after every round, for parameters (B, D, FEATURES)."""
        scaled = self.normalisation(parameters, wiring.kinds).transpose(0, 1)
        fixed = [self._encoded(group, scaled[group.devices]) for group in wiring.active]
        boundary = self._boundary(wiring, parameters)
        if not len(wiring.moving):
            return [boundary]
        state = boundary.index_copy(0, wiring.moving, self.start.expand(len(wiring.moving), len(parameters), -1))
        states = []
        for _ in range(self.rounds):
            state = boundary.index_copy(0, wiring.moving, self._round(wiring, fixed, state))
            states.append(state)
        return states

    def voltages(self, state: torch.Tensor) -> torch.Tensor:
        """Voltages (B, N) in volts for states (N, B, width)."""
        raw, seen = state[..., :VOLTAGES], self._seen(state)
        result: torch.Tensor = self.read_linear(raw) + self.read_network(seen)
        return result.squeeze(-1).T

    def tokens(self, wiring: Wiring, parameters: torch.Tensor) -> torch.Tensor:
        """Nets, by their final states, and devices, by what they make of those states (B, N + D, token_width).

        The two kinds of token have channels of their own; the other's are zero. A device's are the inner activations
        of its network, summed over its terminals, and its scaled features.
        """
        seen = self._seen(self(wiring, parameters)[-1]).transpose(0, 1)
        scaled = self.normalisation(parameters, wiring.kinds)
        devices = torch.zeros(len(parameters), len(wiring.kinds), self.hidden, device=seen.device)
        for group in wiring.groups:
            network = self._network(group)
            encoding = self._encoded(group, scaled.transpose(0, 1)[group.devices]).encoding
            devices[:, group.devices] = network.inner(group, seen.transpose(0, 1), encoding).sum(0).transpose(0, 1)
        nets = torch.nn.functional.pad(seen, (0, self.token_width - self.width))
        return torch.cat([nets, torch.nn.functional.pad(torch.cat([devices, scaled], -1), (self.width, 0))], dim=1)

    def _seen(self, state: torch.Tensor) -> torch.Tensor:
        return torch.cat([state[..., :VOLTAGES].clamp(-CLAMP, CLAMP), self.norm(state[..., VOLTAGES:])], dim=-1)

    def _boundary(self, wiring: Wiring, parameters: torch.Tensor) -> torch.Tensor:
        """The states (N, B, width) of the nets that never change.

        A net held by a source has its voltage in the first channels and zeros in the others, ground being one at 0 V: a
        bulk on ground must look like one on a source of 0 V.
        """
        states = torch.zeros(len(wiring.topology.nets), len(parameters), self.width, device=parameters.device)
        volts = parameters[:, wiring.sources, 0] * wiring.signs
        states[wiring.held, :, :VOLTAGES] = volts.T[..., None]
        return states

    def _encoded(self, group: _Group, scaled: torch.Tensor) -> "_Fixed":
        """What depends on the parameters (G, B, FEATURES) alone, and so is the same in every round."""
        network = self._network(group)
        if group.terminals == 2:
            encoding = torch.stack([gelu(self.encode(scaled, numbers)) for numbers in group.numbers])
        else:
            encoding = gelu(self.encode(scaled, group.numbers[0]))[None]
        return _Fixed(
            network.enter_encoding(encoding),
            torch.stack([self.conduct(scaled, numbers) for numbers in group.numbers]),
            torch.stack([self.offset(scaled, numbers) for numbers in group.numbers]),
        )

    def _round(self, wiring: Wiring, fixed: "list[_Fixed]", state: torch.Tensor) -> torch.Tensor:
        """States (moving nets, B, width) after a round from states (N, B, width)."""
        seen = self._seen(state)
        values, scores = [], []
        for group, known in zip(wiring.active, fixed, strict=True):
            value, score = self._network(group)(group, seen, known.encoding)
            joined = _rows(state, group.nets)
            values.append((value + known.offset + self._others(group, joined)).flatten(0, 1))
            scores.append((score + known.score).flatten(0, 1))
        weight = torch.exp(_SCORE_LIMIT * torch.tanh(torch.cat(scores) / _SCORE_LIMIT))
        value = torch.cat(values)
        count, batch, width = value.shape
        weighted = (value.view(count, batch, HEADS, -1) * weight[..., None]).view(count, -1)
        total = (wiring.incidence @ weight.view(count, -1)).view(-1, batch, HEADS) + 1e-9
        summed = (wiring.incidence @ weighted).view(-1, batch, HEADS, width // HEADS)
        mean = (summed / total[..., None]).view(-1, batch, width)
        before = state.index_select(0, wiring.moving)
        change = self.settle(
            torch.cat([seen.index_select(0, wiring.moving), self._seen(mean), torch.log(total)], dim=-1)
        )
        settled: torch.Tensor = before + torch.sigmoid(self.gate) * (mean - before) + change
        return settled

    def _network(self, group: _Group) -> "_DeviceNetwork":
        return cast(_DeviceNetwork, self.devices[str(group.terminals)])

    def _others(self, group: _Group, joined: torch.Tensor) -> torch.Tensor:
        """For every terminal (T, G, B, width), the weighted mean of the states at the device's other terminals."""
        if group.terminals == 2:
            return joined.flip(0)
        logits = self.mix[group.numbers][..., : group.terminals]  # (T, G, T): terminal, device, other terminal
        itself = torch.eye(group.terminals, dtype=torch.bool, device=logits.device)[:, None]
        weights = torch.softmax(logits.masked_fill(itself, float("-inf")), dim=-1)
        return torch.einsum("tgo,ogbh->tgbh", weights, joined)


@dataclass(frozen=True)
class _Fixed:
    encoding: torch.Tensor
    score: torch.Tensor
    offset: torch.Tensor


class _PerTerminal(nn.Module):
    """A linear map with weights for every kind of terminal."""

    def __init__(self, terminals: int, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(terminals, inputs, outputs) * inputs**-0.5)
        self.bias = nn.Parameter(torch.zeros(terminals, outputs))

    def forward(self, features: torch.Tensor, numbers: torch.Tensor) -> torch.Tensor:
        """Outputs (G, B, outputs) of features (G, B, inputs) at terminals of these numbers (G,)."""
        return torch.baddbmm(self.bias[numbers][:, None], features, self.weight[numbers])


class _DeviceNetwork(nn.Module):
    """Messages of devices with one number of terminals, from the states of their nets and the devices' encodings.

    With two terminals each is computed by the same weights from (own, other), so that a symmetric device is symmetric.
    With more, one pass sees all terminals in order and answers for all of them.
    """

    def __init__(self, answers: int, slots: int, width: int, encoding: int, hidden: int) -> None:
        super().__init__()
        self.answers = answers
        self.width = width
        self.enter_nets = nn.Linear(width, slots * hidden, bias=False)
        self.enter_encoding = nn.Linear(encoding, hidden)
        self.leave = nn.Linear(hidden, answers * (width + HEADS))
        with torch.no_grad():
            self.leave.weight.mul_(0.1)
            self.leave.bias.zero_()

    def forward(self, group: _Group, seen: torch.Tensor, encoding: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Values (T, G, B, width) and scores (T, G, B, HEADS) for states (N, B, width)."""
        out = self.leave(self.inner(group, seen, encoding))
        if self.answers > 1:
            out = out[0].unflatten(-1, (self.answers, self.width + HEADS)).movedim(-2, 0)
        return out[..., : self.width], out[..., self.width :]

    def inner(self, group: _Group, seen: torch.Tensor, encoding: torch.Tensor) -> torch.Tensor:
        """Inner activations, for each of two terminals or for all at once (2 or 1, G, B, hidden)."""
        parts = self.enter_nets(seen).chunk(group.terminals, dim=-1)
        if group.terminals == 2:
            own, other = _rows(parts[0], group.nets), _rows(parts[1], group.nets)
            inner = own + other.flip(0) + encoding
        else:
            inner = sum(part.index_select(0, nets) for part, nets in zip(parts, group.nets, strict=True)) + encoding[0]
            inner = inner[None]
        return gelu(inner)

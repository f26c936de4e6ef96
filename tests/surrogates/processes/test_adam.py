"""Adam: torch's own steps, to the last bit, without torch's optimizers."""

import torch

from surrogates.processes.adam import Adam


def test_it_takes_the_very_steps_of_torch():
    start = torch.randn((3, 1, 5), dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    ours, theirs = ([start.clone().requires_grad_(), torch.ones(3, 1, 1, requires_grad=True)] for _ in range(2))

    def loss(parameters: list[torch.Tensor]) -> torch.Tensor:
        return ((parameters[0] * parameters[1]).exp() + parameters[0].square()).sum()

    adam, reference = Adam(ours, 0.1), torch.optim.Adam(theirs, 0.1)
    for _ in range(40):
        adam.step(loss(ours))
        reference.zero_grad()
        loss(theirs).backward()
        reference.step()
        assert all(torch.equal(own, other) for own, other in zip(ours, theirs, strict=True))
    assert not torch.equal(ours[0], start)

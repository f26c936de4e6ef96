"""Adam (Kingma and Ba, 2015, algorithm 1), to the last bit what torch's own does on a CPU.

torch.optim imports torch's compiler with its first step, which takes as long as a short run.
"""

from collections.abc import Sequence

import torch

BETAS = (0.9, 0.999)
EPSILON = 1e-8


class Adam:
    """Steps down the gradients of these parameters, changed in place."""

    def __init__(self, parameters: Sequence[torch.Tensor], rate: float) -> None:
        self._parameters = parameters
        self._rate = rate
        self._means = [torch.zeros_like(each) for each in parameters]
        self._squares = [torch.zeros_like(each) for each in parameters]
        self._steps = 0

    def step(self, loss: torch.Tensor) -> None:
        """One step down the gradient of this loss, a number that depends on all parameters."""
        gradients = torch.autograd.grad(loss, self._parameters)
        self._steps += 1
        first, second = BETAS
        rate = self._rate / (1 - first**self._steps)
        widening = (1 - second**self._steps) ** 0.5
        with torch.no_grad():
            for parameter, gradient, mean, square in zip(
                self._parameters, gradients, self._means, self._squares, strict=True
            ):
                mean.lerp_(gradient, 1 - first)
                square.mul_(second).addcmul_(gradient, gradient, value=1 - second)
                parameter.addcdiv_(mean, (square.sqrt() / widening).add_(EPSILON), value=-rate)

"""What every feature extractor is: from designs to what it reads, through a body, to an embedding."""

from abc import ABC, abstractmethod

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn


class Extractor(nn.Module, ABC):
    """Designs (B, V), as grid indices -> read (B, ...) -> body (B, ...) -> embedding (B, EMBEDDING)."""

    chunk: int
    """Designs to judge at once at most."""
    block: int
    """How many of these go through together; blocks of a fixed size keep results apart from the number of cores."""
    rate: float = 1.0
    """The body's learning rate, as a share of that of the rest."""

    @abstractmethod
    def read(self, designs: NDArray[np.int64]) -> torch.Tensor:
        """What training never changes: computed once for each design."""

    def body(self, read: torch.Tensor) -> torch.Tensor:
        """The costly part, which training changes slowly if at all; nothing unless an extractor has one."""
        return read

    @abstractmethod
    def embed(self, body: torch.Tensor) -> torch.Tensor:
        """Embedding (B, EMBEDDING)."""

    def forward(self, read: torch.Tensor) -> torch.Tensor:
        """Embedding (B, EMBEDDING) of what has been read."""
        return self.embed(self.body(read))

    def learning(self) -> list[nn.Parameter]:
        """The body's parameters, if they are to be trained."""
        return []

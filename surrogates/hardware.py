"""Where networks live, by name, and how many threads compute them."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from sizing.errors import InputError


def device_named(name: str) -> torch.device:
    """A torch device that works; raises InputError where this machine has none of that name."""
    try:
        device = torch.device(name)
        if device.type not in ("cpu", "cuda", "mps"):
            raise RuntimeError("networks are not trained there")
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"device: expected one that works here (cpu, cuda), got {name!r}: {reason}") from None
    return device


@contextmanager
def one_thread() -> Iterator[None]:
    """Within it torch computes on one thread; afterwards on as many as before.

    Layers and matrices as small as ours are slower on several, and sums could differ in their last bits.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)

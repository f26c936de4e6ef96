"""Where networks live, by name."""

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

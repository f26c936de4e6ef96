"""Sizes analog circuits in as few SPICE simulations as possible.

import sizing
result = sizing.run("specs/opamp_cc.yaml", seed=10)
result.designs, result.table
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sizing.loop import Progress
    from sizing.mistakes import InputError
    from sizing.running import Result, resume, run
    from sizing.spec.load import Spec, load_spec
    from sizing.spec.mistakes import SpecError

__all__ = ["InputError", "Progress", "Result", "Spec", "SpecError", "load_spec", "resume", "run"]

_HOMES = {
    "InputError": "sizing.mistakes",
    "Progress": "sizing.loop",
    "Result": "sizing.running",
    "Spec": "sizing.spec.load",
    "SpecError": "sizing.spec.mistakes",
    "load_spec": "sizing.spec.load",
    "resume": "sizing.running",
    "run": "sizing.running",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that simulator processes load only what they need."""
    if name not in _HOMES:
        raise AttributeError(f"module 'sizing' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)

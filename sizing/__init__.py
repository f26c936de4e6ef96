"""Sizes analog circuits in as few SPICE simulations as possible.

import sizing
result = sizing.run("specs/opamp_cc.yaml", seed=10)
result.designs, result.table
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sizing.errors import InputError
    from sizing.runs.events import Progress
    from sizing.runs.run import Result, resume, run
    from sizing.specfile.load import Spec, load_spec
    from sizing.specfile.mistakes import SpecError

__all__ = ["InputError", "Progress", "Result", "Spec", "SpecError", "load_spec", "resume", "run"]

_HOMES = {
    "InputError": "sizing.errors",
    "Progress": "sizing.runs.events",
    "Result": "sizing.runs.run",
    "Spec": "sizing.specfile.load",
    "SpecError": "sizing.specfile.mistakes",
    "load_run": "sizing.runs.run",
    "load_spec": "sizing.specfile.load",
    "resume": "sizing.runs.run",
    "run": "sizing.runs.run",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that simulator processes load only what they need."""
    if name not in _HOMES:
        raise AttributeError(f"module 'sizing' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)

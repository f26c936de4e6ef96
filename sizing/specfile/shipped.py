"""Where the shipped specs and netlists are: inside an installed package, or beside a checked-out one."""

from importlib.resources import files
from pathlib import Path


def shipped_specs() -> Path:
    """The folder of specs; netlists and models are in its folder `netlists`."""
    package = Path(str(files("sizing")))
    return next(specs for specs in (package / "specs", package.parent / "specs") if specs.is_dir())

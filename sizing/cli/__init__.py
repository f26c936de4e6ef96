"""The `sizing` command: parse, assemble, call, print. Results on stdout, progress on stderr."""

from sizing.cli.main import main

__all__ = ["main"]

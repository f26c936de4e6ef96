"""The command line in this process: starting Python takes longer than most of what is tested."""

import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest

from sizing.cli import main

SIZING = [sys.executable, "-c", "from sizing.cli import main; main()"]
"""The same in a process of its own, for tests that end it, limit it, or look at what it has imported."""


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


def sizing(*arguments: object, folder: Path | None = None, **environment: str) -> Done:
    """A command in this folder and with these variables of the environment."""
    out, err, status = StringIO(), StringIO(), 0
    with pytest.MonkeyPatch.context() as patched, redirect_stdout(out), redirect_stderr(err):
        if folder is not None:
            patched.chdir(folder)
        for name, value in environment.items():
            patched.setenv(name, value)
        patched.setattr(sys, "argv", ["sizing", *map(str, arguments)])
        try:
            main()
        except SystemExit as ended:
            status = int(ended.code or 0)
    return Done(status, out.getvalue(), err.getvalue())

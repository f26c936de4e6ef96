"""What the command line does about files from others: the option that trusts them, and messages that quote them."""

from typing import Annotated

import typer

TrustOption = Annotated[
    bool, typer.Option("--trust", help="the spec and its netlists are your own: let them include and hold anything")
]


def harmless(text: str) -> str:
    """A message with the characters escaped that could command a terminal."""
    return "".join(char if char.isprintable() or char == "\t" else repr(char)[1:-1] for char in text)

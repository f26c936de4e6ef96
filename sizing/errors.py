"""The error of everything that is given to the program and cannot be used, whichever package finds out."""

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """A file, circuit or option that cannot be used as it is; the command line prints its message and exits with 2.

    The message says what was expected, what came, where, and what to do. Packages that the engine must not import
    derive their own errors from it, so that the command line knows them without knowing the packages.
    """


def nearest(name: str, names: Iterable[str]) -> str:
    """The end of an error message: the most similar known name, or a list of them."""
    known = sorted(names)
    match = difflib.get_close_matches(name.lower(), known, 1, 0.5)
    if match:
        return f"; did you mean {match[0]!r}?"
    return f"; expected one of {', '.join(known[:30])}" if known else ""

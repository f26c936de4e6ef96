"""The error of everything that is given to the program and cannot be used, whichever package finds out."""


class InputError(ValueError):
    """A file, circuit or option that cannot be used as it is; the command line prints its message and exits with 2.

    The message says what was expected, what came, where, and what to do. Packages that the engine must not import
    derive their own errors from it, so that the command line knows them without knowing the packages.
    """

"""What can be named: what is shipped, and what installed packages add by entry points of a group, loaded when named."""

import traceback
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Generic, TypeVar

from sizing.errors import InputError

T = TypeVar("T")


class PlugInError(InputError):
    """A plug-in that broke a promise while it was used; the message names it and says what was expected of it."""


class Named(Mapping[str, T], Generic[T]):
    """Shipped things by name, and those of plug-ins under `sizing.<group>`; `check` says what is wrong with one.

    A plug-in is looked for when a name is asked for that is not shipped, and when all are listed. Raises InputError,
    with the plug-in and the package that brings it, where it cannot be loaded, is none, or has the name of a shipped
    one.
    """

    def __init__(self, group: str, shipped: Mapping[str, T], check: Callable[[str, Any], str]) -> None:
        self._group = f"sizing.{group}"
        self.shipped = shipped
        self._check = check
        self._loaded: dict[str, T] = {}

    def __getitem__(self, name: str) -> T:
        if name in self.shipped:
            return self.shipped[name]
        if name not in self._loaded:
            self._loaded[name] = self._load(self._brought[name])
        return self._loaded[name]

    def __contains__(self, name: object) -> bool:
        return name in self.shipped or name in self._brought

    def __iter__(self) -> Iterator[str]:
        yield from self.shipped
        yield from self._brought

    def __len__(self) -> int:
        return len(self.shipped) + len(self._brought)

    def package(self, name: str) -> str:
        """The package that brings a plug-in, in words; empty for what is shipped or not known."""
        return "" if name in self.shipped or name not in self._brought else _package(self._brought[name])

    @cached_property
    def _brought(self) -> Mapping[str, EntryPoint]:
        found: dict[str, EntryPoint] = {}
        for each in entry_points(group=self._group):
            if each.name in self.shipped or each.name in found:
                other = "that is shipped" if each.name in self.shipped else f"of {_package(found[each.name])}"
                raise InputError(
                    f"plug-in {each.name!r} of {_package(each)}: expected a name of its own in {self._group}, got that "
                    f"of the one {other}; rename it in its package, or remove the package"
                )
            found[each.name] = each
        return found

    def _load(self, brought: EntryPoint) -> T:
        where = f"plug-in {brought.name!r} of {_package(brought)} ({brought.value})"
        try:
            loaded: T = brought.load()
        except Exception as error:  # whatever somebody else's module raises when it is imported
            raise InputError(f"{where}: cannot be loaded: {error!r}; update the package, or remove it") from error
        if wrong := self._check(brought.name, loaded):
            raise InputError(f"{where}: {wrong}")
        return loaded


def raised(error: Exception) -> str:
    """What somebody else's code raised and where, in words."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"raised {error!r} ({Path(place.filename).name}:{place.lineno})"


def _package(brought: EntryPoint) -> str:
    return f"the package {brought.dist.name}" if brought.dist else "a package"

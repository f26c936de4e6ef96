"""Settings for tests of many methods, of which each may be given its own alone."""

from typing import Any

from sizing.search.methods import METHODS
from sizing.search.settling import unheeded, without
from sizing.task.settings import RunSettings


def heeded(method: str, **settings: Any) -> dict[str, Any]:
    """Of these run settings, those that the method heeds."""
    asked = RunSettings.model_validate(settings)
    return without(asked, unheeded(asked, METHODS[method])).model_dump(exclude_unset=True)

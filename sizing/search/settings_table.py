"""Every run setting in a table: what it means, what it may be, its default, and the methods that heed it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sizing.search.methods import method_named
from sizing.search.settling import heeded_by, heeds, settled
from sizing.task.settings import RunSettings, Settings

EVERY = "every method"
_LIMITS = {
    "minimum": "at least {:g}",
    "exclusiveMinimum": "more than {:g}",
    "maximum": "at most {:g}",
    "exclusiveMaximum": "less than {:g}",
}
"""By their names in a JSON schema."""


@dataclass(frozen=True)
class SettingEntry:
    """A run setting, by the name that the command line has for it."""

    name: str
    default: str
    allowed: str
    """The words or the range that it may have; empty for any text."""
    meaning: str
    heeded_by: str
    """The methods that heed it."""


def setting_entries(method: str | None = None) -> list[SettingEntry]:
    """All settings with their defaults; with a method's name, those that it heeds, with what it does best with.

    Raises InputError where there is no method of that name.
    """
    if method is None:
        return list(_entries(RunSettings()))
    chosen = method_named(method)
    found = settled(RunSettings(method=method), chosen)
    own = list(_entries(chosen.own(), "own.")) if chosen.own else []
    return [each for each in _entries(found) if heeds(chosen, found, each.name)] + own


def _entries(values: Settings, group: str = "") -> Iterator[SettingEntry]:
    schema = type(values).model_json_schema()["properties"]
    for key, field in type(values).model_fields.items():
        value, name = getattr(values, key), f"{group}{key}"
        if isinstance(value, Settings):
            yield from _entries(value, f"{name}.")
        elif name != "own":
            able = heeded_by(name) if group not in ("", "own.") else EVERY
            yield SettingEntry(name, _word(value), _allowed(schema[key]), field.description or "", able)


def _allowed(schema: Mapping[str, Any]) -> str:
    for each in (schema, *schema.get("anyOf", ())):
        if "enum" in each:
            return ", ".join(each["enum"])
        if limits := [words.format(each[name]) for name, words in _LIMITS.items() if name in each]:
            return ", ".join(limits)
    return ""


def _word(value: Any) -> str:
    if value is None or value == ():
        return "–"
    return f"{value:g}" if isinstance(value, float) else str(value)

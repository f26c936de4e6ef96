"""Mistakes in a spec: the error that lists them all, and pydantic's findings in plain words with the nearest name."""

import types
from collections.abc import Sequence
from typing import Annotated, Any, Union, get_args, get_origin

from sizing.errors import InputError, nearest
from sizing.measures.catalogue import MEASURES, name_of
from sizing.specfile.entries import SpecModel

Location = tuple[str | int, ...]
"""The keys that lead to a place in the file."""

LONGEST_SHOWN = 80
MEANT = {
    r"^\w+\.\w+$": "bench.analysis",
    r"^[^\s()]+$": "a name without spaces and brackets",
    r"^\w+$": "a name of letters, digits and _",
    r"^[\w.]+$": "the name of a device",
    "^(linear|log)$": "linear or log",
    r"^(\w[\w .,()+-]*)?$": "a name of letters, digits, spaces and _ . , ( ) + -",
}
"""The patterns of the entries in words."""


class SpecError(InputError):
    """A spec that cannot be used; `mistakes` has one line each."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        self.mistakes = tuple(" ".join(mistake.splitlines()) for mistake in mistakes)
        super().__init__("\n".join(self.mistakes))

    def __reduce__(self) -> tuple[type["SpecError"], tuple[tuple[str, ...]]]:
        return type(self), (self.mistakes,)


def in_words(error: Any, loc: Location, model: type[SpecModel] = SpecModel) -> str:
    """One of pydantic's errors (an element of ValidationError.errors()) at `loc`, as a person would say it."""
    kind, given, context = error["type"], error.get("input"), error.get("ctx", {})
    if kind == "extra_forbidden":
        return f"unknown key{nearest(str(loc[-1]), _keys(model, loc[:-1])) if loc else ''}"
    if kind == "missing":
        return "expected this key, it is not there"
    if kind == "union_tag_invalid":
        names = context["expected_tags"].replace("'", "").split(", ")
        return f"measure: unknown measurement {context['tag']!r}{nearest(str(context['tag']), {*names, *MEASURES})}"
    if kind == "union_tag_not_found":
        return "expected the key `measure`, it is not there"
    if kind == "value_error":
        return str(error["msg"]).removeprefix("Value error, ")
    if kind == "string_pattern_mismatch" and loc and loc[-1] == "[key]":
        return f"expected a name of letters, digits and _, got {given!r}"
    if kind in ("model_type", "dict_type", "model_attributes_type"):
        return f"expected a mapping, got {_shown(given)}"
    if kind == "too_short":
        return "expected at least one entry, got none"
    if kind == "too_long":
        return f"expected at most {context['max_length']} entries, got more"
    if kind == "string_pattern_mismatch" and context["pattern"] in MEANT:
        return f"expected {MEANT[context['pattern']]}, got {_shown(given)}"
    message = str(error["msg"]).replace("Input should be", "expected").replace("Input should have", "expected")
    if kind.startswith(("int_", "float_", "bool_")):
        message = message.partition(",")[0]
    return f"{message}, got {_shown(given)}"


def _shown(given: Any) -> str:
    try:
        text = repr(given)
    except ValueError:  # Python writes out no integer of more than 4300 digits
        return "a huge number"
    if len(text) <= LONGEST_SHOWN:
        return text
    kind = next((words for kind, words in ((dict, "a mapping"), (list, "a list")) if isinstance(given, kind)), "")
    return kind or f"{text[:LONGEST_SHOWN]}…"


def _keys(model: type[SpecModel], loc: Location) -> list[str]:
    """The keys that the spec may have at `loc`."""
    annotation: Any = model
    for key in loc:
        annotation = _step(annotation, key)
    return [field.alias or name for name, field in getattr(annotation, "model_fields", {}).items()]


def _step(annotation: Any, key: str | int) -> Any:
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (dict, list):
        return get_args(annotation)[-1]
    if get_origin(annotation) in (Union, types.UnionType):
        return next(
            (each for each in get_args(annotation) if hasattr(each, "model_fields") and name_of(each) == key), None
        )
    field = getattr(annotation, "model_fields", {}).get(key)
    return None if field is None else field.annotation


def dotted(loc: Location) -> str:
    """The location as people write it: metrics.pm.at_least."""
    return ".".join(str(key) for key in loc)

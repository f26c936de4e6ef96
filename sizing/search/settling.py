"""What the settings of a run come to with its method: what holds, what is not heeded, and what it is called."""

from collections.abc import Collection, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sizing.errors import InputError
from sizing.search.method import Method
from sizing.search.methods import METHODS, method_named
from sizing.task.problem import Problem
from sizing.task.settings import RunSettings, Settings, merged

_OF_FILTERS = frozenset(
    f"search.{name}"
    for name in ("crossover", "blend", "blend_alpha", "swap", "mutate", "max_candidates", "accept_regardless")
)
GOALS = ("seed", "in_spec", "best", "max_sims", "max_seconds", "patience", "max_failed", "timeout", "judge.device")
"""Run settings that say what is asked of a method and where, not how it goes about it."""


def check_objectives(settings: RunSettings, method: Method, problem: Problem) -> None:
    """Raise InputError where the method cannot pursue so many objectives, or where nothing would end the run."""
    asked = len(problem.objectives)
    if not asked:
        return
    if method.objectives < asked:
        able = ", ".join(name for name, each in METHODS.shipped.items() if each.objectives >= asked)
        number = "an objective" if asked == 1 else f"{asked} objectives"
        raise InputError(f"minimize, maximize: {settings.method} cannot pursue {number}; expected one of {able}")
    if settings.max_sims is None and settings.max_seconds is None and "patience" not in settings.model_fields_set:
        raise InputError(
            "minimize, maximize: expected a budget, since with an objective a run goes on after designs are in spec: "
            "give it max_sims (or --max-sims), max_seconds or patience"
        )


def settled(given: RunSettings, method: Method) -> RunSettings:
    """Every setting of a run: as given, else as its method does best with, else the default.

    A run that knows of earlier ones starts from two designs. Raises InputError where one of the method's own does not
    fit.
    """
    usual = {**method.settings, "initial": 2} if given.warm_start else method.settings
    found = RunSettings.model_validate(merged(usual, given.model_dump(exclude_unset=True)))
    if found.initial < method.least_initial:
        raise InputError(
            f"run.initial: expected at least {method.least_initial}, which {given.method} needs, got {found.initial}"
        )
    own = own_settings(given, method)
    return found.model_copy(update={"own": own.model_dump()}) if own else found


def own_settings(given: RunSettings, method: Method) -> Settings | None:
    """The method's own settings, where it has some; raises InputError where one does not fit."""
    if method.own is None:
        return None
    try:
        return method.own.model_validate(given.own)
    except ValidationError as error:
        bad = "; ".join(f"run.own.{'.'.join(map(str, each['loc']))}: {each['msg'].lower()}" for each in error.errors())
        raise InputError(f"{bad} (`sizing settings --method {given.method}` lists them)") from None


def heeds(method: Method, settings: RunSettings, key: str) -> bool:
    """Whether a method heeds a setting, by its name such as "judge.steps"."""
    group, _, _ = key.rpartition(".")
    acceptance = "filter" if key in _OF_FILTERS else "ranking" if group == "ranking" else None
    if acceptance not in (None, settings.search.acceptance) or (".looked_" in key and not method.looks):
        return False
    if group == "own" or key == "own":
        return method.own is not None
    return not group or group in method.heeds or key in method.heeds


def unheeded(settings: RunSettings, method: Method) -> list[str]:
    """The settings that were given, are not what they are anyway, by default or with the method, and not heeded."""
    plain, own = flat(RunSettings().model_dump()), flat(dict(method.settings))
    chosen = flat(settings.model_dump(exclude_unset=True))
    found = RunSettings.model_validate(merged(method.settings, settings.model_dump(exclude_unset=True)))
    return [
        key
        for key, value in chosen.items()
        if value not in (plain.get(key), own.get(key)) and not heeds(method, found, key)
    ]


def unheeded_words(method: str, key: str) -> str:
    """What is wrong with a setting that a method does not heed."""
    return (
        f"{key}: expected a setting that {method} heeds (`sizing settings --method {method}` lists them), got one of "
        f"{heeded_by(key)}; remove it, or name another method"
    )


def without(settings: RunSettings, keys: Collection[str]) -> RunSettings:
    """The settings as if these had not been given."""
    given = settings.model_dump(exclude_unset=True)
    for key in keys:
        group, _, name = key.rpartition(".")
        del (given[group] if group else given)[name]
    return RunSettings.model_validate(given)


def heeded_by(key: str) -> str:
    """The methods that heed a setting, in words."""
    able = [
        name for name, each in METHODS.shipped.items() if heeds(each, RunSettings.model_validate(each.settings), key)
    ]
    return ", ".join(able) or "none of the shipped methods"


def variant(settings: RunSettings, of_spec: RunSettings, method: Method) -> str:
    """The method's name, followed by the settings that it has by neither itself nor the spec: "fc:judge.batch=64".

    What says when to stop is left out: runs of one spec and variant search in the same way.
    """
    asked = of_spec.model_copy(update={"method": settings.method, "warm_start": settings.warm_start})
    usual = flat(settled(asked, method).model_dump()) | {"warm_start": of_spec.warm_start}
    chosen = flat(settings.model_dump())
    changed = [
        f"{key}={_word(value)}"
        for key, value in chosen.items()
        if key not in GOALS and value != usual.get(key) and heeds(method, settings, key)
    ]
    return ":".join([settings.method, *changed])


def parse_variant(text: str) -> dict[str, Any]:
    """The run settings, as Spec.with_run takes them, of a variant in these words.

    Raises InputError for a method not in METHODS, and where a part is not "setting=value".
    """
    method, *parts = text.split(":")
    method_named(method)
    settings: dict[str, Any] = {"method": method}
    for part in parts:
        key, equals, value = part.partition("=")
        if not equals:
            raise InputError(f"{text}: expected setting=value after the method, such as initial=20, got {part!r}")
        group, _, name = key.rpartition(".")
        if group:
            settings.setdefault(group, {})[name] = value
        else:
            settings[name] = value
    return settings


def _word(value: Any) -> str:
    """A setting in a few characters: of folders, their names."""
    return "+".join(Path(each).name for each in value) if isinstance(value, tuple) else str(value)


def flat(settings: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Settings with those of groups by names such as "judge.steps"."""
    found: dict[str, Any] = {}
    for key, value in settings.items():
        found |= flat(value, f"{before}{key}.") if isinstance(value, dict) else {f"{before}{key}": value}
    return found


def checkpoint_of(settings: RunSettings, method: Method) -> dict[str, Any] | None:
    """The name, SHA-256 and simulations of the checkpoint that a run with these settings uses, if it uses one.

    Raises InputError where there is none of that name.
    """
    if not method.pretrained:
        return None
    described: dict[str, Any] = import_module("surrogates.networks.checkpoints").provenance(settings.judge.checkpoint)
    return described

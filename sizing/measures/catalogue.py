"""The measurements that a spec can name."""

import inspect
import sys
from typing import Annotated, Any, get_args

from pydantic import Field

from sizing.measures.averages import AverageCurrent, AveragePower
from sizing.measures.meas import Meas
from sizing.measures.measure import Measure
from sizing.measures.noise import RmsNoise
from sizing.measures.operating_point import DcValue, Offset, Power, SupplyCurrent
from sizing.measures.oscillation import OscillationFrequency
from sizing.measures.small_signal import (
    Bandwidth,
    DcGain,
    GainAt,
    GainMargin,
    GainRatio,
    Peaking,
    PhaseMargin,
    UnityGainFrequency,
)
from sizing.measures.sweep import Regulation
from sizing.measures.transient import Delay, Overshoot, RiseTime, SettlingTime, SlewRate
from sizing.measures.transistors import CurrentDensity, GmOverId, OperatingPoint, Overdrive, Saturation
from sizing.plugins import Named

AnyMeasure = Annotated[
    DcGain | GainAt | Bandwidth | Peaking | UnityGainFrequency | PhaseMargin | GainMargin | GainRatio
    | DcValue | Offset | SupplyCurrent | Power | Saturation | Overdrive | CurrentDensity | GmOverId | OperatingPoint
    | Regulation | SettlingTime | SlewRate | RiseTime | Overshoot | Delay | OscillationFrequency
    | AverageCurrent | AveragePower | RmsNoise | Meas,
    Field(discriminator="measure"),
]  # fmt: skip

"""Those that are shipped."""


def name_of(kind: type[Measure]) -> str:
    """What a spec calls a measurement; empty where its class does not say."""
    field = kind.model_fields.get("measure")
    names = get_args(field.annotation) if field else ()
    return names[0] if len(names) == 1 and isinstance(names[0], str) else ""


def _no_measure(name: str, found: Any) -> str:
    if not (inspect.isclass(found) and issubclass(found, Measure)):
        return f"expected a subclass of sizing.Measure, got {found!r}"
    if name_of(found) != name:
        return f'expected a measurement with the field `measure: Literal["{name}"]`, got {name_of(found) or "none"!r}'
    if lacking := sorted({*found.__abstractmethods__, *({"kinds"} - set(dir(found)))}):
        return f"expected a measurement with {', '.join(lacking)}, got none (see sizing.measures.measure.Measure)"
    return ""


MEASURES: Named[type[Measure]] = Named(
    "measures", {name_of(kind): kind for kind in get_args(get_args(AnyMeasure)[0])}, _no_measure
)
"""By the name that `measure` of a metric has: those that are shipped, and those of plug-ins."""


def wrong_with(kind: Any) -> str:
    """What is wrong with a measurement that is given in Python, if anything; simulator processes import its class."""
    name = name_of(kind) if inspect.isclass(kind) and issubclass(kind, Measure) else ""
    if wrong := _no_measure(name or "name", kind):
        return wrong
    if name in MEASURES:
        return f"expected a name of its own, got {name!r}, which is {MEASURES.package(name) or 'sizing'}'s"
    module = sys.modules.get(kind.__module__)
    if getattr(module, kind.__qualname__, None) is not kind or not getattr(module, "__file__", None):
        return (
            f"expected a class at the top of a file that simulator processes can import, got {kind.__qualname__} of "
            f"{kind.__module__}; move it there"
        )
    return ""

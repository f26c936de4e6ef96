"""The measurements that a spec can name."""

from typing import Annotated, get_args

from pydantic import Field

from sizing.measures.averages import AverageCurrent, AveragePower
from sizing.measures.meas import Meas
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

AnyMeasure = Annotated[
    DcGain | GainAt | Bandwidth | Peaking | UnityGainFrequency | PhaseMargin | GainMargin | GainRatio
    | DcValue | Offset | SupplyCurrent | Power | Saturation | Overdrive | CurrentDensity | GmOverId | OperatingPoint
    | Regulation | SettlingTime | SlewRate | RiseTime | Overshoot | Delay | OscillationFrequency
    | AverageCurrent | AveragePower | RmsNoise | Meas,
    Field(discriminator="measure"),
]  # fmt: skip


def definitions() -> dict[str, str]:
    """What every measurement's name means."""
    kinds = get_args(get_args(AnyMeasure)[0])
    return {get_args(kind.model_fields["measure"].annotation)[0]: str(kind.__doc__) for kind in kinds}

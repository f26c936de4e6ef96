"""What ngspice itself measures."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from sizing.measures.measure import Measure, Missing
from sizing.measures.waveforms import Results


class Meas(Measure):
    """The result of an ngspice `.meas` that the analysis lists under `meas`, by its name; in whatever unit you state.

    Missing where ngspice says that the measurement failed.
    """

    measure: Literal["meas"]
    better = "either"
    kinds = ("ac", "tran", "dc", "noise")
    unit: Literal["V", "A", "W", "Hz", "s", "F", "H", "m", "Ohm", "V/V", "V/s", "dB", "deg", "%", ""]
    name: Annotated[str, Field(pattern=r"^\w+$"), BeforeValidator(lambda name: str(name).lower())]

    @property
    def vectors(self) -> tuple[str, ...]:
        return ()

    def value(self, results: Results) -> float:
        if self.name not in results[self.of].meas:
            raise Missing(f"ngspice could not measure {self.name}")
        return results[self.of].meas[self.name]

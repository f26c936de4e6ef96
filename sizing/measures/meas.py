"""What ngspice itself measures."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from sizing.measures.measure import Measure, Missing
from sizing.measures.waveforms import Results


class Meas(Measure):
    """The result of an ngspice `.meas` that the analysis lists under `meas`, by its name; in whatever unit you state.

    A mean, `avg`, is the integral over its window by the window's width. Missing where ngspice says that the
    measurement failed, where fewer than two points of the analysis lie in its window, and where a crossing lies beyond
    the analysis.
    """

    measure: Literal["meas"]
    kinds = ("ac", "tran", "dc")
    unit: Literal["V", "A", "W", "Hz", "s", "F", "H", "m", "Ohm", "V/V", "V/s", "dB", "%", ""]
    name: Annotated[str, Field(pattern=r"^\w+$"), BeforeValidator(lambda name: str(name).lower())]

    @property
    def vectors(self) -> tuple[str, ...]:
        return ()

    def value(self, results: Results) -> float:
        found = results[self.of].meas.get(self.name, f"ngspice could not measure {self.name}")
        if isinstance(found, str):
            raise Missing(found)
        return found

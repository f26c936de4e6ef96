"""A regulation by a swept source: its unit says of which kind that is."""

from pathlib import Path

import pytest

from sizing.specfile.load import load_spec
from sizing.specfile.mistakes import SpecError

SPEC = """\
netlist: divider.cir
variables: {r: {values: [1k, 2k], unit: Ohm}}
benches:
  b:
    stimulus: |
      vin in 0 1
      iload out 0 0
    analyses: {sweep: SWEEP}
metrics:
  regulation: {measure: regulation, of: b.sweep, output: out, unit: UNIT, at_most: 1}
"""


def load(folder: Path, sweep: str, unit: str) -> None:
    (folder / "divider.cir").write_text("* divider\n.param r=1k\nr1 in out {r}\nr2 out 0 {r}\n")
    (folder / "spec.yaml").write_text(SPEC.replace("SWEEP", sweep).replace("UNIT", unit))
    load_spec(folder / "spec.yaml")


@pytest.mark.parametrize(
    ("sweep", "unit"),
    [("dc vin 1 2 0.1", "V/V"), ("dc Iload 0 1m 10u", "Ohm"), ("dc temp -40 125 5", "V")],
)
def test_the_unit_fits_what_is_swept(sweep: str, unit: str, tmp_path: Path):
    load(tmp_path, sweep, unit)


@pytest.mark.parametrize(
    ("sweep", "unit", "mistake"),
    [
        ("dc vin 1 2 0.1", "Ohm", "a regulation in Ohm is by one swept current, but b.sweep is `dc vin 1 2 0.1`"),
        ("dc temp 0 9 1", "V/V", "a regulation in V/V is by one swept voltage, but b.sweep is `dc temp 0 9 1`"),
        ("dc vin 1 2 0.1 vin 1 2 0.1", "V/V", "a regulation in V/V is by one swept voltage, but b.sweep is"),
        ("op", "V", "regulation reads dc, but b.sweep is `op`"),
    ],
)
def test_another_is_a_mistake(sweep: str, unit: str, mistake: str, tmp_path: Path):
    with pytest.raises(SpecError, match=rf"^.*/spec\.yaml:10: metrics\.regulation: {mistake}"):
        load(tmp_path, sweep, unit)

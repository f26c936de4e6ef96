"""A small spec that tests spoil, next to its netlist."""

from pathlib import Path

import pytest

from sizing.specfile.load import load_spec
from sizing.specfile.mistakes import SpecError

NETLIST = """\
* A divider, and a part that is never used.
.include parts.mod
.param ra=1k rb=1k unused=3
r1 in out {ra}
r2 out 0 {rb}
x1 out buffer
"""
PARTS = """\
.subckt buffer a
v1 a b 0
r1 b 0 1Meg
.ends
"""
SPEC = """\
description: A divider
netlist: divider.cir

variables:
  ra: {from: 1k, to: 10k, step: 1k, unit: Ohm}
  rb:
    from: 1k
    to: 10k
    step: 1k
    unit: Ohm

benches:
  quiet:
    stimulus: |
      vin in 0 dc 1

      vdd vdd 0 dc 1
    analyses:
      bias: op
      response: {run: ac dec 10 1 1G, excite: vin}
      ripple: {run: ac lin 1 1 1, excite: vdd}
      hiss: noise v(out) vin dec 10 1 1G
  step:
    stimulus: vin in 0 pwl(0 0 1n 1)
    analyses:
      rise: {run: tran 1n 1u, meas: {t50: when v(out)=0.5}}

metrics:
  gain: {measure: dc_gain, of: quiet.response, output: out, at_least: 0.5}
  psrr: {measure: gain_ratio, of: quiet.response, over: quiet.ripple, output: out, at_least: 20 dB}
  settling:
    measure: settling_time
    of: step.rise
    output: out
    input: in
    at_most: 90 ns
  half: {measure: meas, of: step.rise, name: t50, unit: s, at_most: 5 ns}
  noise: {measure: rms_noise, of: quiet.hiss, at_most: 1 mV}
  current: {measure: supply_current, of: quiet.bias, source: vin, at_most: 1 mA}

run: {method: evo, initial: 20, search: {pool: 50, reference_rank: 10}}
"""


def written(folder: Path, *changes: tuple[str, str], netlist: str = NETLIST) -> Path:
    """The spec above with each first text replaced by the second, next to its netlist."""
    text = SPEC
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} occurs {text.count(old)} times"
        text = text.replace(old, new)
    (folder / "divider.cir").write_text(netlist)
    (folder / "parts.mod").write_text(PARTS)
    path = folder / "spec.yaml"
    path.write_text(text)
    return path


def mistakes(path: Path) -> list[str]:
    """What is reported, without the folder."""
    with pytest.raises(SpecError) as caught:
        load_spec(path)
    assert str(caught.value) == "\n".join(caught.value.mistakes)
    return [mistake.replace(f"{path.parent}/", "") for mistake in caught.value.mistakes]

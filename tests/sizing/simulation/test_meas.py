"""What ngspice measures itself is right, or missing with its own reason."""

import math
from pathlib import Path
from textwrap import indent

import pytest

from sizing.simulation.pool import SimulationPool
from sizing.simulation.simulator import Measured
from sizing.simulation.simulators import SIMULATORS
from sizing.specfile.load import load_spec
from sizing.task.job import Job

LOW_PASS = "* low pass\n.param r=1k\nr1 in out {r}\nc1 out 0 1n\n"
STEP = "vin in 0 pulse(0 1 5u 1n 1n 1)"
TIME_CONSTANT, BEGIN = 1e-6, 5.0005e-6


@pytest.fixture(params=["ngspice", "ngspice-batch"])
def simulator(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def measured(
    folder: Path, simulator: str, meas: dict[str, str], stimulus: str = STEP, run: str = "tran 10n 20u 0 10n"
) -> Measured:
    (folder / "low_pass.cir").write_text(LOW_PASS)
    listed = ", ".join(f'"{name}": "{text}"' for name, text in meas.items())
    metrics = "\n".join(
        f'  "m{place}": {{measure: meas, of: b.t, name: "{name}", unit: "", at_most: 1e99}}'
        for place, name in enumerate(meas)
    )
    (folder / "spec.yaml").write_text(
        "netlist: low_pass.cir\nvariables: {r: {values: [1k]}}\n"
        f"benches:\n  b:\n    stimulus: |\n{indent(stimulus, ' ' * 6)}\n"
        f"    analyses: {{t: {{run: {run}, meas: {{{listed}}}}}}}\n"
        f"metrics:\n{metrics}\n"
    )
    spec = load_spec(folder / "spec.yaml")
    with SimulationPool(spec.task, 1, 60, simulator=SIMULATORS[simulator].make) as pool:
        (outcome,) = pool.run([Job({"r": 1e3})])
    assert isinstance(outcome, Measured), outcome
    return outcome


def test_results_are_what_paper_says_of_a_low_pass(tmp_path: Path, simulator: str):
    outcome = measured(
        tmp_path,
        simulator,
        {
            "out": "trig v(in) val=0.5 rise=1 targ v(out) val=0.5 rise=1",  # the name of a net, too
            "c": "when v(out)=0.9",
            "half": "find v(out) at=5.5005u",
            "area": "integ v(in) from=10u to=15u",
            "before": "max v(out) to=4u",
        },
    )
    expected = [
        TIME_CONSTANT * math.log(2),
        BEGIN + TIME_CONSTANT * math.log(10),
        1 - math.exp(-0.5),
        5e-6,
        0.0,
    ]
    assert outcome.values == pytest.approx(expected, rel=2e-3, abs=1e-12)


def test_a_mean_is_that_of_the_window(tmp_path: Path, simulator: str):
    ramp = "vin in 0 pwl(0 0 20u 20)"
    outcome = measured(tmp_path, simulator, {"part": "avg v(in) from=4.003u to=12.007u", "all": "avg v(in)"}, ramp)
    assert outcome.values == pytest.approx([8.005, 10.0], rel=1e-5)
    swept = measured(tmp_path, simulator, {"part": "avg v(in) from=0.2 to=0.6"}, "vin in 0 0", "dc vin 0 1 0.01")
    assert swept.values == pytest.approx([0.4], rel=1e-5)
    down = measured(tmp_path, simulator, {"all": "avg v(in)"}, "vin in 0 0", "dc vin 2 0 -0.01")
    assert down.values == pytest.approx([1.0], rel=1e-5)


@pytest.mark.parametrize("name", ["c", "e", "i", "no", "pi", "kelvin", "echarge", "yes", "true", "out", "time"])
def test_a_failed_result_is_missing_whatever_its_name(tmp_path: Path, simulator: str, name: str):
    outcome = measured(tmp_path, simulator, {name: "trig v(out) val=0.5 rise=1 targ v(out) val=5 rise=1"})
    assert outcome.missing == {0: "ngspice: out of interval"}


@pytest.mark.parametrize("what", ["pp", "max", "min", "avg", "integ", "max_at"])
def test_a_window_without_points_is_missing(tmp_path: Path, simulator: str, what: str):
    outcome = measured(tmp_path, simulator, {"w": f"{what} v(out) from=10.0001u to=10.0002u"})
    assert outcome.missing == {0: "expected at least 2 points of the analysis in the window, got 0"}


def test_a_crossing_before_the_analysis_begins_is_missing(tmp_path: Path, simulator: str):
    outcome = measured(tmp_path, simulator, {"w": "when v(in)=v(out) rise=1"}, "vin in 0 sin(1 1 100k)")
    assert outcome.missing == {0: "at -1.00004e-14, where the analysis has no points"}

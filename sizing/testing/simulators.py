"""What every simulator gives: what paper says of linear circuits, and reasons where there is nothing to give."""

import math
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from sizing.simulation.pool import SimulationPool
from sizing.simulation.simulator import Failed, Measured, Outcome, SimulationError
from sizing.simulation.simulators import SimulatorEntry
from sizing.specfile.load import Spec
from sizing.task.job import Conditions, Job

LOOSE_TOLERANCE = 5e-3
"""Relative: a sweep has so many points, a transient so large steps."""
BOLTZMANN, TEMPERATURE = 1.380649e-23, 300.15
BRIDGE = """\
v1 in 0 2
r1 in out {r}
r2 out 0 {load}
r3 out far 1k
i1 0 far 1m
l1 out alike 1u
c1 alike 0 1p
"""
FILTER = """\
v1 in 0 0
i1 0 out 0
r1 in out {r}
c1 out 0 1n
v2 series 0 0
r2 series r5 100
l2 r5 resonant 1m
c2 resonant 0 1n
"""
RESISTORS = "v1 in 0 1\nr1 in out {r}\nr2 out 0 1k\ni1 0 fed 0\nr3 fed 0 2k\n"
DEVICES = {
    "transistors": "m1 out in end 0 mm w=10u l=1u\n.model mm nmos level=1 vto=0.5 kp=200u cgso=1n",
    "junctions": "d1 out end dm\nq1 out in end qm\nj1 out in end jm\nz1 out in end zm\n.model dm d cjo=1p tt=1n rs=1\n"
    ".model qm npn cje=1p cjc=1p tf=0.1n\n.model jm njf cgs=1p cgd=1p\n.model zm nmf cgs=1p cgd=1p",
    "controlled sources": "e1 e 0 out end 2\ng1 out e e 0 1m\nf1 out 0 vend 2\nh1 h 0 vend 1k\nr9 h e 1k\nc9 e 0 1n",
    "coupled inductors": "l1 out end 10u\nl2 b 0 1u\nk1 l1 l2 0.9\nr9 b 0 50",
    "lines": "t1 out end b 0 z0=50 td=20n\nr9 b 0 70\nu1 out d end um l=50u\nr8 d 0 7k\n.model um urc rperl=1k",
    "switches": "s1 out b end 0 sm\nw1 out b vend wm\nr9 b 0 1k\n.model sm sw vt=0.5 vh=0.15\n.model wm csw it=0.2m",
    "expressions": "b1 e 0 v=v(out)*tanh(v(out))\nr9 e out 1k\nc9 out end 1n\nr8 out end r='1k*(1+v(out))'",
    "expressions of frequency": "e1 e 0 vol='v(out)*(1+hertz*1e-6)'\nr9 e out 1k\nr8 out end r='1k*(1+hertz*1e-6)'",
    "derivatives": "b1 e 0 v=ddt(v(out))*1e-6\nr9 e out 1k\nc9 out end 1n",
}
"""Lines by kinds of devices, between `out` and `end`, which may keep something from one analysis to another."""
AROUND = "v1 in 0 dc 1 pulse(1 2 0.2u 10n 10n 1u 2u)\nr1 in out {r}\nvend end 0 0\n"
STEP = "v1 in 0 pulse(0 1 1u 1n 1n 1)\nr1 in out {r}\nc1 out 0 1n\n"


class SimulatorContract:
    """Give the fixture `entry`; in `analyses` those of op, ac, dc, tran and noise that the simulator has, and in
    `devices` those of DEVICES.
    """

    analyses: tuple[str, ...] = ("op", "ac", "dc", "tran", "noise")
    devices: tuple[str, ...] = tuple(DEVICES)

    @pytest.fixture
    def entry(self) -> SimulatorEntry:
        """The simulator under test."""
        raise NotImplementedError("expected a fixture `entry` with the sizing.SimulatorEntry that is to be tested")

    def test_workers_can_make_it_and_it_says_where_it_is(self, entry: SimulatorEntry) -> None:
        assert pickle.loads(pickle.dumps(entry.make)) is entry.make
        assert entry.path()

    def test_an_operating_point_is_what_paper_says_after_whichever_design(
        self, entry: SimulatorEntry, tmp_path: Path
    ) -> None:
        self._needs("op")
        spec = spec_of(
            tmp_path,
            BRIDGE,
            {"op": "op"},
            out=dc_value("b.op", "out"),
            far=dc_value("b.op", "far"),
            alike=dc_value("b.op", "alike"),
            current={"measure": "supply_current", "of": "b.op", "source": "v1", "at_most": 1},
            power={"measure": "power", "of": "b.op", "source": "v1", "output": "in", "at_most": 1},
        )
        jobs = [Job({"r": 1e3}), Job({"r": 3e3}), Job({"r": 1e3})]
        jobs.append(Job({"r": 1e3}, Conditions(parameters=(("load", 3e3),))))
        jobs.append(Job({"r": 1e3}))
        values = measured(entry, spec, jobs)
        assert values[0] == pytest.approx([1.5, 2.5, 1.5, 0.5e-3, 1e-3], rel=LOOSE_TOLERANCE)
        assert values[1] == pytest.approx([1.25, 2.25, 1.25, 0.25e-3, 0.5e-3], rel=LOOSE_TOLERANCE)
        assert values[3] == pytest.approx([2.25, 3.25, 2.25, 0.25e-3, 0.5e-3], rel=LOOSE_TOLERANCE)
        assert values[2] == values[4] == values[0]
        assert measured(entry, spec, jobs[1:2]) == values[1:2]

    def test_a_frequency_response_is_what_paper_says_of_the_source_that_is_excited(
        self, entry: SimulatorEntry, tmp_path: Path
    ) -> None:
        self._needs("ac")
        sweep = "ac dec 500 1k 1Meg"
        quality = 10.0
        spec = spec_of(
            tmp_path,
            FILTER,
            {
                "voltage": {"run": sweep, "excite": "v1"},
                "current": {"run": "ac lin 3 1 10", "excite": {"i1": -2}},
                "series": {"run": sweep, "excite": "v2"},
            },
            gain={"measure": "dc_gain", "of": "b.voltage", "output": "out", "at_least": 0},
            corner={"measure": "bandwidth", "of": "b.voltage", "output": "out", "at_least": 0},
            transfer={"measure": "dc_gain", "of": "b.current", "output": "out", "unit": "Ohm", "at_least": 0},
            peak={"measure": "peaking", "of": "b.series", "output": "resonant", "at_most": 99},
        )
        peak = 20 * math.log10(quality / math.sqrt(1 - 1 / (2 * quality) ** 2))
        for resistance, values in zip((1e3, 5e3), measured(entry, spec, jobs_of(1e3, 5e3)), strict=True):
            corner = 1 / (2 * math.pi * resistance * 1e-9)
            assert values == pytest.approx([1.0, corner, 2 * resistance, peak], rel=LOOSE_TOLERANCE)

    def test_sweeps_are_what_paper_says(self, entry: SimulatorEntry, tmp_path: Path) -> None:
        self._needs("dc")
        spec = spec_of(
            tmp_path,
            RESISTORS,
            {"line": "dc v1 0 2 0.1", "load": "dc i1 1m -1m -0.1m"},
            line={"measure": "regulation", "of": "b.line", "output": "out", "unit": "V/V", "at_most": 9},
            load={"measure": "regulation", "of": "b.load", "output": "fed", "unit": "Ohm", "at_most": 9},
            spread={"measure": "regulation", "of": "b.load", "output": "fed", "at_most": 9},
        )
        assert measured(entry, spec, jobs_of(3e3)) == [pytest.approx([0.25, 2e3, 4.0], rel=LOOSE_TOLERANCE)]

    def test_a_transient_is_what_paper_says(self, entry: SimulatorEntry, tmp_path: Path) -> None:
        self._needs("tran")
        spec = spec_of(
            tmp_path,
            STEP,
            {"step": "tran 20n 20u 0 20n"},
            rise={"measure": "rise_time", "of": "b.step", "output": "out", "input": "in", "at_most": 1},
            before=dc_value("b.step", "out"),
        )
        (values,) = measured(entry, spec, jobs_of(1e3))
        assert values == [pytest.approx(1e-6 * math.log(9), rel=LOOSE_TOLERANCE), pytest.approx(0.0, abs=1e-6)]

    def test_noise_is_what_paper_says(self, entry: SimulatorEntry, tmp_path: Path) -> None:
        self._needs("noise")
        spec = spec_of(
            tmp_path,
            FILTER,
            {"noise": {"run": "noise v(out) v1 dec 100 1 10G", "excite": "v1"}},
            noise={"measure": "rms_noise", "of": "b.noise", "at_most": 1},
        )
        expected = math.sqrt(BOLTZMANN * TEMPERATURE / 1e-9)
        assert measured(entry, spec, jobs_of(1e3)) == [[pytest.approx(expected, rel=LOOSE_TOLERANCE)]]

    @pytest.mark.parametrize("kind", DEVICES)
    def test_a_design_gives_the_same_to_the_bit_after_whichever_designs_and_analyses(
        self, kind: str, entry: SimulatorEntry, tmp_path: Path
    ) -> None:
        if kind not in self.devices:
            pytest.skip(f"the simulator has no {kind}")
        together = spec_of_all(tmp_path, kind, self.analyses, apart=False)
        apart = spec_of_all(tmp_path, kind, self.analyses, apart=True)
        first, second, third = measured(entry, apart, jobs_of(1e3, 300.0, 2500.0))
        assert measured(entry, together, jobs_of(2500.0, 1e3, 300.0, 1e3)) == [third, first, second, first]

    def test_what_has_no_solution_is_a_failure_with_a_reason(self, entry: SimulatorEntry, tmp_path: Path) -> None:
        self._needs("op")
        spec = spec_of(tmp_path, f"{BRIDGE}v9 in 0 1\n", {"op": "op"}, out=dc_value("b.op", "out"))
        (outcome,) = simulated(entry, spec, jobs_of(1e3))
        assert isinstance(outcome, Failed)
        assert outcome.reason == "convergence"
        assert "b.op" in outcome.message

    def test_a_deck_that_it_cannot_read_is_refused_with_the_bench(self, entry: SimulatorEntry, tmp_path: Path) -> None:
        self._needs("op")
        spec = spec_of(tmp_path, f"{BRIDGE}d1 out 0 nomodel\n", {"op": "op"}, out=dc_value("b.op", "out"))
        with SimulationPool(spec.task, 1, 60, simulator=entry.make) as pool, pytest.raises(SimulationError) as caught:
            pool.load(jobs_of(1e3)[0])
        assert caught.value.reason == "netlist"
        assert "bench b" in str(caught.value)

    def test_it_says_its_version_counts_its_time_and_leaves_nothing(
        self, entry: SimulatorEntry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self._needs("op")
        spec = spec_of(tmp_path, BRIDGE, {"op": "op"}, out=dc_value("b.op", "out"))
        here = tmp_path / "here"
        here.mkdir()
        monkeypatch.chdir(here)
        with SimulationPool(spec.task, 1, 60, simulator=entry.make) as pool:
            (outcome,) = pool.run(jobs_of(1e3))
            assert pool.version
        assert outcome.seconds > 0
        assert list(here.iterdir()) == []

    def _needs(self, analysis: str) -> None:
        if analysis not in self.analyses:
            pytest.skip(f"the simulator has no {analysis}")


def spec_of(folder: Path, netlist: str, analyses: Mapping[str, Any], **metrics: Mapping[str, Any]) -> Spec:
    """A spec of a netlist in which `r` is a variable and `load` a parameter, with these analyses in bench `b`."""
    return spec_of_benches(folder, netlist, {"b": analyses}, metrics)


def spec_of_all(folder: Path, kind: str, analyses: Sequence[str], *, apart: bool) -> Spec:
    """A spec of a kind of DEVICES, with a metric of each of these analyses, in one bench or each in its own."""
    known: Mapping[str, tuple[Any, Mapping[str, Any]]] = {
        "tran": (
            {"run": "tran 10n 3u", "meas": {"mean": "avg v(out)"}},
            {"measure": "meas", "name": "mean", "unit": "V"},
        ),
        "ac": ({"run": "ac dec 5 1k 100Meg", "excite": "v1"}, {"measure": "dc_gain", "output": "out"}),
        "noise": ({"run": "noise v(out) v1 dec 5 1k 100Meg", "excite": "v1"}, {"measure": "rms_noise"}),
        "dc": ("dc v1 0 2 0.1", {"measure": "regulation", "output": "out", "unit": "V/V"}),
        "op": ("op", {"measure": "dc_value", "output": "out"}),
    }
    chosen = [each for each in known if each in analyses]
    bench = {each: f"b{each}" if apart else "b" for each in chosen}
    benches: dict[str, dict[str, Any]] = {}
    for each in chosen:
        benches.setdefault(bench[each], {})[each] = known[each][0]
    metrics = {
        each: {**known[each][1], "of": f"{bench[each]}.{each}", "at_least": -1e9, "at_most": 1e9} for each in chosen
    }
    return spec_of_benches(folder, AROUND + DEVICES[kind] + "\n", benches, metrics)


def spec_of_benches(
    folder: Path, netlist: str, benches: Mapping[str, Mapping[str, Any]], metrics: Mapping[str, Any]
) -> Spec:
    """The same with several benches by name."""
    (folder / "circuit.cir").write_text(f"* circuit\n.param r=1k load=1k\n{netlist}r99 in 0 {{load*1e9}}\n")
    return Spec.from_document(
        {
            "netlist": "circuit.cir",
            "variables": {"r": {"values": [1000, 2000]}},
            "benches": {name: {"stimulus": "r98 in 0 1e12", "analyses": each} for name, each in benches.items()},
            "metrics": metrics,
        },
        folder,
    )


def dc_value(of: str, output: str) -> dict[str, Any]:
    """A metric that is a net's voltage."""
    return {"measure": "dc_value", "of": of, "output": output, "at_least": 0}


def jobs_of(*resistances: float) -> list[Job]:
    """A job for each value of the variable."""
    return [Job({"r": each}) for each in resistances]


def simulated(entry: SimulatorEntry, spec: Spec, jobs: Sequence[Job]) -> list[Outcome]:
    """What the simulator gives in a worker process."""
    with SimulationPool(spec.task, 1, 60, simulator=entry.make) as pool:
        return pool.run(jobs)


def measured(entry: SimulatorEntry, spec: Spec, jobs: Sequence[Job]) -> list[list[float]]:
    """The values of the metrics, all of which there are."""
    outcomes = simulated(entry, spec, jobs)
    for outcome in outcomes:
        assert isinstance(outcome, Measured), outcome
        assert not outcome.missing, outcome
    return [list(outcome.values) for outcome in outcomes if isinstance(outcome, Measured)]

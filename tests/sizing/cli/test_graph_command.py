"""`sizing graph` as a user meets it."""

from pathlib import Path

import pytest

from tests.command import Done, sizing


def graph(*arguments: object, folder: Path | None = None) -> Done:
    return sizing("graph", *arguments, folder=folder)


def test_draws_and_counts_the_first_bench_with_its_stimulus(specs: Path, tmp_path: Path):
    for _ in range(2):  # the picture in the default place is drawn anew
        done = graph(specs / "cs_amp.yaml", folder=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        # vdd, in, out and ground; transistor, resistor, two sources and a capacitor: 4 + 4 · 2 terminals
        assert done.stdout == (
            "cs_amp, amplifier: 4 nets, 5 devices, 12 terminals\nterminal-level graph: 16 nodes, 22 edges\n"
            "runs/graphs/cs_amp-amplifier.svg\n"
        )
    assert (tmp_path / "runs/graphs/cs_amp-amplifier.svg").read_text().startswith("<?xml")


def test_draws_the_bench_asked_for_and_never_overwrites(specs: Path, tmp_path: Path):
    command = (specs / "opamp_cc_rz.yaml", "--bench", "follower", "--out", tmp_path / "follower.svg")
    done = graph(*command)
    assert done.returncode == 0, done.stderr
    assert "opamp_cc_rz, follower: 10 nets, 15 devices" in done.stdout
    text = (tmp_path / "follower.svg").read_text(encoding="utf-8")
    assert ">vfb<" in text
    assert ">opamp_cc_rz, follower<" in text
    again = graph(*command)
    assert again.returncode == 2
    assert "nothing is overwritten" in again.stderr
    assert (tmp_path / "follower.svg").read_text(encoding="utf-8") == text


def test_an_unknown_bench_is_named_with_those_there_are(specs: Path):
    done = graph(specs / "opamp_cc_rz.yaml", "--bench", "closed")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"error: --bench: expected a test bench of {specs / 'opamp_cc_rz.yaml'} (open_loop, follower), got 'closed'\n"
    )


def spec_with(line: str, specs: Path, folder: Path) -> Path:
    """The amplifier's spec with one more line in its netlist."""
    (folder / "netlists").mkdir()
    for netlist in (specs / "netlists").iterdir():
        text = netlist.read_text(encoding="utf-8")
        (folder / "netlists" / netlist.name).write_text(text, encoding="utf-8")
    with (folder / "netlists" / "cs_amp.cir").open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    spec = folder / "cs_amp.yaml"
    spec.write_text((specs / "cs_amp.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    return spec


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("b1 out 0 i=v(out)*1e-9", "b1: expected a device that graphs know (nmos, "),
        ("r9 out 0 {1k/0}", "r9: "),
        ("r9 out 0 {nosuch*1k}", "r9: "),
    ],
)
def test_a_circuit_that_is_no_graph_is_one_line_and_exit_status_2(line: str, says: str, specs: Path, tmp_path: Path):
    done = graph(spec_with(line, specs, tmp_path), "--out", tmp_path / "a.svg")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {says}")
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "a.svg").exists()


@pytest.mark.parametrize("name", ["cs_amp", "opamp_cc", "opamp_cc_rz"])
def test_shipped_circuits_can_be_evaluated_as_they_stand(name: str, specs: Path, tmp_path: Path):
    assert graph(specs / f"{name}.yaml", folder=tmp_path).returncode == 0


def test_a_picture_in_another_format_or_place_is_refused(specs: Path, tmp_path: Path):
    for out, says in ((tmp_path / "a.pdf", ".svg or .png"), (tmp_path / "no" / "a.png", "No such file")):
        done = graph(specs / "cs_amp.yaml", "--out", out)
        assert (done.returncode, done.stdout) == (2, "")
        assert says in done.stderr

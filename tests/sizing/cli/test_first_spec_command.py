"""`sizing init` as a user meets it: what it prints, its exit status."""

from pathlib import Path

from tests.command import Done, sizing


def init(folder: Path, *arguments: str) -> Done:
    return sizing("init", *arguments, folder=folder)


def test_it_names_the_spec_and_says_what_comes_next(tmp_path: Path):
    (tmp_path / "load.cir").write_text("r1 vdd out 1k\nr2 out 0 1k\n")
    done = init(tmp_path, "load.cir")
    assert (done.returncode, done.stdout) == (0, "load.yaml\n")
    assert "circuit of no known class: 2 variables, with load_sized.cir for the netlist" in done.stderr
    assert "--top NAME sizes the sub-circuit that it calls" in done.stderr
    assert "Next: look for TODO in load.yaml, then sizing check load.yaml" in done.stderr


def test_what_a_spec_says_is_left_out_of_the_copy_and_said(tmp_path: Path):
    (tmp_path / "load.cir").write_text(
        "r1 vdd out 1k\nr2 out 0 1k\n.temp 85\n.options reltol=1e-4 TEMP = 60\n.ic v(out)=1\n+ v(vdd)=2\n"
        ".option gmin=1e-13\n"
    )
    done = init(tmp_path, "load.cir")
    assert done.returncode == 0
    left = [line for line in done.stderr.splitlines() if line.startswith("note: left out")]
    assert [line.partition(";")[0] for line in left] == [
        "note: left out load.cir:3: .temp 85",
        "note: left out load.cir:4: .options reltol=1e-4 TEMP = 60",
        "note: left out load.cir:5: .ic v(out)=1",
    ]
    assert (
        (tmp_path / "load_sized.cir")
        .read_text()
        .endswith("* .temp 85\n* .options reltol=1e-4 TEMP = 60\n* .ic v(out)=1\n* + v(vdd)=2\n.option gmin=1e-13\n")
    )
    assert sizing("check", "load.yaml", folder=tmp_path).returncode == 0


def test_a_mistake_is_one_line_and_exit_status_2(tmp_path: Path):
    (tmp_path / "amp.cir").write_text("* amplifier\nx1 in out vdd stage\nvdd vdd 0 1.8\n")
    done = init(tmp_path, "amp.cir")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: amp.cir:2: expected a sub-circuit 'stage', found none; give the file that defines it with --models "
        "FILE, or FILE:SECTION of a library\n"
    )

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


def test_a_mistake_is_one_line_and_exit_status_2(tmp_path: Path):
    (tmp_path / "amp.cir").write_text("* amplifier\nx1 in out vdd stage\nvdd vdd 0 1.8\n")
    done = init(tmp_path, "amp.cir")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: amp.cir:2: expected a sub-circuit 'stage', found none; give the file that defines it with --models "
        "FILE, or FILE:SECTION of a library\n"
    )

"""The tutorial's commands, one after the other, as a reader types them; only the run is short."""

import re
import shlex
from pathlib import Path

import pytest

from tests.command import sizing

TUTORIAL = Path(__file__).parent.parent / "docs" / "tutorial.md"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the tutorial was followed to its end."""
    folder = tmp_path_factory.mktemp("tutorial")
    text = TUTORIAL.read_text()
    (netlist,) = re.findall(r"```spice\n(.*?)```", text, re.DOTALL)
    (folder / "amplifier.cir").write_text(netlist)
    for language, block in re.findall(r"```(sh|yaml)\n(.*?)```", text, re.DOTALL):
        if language == "yaml":
            with (folder / "amplifier.yaml").open("a") as spec:
                spec.write(block)
            continue
        for line in block.splitlines():
            program, command, *arguments = shlex.split(line)
            assert program == "sizing"
            short = ["--max-sims", "12", "--method", "evo"] if command == "run" else []
            done = sizing(command, *arguments, *short, folder=folder)
            held = {0, 1} if command == "verify" else {0}  # so few simulations need not find a design that holds
            assert done.returncode in held, done.stderr
    return folder


def test_it_ends_with_the_readers_netlist_sized(folder: Path):
    before, after = (folder / name for name in ("amplifier.cir", "sized.cir"))
    sized = after.read_text().splitlines()
    assert "M1 n1 inn tail vss nch W={w_m1} L={l_m1}" in sized
    assert "M7 out ibias vss vss nch W={2*w_m5} L={l_m5}" in sized
    kept = [line for line in before.read_text().splitlines() if not re.match(r"[MRC]", line)]
    assert [line for line in sized if line in kept] == kept
    parameters = " ".join(line for line in sized if line.startswith(".param"))
    assert float(re.findall(r"w_m1=(\S+)", parameters)[0]) > 0


def test_the_best_design_was_simulated_at_every_corner(folder: Path):
    corners = (folder / "runs" / "amplifier" / "verify" / "corners.csv").read_text()
    assert [name for name in ("27C", "-40C", "125C") if name not in corners] == []


def test_what_it_says_was_written_is_there(folder: Path):
    written = {path.name for path in folder.iterdir()}
    assert written == {"amplifier.cir", "amplifier_sized.cir", "amplifier.yaml", "sized.cir", "runs"}
    assert "TODO" in (folder / "amplifier.yaml").read_text()

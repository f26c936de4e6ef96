"""`sizing characterize`: a transistor's figures on the terminal, and files of all of it."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from sizing.cli.main import app
from sizing.errors import InputError


@pytest.mark.skipif(shutil.which("ngspice") is None, reason="the ngspice program is not installed")
@pytest.mark.slow
def test_a_transistor_is_measured_told_and_written_and_its_table_is_read(specs: Path, tmp_path: Path):
    card, out = specs / "netlists" / "bptm45.mod", tmp_path / "out"
    asked = ["characterize", str(card), "nmos", "--lengths", "90n,0.18u", "--supply", "1.2", "--width", "1u"]
    said = CliRunner().invoke(app, [*asked, "--out", str(out)], catch_exceptions=False)
    assert said.exit_code == 0
    assert "90 nm" in said.stdout
    assert "180 nm" in said.stdout
    assert sorted(path.name for path in out.iterdir()) == ["nmos.csv", "nmos.mat", "nmos.pkl", "nmos.svg"]
    table = pd.read_csv(out / "nmos.csv")
    strong = table[(table["L"] < 1e-7) & (table["VGS"] > 0.99)].iloc[0]
    assert strong["GM/ID"] == pytest.approx(strong["GM"] / strong["ID"], rel=1e-3)
    again = CliRunner().invoke(app, ["characterize", str(out / "nmos.mat"), "--supply", "1.2", "--out", str(tmp_path)])
    assert again.stdout.splitlines()[:-1] == said.stdout.splitlines()[:-1]


def test_models_that_may_run_something_are_refused_unless_they_are_trusted(specs: Path, tmp_path: Path):
    (tmp_path / "models.lib").write_text(
        f".subckt fet d g s b\nm1 d g s b nmos w=1u l=90n\n.control\nshell touch {tmp_path}/run\n.endc\n.ends\n"
        f".include {specs}/netlists/bptm45.mod\n"
    )
    asked = ["characterize", str(tmp_path / "models.lib"), "fet", "--lengths", "90n", "--out", str(tmp_path / "out")]
    said = CliRunner().invoke(app, asked)
    assert isinstance(said.exception, InputError)
    assert "models.lib:3" in str(said.exception)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "mistake"),
    [
        (["nowhere.lib"], "MODELS: expected a kit .* found none at 'nowhere.lib'"),
        (["nowhere.mat"], "expected a table, found no such file"),
        (["CARD"], "--lengths: expected some, such as 0.15u,0.5u, since nmos has no bins for W = 5 um"),
        (["CARD", "nmoss"], "no transistor 'nmoss' in these models; did you mean 'nmos'"),
        (["CARD", "--lengths", "90 V"], "--lengths: expected metres, got '90 V'"),
        (["CARD", "--lengths", "90n", "--supply", "0.01"], "supply: expected 0.2 V or more, got 0.01 V"),
        (["CARD", "--supply", "-1"], "--supply: expected more than 0 V, got -1"),
    ],
)
def test_mistakes_are_said_and_nothing_is_written(arguments: list[str], mistake: str, specs: Path, tmp_path: Path):
    card = str(specs / "netlists" / "bptm45.mod")
    given = [card if each == "CARD" else each for each in arguments]
    said = CliRunner().invoke(app, ["characterize", *given, "--out", str(tmp_path / "out")])
    assert isinstance(said.exception, InputError)
    assert pd.Series([str(said.exception)]).str.contains(mistake).all()
    assert not (tmp_path / "out").exists()

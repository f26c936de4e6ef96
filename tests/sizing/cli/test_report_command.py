"""`sizing report`, and what `sizing compare` leaves in its folder and says while it runs."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from tests.command import Done, sizing

KINDS = ["calibration", "convergence", "enough", "first", "in-spec", "queries", "time"]


@pytest.fixture(scope="module")
def comparison(specs: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Done, Path]:
    """What a comparison of two methods said, with a spec that is refused, and where its folder `c` is."""
    folder = tmp_path_factory.mktemp("report")
    (folder / "bad.yaml").write_text("netlist: <b>nowhere.cir\n")
    done = sizing(
        "compare", specs / "cs_amp.yaml", "bad.yaml", "--methods", "evo,oracle", "--seeds", "1", "--max-sims", 40,
        "--jobs", 1, "--out", "c", folder=folder,
    )  # fmt: skip
    return done, folder


@pytest.fixture
def folder(comparison, tmp_path: Path) -> Path:
    """A folder with a copy of the comparison."""
    shutil.copytree(comparison[1] / "c", tmp_path / "c")
    return tmp_path


def test_a_comparison_leaves_its_tables_plots_and_page(comparison):
    done, folder = comparison
    assert done.returncode == 1
    table = pd.read_csv(folder / "c" / "table.csv")
    assert list(table["method"]) == ["evo", "oracle"]
    means = pd.read_csv(folder / "c" / "means.csv")
    assert list(means["sims_total"]) == list(table["sims_total"])
    assert sorted(path.name for path in (folder / "c" / "plots").iterdir()) == [f"cs_amp-{kind}.svg" for kind in KINDS]
    text = (folder / "c" / "report.html").read_text(encoding="utf-8")
    assert text.count("<svg") == len(KINDS)
    assert "bad evo 1: " in text
    assert "bad oracle 1: " in text
    assert "<b>nowhere" not in text
    assert "| cs_amp | cs_amp" in done.stdout


def test_a_comparison_says_how_far_it_has_come(comparison):
    done, _ = comparison
    lines = done.stderr.splitlines()
    assert lines[0].startswith("1/4 cs_amp evo seed 1: max_sims; about ")
    assert lines[0].endswith(" s left; under way: cs_amp oracle seed 1")
    assert lines[1].endswith("; under way: bad evo seed 1")
    assert lines[3].startswith("4/4 bad oracle seed 1: failed: ")
    assert "Report: c/report.html" in lines


def test_the_same_command_rewrites_what_is_derived(comparison, specs: Path):
    done, folder = comparison
    (folder / "c" / "report.html").write_text("old")
    (folder / "bad.yaml").write_text("netlist: <b>nowhere.cir\n")
    again = sizing(
        "compare", specs / "cs_amp.yaml", "bad.yaml", "--methods", "evo,oracle", "--seeds", "1", "--max-sims", 40,
        "--jobs", 1, "--out", "c", folder=folder,
    )  # fmt: skip
    assert again.stdout == done.stdout
    assert "<svg" in (folder / "c" / "report.html").read_text(encoding="utf-8")


def test_a_report_of_a_comparison_names_the_runs_that_are_not_there(folder: Path):
    shutil.rmtree(folder / "c" / "cs_amp-oracle-s1")
    done = sizing("report", "c", "--html", "pages/c.html", folder=folder)
    assert (done.returncode, done.stdout) == (1, "pages/c.html\n")
    assert [line.split(": ")[1] for line in done.stderr.splitlines()] == [
        "c/cs_amp-oracle-s1", "c/bad-evo-s1", "c/bad-oracle-s1",
    ]  # fmt: skip
    assert "c/cs_amp-oracle-s1: expected a run: not begun yet" in (folder / "pages" / "c.html").read_text("utf-8")


def test_a_damaged_run_is_told_last_and_the_others_are_reported(folder: Path):
    journal = folder / "c" / "cs_amp-evo-s1" / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([*lines[:29], b"?\n", *lines[30:]]))
    (folder / "c" / "comparison.json").unlink()
    for command in (("report", "c", "--html", "c.html"), ("table", "c")):
        done = sizing(*command, folder=folder)
        assert done.returncode == 1
        (line,) = done.stderr.splitlines()
        assert line.startswith("error: c/cs_amp-evo-s1/journal.jsonl:30: damaged line: ")
    assert "| damaged" in done.stdout
    assert "| oracle" in done.stdout
    assert "journal.jsonl:30: damaged line" in (folder / "c.html").read_text(encoding="utf-8")


def test_a_report_of_one_run_and_its_plots(folder: Path):
    done = sizing("report", "c/cs_amp-evo-s1", "--html", "one.html", "--plots", "plots", folder=folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, "one.html\nplots\n", "")
    assert "<h2>Best designs</h2>" in (folder / "one.html").read_text(encoding="utf-8")
    assert {path.suffix for path in (folder / "plots").iterdir()} == {".svg", ".png"}


def test_a_closer_look_simulates_once_and_leaves_the_run_as_it_was(folder: Path, monkeypatch: pytest.MonkeyPatch):
    run = folder / "c" / "cs_amp-evo-s1"
    before = {path.name: path.read_bytes() for path in run.iterdir() if path.is_file()}
    plain = ("report", run, "--workers", 1, "--scatter", "gain,bandwidth")
    asked = ("--waveforms", "--sensitivities", "--html", "one.html", "--plots", "plots")
    first = sizing(*plain, *asked, folder=folder)
    assert first.returncode == 0, first.stderr
    assert first.stderr.startswith("5 simulations of the best design and its neighbours, kept in ")
    monkeypatch.setenv("NGSPICE_LIBRARY_PATH", "/nowhere")  # so that no simulation could be made
    second = sizing(*plain, "--html", "two.html", folder=folder)
    assert (second.returncode, second.stderr) == (0, "")
    text = (folder / "one.html").read_text("utf-8")
    assert text == (folder / "two.html").read_text("utf-8")
    assert "Bode plot: amplifier.response" in text
    assert "from 4 simulations after the run (ngspice " in text
    assert "://" not in text.replace("http://www.w3.org/", "")
    assert (folder / "plots" / "cs_amp-ac-amplifier.response.png").read_bytes().startswith(b"\x89PNG")
    assert (folder / "plots" / "cs_amp-scatter-gain-bandwidth.svg").exists()
    after = {path.name: path.read_bytes() for path in run.iterdir() if path.is_file()}
    assert after.pop("inspection.json")
    assert after == before


def test_a_closer_look_is_of_one_run_and_of_its_metrics(folder: Path):
    for arguments, words in {
        ("report", "c", "--html", "a.html", "--waveforms"): "are of one sound run: name its folder alone",
        ("report", "c", "--html", "a.html", "--scatter", "gain,current"): "are of one sound run",
        ("report", "c/cs_amp-evo-s1", "--html", "a.html", "--scatter", "gain"): "expected two metrics with a comma",
        ("report", "c/cs_amp-evo-s1", "--html", "a.html", "--scatter", "gain,curent"): "did you mean 'current'?",
    }.items():
        done = sizing(*arguments, folder=folder)
        assert (done.returncode, done.stdout) == (2, ""), arguments
        assert words in done.stderr
    assert not (folder / "a.html").exists()


def test_export_refuses_what_it_cannot_do_and_never_overwrites(folder: Path):
    (folder / "mine").write_text("mine")
    run = "c/cs_amp-evo-s1"
    for arguments, words in {
        ("export", run, "--format", "devces"): "--format: no form 'devces'; did you mean 'devices'?",
        ("export", run, "--format", "files"): "expected --out FOLDER, a new folder",
        ("export", run, "--format", "json", "--out", "mine"): "mine already exists, and nothing is overwritten",
        ("export", run, "--format", "files", "--out", "mine"): "mine already exists, and nothing is overwritten",
        ("export", run, "--format", "param", "--rank", 999): "expected a rank from 1 to 40, got 999",
    }.items():
        done = sizing(*arguments, folder=folder)
        assert (done.returncode, done.stdout) == (2, ""), arguments
        assert words in done.stderr
    assert (folder / "mine").read_text() == "mine"
    done = sizing("export", run, "--format", "files", "--out", "sized", folder=folder)
    assert (done.returncode, done.stdout) == (0, "sized/cs_amp.cir\n")
    assert ".include bptm45.mod" in (folder / "sized" / "cs_amp.cir").read_text()
    assert sizing("export", run, "--format", "devices", folder=folder).stdout.startswith(
        "name\tmodel\tw\tl\tm\tvalue\n"
    )


def test_show_draws_margins_and_ranges(folder: Path):
    lines = sizing("show", "c/cs_amp-evo-s1", "--best", 2, folder=folder).stdout.splitlines()
    (gain,) = [line for line in lines if line.startswith("│ gain")]
    assert "│█" in gain
    assert "+" in gain
    (m1,) = [line for line in lines if line.startswith("│ m1")]
    assert m1.count("●") == 1


def test_nothing_is_overwritten_and_something_has_to_be_asked_for(folder: Path):
    (folder / "c.html").write_text("mine")
    for arguments, words in {
        ("report", "c", "--html", "c.html"): "c.html already exists, and nothing is overwritten",
        ("report", "c", "--plots", "c"): "c already exists, and nothing is overwritten",
        ("report", "c"): "expected --html FILE, --plots FOLDER or both",
        ("report", "nowhere", "--html", "n.html"): "expected a run folder or a folder of runs, found none",
    }.items():
        done = sizing(*arguments, folder=folder)
        assert done.returncode == 2, arguments
        assert words in done.stderr
    assert (folder / "c.html").read_text() == "mine"

"""A spec from a stranger: what could do harm is refused with its place before ngspice sees it, and nothing happens."""

import os
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from sizing.runs.run import check, resume, run
from sizing.simulation.simulator import Measured, SimulationError
from sizing.specfile.load import load_spec
from sizing.specfile.mistakes import SpecError
from sizing.spice.netlist import NetlistError, inline_includes, read_text
from tests.command import SIZING, sizing

NETLIST = """\
* A divider
.param ra=1k
r1 in out {ra}
r2 out 0 1k
"""
SPEC = """\
netlist: divider.cir
variables:
  ra: {from: 1k, to: 3k, step: 1k, unit: Ohm}
benches:
  quiet:
    stimulus: |
      vin in 0 dc 1
    analyses: {bias: op, response: {run: ac dec 1 1 1k, excite: vin}}
metrics:
  gain: {measure: dc_gain, of: quiet.response, output: out, at_least: 0.1}
run: {method: evo, initial: 2, in_spec: 1}
"""
SCRIPT = ".control\nshell touch CANARY\n.endc\n"

DANGEROUS = [
    *(f"{command}\nshell touch CANARY a b m\n.endcx" for command in (".control", ".CONTROL", ".controls")),
    *(f"{command} EVIL" for command in (".incl", ".incx", ".INCLUDED", ".include", ".inc")),
    *(f"{command} EVIL tt" for command in (".library", ".libx", ".lib")),
    ".if (1)\n.incl EVIL\n.endif",
    ".exec touch CANARY",
    ".codemodel EVIL",
    ".save `touch CANARY`",
    ".print op v(out) > CANARY",
    ".measure op x find v(out) > CANARY",
    ".csparam x = \x0b.control",
    "r9 out 0 1k\x0c.control\x0cshell touch CANARY\x0c.endc",
    ".options rawfile=CANARY",
    ".options trtol=1 sourcepath=/tmp",
    ".option interactive",
    ".model fs filesource (file=CANARY)",
    ".model m=d_process nmos (x=1)",
    ".model m numd",
    ".model m ako:d nmos",
    'v9 out 0 pwl file="EVIL"',
    "v9 out 0 pwl(file=EVIL)",
    "a9 %v([out]) fs",
    "n9 out 0 compiled",
    "shell touch CANARY",
]


def written(folder: Path, *, netlist: str = "", stimulus: str = "", changes: tuple[str, str] = ("", "")) -> Path:
    """The spec with lines added to its netlist or stimulus, the place of harm filled in."""
    (folder / "outside").mkdir(exist_ok=True)
    (folder / "inside").mkdir(exist_ok=True)
    evil, canary = folder / "outside" / "evil.cir", folder / "canary"

    def filled(text: str) -> str:
        return text.replace("CANARY", str(canary)).replace("EVIL", str(evil))

    evil.write_text(filled(SCRIPT))
    (folder / "inside" / "divider.cir").write_text(NETLIST + filled(netlist) + "\n")
    indented = "".join(f"      {line}\n" for line in filled(stimulus).split("\n") if line)
    path = folder / "inside" / "spec.yaml"
    old, new = changes
    text = SPEC.replace("      vin in 0 dc 1\n", f"      vin in 0 dc 1\n{indented}").replace(old, new)
    path.write_text(filled(text))
    return path


@pytest.mark.parametrize("line", DANGEROUS)
def test_a_dangerous_line_is_refused_with_its_place_in_netlist_and_stimulus(tmp_path: Path, line: str):
    for place, said in (("netlist", "divider.cir:"), ("stimulus", "spec.yaml:")):
        with pytest.raises(SpecError) as caught:
            load_spec(written(tmp_path, **{place: line}))
        assert said in str(caught.value)
        assert not (tmp_path / "canary").exists()


def test_what_would_be_executed_is_not_even_by_the_command_line(tmp_path: Path):
    path = written(tmp_path, netlist=".incl EVIL")
    for command in (("run", path, "--out", tmp_path / "run"), ("check", path), ("dataset", path), ("graph", path)):
        done = sizing(*command, folder=tmp_path)
        assert done.returncode == 2, done.stdout
        assert done.stderr == (
            f"error: {path}:1: netlist: {path.parent / 'divider.cir'}:5: expected what is known to do no harm, got the "
            "command .incl; remove it, or say --trust if it is your own\n"
        )
    assert not (tmp_path / "canary").exists()


def test_the_canary_would_have_sung(tmp_path: Path):
    """Were the line not refused, ngspice would execute the file: what the other tests rest on."""
    check(load_spec(written(tmp_path, netlist=".incl EVIL"), trust=True))
    assert (tmp_path / "canary").exists()


def test_a_file_outside_the_folder_is_included_only_where_trusted(tmp_path: Path):
    path = written(tmp_path, netlist=".include ../outside/parts.cir\nx1 out part\n")
    (tmp_path / "outside" / "parts.cir").write_text(".subckt part a\nr1 a 0 1k\n.ends\n")
    with pytest.raises(SpecError, match=r"expected a file in the folder of the spec, got .*say --trust"):
        load_spec(path)
    assert isinstance(check(load_spec(path, trust=True)), Measured)
    done = sizing("run", path, "--trust", "--out", "run", "--max-sims", 2, folder=tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_link_out_of_the_folder_is_followed_before_it_is_judged(tmp_path: Path):
    path = written(tmp_path, netlist=".include parts.cir")
    (path.parent / "parts.cir").symlink_to(tmp_path / "outside" / "evil.cir")
    with pytest.raises(SpecError, match="expected a file in the folder of the spec"):
        load_spec(path)


@pytest.mark.parametrize("netlist", ["/etc/passwd", "../../../../../../etc/passwd", "../outside/evil.cir"])
def test_the_netlist_itself_lies_in_the_folder(tmp_path: Path, netlist: str):
    path = written(tmp_path, changes=("netlist: divider.cir", f"netlist: {netlist}"))
    with pytest.raises(SpecError, match="expected a file in the folder of the spec") as caught:
        load_spec(path)
    assert "root:" not in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        (*("bias: op", 'bias: "op `touch CANARY`"'), "expected `op`"),
        (*("bias: op", 'bias: "op !!"'), "expected `op`"),
        (*("bias: op", r'bias: "op\rshell"'), "expected `op`"),
        (*("bias: op", 'bias: "tran 1n {1u,2u}"'), "expected `tran STEP STOP"),
        (*("bias: op", 'bias: "noise v(out)|sh vin dec 1 1 1"'), "expected `noise"),
        (*("bias: op", "bias: tran 1f 1"), "expected an analysis of at most 1000000 points"),
        (*("bias: op", "bias: tran 1 2 0 1e-30"), "expected an analysis of at most 1000000 points"),
        (*("bias: op", "bias: ac dec 1Meg 1 1T"), "expected an analysis of at most 1000000 points"),
        (*("bias: op", "bias: ac lin 1e300 1 2"), "expected an analysis of at most 1000000 points"),
        (*("bias: op", "bias: dc vin 0 1 1m vin 0 1 0.1m"), "expected an analysis of at most 1000000 points"),
        (*("bias: op", 'bias: {run: tran 1n 1u, meas: {x: "max v(out) > CANARY"}}'), "expected a .meas of the forms"),
        (*("bias: op", 'bias: {run: tran 1n 1u, meas: {x: "`touch CANARY`"}}'), "expected a .meas of the forms"),
        (*("netlist:", "name: ../../canary\nnetlist:"), "name: expected a name of letters"),
        (*("netlist:", "name: '[/red]'\nnetlist:"), "name: expected a name of letters"),
        (*("    analyses:", "    options: {ngdebug: 1}\n    analyses:"), "got the option ngdebug; remove it, or say"),
        (*("run: {", "run: {timeout: 1000000000, "), "run.timeout: expected less than or equal to"),
        (*("run: {method: evo, initial: 2", "run: {initial: 1000000000"), "run.initial: expected less than or equal"),
    ],
)
def test_what_a_spec_says_beside_netlists_is_held_to_harmless_forms(tmp_path: Path, old: str, new: str, mistake: str):
    with pytest.raises(SpecError) as caught:
        load_spec(written(tmp_path, changes=(old, new)))
    assert mistake in str(caught.value)


@pytest.mark.parametrize(
    "run", ["tran 1n 1u 0 20n uic", "dc vin 0 1 0.1", "DC vin 0 1 0.5 temp 0 50 25", "AC lin 1 1 1"]
)
def test_every_form_of_analysis_passes(tmp_path: Path, run: str):
    assert isinstance(
        check(load_spec(written(tmp_path, changes=("bias: op", f"bias: {{run: {run}, excite: vin}}")))), Measured
    )


def test_what_netlists_hold_by_right_passes(tmp_path: Path):
    netlist = (
        ".options reltol=1e-4 method = gear\n.global vcc\n.func f(x) {x*x}\n"
        ".model d1 D(is=1e-15)\n.model q npn\n.model n.1 nmos level=1\nd1 out 0 d1\nb1 x 0 v={v(out)*2}\nrx x 0 1k\n"
    )
    assert isinstance(check(load_spec(written(tmp_path, netlist=netlist))), Measured)


def test_the_shipped_netlists_are_for_every_spec(tmp_path: Path, specs: Path):
    path = written(tmp_path, netlist=f".include {specs.resolve() / 'netlists' / 'bptm45.mod'}")
    load_spec(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a0: &a0 x\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)),
         "got more than 200000 entries, aliases expanded"),
        ("a: " + "x" * 2_000_001, "expected a spec file of at most 2000000 bytes"),
        ("a: !!python/object/apply:os.system [touch canary]\n", "expected"),
    ],
)  # fmt: skip
@pytest.mark.slow
def test_a_document_made_to_hurt_its_reader_is_refused(tmp_path: Path, text: str, said: str):
    path = tmp_path / "spec.yaml"
    path.write_text(text)
    with pytest.raises(SpecError, match=said):
        load_spec(path)
    assert not Path("canary").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("netlist", "said"),
    [
        (".subckt s0 a\n.ends\n" + "".join(
            f".subckt s{n} a\n" + "".join(f"x{k} a s{n - 1}\n" for k in range(10)) + ".ends\n" for n in range(1, 20)
        ) + "xs out s19\n", "expected a circuit of less than some 100 000 devices"),
        (".subckt s a p=1\n.param p0={p}\n" + "".join(
            f".param p{n}={{p{n - 1}+p{n - 1}}}\n" for n in range(1, 40)
        ) + "r a 0 {p39}\n.ends\nxs out s\n", "expected expressions of at most 10000 characters"),
        (".subckt s a\n" + "".join(f"r{n} a 0 {{{'1+' * 2000}1}}\n" for n in range(60)) + ".ends\n"
         + "".join(f"x{n} out s\n" for n in range(100)),
         "expected a circuit of less than some 100 000 devices"),
        ("r3 out 0 1k\n" + "+ m=1\n" * 300_000, "expected lines of at most 1000000 characters"),
    ],
    ids=["calls", "expressions", "values", "line"],
)  # fmt: skip
def test_a_netlist_that_grows_without_end_is_refused(tmp_path: Path, netlist: str, said: str):
    with pytest.raises(SpecError, match=said):
        load_spec(written(tmp_path, netlist=netlist))


def test_files_that_include_one_another_again_and_again_are_refused(tmp_path: Path):
    for level in range(19):
        (tmp_path / f"{level}.cir").write_text(f".include {level + 1}.cir\n" * 10)
    (tmp_path / "19.cir").write_text("\n")
    with pytest.raises(NetlistError, match="expected at most 1000000 lines with all includes"):
        read_text(".include 0.cir", "t.cir", tmp_path)


@pytest.mark.slow
def test_a_startup_file_in_the_working_directory_is_not_executed(tmp_path: Path):
    path = written(tmp_path)
    (tmp_path / ".spiceinit").write_text(f"shell touch {tmp_path / 'canary'}\n")
    (path.parent / ".spiceinit").write_text(f"shell touch {tmp_path / 'canary'}\n")
    for place, name in ((tmp_path, path), (path.parent, path.name)):
        subprocess.run([*SIZING, "check", name], cwd=place, check=True, capture_output=True)
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize(
    "hidden", ["*ng_script\n", "* ng_script\n", "*#shell ls\n", " *# shell ls\n", "* a\x0c.control\n"]
)
def test_the_netlist_that_a_run_leaves_is_no_program_either(tmp_path: Path, hidden: str):
    text = inline_includes(hidden + "r1 a b 1\n.end;x\n.control\n", tmp_path)
    assert text in ("r1 a b 1\n", "* a\x0c.control\nr1 a b 1\n")


def test_a_run_folder_stands_alone_with_its_library(tmp_path: Path):
    path = written(tmp_path, netlist=".lib parts.lib tt ; typical\nx1 out part\n")
    (path.parent / "parts.lib").write_text("* parts\n.lib tt\n.subckt part a\nr1 a 0 1k\n.ends\n.endl\n")
    result = run(path, out=tmp_path / "run", workers=1, max_sims=2)
    (path.parent / "parts.lib").unlink()
    document = YAML(typ="safe").load(result.folder / "spec.yaml")
    assert document["netlist"] == "circuit/divider.cir"
    (result.folder / "summary.json").unlink()
    assert resume(result.folder, workers=1).status == result.status


def test_a_run_folder_from_a_stranger_is_held_to_the_same(tmp_path: Path):
    result = run(written(tmp_path), out=tmp_path / "run", workers=1, max_sims=2)
    (result.folder / "summary.json").unlink()
    with (result.folder / "circuit" / "divider.cir").open("a") as netlist:
        netlist.write(f".incl {tmp_path / 'outside' / 'evil.cir'}\n")
    with pytest.raises(SpecError, match=r"got the command \.incl"):
        resume(result.folder, workers=1)
    done = sizing("resume", result.folder, folder=tmp_path)
    assert (done.returncode, (tmp_path / "canary").exists()) == (2, False)


def test_a_message_cannot_command_the_terminal(tmp_path: Path):
    done = sizing("check", written(tmp_path, netlist="r7 \x1b[2Jout 0 1k"), folder=tmp_path)
    assert done.returncode == 2
    assert "\x1b" not in done.stderr
    assert r"the control character '\x1b'" in done.stderr


def test_what_ngspice_refuses_is_still_an_error_of_the_netlist(tmp_path: Path):
    with pytest.raises(SimulationError, match="divider"):
        check(load_spec(written(tmp_path, netlist=".exec touch CANARY"), trust=True))
    assert os.listdir(tmp_path / "outside") == ["evil.cir"]  # noqa: PTH208

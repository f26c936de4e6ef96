"""Reading netlist text into logical lines."""

from pathlib import Path

import pytest

from sizing.spice.netlist import Line, NetlistError, read_netlist, read_text, unwrap


def texts(text: str, folder: Path = Path(), **options: bool) -> list[str]:
    return [line.text for line in read_text(text, "t.cir", folder, **options)]


def written(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.cir").write_text(text)
    return folder / "top.cir"


def test_the_first_line_is_content():
    assert texts("r1 a b 1k\nr2 a b 2k") == ["r1 a b 1k", "r2 a b 2k"]


def test_continuations_join_across_comments_and_blank_lines():
    assert texts("* note\nr1 a b\n  * another\n\n+ 1k\n  +m=2\nr2 a b 1") == ["r1 a b 1k m=2", "r2 a b 1"]


@pytest.mark.parametrize("ending", [" ; load", ";load", " $ load", "\t$load", " // load"])
def test_end_of_line_comments_are_cut(ending: str):
    assert texts(f"r1 a b 1k{ending}") == ["r1 a b 1k"]


def test_a_dollar_inside_a_word_is_not_a_comment():
    assert texts("r1 a$1 b 1k") == ["r1 a$1 b 1k"]


def test_case_is_kept():
    assert texts("R1 A b 1K") == ["R1 A b 1K"]


def test_a_line_knows_its_file_and_first_physical_line():
    lines = read_text("* c\nr1 a b\n+ 1k\r\n\r\nr2 a b 1", "spec.yaml", Path(), first_line=11)
    assert lines == (Line("r1 a b 1k", "spec.yaml", 12), Line("r2 a b 1", "spec.yaml", 15))


def test_a_continuation_of_nothing_is_refused():
    with pytest.raises(NetlistError, match=r"^t\.cir:2: expected a line to continue, got '\+ 1k' first"):
        texts("* comment\n+ 1k")


def test_end_ends_the_file_and_titles_are_dropped():
    assert texts(".title Amplifier\nr1 a b 1\n.END\n+ nonsense\nr2 a b 1") == ["r1 a b 1"]


def test_control_blocks_are_refused_even_when_analyses_are_dropped():
    with pytest.raises(NetlistError, match=r"^t\.cir:2: .* got \.control; a control block is a program"):
        texts("r1 a b 1\n.Control\nshell ls\n.endc", drop_analyses=True)


@pytest.mark.parametrize("keyword", [".op", ".AC", ".tran", ".noise", ".print", ".save", ".meas", ".measure", ".four"])
def test_analyses_are_refused_or_dropped(keyword: str):
    text = f"r1 a b 1\n{keyword} x 1 2"
    with pytest.raises(NetlistError, match=r"^t\.cir:2: .* analyses belong in the spec's test bench"):
        texts(text)
    assert texts(text, drop_analyses=True) == ["r1 a b 1"]


def test_other_dot_lines_are_kept():
    lines = [
        ".option reltol=1e-4",
        ".temp 27",
        ".global vdd",
        ".ic v(a)=1",
        ".model n nmos",
        ".func f(x) {x}",
        ".odd 1",
    ]
    assert texts("\n".join(lines)) == lines


def test_includes_are_relative_to_the_including_file(tmp_path: Path):
    (tmp_path / "models" / "deep").mkdir(parents=True)
    (tmp_path / "top.cir").write_text('r1 a b 1\n.include "models/My Models.cir" ; typical\nr4 a b 1\n')
    (tmp_path / "models" / "My Models.cir").write_text("r2 a b 1\n.INC deep//inner.cir\n.end\nr9 a b 1\n")
    (tmp_path / "models" / "deep" / "inner.cir").write_text("\ufeff* inner\nr3 a b 1\n")
    lines = read_netlist(tmp_path / "top.cir")
    assert [line.text for line in lines] == ["r1 a b 1", "r2 a b 1", "r3 a b 1", "r4 a b 1"]
    assert lines[2] == Line("r3 a b 1", str(tmp_path / "models" / "deep" / "inner.cir"), 2)


def test_one_file_may_be_included_twice(tmp_path: Path):
    (tmp_path / "a.cir").write_text("r1 a b 1\n")
    assert texts(".include 'a.cir'\n.include a.cir", tmp_path) == ["r1 a b 1", "r1 a b 1"]


def test_a_library_gives_the_lines_of_one_section(tmp_path: Path):
    (tmp_path / "corners.lib").write_text(
        "r0 a b 1\n.lib TT\nr1 a b 1\n.lib 'corners.lib' common\n.endl TT\n"
        ".lib ff\nr2 a b 1\n.endl\n.lib common\nr3 a b 1\n.endl\n"
    )
    assert texts(".LIB corners.lib tt", tmp_path) == ["r1 a b 1", "r3 a b 1"]


def test_a_missing_section_names_those_there_are(tmp_path: Path):
    (tmp_path / "c.lib").write_text(".lib tt\n.endl\n.lib ff\n.endl\n")
    with pytest.raises(NetlistError, match=r"^t\.cir:1: .*sections \(tt, ff\), got 'ss'"):
        texts('.lib "c.lib" ss', tmp_path)


def test_an_unclosed_section_is_reported_where_it_opens(tmp_path: Path):
    (tmp_path / "c.lib").write_text("* lib\n.lib tt\nr1 a b 1\n")
    with pytest.raises(NetlistError, match=r"c\.lib:2: expected \.endl after the section 'tt'"):
        texts('.lib "c.lib" tt', tmp_path)


def test_a_section_outside_a_library_reference_is_refused():
    with pytest.raises(NetlistError, match=r"^t\.cir:1: expected a path and a section"):
        texts(".lib tt\n.endl")


def test_a_missing_include_is_reported_at_the_including_line(tmp_path: Path):
    with pytest.raises(
        NetlistError, match=r"^t\.cir:2: expected a file at .*gone\.cir\", found none; correct the path"
    ):
        texts("r1 a b 1\n.include gone.cir", tmp_path)


def test_a_missing_netlist_is_reported_under_its_own_name(tmp_path: Path):
    with pytest.raises(NetlistError, match=r"gone\.cir:1: expected a file"):
        read_netlist(tmp_path / "gone.cir")


def test_a_home_directory_is_not_expanded(tmp_path: Path):
    with pytest.raises(NetlistError, match=r"/~/x\.cir"):
        texts(".include ~/x.cir", tmp_path)


def test_a_directory_and_a_binary_file_are_refused(tmp_path: Path):
    (tmp_path / "models").mkdir()
    (tmp_path / "latin.cir").write_bytes(b"* \xb5m\n")
    (tmp_path / "zero.cir").write_bytes(b"r1 a b 1\0\n")
    with pytest.raises(NetlistError, match=r"^t\.cir:1: expected a file, got the directory"):
        texts(".include models", tmp_path)
    with pytest.raises(NetlistError, match=r"^t\.cir:1: expected UTF-8 text"):
        texts(".include latin.cir", tmp_path)
    with pytest.raises(NetlistError, match=r"^t\.cir:1: expected text, got zero bytes"):
        texts(".include zero.cir", tmp_path)


def test_an_include_needs_exactly_one_path():
    with pytest.raises(NetlistError, match=r'^t\.cir:1: expected one path, got 0; write \.include "path"'):
        texts(".include")
    with pytest.raises(NetlistError, match=r"expected one path, got 2"):
        texts(".include my models.cir")


def test_an_include_cycle_names_the_files(tmp_path: Path):
    top = written(tmp_path, top=".include a.cir\n", a="r1 a b 1\n.include top.cir\n")
    with pytest.raises(NetlistError, match=r"a\.cir:2: .*got top\.cir > a\.cir > top\.cir; remove one"):
        read_netlist(top)


def test_includes_may_be_twenty_deep_and_no_deeper(tmp_path: Path):
    for level in range(1, 21):
        (tmp_path / f"{level}.cir").write_text(f".include {level + 1}.cir\n" if level < 20 else "r1 a b 1\n")
    assert texts(".include 1.cir", tmp_path) == ["r1 a b 1"]
    (tmp_path / "20.cir").write_text(".include 21.cir\n")
    (tmp_path / "21.cir").write_text("r1 a b 1\n")
    with pytest.raises(NetlistError, match=r"20\.cir:1: expected at most 20 files inside one another"):
        texts(".include 1.cir", tmp_path)


def test_a_name_no_file_can_have_is_reported_like_any_other(tmp_path: Path):
    with pytest.raises(NetlistError, match=r"^t\.cir:1: expected a file that can be read, got .*File name too long"):
        texts(f".include {'x' * 5000}", tmp_path)


@pytest.mark.parametrize(
    ("text", "inner"),
    [
        ("{a+1}", "a+1"),
        ("'{a}'", "a"),
        ("{{a}}", "a"),
        ("{(a)}", "(a)"),
        ("(a)*(b)", "(a)*(b)"),
        ("{a", "{a"),
        ("{}", ""),
        ("a", "a"),
    ],
)
def test_what_is_around_the_whole_of_an_expression_is_taken_off(text: str, inner: str):
    assert unwrap(text) == inner

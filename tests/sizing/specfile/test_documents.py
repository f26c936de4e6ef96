"""Files that are no spec at all, or no YAML, or hardly any: each is refused in a line."""

from pathlib import Path

import pytest

from sizing.specfile.load import load_spec
from sizing.specfile.mistakes import SpecError
from tests.sizing.specfile.divider import NETLIST, mistakes, written


def test_keys_that_are_no_text_are_taken_as_text_and_keep_their_line(tmp_path: Path):
    path = written(tmp_path, ("  half:", "  50: {measure: x}\n  true: 3\n  half:"), ("run: {m", "3: 4\nrun: {m"))
    assert [mistake.partition(": ")[0] for mistake in mistakes(path)] == [
        "spec.yaml:37",
        "spec.yaml:38",
        "spec.yaml:43",
    ]
    assert "spec.yaml:38: metrics.True: expected a mapping, got 3" in mistakes(path)


def test_a_key_that_is_a_list_is_refused(tmp_path: Path):
    path = written(tmp_path, ("bias: op", "? [a, b]\n      : op"))
    assert mistakes(path)[0] == (
        "spec.yaml:19: benches.quiet.analyses.('a', 'b'): expected a name of letters, digits and _, got \"('a', 'b')\""
    )


def test_a_mistake_in_merged_keys_is_reported_at_the_entry_that_merges_them(tmp_path: Path):
    path = written(tmp_path, ("  ra: {from", "  ra: &x {foo: 1, from"), ("    from: 1k\n", "    <<: *x\n"))
    assert mistakes(path) == [
        "spec.yaml:5: variables.ra.foo: unknown key; did you mean 'from'?",
        "spec.yaml:6: variables.rb.foo: unknown key; did you mean 'from'?",
    ]


@pytest.mark.parametrize(
    ("netlist", "mistake"),
    [
        ("RC lowpass divider\nr1 in out 1\n", "divider.cir:1: expected a title after *, or a comment, got 'RC lowpass "
         "divider', which is the title to SPICE and a device here; write * before a title, or begin a netlist without "
         "one with a comment"),
        ("Coupled lines test 5p\nr1 in out 1\n", "divider.cir:1: expected a title after *, or a comment, got 'Coupled "
         "lines test 5p', which is the title to SPICE and a device here; write * before a title, or begin a netlist "
         "without one with a comment"),
        ("*\na1 in n g1\n.model g1 gain(gain=2)\n", "divider.cir:2: expected a device (b c d e f g h i j k l m o q r s "
         "t u v w z x) or a dot command, got 'a1'; correct the line"),
        (".include /nowhere/x.mod\n",
         'divider.cir:1: expected a file at "/nowhere/x.mod", found none; correct the path'),
        ("*\nr1 in out\n", "divider.cir:2: expected a value or a model after the nets, got neither; "
         "write r=value"),
        (".include gone.mod\n", 'divider.cir:1: expected a file at "gone.mod", found none; correct '
         "the path"),
        ("* x\n.param ra=1\n.op\n", "divider.cir:3: expected devices and models, got .op; analyses "
         "belong in the spec's test bench"),
        (NETLIST + "x2 out bufer\n", "divider.cir:7: expected a defined sub-circuit, got 'bufer' "
         "(nearest defined: buffer); correct the name, include its file or pass it as opaque"),
        ("r1 a b 1\0\n", 'divider.cir:1: expected text, got zero bytes in "divider.cir"; name a '
         "netlist, not a binary file"),
    ],
)  # fmt: skip
def test_a_netlist_that_cannot_be_read_is_reported_once_with_its_own_line(tmp_path: Path, netlist: str, mistake: str):
    found = mistakes(written(tmp_path, netlist=netlist))
    assert [each for each in found if "divider.cir" in each] == [f"spec.yaml:2: netlist: {mistake}"]


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("", "spec.yaml: expected a mapping with the keys KEYS"),
        ("# only a comment\n", "spec.yaml: expected a mapping with the keys KEYS"),
        ("- a\n- b\n", "spec.yaml: expected a mapping with the keys KEYS"),
        ("divider", "spec.yaml: expected a mapping with the keys KEYS"),
        ("a: [1, 2\nb: 3\n", "spec.yaml:2: not YAML: expected ',' or ']', but got ':'"),
        ("netlist: 'x\n", "spec.yaml:2: not YAML: found unexpected end of stream"),
        ("a: b: c\n", "spec.yaml:1: not YAML: mapping values are not allowed here"),
        ("a: 1\n\tb: 2\n", "spec.yaml:2: not YAML: found character '\\t' that cannot start any token"),
        ("a: *b\n", "spec.yaml:1: not YAML: found undefined alias 'b'"),
        ("a: 1\n---\nb: 2\n", "spec.yaml:2: not YAML: but found another document"),
        ("netlist: a\nrun: {}\nnetlist: b\n", 'spec.yaml:3: not YAML: found duplicate key "netlist" with value "b" '
         '(original value: "a")'),
        ("a: \x01\n", 'spec.yaml: not YAML: unacceptable character #x0001: special characters are not allowed in '
         '"<unicode string>", position 3'),
        ("a: !!int x\n", "spec.yaml: not YAML: invalid literal for int() with base 10: 'x'"),
        ("a: !!bool maybe\n", "spec.yaml: not YAML: 'maybe'"),
        ("a: !!omap 3\n", "spec.yaml: not YAML: 'ScalarNode' object has no attribute 'flow_style'"),
        (f"? 0x{'f' * 5000}\n: 1\n", "spec.yaml: expected text, numbers, lists and mappings: Exceeds the limit (4300 "
         "digits) for integer string conversion; use sys.set_int_max_str_digits() to increase the limit"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_yaml_mapping_is_refused(tmp_path: Path, text: str, mistake: str):
    path = tmp_path / "spec.yaml"
    path.write_text(text)
    keys = (
        "name, description, netlist, models, variables, benches, metrics, saturation, corners, minimize, maximize, run"
    )
    assert mistakes(path) == [mistake.replace("KEYS", keys)]


def test_a_document_that_contains_itself_is_refused(tmp_path: Path):
    path = tmp_path / "spec.yaml"
    path.write_text("run: &a\n  - *a\n")
    assert mistakes(path)[-1] == "spec.yaml:1: run: expected a mapping, got [None]"


@pytest.mark.slow
def test_a_document_nested_too_deeply_is_refused(tmp_path: Path):
    path = tmp_path / "spec.yaml"
    path.write_text("[" * 1000)
    (mistake,) = mistakes(path)
    assert mistake.startswith("spec.yaml: not YAML: maximum recursion depth exceeded")


def test_deep_nesting_where_something_else_is_expected_is_one_mistake(tmp_path: Path):
    path = written(
        tmp_path, ("initial: 20", f"seed: {'[' * 100}{']' * 100}"), ("at_most: 1 mV", "at_most: {a: {b: {}}}")
    )
    assert mistakes(path) == [
        "spec.yaml:38: metrics.noise.at_most: expected volts, got {'a': {'b': {}}}",
        "spec.yaml:41: run.seed: expected a valid integer, got a list",
    ]


def test_a_number_too_long_to_print_is_a_mistake_too(tmp_path: Path):
    (mistake,) = mistakes(written(tmp_path, ("initial: 20", f"initial: -0x{'f' * 5000}")))
    assert mistake == "spec.yaml:41: run.initial: expected greater than or equal to 0, got a huge number"


def test_a_long_text_is_cut_in_the_message(tmp_path: Path):
    (mistake,) = mistakes(written(tmp_path, ("initial: 20", f"initial: {'x' * 500}")))
    assert mistake == f"spec.yaml:41: run.initial: expected a valid integer, got '{'x' * 79}…"


def test_a_directory_in_place_of_the_file_is_refused(tmp_path: Path):
    with pytest.raises(SpecError) as caught:
        load_spec(tmp_path)
    assert str(caught.value) == f"{tmp_path}: expected a spec file, got a directory"


def test_a_missing_file_is_refused_with_the_nearest_name(tmp_path: Path):
    written(tmp_path)
    with pytest.raises(SpecError) as caught:
        load_spec(tmp_path / "sepc.yaml")
    assert str(caught.value) == f"{tmp_path}/sepc.yaml: no such file; did you mean {tmp_path}/spec.yaml?"
    with pytest.raises(SpecError) as caught:
        load_spec(tmp_path / "unlike-any-other.yaml")
    assert str(caught.value) == f"{tmp_path}/unlike-any-other.yaml: no such file"


def test_names_that_no_file_can_have_are_refused(tmp_path: Path):
    for name in ("a\0b", "x" * 5000):
        with pytest.raises(SpecError, match="expected a YAML text file"):
            load_spec(tmp_path / name)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path):
    path = tmp_path / "spec.yaml"
    path.write_bytes(b"description: \xff\n")
    (mistake,) = mistakes(path)
    assert mistake.startswith("spec.yaml: expected a YAML text file: 'utf-8' codec can't decode byte 0xff")

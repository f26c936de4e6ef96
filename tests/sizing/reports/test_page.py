"""The page: stands alone, lets nothing of a run become markup, and has the tables' numbers."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from sizing.measures.small_signal import DcGain
from sizing.measures.waveforms import Waveforms
from sizing.reports.page import page
from sizing.reports.words import COLUMN_WORDS, STATUS_WORDS
from sizing.runs.records.inspection import Inspection, Step
from sizing.runs.tables import COLUMNS, means_table, runs_table, worded
from sizing.simulation.simulator import Failed, Measured

pytestmark = pytest.mark.slow

HOSTILE = "<script>alert('x')</script>\"&"
NAN = float("nan")


class Reader(HTMLParser):
    """Collects tags with their attributes, the text of table cells row by row, and the whole text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._open.pop()

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._open:
            self.rows[-1][-1] += data.strip()


@pytest.fixture(scope="module")
def runs(make_run):
    return [
        make_run([0.5, 1.0, 1.0], "evo", 0), make_run([0.5, 0.7, 1.0, 1.0], "evo", 1),
        make_run([0.5, 1.0, 2.0], "fc", 0, queries=120), make_run([0.5, None, 1.0, 0.9], "fc", 1, queries=80),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def two_methods(runs) -> str:
    return page(runs, [], "two methods")


def test_what_simulations_did_not_give_is_told_with_the_reason(make_run):
    text = Reader(page([make_run([None, NAN, 0.5, NAN], message="no solution")], [], "one")).text
    assert "failed for convergence1 of 4 simulations: no solutionwithout gain2 of 4 simulations: no solution" in text
    assert "without gain" not in Reader(page([make_run([0.5, 1.0])], [], "one")).text


def test_nothing_of_a_run_becomes_markup(make_run):
    run = make_run([None, NAN, 0.5, 1.0], HOSTILE, spec=HOSTILE, message=HOSTILE, damage="")
    run.manifest["command"].append(HOSTILE)
    run.manifest["versions"][HOSTILE] = HOSTILE
    for records in ([run], [run, make_run([1.0], seed=1, spec=HOSTILE, damage=HOSTILE)]):
        text = page(records, [HOSTILE], HOSTILE)
        tags = [tag for tag, _ in Reader(text).tags]
        assert "script" not in tags
        assert "<script" not in text
        assert text.count("<svg") == text.count("</svg>") >= 2
        assert Reader(text).text.count(HOSTILE) > 5


@pytest.fixture(scope="module")
def inspection() -> Inspection:
    """Of a best design at the low end of its range, by a hostile simulator; one step up halves the gain."""
    frequency = np.logspace(3, 6, 31)
    return Inspection(
        (0,), HOSTILE, {"gain": DcGain(measure="dc_gain", of="amp.sweep", output="out", at_least=1)},
        {"amp.sweep": f"ac {HOSTILE}"}, {"amp.sweep": Waveforms(frequency, {"v(out)": 2 / (1 + 1e-5j * frequency)})},
        (Step(0, 1, Measured((0.6,), {})),),
    )  # fmt: skip


def test_a_closer_look_is_on_the_page_of_one_run_and_becomes_no_markup(make_run, inspection: Inspection):
    run = make_run([1.2, 0.5, 1.1, 0.7, 0.9, 0.6, 1.0])
    text = page([run], [], "one", (), inspection)
    reader = Reader(text)
    assert "script" not in [tag for tag, _ in reader.tags]
    assert reader.text.count(HOSTILE) >= 2
    assert ["w", "−0.50 * ✗↑"] in reader.rows
    assert "Bode plot: amp.sweep" in reader.text
    assert "At an end of its range, which a wider one might improve on: w." in reader.text
    links = {attributes["href"] for tag, attributes in reader.tags if tag == "a"}
    assert {"#designs", "#sensitivities", "#waveforms"} <= links
    names = {attributes["id"] for _, attributes in reader.tags if "id" in attributes}
    assert links <= {f"#{name}" for name in names}


def test_a_neighbour_that_fails_misses_every_target(make_run, inspection: Inspection):
    run = make_run([1.2, 0.5])
    failed = Inspection((0,), "ngspice", inspection.measures, {}, None, (Step(0, 1, Failed("convergence", "no")),))
    rows = Reader(page([run], [], "one", (), failed)).rows
    assert ["w", "– ✗↑"] in rows


def test_correlations_are_told_with_their_intervals(make_run):
    run = make_run([1.2, 0.5, 1.1, 0.7, 1.3, 0.6, 1.0])  # the first value of w is the better one, each time
    tags = Reader(page([run], [], "one")).tags
    (interval,) = [attributes["title"] for tag, attributes in tags if tag == "td" and "title" in attributes]
    assert interval.startswith("−0.9")
    assert " to −0." in interval
    assert "There are too few measured designs to tell." in page([make_run([1.2, 0.5])], [], "one")
    assert "Not simulated." in page([run], [], "one")


def test_what_misses_its_target_is_told_without_colour(make_run):
    text = page([make_run([0.5])], [], "one")
    assert ["gain", "≥ 1 V/V", "0.5 V/V ✗", "−50 %", ""] in Reader(text).rows
    assert 'class="bad" style="right:50%;width:25.0%"' in text
    assert "0 of 1 targets met" in text


def test_the_page_needs_nothing_else(two_methods):
    for tag, attributes in Reader(two_methods).tags:
        assert tag not in ("script", "link", "img", "iframe", "object", "embed", "base", "form")
        for name, value in attributes.items():
            assert not name.startswith("on")
            if name in ("src", "href", "xlink:href", "action", "srcset"):
                assert value is not None
                assert value.startswith("#")
    assert set(re.findall(r"url\((.)", two_methods)) <= {"#"}
    assert "@import" not in two_methods
    assert "default-src 'none'" in two_methods
    names = {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert set(re.findall(r'https?://[^"]*', two_methods)) == names


def test_links_lead_to_sections_and_names_are_there_once(two_methods):
    tags = Reader(two_methods).tags
    names = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert len(names) == len(set(names))
    linked = {attributes["href"] for tag, attributes in tags if tag == "a"}
    assert linked <= {f"#{name}" for name in names}
    assert {"#means", "#plots", "#runs", "#details", "#environment", "#counting"} <= linked


def test_its_numbers_are_those_of_the_tables(runs, two_methods):
    rows = Reader(two_methods).rows
    table = runs_table(runs)
    shown = worded(table).drop(columns=["spec", "topology"])
    assert list(shown.columns) in rows
    for cells in shown.itertuples(index=False):
        assert list(cells) in rows
    means = worded(means_table(table)).drop(columns=["spec", "topology"])
    for cells in means.itertuples(index=False):
        method, seeds, *others = cells
        halves = [half for cell in others for half in ([cell] if cell.partition(" ± ")[2] == "" else
                  [cell.partition(" ± ")[0], "± " + cell.partition(" ± ")[2]])]  # fmt: skip
        (row,) = [row for row in rows if row[:2] == [method, seeds] and "of 2" in " ".join(row)]
        assert [cell for cell in row[3:] if cell] == [half for half in halves if half]


def test_means_say_how_many_runs_got_there(make_run):
    runs = [make_run([1.0, 1.0], seed=0), make_run([1.0, 0.5], seed=1), make_run([1.0], seed=2, summary={})]
    text = page(runs, [], "three")
    assert ["evo", "3", "1 of 3"] in [row[:3] for row in Reader(text).rows]
    assert "1 of the runs has not ended" in text
    assert STATUS_WORDS["unfinished"].replace("`", "") in Reader(text).text


def test_a_damaged_run_is_shown_with_what_is_wrong_and_counts_in_no_mean(make_run, runs):
    damaged = make_run([0.5, 1.0], "evo", 2, damage="journal.jsonl:7: damaged line")
    text = page([*runs, damaged], ["journal.jsonl:7: damaged line; the run counts up to there"], "five")
    rows = Reader(text).rows
    assert ["evo", "2", "2 of 2"] in [row[:3] for row in rows]
    assert ["evo", "2", "damaged", "1"] in [row[:4] for row in rows]
    assert "1 run is not here, or not whole" in text


def test_the_page_of_one_run_has_its_designs_beside_their_targets(make_run):
    text = page([make_run([None, NAN, 0.5, 1.2], message="the gain never falls to 1")], [], "one")
    rows = Reader(text).rows
    assert ["", "target", "#1", "#2", "#3", "#4"] in rows
    assert ["simulation", "", "4", "3", "1", "2"] in rows
    assert ["gain", "≥ 1 V/V", "1.2 V/V", "0.5 V/V ✗", "– ✗", "– ✗"] in rows
    assert ["gain", "≥ 1 V/V", "1.2 V/V", "+20 %", ""] in rows
    assert 'style="left:50%;width:10.0%"' in text
    assert "1 of 4 simulations: the gain never falls to 1" in Reader(text).text
    assert "Means over seeds" not in text
    missing = Reader(page([make_run([NAN], message="the gain never falls to 1")], [], "one")).rows
    assert ["gain", "≥ 1 V/V", "– ✗", "the gain never falls to 1"] in missing


def test_a_damaged_run_alone_has_a_page_without_means(make_run):
    damaged = make_run([0.5, 1.0], damage="journal.jsonl:7: damaged line")
    for records in ([damaged], [damaged, damaged]):
        text = page(records, ["journal.jsonl:7: damaged line"], "damaged")
        assert "Means over seeds" not in text
        assert "journal.jsonl:7: damaged line" in text
        assert "<svg" not in text


def test_a_run_without_a_design_has_a_page(make_run):
    assert "No design has been simulated." in page([make_run([], summary={})], [], "nothing yet")


def test_every_column_is_explained():
    assert set(COLUMNS) <= COLUMN_WORDS.keys()

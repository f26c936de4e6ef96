"""Plots: what is drawn is what the records say, in one look for each method."""

import re

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from sizing.reports.curves import in_spec_counts, mean_curve, reached_at, top_costs
from sizing.reports.plots import Plot, plots
from sizing.reports.styles import methods_in_order, plain_number, styles

NAN = float("nan")


def axes_of(drawn: list[Plot], kind: str, spec: str = "amp") -> Axes:
    (plot,) = [plot for plot in drawn if (plot.kind, plot.spec) == (kind, spec)]
    (axes,) = plot.figure.axes
    return axes


def lines(axes: Axes, label: str) -> list[Line2D]:
    return [line for line in axes.lines if line.get_label() == label]


def test_the_mean_cost_of_the_best_begins_where_there_are_enough_measured_designs(make_run):
    run = make_run([0.5, None, NAN, 0.8, 0.2, 1.5, 2.0])
    assert top_costs(run) == pytest.approx([np.inf, np.inf, np.inf, 0.35, 0.35, 0.1, 0.0])
    assert list(in_spec_counts(run)) == [0, 0, 0, 0, 0, 1, 2]
    assert (reached_at(run, 1), reached_at(run, 2), reached_at(run, 3)) == (6, 7, None)


def test_a_mean_carries_ended_runs_on_and_ends_with_an_unfinished_one(make_run):
    short, long = make_run([1.0, 1.0], seed=0), make_run([0.0, 0.0, 1.0, 1.0], seed=1)
    curve = mean_curve([short, long], [in_spec_counts(short), in_spec_counts(long)])
    assert (list(curve.sims), list(curve.mean)) == ([1, 2, 3, 4], [0.5, 1.0, 1.5, 2.0])
    assert list(curve.error) == pytest.approx([0.5, 1.0, 0.5, 0.0])
    killed = make_run([1.0, 1.0], summary={})
    curve = mean_curve([killed, long], [in_spec_counts(killed), in_spec_counts(long)])
    assert list(curve.sims) == [1, 2]


def test_lines_have_the_records_means(make_run):
    runs = [make_run([0.5, 0.7, 1.0, 1.0], seed=0), make_run([0.1, 0.3, 1.0, 0.9, 1.0], seed=1)]
    drawn = plots(runs)
    (cost,) = lines(axes_of(drawn, "convergence"), "evo")
    # Over two seeds, with the first carried on at 0.
    assert dict(zip(*cost.get_data(), strict=True)) == pytest.approx({2: 0.6, 3: 0.25, 4: 0.025, 5: 0.0})
    (designs,) = lines(axes_of(drawn, "in-spec"), "evo")
    assert dict(zip(*designs.get_data(), strict=True)) == {1: 0, 3: 1, 4: 1.5, 5: 2}
    low, high = axes_of(drawn, "convergence").get_ylim()
    assert low < 0 < 0.6 < high


def test_a_run_that_did_not_get_there_is_an_open_mark_at_its_simulations_and_takes_the_mean_away(make_run):
    runs = [make_run([0.5, 1.0, 1.0], seed=0), make_run([0.5, 1.0, 0.2, 0.2], seed=1)]
    drawn = plots(runs)
    first, enough = axes_of(drawn, "first"), axes_of(drawn, "enough")
    assert [line.get_xdata()[0] for line in lines(first, "evo")] == [2, 2]
    assert {line.get_markerfacecolor() for line in lines(first, "evo")} == {styles(["evo"])["evo"].colour}
    assert [line.get_xdata()[0] for line in lines(enough, "evo")] == [3, 4]
    assert [line.get_markerfacecolor() for line in lines(enough, "evo")][1] == "none"
    assert [text.get_text() for text in enough.texts] == ["1 of 2"]
    assert [container.lines[0].get_xdata()[0] for container in first.containers] == [2]
    assert enough.containers == []
    (end,) = lines(axes_of(drawn, "convergence"), "_end of evo")
    assert end.get_markerfacecolor() == "none"


def test_queries_and_times_are_the_tables(make_run):
    runs = [make_run([1.0, 1.0], "evo"), make_run([1.0, 1.0], "fc", queries=300), make_run([1.0], "fc", 1, queries=100)]
    drawn = plots(runs)
    axes = axes_of(drawn, "queries")
    assert [line.get_xdata()[0] for line in lines(axes, "fc")] == [300, 100]
    assert lines(axes, "evo") == []
    assert axes.get_xscale() == "log"
    widths = [patch.get_width() for patch in axes_of(drawn, "time").patches]
    assert widths == [1.0, 0.5, 0.25, 0.25] * 2


@pytest.mark.slow
def test_a_method_looks_the_same_in_every_plot_and_no_two_look_alike(make_run):
    methods = ["evo", "oracle", "fc", *(f"fc:initial={n}" for n in range(13))]
    runs = [make_run([0.5, 1.0, 1.0], method, queries=5) for method in methods]
    drawn = plots([*runs, make_run([0.5, 1.0, 1.0], "fc", spec="other")])
    look = styles(methods_in_order(runs))
    assert len(set(look.values())) == 16
    for plot in drawn:
        for line in plot.figure.axes[0].lines:
            if line.get_label() in look:
                assert line.get_color() == look[line.get_label()].colour or line.get_linestyle() == "None"
                if line.get_marker() != "None":
                    assert line.get_marker() == look[line.get_label()].marker
                    assert line.get_markeredgecolor() == look[line.get_label()].colour


def test_methods_come_in_the_order_of_their_table_with_variants_behind(make_run):
    runs = [make_run([1.0], method) for method in ("zebra", "fc:initial=2", "fc", "oracle", "evo")]
    assert methods_in_order(runs) == ["evo", "oracle", "fc", "fc:initial=2", "zebra"]


def test_damaged_and_empty_runs_are_not_drawn(make_run):
    assert plots([make_run([]), make_run([1.0], seed=1, damage="journal.jsonl:1: damaged")]) == []
    (cost,) = lines(axes_of(plots([make_run([0.5, 0.5]), make_run([1.0], seed=1, damage="x")]), "convergence"), "evo")
    assert list(cost.get_ydata()) == [0.5]


def test_runs_that_never_measured_enough_are_drawn_without_a_cost(make_run):
    axes = axes_of(plots([make_run([None, NAN])]), "convergence")
    assert lines(axes, "evo") == []


def test_files_are_the_same_each_time_and_names_are_no_formulas(make_run):
    def svg() -> str:
        return plots([make_run([0.5, 1.0, 1.0], "a$b$c_x", spec="$amp$")])[0].svg()

    assert svg() == svg()
    assert "a$b$c_x" in re.findall(r"<text[^>]*>([^<]*)</text>", svg())
    assert plots([make_run([0.5, 1.0])])[0].png().startswith(b"\x89PNG")


def test_ticks_are_written_as_people_do():
    assert [plain_number(x) for x in (0, 0.05, 300, 2000, 50_000, 2e6)] == [
        "0",
        "0.05",
        "300",
        "2\u202f000",
        "50k",
        "2M",
    ]

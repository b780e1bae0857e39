from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augmlx.evaluation.summary import Cell, Difference, SeededCell
from augmlx.report.charts import Bar, Gap, bars, forest
from augmlx.report.curves import accuracy_plot, loss_plot

finite = st.floats(0, 1e6)


def cell(n: int, accuracy: float, low: float, high: float) -> Cell:
    return Cell(n, accuracy, low, high, accuracy, accuracy, accuracy, accuracy, 0.0)


def places(svg: str) -> list[tuple[float, float]]:
    (line,) = ElementTree.fromstring(svg).iter("polyline")
    numbers = [tuple(map(float, pair.split(","))) for pair in line.attrib["points"].split()]
    return [(x, y) for x, y in numbers]


def test_a_bar_is_as_high_as_its_accuracy_and_its_whisker_spans_the_interval() -> None:
    svg = ElementTree.fromstring(
        bars("reversal", [Bar("augmented", "arm-augmented", cell(20, 0.5, 0.25, 0.75))], 0.25)
    )
    (bar,) = svg.iter("rect")
    lines = {line.attrib["class"]: line.attrib for line in reversed(list(svg.iter("line")))}
    assert bar.attrib["width"] == "50.00%"
    assert (lines["whisker"]["x1"], lines["whisker"]["x2"]) == ("25.00%", "75.00%")
    assert lines["chance"]["x1"] == "25.00%"
    assert [span.text for span in svg.iter("span")] == ["augmented", "50\u00a0%"]
    assert not list(svg.iter("circle"))


def test_seeds_are_dots_at_their_accuracy() -> None:
    seeded = SeededCell(20, 0.5, 0.25, 0.75, 0.5, 0.5, 0.5, 0.5, 0.0, seeds=(0.4, None, 0.6))
    svg = ElementTree.fromstring(bars("k", [Bar("a", "x", seeded)], None))
    assert [dot.attrib["cx"] for dot in svg.iter("circle")] == ["40.00%", "60.00%"]


def test_a_group_of_rows_stands_apart_in_picture_and_names_alike() -> None:
    of_arm = cell(4, 0.5, 0.1, 0.9)
    rows = [Bar("a A", "x", of_arm, True), Bar("B", "x", of_arm), Bar("b A", "x", of_arm, True)]
    svg = ElementTree.fromstring(bars("k", rows, None))
    tops = [float(bar.attrib["y"]) for bar in svg.iter("rect")]
    names = [span.attrib["style"] for span in svg.iter("span")][:3]
    assert tops[2] - tops[1] == tops[1] - tops[0] + 12
    assert names == ["margin-top:0px", "margin-top:0px", "margin-top:12px"]


def gap(low: float, middle: float, high: float) -> Gap:
    row = Difference(
        "k", "augmented", "finetuned", 20, middle, low, high, 0.5, 3, 1, low > 0 or high < 0
    )
    return Gap("over finetuned", row, "told")


@pytest.mark.parametrize(
    ("low", "middle", "high", "sort"), [(0.1, 0.3, 0.5, "gain"), (-0.1, 0.3, 0.5, "even")]
)
def test_a_difference_is_a_dot_that_is_filled_only_where_its_interval_excludes_0(
    low: float, middle: float, high: float, sort: str
) -> None:
    svg = ElementTree.fromstring(forest("k", [gap(low, middle, high)], 0.5, 0.5))
    (dot,) = svg.iter("circle")
    assert dot.attrib["class"] == f"dot {sort}"
    assert dot.attrib["cx"] == "80.00%"
    whisker = next(line.attrib for line in svg.iter("line") if line.attrib["class"] == "whisker")
    assert (float(whisker["x1"][:-1]), float(whisker["x2"][:-1])) == (
        100 * low + 50,
        100 * high + 50,
    )


def test_names_are_escaped() -> None:
    svg = bars('<script>"', [Bar("<b>&", "x", cell(1, 1, 0.2, 1))], None)
    ElementTree.fromstring(svg)
    assert "<script" not in svg
    assert "<b>" not in svg


@given(
    st.lists(
        st.tuples(st.integers(0, 10**6), finite),
        min_size=1,
        max_size=900,
        unique_by=lambda point: point[0],
    )
)
def test_every_loss_curve_stays_in_its_frame(points: list[tuple[float, float]]) -> None:
    plot = loss_plot({"augmented": points})
    drawn = places(plot.svg)
    assert 1 <= len(drawn) <= 241
    assert all(0 <= x <= 1000 and -1e-6 <= y <= 1000 for x, y in drawn)
    assert all(0 <= place <= 100 for place, _ in [*plot.rows, *plot.columns])
    assert drawn == sorted(drawn, key=lambda point: point[0])


def test_long_curves_are_averaged_and_say_so() -> None:
    plot = loss_plot({"augmented": [(float(step), 2.0) for step in range(1000)]})
    assert plot.averaged == 5
    assert len(places(plot.svg)) == 200
    assert loss_plot({"augmented": [(1.0, 2.0)]}).averaged == 1


def test_the_validation_loss_is_a_dashed_line_on_the_scale_of_the_others() -> None:
    plot = loss_plot({"augmented": [(1.0, 4.0), (100.0, 1.0)]}, [(50.0, 8.0), (100.0, 6.0)])
    line, dashed = ElementTree.fromstring(plot.svg).iter("polyline")
    assert line.attrib["class"] == "line arm-augmented"
    assert dashed.attrib["class"] == "line valid arm-augmented"
    assert plot.rows[-1][1] == "8"
    assert line.attrib["points"] == "10.0,500.0 1000.0,875.0"
    assert dashed.attrib["points"] == "500.0,0.0 1000.0,250.0"
    assert "augmented: validation loss 8 to 6" in plot.svg


def test_accuracies_share_the_steps_of_the_loss_and_run_from_0_to_100() -> None:
    plot = accuracy_plot({"forward": [(50.0, 0.5), (100.0, 1.0)], "reversal": [(50.0, 0.0)]}, 200.0)
    forward, reversal = ElementTree.fromstring(plot.svg).iter("polyline")
    assert forward.attrib["points"] == "250.0,500.0 500.0,0.0"
    assert reversal.attrib["points"] == "250.0,1000.0 250.0,1000.0"
    assert forward.attrib["class"] != reversal.attrib["class"]
    assert [label for _, label in plot.rows] == [f"{n}\u00a0%" for n in (0, 25, 50, 75, 100)]

from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from augmlx.report.charts import accuracy_plot, bars, loss_plot
from augmlx.report.gather import Cell

finite = st.floats(0, 1e6)


def places(svg: str) -> list[tuple[float, float]]:
    (line,) = ElementTree.fromstring(svg).iter("polyline")
    numbers = [tuple(map(float, pair.split(","))) for pair in line.attrib["points"].split()]
    return [(x, y) for x, y in numbers]


def test_a_bar_is_as_high_as_its_accuracy_and_its_whisker_spans_the_interval() -> None:
    svg = ElementTree.fromstring(bars("reversal", {"augmented": Cell(20, 0.5, 0.25, 0.75)}, 0.25))
    (bar,) = svg.iter("rect")
    lines = {line.attrib["class"]: line.attrib for line in svg.iter("line")}
    whole = float(lines["axis"]["y1"]) - float(
        next(line for line in svg.iter("line") if "grid" in line.attrib["class"]).attrib["y1"]
    )
    assert abs(float(bar.attrib["height"]) - whole * 2) < 1.5
    whisker = next(line.attrib for line in svg.iter("line") if line.attrib["class"] == "whisker")
    assert abs(float(whisker["y1"]) - float(whisker["y2"]) - float(bar.attrib["height"])) < 1
    assert abs(float(lines["chance"]["y1"]) - float(whisker["y1"])) < 1


def test_names_are_escaped() -> None:
    svg = bars('<script>"', {"<b>&": Cell(1, 1, 0.2, 1)}, None)
    ElementTree.fromstring(svg)
    assert "<script" not in svg
    assert "<b>" not in svg


@given(st.lists(st.tuples(st.integers(0, 10**6), finite), min_size=1, max_size=900, unique_by=lambda point: point[0]))
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

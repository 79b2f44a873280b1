import json

import pytest
from support.html_pages import ReadPage

from keras_pruning.reports.html.axes import axis, linear_ticks, log_ticks
from keras_pruning.reports.html.charts import styles
from keras_pruning.reports.html.line_charts import Axes, Curve, Level, Point, line_chart
from keras_pruning.reports.html.tables import Table

TABLE = Table("numbers", ["method"], [])


def curves(*names, log=False):
    return [
        Curve(
            look,
            [Point(10, 50 + place, (48 + place, 52 + place), {"Method": look.name}), Point(20, 60)],
        )
        for place, look in enumerate(styles(list(names)))
    ]


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (73.2, 98.9, [70, 75, 80, 85, 90, 95, 100]),
        (-16, 4, [-20, -15, -10, -5, 0, 5]),
        (0.1, 0.1004, [0.1, 0.1001, 0.1002, 0.1003, 0.1004]),
    ],
)
def test_linear_ticks_are_round_and_hold_the_range(low, high, ticks):
    assert linear_ticks(low, high) == pytest.approx(ticks)


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (144, 1437, [100, 200, 500, 1000, 2000]),
        (1, 10, [1, 2, 5, 10]),
        (0.03, 0.4, [0.02, 0.05, 0.1, 0.2, 0.5]),
        (7, 9, [5, 10]),
        (60_000, 60_001, [50_000, 100_000]),
    ],
)
def test_logarithmic_ticks_hold_the_range(low, high, ticks):
    assert log_ticks(low, high) == pytest.approx(ticks)


def test_places_on_an_axis():
    linear = axis("x", [0, 10], 100, 0, ticks=[0, 5, 10])
    assert linear.labels == [(100, "0"), (50, "5"), (0, "10")]
    assert axis("x", [-4, 4], 0, 8, ticks=[-4, 4]).labels == [(0, "−4"), (8, "4")]
    assert axis("x", [1, 100], 0, 100, log=True, ticks=[1, 10, 100]).place(10) == 50
    # A single number has some room on both sides
    assert 0 < axis("x", [3], 0, 100).place(3) < 100
    assert 0 < axis("x", [3], 0, 100, log=True).place(3) < 100


def test_a_chart_has_the_same_points_in_both_forms():
    chart = line_chart(
        "caption", curves("a", "b"), Axes("x", "y"), TABLE, Level("full", 70, (69.0, 71.0))
    )
    layers = chart.spec["layer"]
    band, rule, lines, intervals, points = [layer["data"]["values"] for layer in layers]
    assert band == [{"low": 69.0, "high": 71.0}] and rule == [{"y": 70}]
    assert [(point["method"], point["y"]) for point in points] == [
        ("a", 50),
        ("a", 60),
        ("b", 51),
        ("b", 60),
    ]
    assert [(point["low"], point["high"]) for point in intervals] == [(48, 52), (49, 53)]
    assert len(lines) == 4
    # Points of two curves at one place stand side by side
    assert 9 < points[0]["x"] < 10 < points[2]["x"] < 11
    assert [look.name for look in chart.legend] == ["a", "b", "full"]
    page = ReadPage(str(chart.svg))
    assert (
        len([path for path in page.named("path") if "translate" in path.get("transform", "")]) == 4
    )
    assert "NaN" not in chart.svg and "None" not in chart.svg


def test_controls_are_native_and_fit_the_numbers():
    def names(curves, log=False):
        chart = line_chart("caption", curves, Axes("x", "y", (log, log)), TABLE)
        json.dumps(chart.spec, allow_nan=False)
        return {param["name"]: param["bind"]["input"] for param in chart.spec["params"]}

    expected = {"method": "select", "span": "select", "intervals": "checkbox"}
    assert names(curves("a")) == expected
    (look,) = styles(["a"])
    flat = [Curve(look, [Point(1, 5.0), Point(2, 6.0)])]
    assert names(flat) == {"method": "select"}
    assert names([Curve(look, [Point(1, 0.1), Point(2, 60.0)])], log=True) == {"method": "select"}


def test_no_line_joins_points_that_have_no_fit():
    (look,) = styles(["a"])
    chart = line_chart(
        "caption", [Curve(look, [Point(1, 2), Point(3, 4)], [])], Axes("x", "y"), TABLE
    )
    (points,) = chart.spec["layer"]
    assert points["mark"]["type"] == "point" and len(points["data"]["values"]) == 2

"""Charts of curves with intervals, as a static picture and as a Vega-Lite specification."""

from dataclasses import dataclass, field

from markupsafe import Markup

from keras_pruning.reports.html.axes import axis
from keras_pruning.reports.html.charts import INK, Chart, Style, scales
from keras_pruning.reports.html.page import environment

# Size of the static picture, and the room of its axes.
_WIDTH, _HEIGHT = 720, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 12, 44
# Points below the highest value that the vertical axis can be cut at.
_SPANS = (10, 3)
# Part of the width that the points of one place are spread over.
_SPREAD = 0.025


@dataclass(frozen=True)
class Point:
    """One point of a curve.

    Args:
        x: float.
        y: float.
        half_width: half the width of the interval of `y`, or `None`.
        notes: dictionary of texts by their headings, which the interactive chart shows.
    """

    x: float
    y: float
    half_width: float | None = None
    notes: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Curve:
    """One series.

    Args:
        style: `Style`.
        points: list of `Point`.
        line: list of pairs `(x, y)`, the line of the series. `None` joins the points.
    """

    style: Style
    points: list
    line: list | None = None

    def corners(self, places):
        """Returns the corners of the line, pairs `(x, y)`.

        Args:
            places: list of the x at which the points are drawn.
        """
        if self.line is not None:
            return self.line
        return [(x, point.y) for x, point in zip(places, self.points, strict=True)]


@dataclass(frozen=True)
class Level:
    """A horizontal line to compare with.

    Args:
        name: its name in the legend.
        y: float.
        half_width: half the width of its interval, drawn as a band, or `None`.
    """

    name: str
    y: float
    half_width: float | None = None


@dataclass(frozen=True)
class Axes:
    """The axes of a chart.

    Args:
        x: title of the horizontal axis.
        y: title of the vertical axis.
        log: pair of booleans, whether the horizontal and the vertical axis are logarithmic.
        ticks: list of the numbers that the horizontal axis labels. Defaults to round ones.
    """

    x: str
    y: str
    log: tuple = (False, False)
    ticks: list | None = None


def line_chart(caption, curves, axes, table, level=None):
    """Returns a `Chart` of curves. Points of several curves at one place stand side by side.

    Args:
        caption: sentence that says what the chart shows.
        curves: list of at least one `Curve`.
        axes: `Axes`.
        table: `Table` with the numbers.
        level: `Level`, or `None`.
    """
    places = _places(curves, axes.log[0])
    svg = _svg(curves, places, axes, level)
    spec = _spec(curves, places, axes, level)
    legend = [curve.style for curve in curves]
    legend += [] if level is None else [Style(level.name, INK, [], "")]
    return Chart(spec, svg, caption, table, legend)


def _places(curves, log):
    """Returns, for each curve, the x of each point, moved aside if other curves have it too."""
    xs = [[point.x for point in curve.points] for curve in curves]
    every = [x for row in xs for x in row]
    shared = {x for x in every if every.count(x) > 1}
    spread = max(every) / min(every) if log else max(every) - min(every) or 1
    places = []
    for place, row in enumerate(xs):
        share = _SPREAD * (place / max(len(curves) - 1, 1) - 0.5)
        moved = [x * spread**share if log else x + spread * share for x in row]
        places.append([a if x in shared else x for x, a in zip(row, moved, strict=True)])
    return places


def _svg(curves, places, axes, level):
    """Returns the static picture."""
    xs = [x for row in places for x in row] + [x for curve in curves for x, _ in curve.line or []]
    ys = [y for curve in curves for y in _heights(curve)] + _level_heights(level)
    template = environment().get_template("line_chart.svg.j2")
    x_axis = axis(axes.x, xs, _LEFT + 12, _WIDTH - _RIGHT - 12, axes.log[0], axes.ticks)
    y_axis = axis(axes.y, ys, _HEIGHT - _BOTTOM, _TOP, axes.log[1])
    lines = [curve.corners(row) for curve, row in zip(curves, places, strict=True)]
    text = template.render(
        curves=list(zip(curves, places, lines, strict=True)),
        level=level,
        x=x_axis,
        y=y_axis,
        width=_WIDTH,
        height=_HEIGHT,
        left=_LEFT,
        right=_WIDTH - _RIGHT,
        bottom=_HEIGHT - _BOTTOM,
    )
    return Markup(text)


def _heights(curve):
    """Returns the y of everything that is drawn of a curve."""
    ends = [point.y + sign * (point.half_width or 0) for point in curve.points for sign in (-1, 1)]
    return ends + [y for _, y in curve.line or []]


def _level_heights(level):
    if level is None:
        return []
    half = level.half_width or 0
    return [level.y - half, level.y + half]


def _spec(curves, places, axes, level):
    """Returns the Vega-Lite specification."""
    encoding = scales([curve.style for curve in curves])
    shape, dash = encoding.pop("shape"), encoding.pop("strokeDash")
    encoding["opacity"] = {
        "condition": {"test": "method === null || datum.method === method", "value": 1},
        "value": 0.12,
    }
    points = _records(curves, places)
    y = _channel("y", axes.y, axes.log[1])
    encoding |= {"x": _channel("x", axes.x, axes.log[0], axes.ticks), "y": y}
    notes = [{"field": name, "type": "nominal"} for name in curves[0].points[0].notes]
    layers = [
        {
            "data": {"values": _lines(curves, places)},
            "mark": {"type": "line", "strokeWidth": 1.75, "clip": True},
            "encoding": {"strokeDash": dash},
        },
        {
            "data": {"values": [point for point in points if "low" in point]},
            "transform": [{"filter": "intervals"}],
            "mark": {"type": "rule", "strokeWidth": 1.25, "clip": True},
            "encoding": {"y": {**y, "field": "low"}, "y2": {"field": "high"}},
        },
        {
            "data": {"values": points},
            "mark": {"type": "point", "filled": True, "size": 4, "clip": True},
            "encoding": {"shape": shape, "tooltip": notes},
        },
    ]
    params = [_choice(curves)]
    ends = [y for curve in curves for y in _heights(curve)] + _level_heights(level)
    if not axes.log[1] and max(ends) - min(ends) > _SPANS[0]:
        params.append(_span())
        # Marks below the axis are cut off
        y["scale"]["domainMin"] = {
            "expr": f"span === null ? {min(ends)} : max({min(ends)}, {max(ends)} - span)"
        }
    if any("low" in point for point in points):
        bind = {"input": "checkbox", "name": "95 % intervals"}
        params.append({"name": "intervals", "value": True, "bind": bind})
    else:
        del layers[1]
    layers = [{**layer, "encoding": {**encoding, **layer["encoding"]}} for layer in layers]
    return {"params": params, "layer": [*_level_layers(level, y), *layers]}


def _choice(curves):
    """Returns the parameter that brings one series out, a native list."""
    names = [curve.style.name for curve in curves]
    options = {"options": [None, *names], "labels": ["all", *names]}
    return {
        "name": "method",
        "value": None,
        "bind": {"input": "select", "name": "Highlight", **options},
    }


def _span():
    """Returns the parameter that cuts the vertical axis, a native list."""
    options = {
        "options": [None, *_SPANS],
        "labels": ["all values", *[f"highest {span} points" for span in _SPANS]],
    }
    bind = {"input": "select", "name": "Vertical axis", **options}
    return {"name": "span", "value": None, "bind": bind}


def _channel(name, title, log, ticks=None):
    axis = {"title": title, "grid": name == "y", "tickCount": 6, "labelOverlap": "greedy"}
    if ticks:
        axis |= {"values": ticks, "format": ",.4~g"}
    # Round numbers at both ends of a logarithmic axis would be powers of ten.
    scale = {"type": "log", "nice": False} if log else {"zero": False, "nice": name == "y"}
    return {
        "field": name,
        "type": "quantitative",
        "axis": axis,
        "scale": {**scale, **({"padding": 14} if name == "x" else {})},
    }


def _records(curves, places):
    """Returns the points for Vega, dictionaries."""
    records = []
    for curve, row in zip(curves, places, strict=True):
        for x, point in zip(row, curve.points, strict=True):
            record = {"method": curve.style.name, "x": x, "y": point.y, **point.notes}
            if point.half_width is not None:
                record["low"] = point.y - point.half_width
                record["high"] = point.y + point.half_width
            records.append(record)
    return records


def _lines(curves, places):
    """Returns the corners of the lines for Vega, dictionaries."""
    return [
        {"method": curve.style.name, "x": x, "y": y}
        for curve, row in zip(curves, places, strict=True)
        for x, y in curve.corners(row)
    ]


def _level_layers(level, y):
    """Returns the layers of a line to compare with."""
    if level is None:
        return []
    layers = []
    if level.half_width is not None:
        ends = {"low": level.y - level.half_width, "high": level.y + level.half_width}
        layers.append(
            {
                "data": {"values": [ends]},
                "mark": {"type": "rect", "color": INK, "opacity": 0.1},
                "encoding": {"y": {**y, "field": "low"}, "y2": {"field": "high"}},
            }
        )
    mark = {"type": "rule", "color": INK}
    return [*layers, {"data": {"values": [{"y": level.y}]}, "mark": mark, "encoding": {"y": y}}]

"""Vega-Lite specifications of charts of curves with intervals."""

from keras_pruning.reports.html.charts import INK, scales

# Points below the highest value that the vertical axis can be cut at.
_SPANS = (10, 3)


def line_spec(curves, places, axes, level):
    """Returns a Vega-Lite specification.

    Args:
        curves: list of `Curve`.
        places: list of the x at which the points are drawn, for each curve.
        axes: `Axes`.
        level: `Level`, or `None`.
    """
    points = _points(curves, places)
    params = [_choice(curves)]
    y = _channel("y", axes.y, axes.log[1])
    ends = [end for drawn in [*curves, level] if drawn is not None for end in drawn.heights]
    low, high = float(min(ends)), float(max(ends))
    is_cut = not axes.log[1] and high - low > _SPANS[0]
    if is_cut:
        params.append(_span())
        # Marks below the axis are cut off
        cut = f"span === null ? {low} : max({low}, {high} - span)"
        y["scale"]["domainMin"] = {"expr": cut}
    if any("low" in point for point in points):
        bind = {"input": "checkbox", "name": "95 % intervals"}
        params.append({"name": "intervals", "value": True, "bind": bind})
    shared = {"x": _channel("x", axes.x, axes.log[0], axes.ticks), "y": y}
    layers = _layers(curves, _lines(curves, places), points, shared, is_cut)
    return {"params": params, "layer": [*_level_layers(level, y), *layers]}


def _layers(curves, lines, points, shared, is_cut):
    """Returns the layers of the lines, the intervals and the points.

    Args:
        curves: list of `Curve`.
        lines, points: lists of dictionaries, as `_lines` and `_points` return them.
        shared: dictionary of the encodings of both axes.
        is_cut: whether the vertical axis can be cut.
    """
    looks = scales([curve.style for curve in curves])
    # The series that is not chosen fades
    fading = {"test": "method === null || datum.method === method", "value": 1}
    shared = {**shared, "color": looks["color"], "opacity": {"condition": fading, "value": 0.12}}
    notes = [{"field": name, "type": "nominal"} for name in curves[0].points[0].notes]
    drawn = []
    if lines:
        drawn.append(
            {
                "data": {"values": lines},
                "mark": {"type": "line", "strokeWidth": 1.75, "clip": is_cut},
                "encoding": {**shared, "strokeDash": looks["strokeDash"]},
            }
        )
    if intervals := [point for point in points if "low" in point]:
        drawn.append(
            {
                "data": {"values": intervals},
                "transform": [{"filter": "intervals"}],
                "mark": {"type": "rule", "strokeWidth": 1.25, "clip": is_cut},
                "encoding": {**shared, **_ends(shared["y"])},
            }
        )
    # On top, so that the pointer finds them
    drawn.append(
        {
            "data": {"values": points},
            "mark": {"type": "point", "filled": True, "size": 4, "clip": is_cut},
            "encoding": {**shared, "shape": looks["shape"], "tooltip": notes},
        }
    )
    return drawn


def _ends(y):
    """Returns the encodings of both ends of an interval."""
    return {"y": {**y, "field": "low"}, "y2": {"field": "high"}}


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
    """Returns the encoding of an axis, named as the field with its numbers."""
    axis = {"title": title, "grid": name == "y", "tickCount": 6, "labelOverlap": "greedy"}
    if ticks:
        axis |= {"values": ticks, "format": ",.4~g"}
    # Round numbers at both ends of a logarithmic axis would be powers of ten.
    scale = {"type": "log", "nice": False} if log else {"zero": False, "nice": name == "y"}
    # Points at the ends of an axis that is not rounded need some room
    if name == "x" or log:
        scale["padding"] = 14
    return {
        "field": name,
        "type": "quantitative",
        "axis": axis,
        "scale": scale,
    }


def _points(curves, places):
    """Returns the points for Vega, dictionaries."""
    records = []
    for curve, row in zip(curves, places, strict=True):
        for x, point in zip(row, curve.points, strict=True):
            record = {"method": curve.style.name, "x": x, "y": point.y, **point.notes}
            if point.interval is not None:
                record["low"], record["high"] = point.interval
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
    if level.interval is not None:
        ends = dict(zip(("low", "high"), level.interval, strict=True))
        layers.append(
            {
                "data": {"values": [ends]},
                "mark": {"type": "rect", "color": INK, "opacity": 0.1},
                "encoding": _ends(y),
            }
        )
    mark = {"type": "rule", "color": INK}
    return [*layers, {"data": {"values": [{"y": level.y}]}, "mark": mark, "encoding": {"y": y}}]

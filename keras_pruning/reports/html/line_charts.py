"""Charts of curves with intervals, and their static pictures."""

from dataclasses import dataclass, field

from keras_pruning.reports.html.charts import INK, Chart, Style
from keras_pruning.reports.html.frame import Frame
from keras_pruning.reports.html.line_specs import line_spec

# Size of the static picture, and the room of its axes.
_FRAME = Frame(height=320, inset=12)
# Part of the width that the points of one place are spread over.
_SPREAD = 0.025


@dataclass(frozen=True)
class Point:
    """One point of a curve.

    Args:
        x: float.
        y: float.
        interval: tuple of the two ends of the interval of `y`, or `None`.
        notes: dictionary of texts by their headings, which the interactive chart shows.
    """

    x: float
    y: float
    interval: tuple | None = None
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

    @property
    def heights(self):
        """List of the y of all points, ends of intervals and corners of the line."""
        ends = [end for point in self.points for end in point.interval or (point.y,)]
        return ends + [y for _, y in self.line or []]


@dataclass(frozen=True)
class Level:
    """A horizontal line to compare with.

    Args:
        name: its name in the legend.
        y: float.
        interval: tuple of the two ends of its interval, drawn as a band, or `None`.
    """

    name: str
    y: float
    interval: tuple | None = None

    @property
    def heights(self):
        """List of the ends of the interval, or of the line alone."""
        return list(self.interval or (self.y,))


@dataclass(frozen=True)
class Axes:
    """The axes of a chart.

    Args:
        x: title of the horizontal axis.
        y: title of the vertical axis.
        log: pair of booleans, whether the horizontal and the vertical axis are logarithmic.
        ticks: list of the numbers that the horizontal axis labels. Defaults to round ones.
        spread: part of the width that the points of several curves at one place are spread over.
    """

    x: str
    y: str
    log: tuple = (False, False)
    ticks: list | None = None
    spread: float = _SPREAD


def line_chart(caption, curves, axes, table, level=None):
    """Returns a `Chart` of curves. Points of several curves at one place stand side by side.

    Args:
        caption: sentence about the content of the chart.
        curves: list of at least one `Curve`.
        axes: `Axes`.
        table: `Table` with the numbers.
        level: `Level`, or `None`.
    """
    places = _places(curves, axes.log[0], axes.spread)
    svg = _svg(curves, places, axes, level)
    spec = line_spec(curves, places, axes, level)
    legend = [curve.style for curve in curves]
    legend += [] if level is None else [Style(level.name, INK, [], "")]
    return Chart(spec, svg, caption, table, legend)


def _places(curves, log, part):
    """Returns, for each curve, the x of each point, moved aside if other curves have it too."""
    xs = [[point.x for point in curve.points] for curve in curves]
    every = [x for row in xs for x in row]
    shared = {x for x in every if every.count(x) > 1}
    # The same distance on the screen, be the axis logarithmic or not
    spread = max(every) / min(every) if log else max(every) - min(every) or 1
    places = []
    for place, row in enumerate(xs):
        share = part * (place / max(len(curves) - 1, 1) - 0.5)
        moved = [x * spread**share if log else x + spread * share for x in row]
        places.append([a if x in shared else x for x, a in zip(row, moved, strict=True)])
    return places


def _svg(curves, places, axes, level):
    """Returns the static picture."""
    # Everything that the axes have to hold
    xs = [x for row in places for x in row] + [x for curve in curves for x, _ in curve.line or []]
    ys = [y for drawn in [*curves, level] if drawn is not None for y in drawn.heights]
    x_axis = _FRAME.across(axes.x, xs, axes.log[0], axes.ticks)
    y_axis = _FRAME.upwards(axes.y, ys, axes.log[1])
    lines = [curve.corners(row) for curve, row in zip(curves, places, strict=True)]
    return _FRAME.fill(
        "line_chart.svg.j2",
        x_axis,
        y_axis,
        curves=list(zip(curves, places, lines, strict=True)),
        level=level,
    )

"""Charts of a page: a static picture first, an interactive one if scripts run, and a table."""

from dataclasses import dataclass, field

from keras_pruning.reports.html.tables import Table

# Colours are variables of the page's style sheet, so that they follow light, dark and print.
INK, MUTED, GRID = "var(--ink)", "var(--muted)", "var(--line)"
COLORS = 8
# Dashes and shapes tell series apart without their colours.
DASHES = ([], [6, 3], [2, 2], [8, 3, 2, 3], [4, 4], [10, 4], [1, 3])
# Circle, square, triangle, diamond, cross and two more triangles, of about the same area.
OUTLINES = (
    "M4,0A4,4 0 1 1 -4,0A4,4 0 1 1 4,0Z",
    "M-3.5,-3.5H3.5V3.5H-3.5Z",
    "M0,-4.5L4.5,3.5H-4.5Z",
    "M0,-5L5,0L0,5L-5,0Z",
    "M-1.5,-4.5H1.5V-1.5H4.5V1.5H1.5V4.5H-1.5V1.5H-4.5V-1.5H-1.5Z",
    "M0,4.5L4.5,-3.5H-4.5Z",
    "M4.5,0L-3.5,4.5V-4.5Z",
)


@dataclass(frozen=True)
class Chart:
    """One chart.

    Args:
        spec: Vega-Lite specification, a dictionary for JSON. `configured` adds the style.
        svg: `markupsafe.Markup`, the picture that shows before scripts run and without them.
        caption: sentence about the content of the chart.
        table: `Table` with the numbers of the chart, its accessible form.
        legend: list of `Style`, the series that are named below the chart. Defaults to none.
    """

    spec: dict
    svg: str
    caption: str
    table: Table
    legend: list = field(default_factory=list)


@dataclass(frozen=True)
class Style:
    """The look of one series: a colour, a dash pattern and a shape.

    Args:
        name: name of the series.
        color: CSS colour.
        dash: list of lengths, empty for a solid line.
        outline: shape of its points, a path of SVG around (0, 0), empty without points.
    """

    name: str
    color: str
    dash: list
    outline: str


def styles(names, plain=()):
    """Returns a `Style` for each series, a different one for each of the first 56.

    Args:
        names: list of the names of the series.
        plain: names of series to compare with, which are drawn in the colour of text.
    """
    colored = [name for name in names if name not in plain]
    compared = [name for name in names if name in plain]
    looks = {
        name: _style(name, place, f"var(--series-{place % COLORS + 1})")
        for place, name in enumerate(colored)
    }
    looks |= {name: _style(name, place, INK) for place, name in enumerate(compared)}
    return [looks[name] for name in names]


def _style(name, place, color):
    return Style(name, color, DASHES[place % len(DASHES)], OUTLINES[place % len(OUTLINES)])


def scales(looks, name="method"):
    """Returns the encodings by series of Vega-Lite: `color`, `shape` and `strokeDash`.

    The page has its own legend, which wraps on a narrow screen.

    Args:
        looks: list of `Style`.
        name: field of the data with the name of the series.
    """
    names = [look.name for look in looks]
    ranges = {
        "color": [look.color for look in looks],
        "shape": [look.outline for look in looks],
        "strokeDash": [look.dash or [1, 0] for look in looks],
    }
    return {
        channel: {
            "field": name,
            "type": "nominal",
            "legend": None,
            "scale": {"domain": names, "range": values},
        }
        for channel, values in ranges.items()
    }


def configured(spec):
    """Returns a specification with the style of the page and the width of its place."""
    axis = {
        "labelColor": MUTED,
        "titleColor": INK,
        "gridColor": GRID,
        "domainColor": MUTED,
        "tickColor": MUTED,
        "titleFontWeight": "normal",
        "labelFontSize": 12,
        "titleFontSize": 12,
    }
    legend = {
        "labelColor": INK,
        "titleColor": INK,
        "orient": "bottom",
        "labelFontSize": 12,
        "symbolStrokeWidth": 2,
        "labelLimit": 260,
    }
    config = {
        "background": None,
        "font": "system-ui, sans-serif",
        "view": {"stroke": None},
        "axis": axis,
        "legend": legend,
        "header": {"labelColor": INK, "titleColor": INK},
        "title": {"color": INK},
        "text": {"color": INK},
        "rule": {"color": INK},
    }
    return {"width": "container", "height": 320, "autosize": "fit", **spec, "config": config}

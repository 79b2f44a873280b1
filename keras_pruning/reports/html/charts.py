"""Charts of a page: a static picture first, an interactive one if scripts run, and a table."""

from dataclasses import dataclass

from keras_pruning.reports.html.tables import Table

# Colours are variables of the page's style sheet, so that they follow light, dark and print.
INK, MUTED, GRID = "var(--ink)", "var(--muted)", "var(--line)"
COLORS = 8
# Dashes and shapes tell series apart without their colours. The names are those of Vega.
DASHES = ([], [6, 3], [2, 2], [8, 3, 2, 3], [4, 4], [10, 4], [1, 3])
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right")


@dataclass(frozen=True)
class Chart:
    """One chart.

    Args:
        spec: Vega-Lite specification, a dictionary for JSON. `configured` adds the style.
        svg: `markupsafe.Markup`, the picture that shows before scripts run and without them.
        caption: sentence that says what the chart shows.
        table: `Table` with the numbers of the chart, its accessible form.
    """

    spec: dict
    svg: str
    caption: str
    table: Table


@dataclass(frozen=True)
class Style:
    """The look of one series: a colour, a dash pattern and a shape.

    Args:
        name: name of the series.
        color: CSS colour.
        dash: list of lengths, empty for a solid line.
        shape: name of the shape of its points, as Vega has it.
    """

    name: str
    color: str
    dash: list
    shape: str


def styles(names, plain=()):
    """Returns a `Style` for each series, a different one for each of the first 56.

    Args:
        names: list of the names of the series.
        plain: names of series to compare with, which are drawn in the colour of text.
    """
    colored = [name for name in names if name not in plain]
    looks = {
        name: Style(
            name,
            f"var(--series-{place % COLORS + 1})",
            DASHES[place % len(DASHES)],
            SHAPES[place % len(SHAPES)],
        )
        for place, name in enumerate(colored)
    }
    compared = [name for name in names if name in plain]
    for place, name in enumerate(compared):
        looks[name] = Style(name, INK, DASHES[(place + 4) % len(DASHES)], SHAPES[place])
    return [looks[name] for name in names]


def scales(looks, field="method", title=None):
    """Returns the encodings by series of Vega-Lite: `color`, `shape` and `strokeDash`.

    Args:
        looks: list of `Style`.
        field: field of the data with the name of the series.
        title: title of the legend. Defaults to none.
    """
    names = [look.name for look in looks]
    ranges = {
        "color": [look.color for look in looks],
        "shape": [look.shape for look in looks],
        "strokeDash": [look.dash or [1, 0] for look in looks],
    }
    return {
        channel: {
            "field": field,
            "type": "nominal",
            "title": title,
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

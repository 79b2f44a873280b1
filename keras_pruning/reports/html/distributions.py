"""How the scores are distributed, as a section: histograms and quantiles."""

import numpy as np

from keras_pruning.reports.html.charts import Chart
from keras_pruning.reports.html.frame import Frame
from keras_pruning.reports.html.page import Section
from keras_pruning.reports.html.tables import Table

_BINS = 40
_QUANTILES = (0, 0.05, 0.25, 0.5, 0.75, 0.95, 1)
_HEADINGS = ("lowest", "5 %", "25 %", "median", "75 %", "95 %", "highest")
_COLOR = "var(--series-1)"
# Size of the static picture, and the room of its axes.
_FRAME = Frame(height=280, left=64)


def distribution_section(table, id="distributions"):
    """Returns the section of a page with the histogram and the quantiles of each score.

    Args:
        table: `ScoreTable` of at least one example.
        id: anchor of the section, unique on the page.
    """
    # The chart has one score at a time, the table has all
    bars = {name: histogram(table[name]) for name in table.names}
    first = table.names[0]
    rows = []
    for name in table.names:
        quantiles = np.quantile(table[name].astype(np.float64), _QUANTILES)
        harder = "higher" if table.higher_is_harder(name) else "lower"
        rows.append([name, harder, *(f"{value:.4g}" for value in quantiles)])
    numbers = Table(
        "Quantiles of the scores. Harder: whether higher or lower scores mean harder examples.",
        ["score", "harder", *_HEADINGS],
        rows,
        "ll" + "r" * len(_HEADINGS),
    )
    choice = ". The list selects another score." if len(bars) > 1 else "."
    caption = f"Number of examples by score, here {first}{choice}"
    chart = Chart(_spec(bars), _svg(first, *bars[first]), caption, numbers)
    context = {"parts": [{"title": "", "charts": [chart]}], "lines": []}
    return Section("Distribution of the scores", "charts.html.j2", context, id)


def histogram(values):
    """Returns the counts and the edges of the bars of a histogram.

    Scores that count have a bar for each number, if there are not too many numbers.

    Args:
        values: floats `(examples,)`.

    Returns:
        Tuple of integers `(bars,)` and floats `(bars + 1,)`.
    """
    values = values.astype(np.float64)
    low, high = values.min(), values.max()
    # Otherwise some bars would have two numbers and others one
    if high - low <= _BINS and np.array_equal(values, np.round(values)):
        return np.histogram(values, np.arange(low - 0.5, high + 1))
    return np.histogram(values, _BINS)


def _svg(name, counts, edges):
    """Returns the static picture of one histogram."""
    x = _FRAME.across(name, edges.tolist())
    y = _FRAME.upwards("examples", [0, int(counts.max())])
    bars = [
        (x.place(left), y.place(count), x.place(right))
        for left, count, right in zip(edges, counts.tolist(), edges[1:], strict=False)
    ]
    return _FRAME.fill("bars.svg.j2", x, y, layers=[(_COLOR, bars)])


def _spec(bars):
    """Returns the Vega-Lite specification, with a list of the scores to choose one."""
    names = list(bars)
    values = [
        {"score": name, "low": left, "high": right, "examples": count}
        for name, (counts, edges) in bars.items()
        for left, right, count in zip(
            edges.tolist(), edges[1:].tolist(), counts.tolist(), strict=False
        )
    ]
    bind = {"input": "select", "name": "Score", "options": names}
    labels = {"labelOverlap": True}
    return {
        "height": _FRAME.height,
        "params": [{"name": "shown", "value": names[0], "bind": bind}],
        "data": {"values": values},
        "transform": [{"filter": "datum.score === shown"}],
        "mark": {"type": "bar", "color": _COLOR},
        "encoding": {
            "x": {
                "field": "low",
                "type": "quantitative",
                "bin": "binned",
                "axis": {"title": "score", "grid": False, **labels},
                "scale": {"zero": False},
            },
            "x2": {"field": "high"},
            "y": {"field": "examples", "type": "quantitative", "axis": {"tickCount": 5}},
            "tooltip": [
                {"field": "low", "type": "quantitative", "title": "from"},
                {"field": "high", "type": "quantitative", "title": "to"},
                {"field": "examples", "type": "quantitative"},
            ],
        },
    }

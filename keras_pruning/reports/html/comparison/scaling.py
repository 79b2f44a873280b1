"""The section of the scaling view: test error against examples kept, on logarithmic axes."""

from keras_pruning.reports.html.figures import NONE, count, share
from keras_pruning.reports.html.line_charts import Axes, Curve, Point, line_chart
from keras_pruning.reports.html.page import Section
from keras_pruning.reports.html.tables import Table
from keras_pruning.selection.policies import BASELINE
from keras_pruning.statistics.power_laws import FEWEST

_READING = (
    "A straight line on these axes is a power law: error = factor × examples^slope. A steeper "
    "slope is more accuracy for each further example. Slopes are fitted by least squares to the "
    f"mean errors of at least {FEWEST} sizes, with 95 % intervals (Student’s t). A method bends "
    f"the curve if its slope is below that of {BASELINE} pruning, their intervals do not meet, and "
    "it is shown to be better at the largest subset: a method that is far worse with few examples "
    "has a steep slope too."
)


def scaling_section(scaling, looks):
    """Returns the `Section` of the scaling view, `None` if no power law is fitted.

    Args:
        scaling: list of `ScalingRow`.
        looks: dictionary from methods to their `Style`. Others, such as the full data, are plain.
    """
    groups = {}
    for row in scaling:
        # The full data of several data fractions are a curve without pruning
        if _drawn(row) and row.method in looks:
            groups.setdefault((row.data_fraction, row.keep_fraction), []).append(row)
    # Two or three sizes show no law
    groups = {
        key: rows for key, rows in groups.items() if any(row.slope is not None for row in rows)
    }
    if not groups:
        return None
    parts = [
        {"title": _title(*group), "charts": [_chart(rows, looks)]} for group, rows in groups.items()
    ]
    context = {"parts": parts, "lines": [_READING]}
    return Section("Scaling", "charts.html.j2", context, "scaling")


def _title(data_fraction, keep_fraction):
    if data_fraction is None:
        return f"{share(keep_fraction)} kept, of several parts of the data"
    return f"{share(data_fraction)} of the data"


def _drawn(row):
    """Returns the pairs of size and error that have a logarithm."""
    pairs = zip(row.sizes, row.errors, strict=True)
    return [(size, error) for size, error in pairs if size > 0 and error > 0]


def _chart(rows, looks):
    curves = [Curve(looks[row.method], _points(row), _line(row)) for row in rows]
    return line_chart(
        "Test error against the number of examples kept, both on logarithmic axes, with fitted "
        "power laws.",
        curves,
        Axes("examples kept", "test error in %", (True, True)),
        _table(rows),
    )


def _points(row):
    return [
        Point(
            size,
            100 * error,
            notes={
                "Method": row.method,
                "Kept": f"{size:,} examples",
                "Error": f"{100 * error:.2f} %",
                "Slope": _slope(row),
            },
        )
        for size, error in _drawn(row)
    ]


def _line(row):
    """Returns the ends of the fitted line, or none if there is no fit."""
    if row.slope is None:
        return []
    # A power law is straight on these axes, so that two ends are enough
    sizes = [size for size, _ in _drawn(row)]
    return [(size, 100 * row.factor * size**row.slope) for size in (min(sizes), max(sizes))]


def _slope(row):
    if row.slope is None:
        return NONE
    return f"{row.slope:.3f} ± {row.half_width:.3f}".replace("-", "\u2212")


def _table(rows):
    sizes = sorted({size for row in rows for size in row.sizes})
    bends = {True: "yes", False: "not shown", None: NONE}
    return Table(
        "Test error in % by the number of examples kept, and the slope of the fitted power law "
        "with its 95 % interval",
        ["method", "slope", "bends the curve", *map(count, sizes)],
        [[row.method, _slope(row), bends[row.bends], *_errors(row, sizes)] for row in rows],
    )


def _errors(row, sizes):
    errors = dict(zip(row.sizes, row.errors, strict=True))
    return [f"{100 * errors[size]:.2f}" if size in errors else "" for size in sizes]

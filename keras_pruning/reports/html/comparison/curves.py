"""The section of the accuracy curves, and of the differences to random pruning."""

from keras_pruning.reports.html.charts import styles
from keras_pruning.reports.html.comparison.verdicts import by_data_fraction, by_method
from keras_pruning.reports.html.figures import NONE, percent, share
from keras_pruning.reports.html.line_charts import Axes, Curve, Level, Point, line_chart
from keras_pruning.reports.html.page import Section
from keras_pruning.reports.html.tables import Table
from keras_pruning.selection.methods import FULL
from keras_pruning.selection.policies import BASELINE as RANDOM
from keras_pruning.statistics.verdict import BASELINE

# The horizontal axis is logarithmic if the largest part kept is this many times the smallest.
_WIDE = 20


def curve_section(rows, looks):
    """Returns the `Section` of the curves, `None` without pruned runs.

    Args:
        rows: list of `Row`.
        looks: dictionary from methods to their `Style`.
    """
    if not by_method(rows):
        return None
    parts = []
    for fraction, members in by_data_fraction(rows).items():
        charts = [_accuracy(members, looks), _differences(members, looks)]
        charts = [chart for chart in charts if chart is not None]
        parts.append({"title": f"{share(fraction)} of the data", "charts": charts})
    return Section("Accuracy", "charts.html.j2", {"parts": parts, "lines": []}, "accuracy")


def method_styles(rows):
    """Returns a dictionary from methods to their `Style`, the same in all charts of the page."""
    names = list(dict.fromkeys(row.method for row in rows if row.method != FULL))
    plain = [row.method for row in rows if row.outcome and row.outcome.verdict == BASELINE]
    return {look.name: look for look in styles(names, plain)}


def _accuracy(rows, looks):
    """Returns the `Chart` of test accuracies, `None` without pruned runs."""
    methods = by_method(rows)
    if not methods:
        return None
    # Lines run from few examples to many
    curves = [
        Curve(looks[name], [_of_accuracy(row) for row in _ascending(kept)])
        for name, kept in methods.items()
    ]
    full = next((row for row in rows if row.method == FULL), None)
    level = full and Level("full data", 100 * full.accuracy, _possible(full))
    return line_chart(
        "Test accuracy against the part of the examples that is kept: mean over seeds with its "
        "95 % interval.",
        curves,
        _axes(rows, "test accuracy in %"),
        _accuracy_table(rows),
        level,
    )


def _differences(rows, looks):
    """Returns the `Chart` of differences to random pruning, `None` if there are none."""
    # The baseline is the horizontal line at zero
    methods = {
        name: [row for row in kept if row.is_compared] for name, kept in by_method(rows).items()
    }
    methods = {name: kept for name, kept in methods.items() if kept}
    if not methods:
        return None
    curves = [
        Curve(
            looks[name],
            [_of_difference(row) for row in _ascending(kept)],
        )
        for name, kept in methods.items()
    ]
    return line_chart(
        f"Difference of test accuracy to {RANDOM} pruning, in points, with its 95 % interval. "
        "Verdicts are stricter: they are adjusted for the number of comparisons.",
        curves,
        _axes(rows, "difference in points"),
        _difference_table(rows),
        Level(RANDOM, 0.0),
    )


def _ascending(rows):
    return sorted(rows, key=lambda row: row.keep_fraction)


def _of_accuracy(row):
    return Point(100 * row.keep_fraction, 100 * row.accuracy, _possible(row), _notes(row))


def _of_difference(row):
    interval = _interval(row.difference, row.difference_half_width)
    return Point(100 * row.keep_fraction, 100 * row.difference, interval, _notes(row))


def _interval(value, half_width):
    """Returns the two ends of an interval in percent, or `None`."""
    if half_width is None:
        return None
    return 100 * (value - half_width), 100 * (value + half_width)


def _possible(row):
    """Returns the interval of an accuracy as far as it is possible: few runs have a wide one."""
    interval = _interval(row.accuracy, row.half_width)
    return interval and (max(interval[0], 0.0), min(interval[1], 100.0))


def _notes(row):
    """Returns the texts that the pointer shows, by their headings."""
    notes = {
        "Method": row.method,
        "Kept": f"{share(row.keep_fraction)}, {row.examples_kept:,} examples",
        "Accuracy": percent(row.accuracy, row.half_width),
    }
    if row.is_compared:
        difference = percent(row.difference, row.difference_half_width, sign=True)
        return {**notes, "To random": difference, "Verdict": row.verdict}
    return {**notes, "To random": NONE, "Verdict": BASELINE}


def _axes(rows, title):
    # The parts that were kept are labelled, and no numbers between them
    kept = sorted({100 * row.keep_fraction for row in rows if row.method != FULL})
    return Axes("examples kept in %", title, (kept[-1] >= _WIDE * kept[0], False), kept)


def _accuracy_table(rows):
    return Table(
        "Test accuracy in %, mean ± half of the 95 % interval",
        ["method", "kept", "examples", "accuracy", "to full data", "keeps full", "runs"],
        [
            [
                row.method,
                share(row.keep_fraction),
                f"{row.examples_kept:,}",
                percent(row.accuracy, row.half_width),
                *_to_full(row.retention),
                f"{row.runs}",
            ]
            for row in rows
        ],
    )


def _to_full(retention):
    """Returns two cells, the difference to the full data and whether full accuracy is kept."""
    if retention is None:
        return [NONE, NONE]
    keeps = {True: "yes", False: "not shown", None: "unknown"}[retention.keeps]
    return [percent(retention.difference, retention.half_width, sign=True), keeps]


def _difference_table(rows):
    return Table(
        f"Difference to {RANDOM} pruning in points ± half of the 95 % interval, and verdict",
        ["method", "kept", "difference", "adjusted p", "verdict", "seeds needed"],
        [
            [
                row.method,
                share(row.keep_fraction),
                percent(row.difference, row.difference_half_width, sign=True),
                f"{row.outcome.p_adjusted:.2g}",
                row.verdict,
                f"{row.outcome.seeds_needed:,}" if row.outcome.seeds_needed else NONE,
            ]
            for row in rows
            if row.is_compared
        ],
        "lrrrlr",
    )

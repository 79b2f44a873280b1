"""The section of the classes: the share of each that was kept, and the change of its accuracy."""

from keras_pruning.reports.html.comparison.verdicts import by_data_fraction
from keras_pruning.reports.html.figures import percent, share
from keras_pruning.reports.html.page import Section
from keras_pruning.statistics.verdict import NOT_SHOWN

# Classes and cells on the page. The classes with the largest losses are shown if there are more. A
# cell takes about 120 bytes.
_MOST, _MOST_CELLS, _FEWEST = 50, 3000, 5
# Part of the colour of a cell at the largest change, which leaves its text readable.
_DEEPEST = 45


def class_section(classes, methods, class_names):
    """Returns the `Section` of the classes, `None` without any.

    Args:
        classes: list of `ClassRow`.
        methods: list of the methods in the order of the columns.
        class_names: dictionary from data fractions to lists of the names of the classes. Classes
            have their numbers without it.
    """
    if not classes:
        return None
    by_fraction = by_data_fraction(classes)
    most_cells = _MOST_CELLS // len(by_fraction)
    parts = [
        _part(fraction, rows, methods, class_names.get(fraction), most_cells)
        for fraction, rows in by_fraction.items()
    ]
    return Section("Classes", "classes.html.j2", {"parts": parts}, "classes", "choices.js")


def _part(fraction, rows, methods, names, most_cells):
    """Returns the variables of one data fraction."""
    labels, total = _shown_labels(rows, most_cells)
    largest = max(abs(row.difference) for row in rows) or 1
    # One table for each keep fraction, with the methods in the order of the legend
    panels = {}
    for row in sorted(rows, key=lambda row: methods.index(row.method)):
        panels.setdefault(row.keep_fraction, {})[row.label, row.method] = row
    return {
        "title": f"{share(fraction)} of the data",
        "panels": [
            _panel(kept, panels[kept], labels, names, largest)
            for kept in sorted(panels, reverse=True)
        ],
        "left_out": "" if len(labels) == total else f"{len(labels)} of {total:,} classes",
    }


def _shown_labels(rows, most_cells):
    """Returns the labels on the page in ascending order, and the number of all labels."""
    worst = {}
    for row in rows:
        worst[row.label] = min(row.difference, worst.get(row.label, row.difference))
    columns = len({(row.keep_fraction, row.method) for row in rows})
    most = max(_FEWEST, min(_MOST, most_cells // columns))
    return sorted(sorted(worst, key=worst.get)[:most]), len(worst)


def _panel(kept, cells, labels, names, largest):
    """Returns the variables of the table of one keep fraction.

    Args:
        kept: keep fraction.
        cells: dictionary from pairs of label and method to their `ClassRow`.
        labels: list of the labels to show.
        names: list of the names of the classes, or `None`.
        largest: largest change of an accuracy, which has the deepest colour.
    """
    methods = list(dict.fromkeys(method for _, method in cells))
    rows = []
    for label in labels:
        name = f"{label}" if names is None else names[label]
        row = [cells.get((label, method)) for method in methods]
        rows.append((name, [cell and _cell(cell, largest) for cell in row]))
    return {"name": share(kept), "methods": methods, "rows": rows}


def _cell(row, largest):
    """Returns the variables of one cell."""
    is_shown = row.verdict != NOT_SHOWN
    return {
        "difference": percent(row.difference, sign=True, digits=1),
        "interval": percent(row.difference, row.half_width, sign=True, digits=1),
        "kept": "" if row.kept_share is None else f"{100 * row.kept_share:.0f} % kept",
        "kind": "loss" if row.difference < 0 else "gain",
        "depth": round(_DEEPEST * abs(row.difference) / largest),
        "is_shown": is_shown,
        "verdict": row.verdict,
    }

"""The comparison of runs as CSV and as a table on the terminal."""

import dataclasses

from keras_pruning.reports.terminal_tables import new_table
from keras_pruning.selection.policies import BASELINE
from keras_pruning.storage import csv_files


def write_csv(path, rows):
    """Writes one line for each `Row`. Accuracies are fractions in [0, 1]."""
    fields = [field.name for field in dataclasses.fields(rows[0])]
    lines = [[*dataclasses.asdict(row).values(), row.verdict] for row in rows]
    csv_files.write_csv(path, [*fields, "verdict"], lines)


def as_table(rows):
    """Returns the comparison as a `rich.table.Table`, accuracies in percent."""
    several = len({row.data_fraction for row in rows}) > 1
    columns = ["data"] * several + ["kept", "method", "accuracy", f"to {BASELINE}", "verdict"]
    table = new_table(
        [*columns, "worst class", "runs", "seconds"],
        words=("method", "verdict"),
        # Names of methods stay whole on a narrow terminal.
        min_widths={"method": max(len(row.method) for row in rows)},
        title="Test accuracy in %: mean ± half of the 95 % interval",
    )
    previous = None
    for row in rows:
        group = (row.data_fraction, row.keep_fraction)
        if previous not in (None, group):
            table.add_section()
        previous = group
        table.add_row(*[f"{row.data_fraction:.0%}"] * several, *_cells(row))
    return table


def _cells(row):
    return [
        f"{100 * row.keep_fraction:g} %",
        row.method,
        _with_half_width(row.accuracy, row.half_width, ""),
        _with_half_width(row.difference, row.difference_half_width, "+"),
        row.verdict,
        f"{100 * row.lowest_class_accuracy:.1f}",
        str(row.runs),
        f"{row.seconds:.1f}",
    ]


def _with_half_width(value, half_width, sign):
    """Returns a fraction in percent with its interval, as far as there are any."""
    if value is None:
        return ""
    return f"{100 * value:{sign}.2f}" + ("" if half_width is None else f" ± {100 * half_width:.2f}")

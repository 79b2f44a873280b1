"""The comparison of runs as CSV and as a table on the terminal."""

import dataclasses

from keras_pruning.reports.terminal_tables import new_table
from keras_pruning.selection.dynamic_methods import DYNAMIC_BASELINES
from keras_pruning.selection.methods import FULL
from keras_pruning.selection.policies import BASELINE
from keras_pruning.statistics.power import POWER
from keras_pruning.statistics.verdict import WORSE
from keras_pruning.storage import csv_files


def write_csv(path, rows):
    """Writes one line for each `Row`. Accuracies are fractions in [0, 1]."""
    records = [_record(row) for row in rows]
    csv_files.write_csv(path, list(records[0]), [list(record.values()) for record in records])


def write_class_csv(path, rows, class_names):
    """Writes one line for each `ClassRow`. Accuracies and shares are fractions.

    Args:
        path: path of the file.
        rows: list of `ClassRow`.
        class_names: dictionary from data fractions to lists of the names of the classes. Without an
            entry the column `class` is empty.
    """
    header = [field.name for field in dataclasses.fields(rows[0])]
    place = header.index("label") + 1
    lines = []
    for row in rows:
        names = class_names.get(row.data_fraction)
        line = list(dataclasses.asdict(row).values())
        lines.append([*line[:place], names and names[row.label], *line[place:]])
    csv_files.write_csv(path, [*header[:place], "class", *header[place:]], lines)


def _record(row):
    """Returns the numbers of a `Row` by the names of the columns."""
    outcome, kept = row.outcome if row.is_compared else None, row.retention
    return {
        "data_fraction": row.data_fraction,
        "keep_fraction": row.keep_fraction,
        "method": row.method,
        "runs": row.runs,
        "accuracy": row.accuracy,
        "half_width": row.half_width,
        "difference": row.difference,
        "difference_half_width": row.difference_half_width,
        "p_adjusted": outcome and outcome.p_adjusted,
        "comparisons": outcome and outcome.comparisons,
        "verdict": row.verdict,
        "seeds_needed": outcome and outcome.seeds_needed,
        "to_full": kept and kept.difference,
        "to_full_half_width": kept and kept.half_width,
        "keeps_full_accuracy": kept and kept.keeps,
        "lowest_class_accuracy": row.lowest_class_accuracy,
        "examples_kept": row.examples_kept,
        "seconds": row.seconds,
        "steps": row.steps,
        "prunes_while_training": row.is_dynamic,
        "against": row.against,
    }


def as_tables(rows, class_rows=()):
    """Returns the comparison as a list of `rich.table.Table`, accuracies in percent.

    Methods that prune while training have a table of their own, beside the full data.

    Args:
        rows: list of `Row`.
        class_rows: list of `ClassRow`. The class with the largest loss that is shown is named.
    """
    paying = _paying(class_rows)
    static = [row for row in rows if not row.is_dynamic]
    dynamic = [row for row in rows if row.is_dynamic or row.method == FULL]
    tables = []
    if len(static) == len(rows) or any(row.method != FULL for row in static):
        title = f"Test accuracy in %: {_INTERVALS}, {_runs(static)}"
        tables.append(_table(static, _STATIC, f"to {BASELINE}", title, paying))
    if len(static) < len(rows):
        title = f"Pruning while training, test accuracy in %: {_INTERVALS}, {_runs(dynamic)}"
        tables.append(_table(dynamic, _DYNAMIC, "to baseline", title, paying))
    return tables


_INTERVALS = "mean ± half of the 95 % interval"


def _table(rows, first, difference, title, paying):
    """Returns the table of some rows.

    Args:
        rows: list of `Row`.
        first: dictionary from the headings of the first columns to functions from a `Row` to the
            text of a cell.
        difference: heading of the differences.
        title: title of the table.
        paying: dictionary of `_paying`.
    """
    several = len({row.data_fraction for row in rows}) > 1
    columns = ["data"] * several + [*first, "accuracy", difference, "verdict"]
    table = new_table(
        [*columns, "keeps full", "pays most"],
        words=("method", "verdict", "keeps full", "pays most"),
        # Names of methods stay whole on a narrow terminal.
        min_widths={"method": max(len(row.method) for row in rows)},
        title=title,
    )
    previous = None
    for row in rows:
        group = (row.data_fraction, row.keep_fraction)
        if previous not in (None, group):
            table.add_section()
        previous = group
        cells = [text(row) for text in first.values()]
        cells += _cells(row, paying.get((*group, row.method)))
        table.add_row(*[f"{row.data_fraction:.0%}"] * several, *cells)
    return table


def reading_lines(rows, class_rows=()):
    """Yields sentences that say how to read the verdicts.

    Args:
        rows: list of `Row`.
        class_rows: list of `ClassRow`.
    """
    compared = [row for row in rows if row.is_compared]
    static = [row for row in compared if not row.is_dynamic]
    if static:
        yield (
            f"verdict: Welch's test against {BASELINE}, adjusted for the {_families(static)} of a "
            "fraction (Holm). Intervals are not adjusted."
        )
    yield from _dynamic_lines(rows, [row for row in compared if row.is_dynamic])
    if any(row.outcome.seeds_needed for row in compared):
        yield (
            "not shown (n): n seeds, decided before they run, would show a difference of that size "
            f"with probability {POWER}."
        )
    kept = [row.retention for row in rows if row.retention is not None]
    if kept:
        yield (
            f"keeps full: it loses at most {100 * kept[0].tolerance:g} points of the accuracy on "
            "the full data, by its 95 % interval."
        )
    if any(row.verdict == WORSE for row in class_rows):
        yield (
            "pays most: the class whose accuracy falls most against the full data, in points, if "
            "it is shown to fall (Holm over the classes)."
        )


def _dynamic_lines(rows, compared):
    """Yields the sentences on methods that prune while training.

    Args:
        rows: list of `Row`.
        compared: list of those of such methods that are compared.
    """
    if not any(row.is_dynamic for row in rows):
        return
    baselines = " and ".join(DYNAMIC_BASELINES)
    yield (
        f"seen: part of the examples that all epochs have, repeats counted. {baselines} are the "
        "baselines that see as many: a random part in each epoch, and all examples in fewer epochs."
    )
    if compared:
        yield (
            "verdict while training: better than both baselines, or worse than either, by Welch's "
            f"test, adjusted for the {_families(compared)} of such methods and their baselines "
            "(Holm). To baseline: to the stronger of the two. Intervals are not adjusted."
        )


def _families(compared):
    """Returns the numbers of comparisons that were made together, in words."""
    families = sorted({row.outcome.comparisons for row in compared})
    number = " or ".join(f"{family}" for family in families)
    return number + (" comparison" if families == [1] else " comparisons")


def _paying(class_rows):
    """Returns the `ClassRow` with the largest loss that is shown, for each cell that has one."""
    paying = {}
    for row in sorted(class_rows, key=lambda row: row.difference):
        if row.verdict == WORSE:
            paying.setdefault((row.data_fraction, row.keep_fraction, row.method), row)
    return paying


def _verdict(row):
    """Returns the verdict, and the number of seeds that would show a difference of that size."""
    needed = row.outcome.seeds_needed if row.is_compared else None
    return row.verdict if needed is None else f"{row.verdict} ({needed:,})"


def _share(row):
    return f"{100 * row.keep_fraction:g} %"


def _method(row):
    return row.method


def _steps(row):
    return "" if row.steps is None else f"{row.steps:,.0f}"


def _seconds(row):
    return f"{row.seconds:,.1f}"


# First columns of the two tables.
_STATIC = {"kept": _share, "method": _method}
_DYNAMIC = {"seen": _share, "method": _method, "steps": _steps, "seconds": _seconds}


def _cells(row, paying):
    return [
        _with_half_width(row.accuracy, row.half_width, ""),
        _with_half_width(row.difference, row.difference_half_width, "+"),
        _verdict(row),
        "yes" if row.retention and row.retention.keeps else "",
        f"{paying.label}: {100 * paying.difference:.1f}" if paying else "",
    ]


def _runs(rows):
    """Returns the numbers of runs of the baselines and of the others in words."""
    numbers = {}
    for row in rows:
        numbers.setdefault(row.is_baseline, set()).add(row.runs)
    texts = {
        key: "–".join(map(str, sorted({min(runs), max(runs)}))) for key, runs in numbers.items()
    }
    if len(set(texts.values())) == 1:
        return _seeds(texts.popitem()[1])
    names = "the baselines" if any(row.is_dynamic for row in rows) else BASELINE
    return f"{_seeds(texts[False])}, {texts[True]} of {names}"


def _seeds(number):
    return f"{number} seed" if number == "1" else f"{number} seeds"


def _with_half_width(value, half_width, sign):
    """Returns a fraction in percent with its interval, as far as there are any."""
    if value is None:
        return ""
    return f"{100 * value:{sign}.2f}" + ("" if half_width is None else f" ± {100 * half_width:.2f}")

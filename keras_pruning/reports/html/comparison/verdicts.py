"""The section of the verdicts: the answer first, then each method, then how to read them."""

from keras_pruning.reports.html.figures import NONE, listed, percent, share, shares
from keras_pruning.reports.html.page import Section
from keras_pruning.reports.html.tables import Table
from keras_pruning.selection.methods import FULL
from keras_pruning.selection.policies import BASELINE as RANDOM
from keras_pruning.statistics.power import POWER
from keras_pruning.statistics.verdict import BASELINE, BETTER, NOT_SHOWN, WORSE

# Verdicts in a table. The marks help to find them.
_MARKS = {BETTER: "▲ better", WORSE: "▼ worse", NOT_SHOWN: "not shown"}

# The baselines of methods that prune while training, in words.
_BASELINES = "its baselines on as many examples (RS2, a shortened run)"


def verdict_section(rows, smallest, missing=0):
    """Returns the `Section` of the verdicts.

    Args:
        rows: list of `Row`.
        smallest: dictionary from tuples of data fraction and method to the smallest keep fraction
            down to which the method keeps full accuracy.
        missing: number of runs that a sweep asks for and that are not finished.
    """
    parts = [
        _part(fraction, members, smallest) for fraction, members in by_data_fraction(rows).items()
    ]
    context = {"parts": parts, "reading": list(_reading(rows)), "missing": missing}
    return Section("Verdict", "verdicts.html.j2", context, "verdict")


def by_data_fraction(rows):
    """Returns a dictionary from data fractions to lists of their rows, in the order of the rows."""
    parts = {}
    for row in rows:
        parts.setdefault(row.data_fraction, []).append(row)
    return parts


def by_method(rows):
    """Returns a dictionary from methods to lists of their rows, without the full data."""
    methods = {}
    for row in rows:
        if row.method != FULL:
            methods.setdefault(row.method, []).append(row)
    return methods


def _part(fraction, rows, smallest):
    """Returns the variables of one data fraction."""
    methods = by_method([row for row in rows if not row.is_dynamic])
    dynamic = by_method([row for row in rows if row.is_dynamic])
    answer = list(_answer(fraction, methods, smallest)) if methods or not dynamic else []
    return {
        "title": f"{share(fraction)} of the data",
        "answer": [*answer, *_dynamic_answer(dynamic)],
        "methods": [(name, _sentence(members)) for name, members in methods.items()],
        "table": _table(methods),
        "dynamic": _dynamic_table(dynamic) if dynamic else None,
    }


def _dynamic_answer(methods):
    """Yields the answer for methods that prune while training."""
    better = [name for name, rows in methods.items() if any(row.verdict == BETTER for row in rows)]
    if better:
        yield f"Pruning while training, better than {_BASELINES}: {listed(better)}."
    elif any(row.is_compared for rows in methods.values() for row in rows):
        yield f"No method that prunes while training is shown to be better than {_BASELINES}."


def _answer(data_fraction, methods, smallest):
    """Yields the answer in a few sentences."""
    # The question of the page comes first: does any method beat random pruning?
    better = {
        name: [row.keep_fraction for row in rows if row.verdict == BETTER]
        for name, rows in methods.items()
    }
    better = {name: fractions for name, fractions in better.items() if fractions}
    is_compared = any(row.is_compared for rows in methods.values() for row in rows)
    if better:
        names = [f"{name} (keeping {shares(fractions)})" for name, fractions in better.items()]
        yield f"Better than {RANDOM} pruning: {listed(names)}."
    elif is_compared:
        yield f"No method is shown to be better than {RANDOM} pruning."
    else:
        yield f"There is no {RANDOM} pruning to compare with."
    # Then the smallest subset, of all methods
    kept = {name: smallest.get((data_fraction, name)) for name in methods}
    kept = {name: part for name, part in kept.items() if part is not None}
    if kept:
        part = min(kept.values())
        names = [name for name in kept if kept[name] == part]
        (count,) = {row.examples_kept for row in methods[names[0]] if row.keep_fraction == part}
        yield (
            f"The smallest subset that keeps full accuracy is {share(part)} of the examples "
            f"({count:,}), by {listed(names, 'or')}."
        )
    elif any(row.retention is not None for rows in methods.values() for row in rows):
        yield "No subset is shown to keep full accuracy."
    else:
        yield "Without runs on the full data, it is not known if a subset keeps their accuracy."


def _dynamic_table(methods):
    """Returns the `Table` of methods that prune while training, with their own baselines."""
    rows = [row for members in methods.values() for row in members]
    cells = []
    for row in rows:
        cell = _cell(row)
        cells.append(
            [
                row.method,
                share(row.keep_fraction),
                NONE if row.steps is None else f"{row.steps:,.0f}",
                f"{row.seconds:,.1f}",
                percent(row.accuracy),
                ", ".join([cell["text"], *cell["notes"]]),
            ]
        )
    caption = (
        "Methods that prune while training, each with the baselines that see as many examples. The "
        "difference of test accuracy is that to the stronger one, in points, and the verdict is "
        "against both."
    )
    headers = ["method", "examples seen", "steps", "seconds", "test accuracy in %", "verdict"]
    return Table(caption, headers, cells, "lrrrrl")


def _sentence(rows):
    """Returns the verdicts of one method in a sentence or two."""
    parts = []
    for verdict, words in ((BETTER, "better than"), (WORSE, "worse than")):
        fractions = [row.keep_fraction for row in rows if row.verdict == verdict]
        if fractions:
            parts.append(f"{words} {RANDOM} at {shares(fractions)}")
    without = [row.keep_fraction for row in rows if row.verdict == NOT_SHOWN]
    if without:
        parts.append(f"no difference shown at {shares(without)}")
    if not parts:
        is_baseline = any(row.outcome and row.outcome.verdict == BASELINE for row in rows)
        parts.append("the baseline" if is_baseline else "without a baseline to compare with")
    text = "; ".join(parts)
    kept = [row.keep_fraction for row in rows if _keeps(row)]
    if kept:
        return f"{text}. Keeps full accuracy at {shares(kept)}."
    return f"{text}."


def _keeps(row):
    return row.retention is not None and row.retention.keeps


def _table(methods):
    """Returns the variables of the table of methods by keep fractions."""
    fractions = dict.fromkeys(row.keep_fraction for rows in methods.values() for row in rows)
    rows = []
    for name, members in methods.items():
        cells = {row.keep_fraction: _cell(row) for row in members}
        rows.append((name, [cells.get(fraction) for fraction in fractions]))
    return {"fractions": list(map(share, fractions)), "rows": rows}


def _cell(row):
    """Returns the variables of one cell: the verdict, the kind of its colour and two notes."""
    notes = ["keeps full"] if _keeps(row) else []
    if not row.is_compared:
        return {"text": NONE if row.outcome is None else BASELINE, "kind": "", "notes": notes}
    if row.outcome.seeds_needed:
        notes.append(f"{row.outcome.seeds_needed:,} seeds")
    return {
        "text": f"{_MARKS[row.verdict]} {percent(row.difference, sign=True)}",
        "kind": {BETTER: "gain", WORSE: "loss"}.get(row.verdict, ""),
        "notes": notes,
    }


def _reading(rows):
    """Yields sentences on how verdicts and intervals are made."""
    compared = [row for row in rows if row.is_compared]
    static = [row for row in compared if not row.is_dynamic]
    if static:
        families = sorted({row.outcome.comparisons for row in static})
        number = listed(families, "or")
        yield (
            f"Better and worse are verdicts of Welch’s t-test against {RANDOM} pruning under the "
            f"same class quota. They are adjusted by Holm’s method for the {number} comparisons at "
            "one data and keep fraction: if no method differed there, the probability that any is "
            "called better or worse would be about 5 %."
        )
    dynamic = [row for row in compared if row.is_dynamic]
    if dynamic:
        number = listed(sorted({row.outcome.comparisons for row in dynamic}), "or")
        yield (
            "A method that prunes while training is better if it is better than both baselines "
            "that see as many examples, and worse if it is worse than either: RS2, a random part "
            "in each epoch, and a run on all examples whose schedule is shortened. The "
            f"{number} comparisons of such methods and their baselines on one data fraction are "
            "adjusted together by Holm’s method."
        )
    if compared:
        yield (
            "Intervals in charts and tables are 95 % intervals of a single mean or difference and "
            "are not adjusted. An interval may leave out zero although no difference is shown."
        )
    if any(row.outcome.seeds_needed for row in compared):
        yield (
            "Seeds in the table: with so many seeds of the method, fixed before they run, a "
            f"difference of this size would be shown with probability {POWER:g}. Seeds must not be "
            "added until something is shown."
        )
    tolerances = {row.retention.tolerance for row in rows if row.retention is not None}
    if tolerances:
        points = listed([f"{100 * tolerance:g}" for tolerance in tolerances])
        yield (
            "A subset keeps full accuracy if the lower end of the 95 % interval of its difference "
            f"to the full data lies above {points} points below zero. These intervals are not "
            "adjusted. The smallest subset of a method is sought from the largest downwards, up to "
            "the first that is not shown to keep it."
        )

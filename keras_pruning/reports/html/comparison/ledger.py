"""The section of the costs: examples and operations first, seconds last."""

from keras_pruning.reports.html.comparison.verdicts import by_data_fraction
from keras_pruning.reports.html.figures import NONE, count, share
from keras_pruning.reports.html.page import Section
from keras_pruning.reports.html.tables import Table
from keras_pruning.selection.methods import FULL

_READING = (
    "Examples are passes of examples through models, forward only or with gradients. "
    "Floating-point operations (FLOPs) are counted from the model. Neither depends on the load of "
    "the machine, as seconds do.",
    "“× full” is the cost of scoring, selecting and one training, divided by that of one training "
    "on the full data.",
    "“Pays after” is the number of trainings on the subset after which scoring and selecting have "
    "paid for themselves. It is “never” if a training on the subset costs as much as one on the "
    "full data.",
    "A method is charged the whole scoring of its score table, although several scores may share "
    "it. A dash stands for a figure that is not known.",
)


def ledger_section(ledger, smallest):
    """Returns the `Section` of the costs, `None` without any.

    Args:
        ledger: list of `LedgerRow`.
        smallest: dictionary from tuples of data fraction and method to the smallest keep fraction
            that is shown to keep full accuracy.
    """
    if not ledger:
        return None
    parts = []
    for fraction, rows in by_data_fraction(ledger).items():
        title, lines = f"{share(fraction)} of the data", list(_lines(rows, smallest))
        parts.append({"title": title, "lines": lines, "panels": _panels(rows)})
    context = {"parts": parts, "reading": _READING}
    return Section("Costs", "ledger.html.j2", context, "costs", "choices.js")


def _panels(rows):
    """Returns the tables of each keep fraction, the full data in all of them."""
    # The full data stand in every table to compare with
    full = [row for row in rows if row.method == FULL]
    pruned = [row for row in rows if row.method != FULL]
    panels = []
    for kept in dict.fromkeys(row.keep_fraction for row in pruned):
        members = full + [row for row in pruned if row.keep_fraction == kept]
        panels.append((share(kept), [_table(members), _seconds_table(members)]))
    return panels or [(share(1), [_table(full), _seconds_table(full)])]


def _lines(rows, smallest):
    """Yields sentences on the subsets that keep full accuracy, and on budgets that save nothing."""
    for row in rows:
        if smallest.get((row.data_fraction, row.method)) != row.keep_fraction:
            continue
        # Examples stand in for operations that could not be counted
        ratio, measure = row.flops_ratio, "operations"
        if ratio is None:
            ratio, measure = row.examples_ratio, "examples"
        cost = "an unknown cost" if ratio is None else f"{ratio:.2f} times the {measure}"
        yield (
            f"{row.method} keeps full accuracy with {share(row.keep_fraction)} of the examples, at "
            f"{cost} of one training on the full data, scoring included."
        )
    if any(row.budget == "steps" and row.method != FULL for row in rows):
        yield (
            "The budget is steps: every subset trains for as many steps as the full data, so that "
            "training on it saves nothing. With the budget epochs, fewer examples take fewer steps."
        )


def _ratio(ratio):
    return NONE if ratio is None else f"{ratio:.2f}"


def _pays(pays, after):
    """Returns the cell of `pays after`."""
    if pays == "after":
        return count(after) if after else "at once"
    return {"never": "never", "unknown": NONE}.get(pays, "")


def _table(rows):
    return Table(
        "Examples and operations of scoring, selecting and one training, mean over seeds",
        [
            "method",
            "kept",
            "examples: scoring",
            "selecting",
            "training",
            "× full",
            "FLOPs: scoring",
            "selecting",
            "training",
            "× full",
            "pays after",
        ],
        [
            [
                row.method,
                "" if row.method == FULL else share(row.keep_fraction),
                count(row.scoring_examples),
                count(row.selecting_examples),
                count(row.training_examples),
                _ratio(row.examples_ratio),
                count(row.scoring_flops),
                count(row.selecting_flops),
                count(row.training_flops),
                _ratio(row.flops_ratio),
                _pays(row.pays, row.pays_after),
            ]
            for row in rows
        ],
    )


def _seconds(seconds):
    return NONE if seconds is None else f"{seconds:,.1f}"


def _seconds_table(rows):
    return Table(
        "Seconds of scoring, selecting and one training, which depend on the load of the machine",
        ["method", "kept", "scoring", "selecting", "training", "× full", "pays after"],
        [
            [
                row.method,
                "" if row.method == FULL else share(row.keep_fraction),
                _seconds(row.scoring_seconds),
                _seconds(row.selecting_seconds),
                _seconds(row.training_seconds),
                _ratio(row.seconds_ratio),
                _pays(row.pays_seconds, row.pays_after_seconds),
            ]
            for row in rows
        ],
    )

"""The ledger: the costs of scoring, selecting and training, against training on everything."""

import math
from dataclasses import dataclass

from keras_pruning.comparison.costs import (
    NOTHING,
    UNKNOWN,
    Cost,
    mean_cost,
    pilot_cost,
    scoring_of,
    training_cost,
)
from keras_pruning.selection.candidates import CONFIDENCE
from keras_pruning.selection.methods import FULL
from keras_pruning.selection.policies import known

# Whether scoring and selecting ever pay for themselves.
AFTER, NEVER, NOT_KNOWN = "after", "never", "unknown"


@dataclass(frozen=True)
class LedgerRow:
    """The cost of one method at one keep fraction, over its evaluation seeds.

    `None` stands for a figure that is not known. A method is charged the whole scoring of its score
    table: the scores of a table share their probes, and no score has a cost of its own. Random
    pruning and the full data are charged none.

    Args:
        data_fraction: fraction of the data set before pruning.
        keep_fraction: fraction of those examples that was kept.
        method: name of the method.
        examples: number of examples that pass through models in scoring, selecting and one
            training.
        flops: floating-point operations of these passes.
        seconds: seconds of scoring, selecting and one training. They depend on the load of the
            machine.
        scoring_examples, scoring_flops, scoring_seconds: the part of scoring.
        training_examples, training_flops, training_seconds: mean of one training.
        examples_ratio, flops_ratio, seconds_ratio: the totals divided by those of one training on
            the full data.
        pays_after: number of trainings on the subset after which scoring and selecting have paid
            for themselves, 0 without a cost. `None` if they never do, or if it is not known.
        pays: `"after"`, `"never"` or `"unknown"`. Empty for the full data.
        pays_by: `"FLOPs"`, or `"examples"` if the operations are not known: the measure of
            `pays_after`. Empty if neither is known.
        pays_after_seconds, pays_seconds: the same by seconds.
        selecting_examples, selecting_flops, selecting_seconds: the part of selecting, with the
            training runs of a pilot. Seconds that were not recorded are left out of the totals.
        pilot: policy that a pilot chose, or `None`.
        budget: `"steps"` or `"epochs"`. With `"steps"` every subset trains as long as the full
            data, so that nothing is saved. `"epochs"` for a method that prunes while training.
    """

    data_fraction: float
    keep_fraction: float
    method: str
    examples: float | None
    flops: float | None
    seconds: float | None
    scoring_examples: float | None
    scoring_flops: float | None
    scoring_seconds: float | None
    training_examples: float | None
    training_flops: float | None
    training_seconds: float | None
    examples_ratio: float | None
    flops_ratio: float | None
    seconds_ratio: float | None
    pays_after: int | None
    pays: str
    pays_by: str
    pays_after_seconds: int | None
    pays_seconds: str
    selecting_examples: float | None
    selecting_flops: float | None
    selecting_seconds: float | None
    pilot: str | None
    budget: str


def make_ledger(runs, rows, scorings):
    """Returns a `LedgerRow` for each row of a comparison, in the same order.

    Args:
        runs: list of `keras_pruning.comparison.runs.Run`.
        rows: list of `keras_pruning.comparison.rows.Row`.
        scorings: list of `keras_pruning.comparison.costs.Scoring`.
    """
    cells = {}
    for run in runs:
        cells.setdefault(run.cell, []).append(run)
    ledger = []
    # The ratios of a row are to the full data of its data fraction
    for row in rows:
        cell = (row.data_fraction, row.keep_fraction, row.method)
        full = cells.get((row.data_fraction, 1.0, FULL))
        ledger.append(_row(cell, cells[cell], full and _training(full), scorings))
    return ledger


def smallest_subsets(rows):
    """Returns the smallest keep fraction down to which each method keeps full accuracy.

    The fractions of a method are tested from the largest downwards, up to the first at which it is
    not shown. In this way more fractions make no false claim of a method more likely.

    Args:
        rows: list of `keras_pruning.comparison.rows.Row`.

    Returns:
        Dictionary from tuples of data fraction and method to keep fractions. Methods that are not
        shown to keep full accuracy at any fraction are left out, and those that prune while
        training, which keep no subset.
    """
    smallest, stopped = {}, set()
    static = [row for row in rows if not row.is_dynamic]
    for row in sorted(static, key=lambda row: -row.keep_fraction):
        key = (row.data_fraction, row.method)
        if row.retention is not None and row.retention.keeps and key not in stopped:
            smallest[key] = row.keep_fraction
        elif row.retention is not None:
            stopped.add(key)
    return smallest


def _row(cell, runs, full, scorings):
    """Returns the `LedgerRow` of one cell.

    Args:
        cell: tuple of data fraction, keep fraction and method.
        runs: list of its `Run`.
        full: `Cost` of a training on the full data, or `None`.
        scorings: list of `Scoring`.
    """
    scoring = mean_cost([_scoring_cost(run, scorings) for run in runs])
    selecting = mean_cost([_selecting_cost(run) for run in runs])
    training = _training(runs)
    # Runs of earlier versions do not tell how long selecting took.
    recorded = Cost(selecting.examples, selecting.flops, selecting.seconds or 0.0)
    # The total of the first training on a subset
    spent = scoring + recorded
    total = spent + training
    selection = runs[0].metrics["selection"]
    is_dynamic = runs[0].dynamic is not None
    budget = runs[0].metrics["config"]["training"].get("budget", "")
    # A dynamic method trains on fewer examples by either budget.
    budget = "epochs" if is_dynamic else budget
    # The operations decide if they are known, otherwise the examples
    is_pruned = is_dynamic or selection is not None
    paybacks = _paybacks(spent, training, full, budget) if is_pruned else _NONE
    by = next((name for name in ("FLOPs", "examples") if paybacks[name][1] != NOT_KNOWN), "")
    return LedgerRow(
        *cell,
        *total.measures,
        *scoring.measures,
        *training.measures,
        *_ratios(total, full),
        *paybacks[by or "examples"],
        by if is_pruned else "",
        *paybacks["seconds"],
        *selecting.measures,
        selection["policy"] if selection and selection.get("auto") else None,
        budget,
    )


# The full data have nothing to pay for.
_NONE = {"examples": (None, ""), "FLOPs": (None, ""), "seconds": (None, "")}


def _paybacks(spent, training, full, budget):
    """Returns the `pays_after` and `pays` of a method by each measure, a dictionary.

    Args:
        spent: `Cost` of scoring and selecting.
        training: `Cost` of one training on the subset.
        full: `Cost` of one training on the full data, or `None`.
        budget: `"steps"`, `"epochs"` or `""`.
    """
    parts = zip(*(cost.measures for cost in (spent, training, full or UNKNOWN)), strict=True)
    return {
        name: _payback(*values, budget)
        for name, values in zip(("examples", "FLOPs", "seconds"), parts, strict=True)
    }


def _payback(spent, subset, full, budget):
    """Returns the number of trainings that save as much as was spent, and whether there is one."""
    # As many steps on a subset as on the full data save nothing but the rest of a batch.
    if budget == "steps":
        return None, NEVER
    if None in (spent, subset, full):
        return None, NOT_KNOWN
    # Each training on the subset saves the difference.
    if subset >= full:
        return None, NEVER
    return math.ceil(spent / (full - subset)), AFTER


def _ratios(total, full):
    """Returns the measures of a cost divided by those of a training on the full data."""
    pairs = zip(total.measures, (full or UNKNOWN).measures, strict=True)
    return [part / whole if part is not None and whole else None for part, whole in pairs]


def _scoring_cost(run, scorings):
    """Returns the `Cost` of scoring that a run is charged."""
    if not _reads_scores(run.metrics["selection"]):
        return NOTHING
    scoring = scoring_of(run, scorings)
    return UNKNOWN if scoring is None else scoring.cost


def _reads_scores(selection):
    """Returns whether a subset was selected by scores, be it by a pilot that then took random."""
    if selection is None:
        return False
    # A policy may read the confidence of the table and no other score.
    needs = getattr(known().get(selection["policy"]), "needs", ())
    return bool(selection["by"] or selection.get("auto") or CONFIDENCE in needs)


def _selecting_cost(run):
    """Returns the `Cost` of selecting a run's subset, with its pilot."""
    if run.metrics["selection"] is None:
        return NOTHING
    selection, seconds = run.metrics["selection"], run.metrics.get("selecting_seconds")
    # Beside those of a pilot, the seconds of the selection itself are few.
    if seconds is None and selection.get("auto"):
        seconds = 0.0
    return pilot_cost(selection) + Cost(0, 0, seconds)


def _training(runs):
    """Returns the mean `Cost` of the training of some runs."""
    return mean_cost([training_cost(run.metrics) for run in runs])

"""Compares finished training runs class by class: which classes pay for what was thrown away?"""

from dataclasses import dataclass

import numpy as np

from keras_pruning.selection.methods import FULL
from keras_pruning.statistics.resampling import holm
from keras_pruning.statistics.verdict import BETTER, LEVEL, NOT_SHOWN, WORSE
from keras_pruning.statistics.welch import welch


@dataclass(frozen=True)
class ClassRow:
    """One class under one method at one keep fraction, over the evaluation seeds.

    Args:
        data_fraction: fraction of the data set before pruning.
        keep_fraction: fraction of those examples that was kept.
        method: name of the method.
        label: number of the class.
        kept_share: fraction of the training examples of the class that was kept. Of a method that
            prunes while training, the share seen, of all that the epochs have. `None` if the runs
            do not tell, or without runs on the full data.
        accuracy: mean test accuracy of the class.
        difference: accuracy minus that of training on the full data.
        half_width: half the width of the 95 % interval of the difference (Welch), or `None`.
        p_adjusted: p-value of Welch's test, adjusted for all classes of the method (Holm).
        verdict: `"better"` or `"worse"` if the adjusted p-value is below 0.05, else `"not shown"`.
    """

    data_fraction: float
    keep_fraction: float
    method: str
    label: int
    kept_share: float | None
    accuracy: float
    difference: float
    half_width: float | None
    p_adjusted: float
    verdict: str


def compare_classes(runs):
    """Returns a `ClassRow` for each class with test examples, of each method and fraction.

    Methods without runs on the full data of their data fraction are left out.

    Args:
        runs: list of `keras_pruning.comparison.runs.Run`.
    """
    cells = {}
    for run in runs:
        cells.setdefault(run.cell, []).append(run)
    rows = []
    for cell, members in cells.items():
        full = cells.get((cell[0], 1.0, FULL))
        if full and cell[2] != FULL:
            rows += _rows(cell, members, full)
    return sorted(rows, key=lambda row: (-row.data_fraction, -row.keep_fraction, row.method))


def _rows(cell, runs, full):
    """Returns the rows of one cell."""
    accuracies, of_full = _by_class(runs, "class_accuracy"), _by_class(full, "class_accuracy")
    tested = np.flatnonzero(np.isfinite(of_full).all(axis=0) & np.isfinite(accuracies).all(axis=0))
    tests = [welch(accuracies[:, label], of_full[:, label]) for label in tested]
    shares = _kept_shares(runs, full)
    rows = []
    for label, test, p in zip(tested, tests, holm([test.p for test in tests]), strict=True):
        shown = WORSE if test.difference < 0 else BETTER
        rows.append(
            ClassRow(
                *cell,
                int(label),
                None if shares is None else float(shares[label]),
                float(accuracies[:, label].mean()),
                test.difference,
                test.half_width,
                float(p),
                shown if p < LEVEL else NOT_SHOWN,
            )
        )
    return rows


def _by_class(runs, name):
    """Returns an entry of the metrics, floats `(runs, classes)`, NaN where there is none."""
    return np.array([run.metrics[name] for run in runs], float)


def _kept_shares(runs, full):
    """Returns the mean share of each class that was kept, `None` if the runs do not tell."""
    # Files of earlier versions leave it out.
    if not all("class_examples" in run.metrics for run in [*runs, *full]):
        return None
    kept = np.array([_kept(run.metrics) for run in runs], float).mean(axis=0)
    return kept / np.maximum(_by_class(full, "class_examples").mean(axis=0), 1)


def _kept(metrics):
    """Returns the number of examples of each class in an epoch of a run, a mean over its epochs."""
    epochs = metrics.get("epochs")
    if not epochs:
        return metrics["class_examples"]
    seen = np.sum([epoch["class_kept"] for epoch in epochs], axis=0)
    # The share is of the epochs that were planned
    return seen / metrics["config"]["training"]["epochs"]

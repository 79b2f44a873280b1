"""Compares finished training runs: one row for each method and fraction, over its seeds."""

from dataclasses import dataclass

import numpy as np

from keras_pruning.comparison.shares import is_dynamic_baseline
from keras_pruning.selection.methods import (
    DYNAMIC_BASELINES,
    FULL,
    baseline_of,
    is_baseline,
    method_name,
)
from keras_pruning.statistics import intervals
from keras_pruning.statistics.several_baselines import compared_with_each
from keras_pruning.statistics.verdict import BASELINE, Retention, Verdict, compared, retention

# The name of random pruning without a quota.
PLAIN = method_name(baseline_of(None))


@dataclass(frozen=True)
class Row:
    """One method at one keep fraction, over its evaluation seeds.

    Args:
        data_fraction: fraction of the data set before pruning.
        keep_fraction: fraction of those examples that was kept. For a method that prunes while
            training, the share of examples seen, of all that the epochs have.
        method: name of the method.
        runs: number of runs n.
        accuracy: mean test accuracy in [0, 1].
        half_width: half the width of its 95 % interval, `None` for one run.
        outcome: `Verdict` against the baseline (random pruning) at the same fraction, under the
            same class quota if there is one. `None` for the full data and without a baseline.
        retention: `Retention` of the accuracy of the full data. `None` for these themselves, and
            if they were not trained on.
        class_accuracy: mean accuracy of each class, floats `(classes,)`, NaN for a class without
            test examples.
        examples_kept: number of examples trained on.
        seconds: mean training time.
        steps: mean number of optimiser steps, `None` if the runs do not tell.
        is_dynamic: whether the method prunes while training.
        against: name of the method that the difference is to, `None` without a baseline.
    """

    data_fraction: float
    keep_fraction: float
    method: str
    runs: int
    accuracy: float
    half_width: float | None
    outcome: Verdict | None
    retention: Retention | None
    class_accuracy: np.ndarray
    examples_kept: int
    seconds: float
    steps: float | None = None
    is_dynamic: bool = False
    against: str | None = None

    @property
    def is_compared(self):
        """Whether there is a baseline, other than the method itself."""
        return self.outcome is not None and self.outcome.verdict != BASELINE

    @property
    def difference(self):
        """Mean test accuracy minus that of the baseline, `None` without a baseline."""
        return self.outcome.difference if self.is_compared else None

    @property
    def difference_half_width(self):
        """Half the width of the 95 % interval of the difference, not adjusted, or `None`."""
        return _half_width(self.outcome.interval) if self.is_compared else None

    @property
    def verdict(self):
        """`"better"`, `"worse"` or `"not shown"`, adjusted, and empty without a baseline."""
        return self.outcome.verdict if self.is_compared else ""

    @property
    def lowest_class_accuracy(self):
        """Mean accuracy of the class with the lowest one."""
        return float(np.nanmin(self.class_accuracy))


def compare(runs):
    """Returns one `Row` for each data fraction, keep fraction and method.

    All comparisons at one data fraction and keep fraction are adjusted together, those of methods
    that prune while training apart. The full data come first, then the keep fractions downwards,
    baselines before the others.

    Args:
        runs: list of `keras_pruning.comparison.runs.Run`.
    """
    cells = {}
    for run in runs:
        cells.setdefault(run.cell, []).append(run)

    def place(cell):
        data_fraction, keep_fraction, method = cell
        first = cells[cell][0]
        others_last = not (is_dynamic_baseline(first) if first.dynamic else _is_random(first))
        is_dynamic = first.dynamic is not None
        return -data_fraction, -keep_fraction, method != FULL, is_dynamic, others_last, method

    outcomes = _verdicts(cells)
    return [
        _row(cell, cells[cell], *outcomes.get(cell, (None, None)), cells.get((cell[0], 1.0, FULL)))
        for cell in sorted(cells, key=place)
    ]


def _row(cell, runs, outcome, against, full):
    accuracies = _accuracies(runs)
    *_, method = cell
    steps = [run.metrics.get("steps") for run in runs]
    return Row(
        *cell,
        len(runs),
        float(accuracies.mean()),
        intervals.half_width(accuracies),
        outcome,
        retention(accuracies, _accuracies(full)) if full and method != FULL else None,
        # A class without test examples has no accuracy: NaN
        np.array([run.metrics["class_accuracy"] for run in runs], float).mean(axis=0),
        int(np.mean([run.metrics["examples_kept"] for run in runs])),
        float(np.mean([run.metrics["seconds"] for run in runs])),
        None if None in steps else float(np.mean(steps)),
        runs[0].dynamic is not None,
        against,
    )


def _verdicts(cells):
    """Returns the `Verdict` of each cell that has a baseline, and the name of that baseline."""
    verdicts = {}
    # The dynamic methods of a fraction have baselines of their own
    for data_fraction, keep_fraction, is_dynamic in dict.fromkeys(map(_family, cells.values())):
        here = (data_fraction, keep_fraction)
        members = {
            cell[2]: runs
            for cell, runs in cells.items()
            if _family(runs) == (*here, is_dynamic) and cell[2] != FULL
        }
        found = _of_dynamic(members) if is_dynamic else _of_static(members)
        verdicts.update({(*here, method): found[method] for method in found})
    return verdicts


def _family(runs):
    return runs[0].data_fraction, runs[0].keep_fraction, runs[0].dynamic is not None


def _of_static(members):
    """Returns tuples of a `Verdict` and the baseline's name for static methods of one fraction.

    Args:
        members: dictionary from names of methods to lists of their `Run`.
    """
    accuracies = {method: _accuracies(runs) for method, runs in members.items()}
    baselines = {method: _baseline(method, members[method], accuracies) for method in members}
    baselines = {method: other for method, other in baselines.items() if other is not None}
    # A method without a baseline is no part of the family.
    family = {PLAIN, *baselines, *baselines.values()} & accuracies.keys()
    shown = compared({method: accuracies[method] for method in family}, baselines)
    return {method: (shown[method], baselines.get(method)) for method in shown}


def _of_dynamic(members):
    """Returns the same for dynamic methods of one share, against both baselines of that share."""
    kinds = {}
    for method in sorted(members):
        if is_dynamic_baseline(members[method][0]):
            kinds.setdefault(members[method][0].dynamic["name"], method)
    # Without both, nothing can be shown to be better than both.
    if len(kinds) < len(DYNAMIC_BASELINES):
        return {}
    of_all = [kinds[kind] for kind in DYNAMIC_BASELINES]
    # Each baseline is compared with those after it
    baselines = {
        method: of_all[of_all.index(method) + 1 :] if method in of_all else of_all
        for method in members
    }
    return compared_with_each(
        {name: _accuracies(runs) for name, runs in members.items()}, baselines
    )


def _baseline(method, runs, methods):
    """Returns the name of the baseline to compare with: that under the same quota, if it ran.

    Otherwise it is the plain baseline, and `None` for itself or if it did not run.
    """
    name = method_name(baseline_of(runs[0].metrics["selection"]))
    if name in methods and name != method:
        return name
    # The baseline under a quota is itself compared with the plain baseline.
    return PLAIN if PLAIN in methods and method != PLAIN else None


def _is_random(run):
    return is_baseline(run.metrics["selection"])


def _accuracies(runs):
    return np.array([run.metrics["test_accuracy"] for run in runs])


def _half_width(interval):
    return None if interval is None else (interval[1] - interval[0]) / 2

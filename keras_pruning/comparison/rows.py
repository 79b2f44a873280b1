"""Compares finished training runs: one row for each method and fraction, over its seeds."""

from dataclasses import dataclass

import numpy as np

from keras_pruning.comparison.shares import is_dynamic_baseline
from keras_pruning.selection.dynamic_methods import DYNAMIC_BASELINES, measured_against
from keras_pruning.selection.methods import FULL, baseline_of, is_baseline, method_name
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
            training, the share of examples seen, of all that the epochs have, to half a percent.
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
        is_baseline: whether it is one that others are compared with: random pruning, under a class
            quota or not, or a baseline of dynamic methods.
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
    is_baseline: bool = False
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

    All comparisons at one data fraction and keep fraction are adjusted together. Those of methods
    that prune while training are adjusted apart, all of one data fraction together: few of them see
    the same share of the examples. The full data come first, then the keep fractions downwards,
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
        groups = method != FULL, first.dynamic is not None, not _is_baseline(first)
        return -data_fraction, -keep_fraction, *groups, method

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
        _is_baseline(runs[0]),
        against,
    )


def _verdicts(cells):
    """Returns the `Verdict` of each cell that has a baseline, and the name of that baseline."""
    static, dynamic = {}, {}
    for cell, runs in cells.items():
        data_fraction, keep_fraction, method = cell
        if runs[0].dynamic is not None:
            dynamic.setdefault(data_fraction, {})[cell] = runs
        elif method != FULL:
            static.setdefault((data_fraction, keep_fraction), {})[method] = runs
    verdicts = {}
    for place, members in static.items():
        of_methods = _of_static(members)
        verdicts.update({(*place, method): of_methods[method] for method in of_methods})
    for members in dynamic.values():
        verdicts.update(_of_dynamic(members))
    return verdicts


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
    verdicts = compared({method: accuracies[method] for method in family}, baselines)
    return {method: (verdicts[method], baselines.get(method)) for method in verdicts}


def _of_dynamic(members):
    """Returns the same for dynamic methods, against the baselines of the share of each.

    Args:
        members: dictionary from cells of one data fraction to lists of their `Run`.
    """
    of_shares = {}
    for cell in sorted(members):
        if is_dynamic_baseline(members[cell][0]):
            of_shares.setdefault(cell[1], {}).setdefault(members[cell][0].dynamic["name"], cell)
    baselines = {}
    for cell, runs in members.items():
        others, kind = of_shares.get(cell[1], {}), runs[0].dynamic["name"]
        # Without all baselines, nothing can be shown to be better than each.
        if len(others) == len(DYNAMIC_BASELINES):
            kinds = measured_against(kind) if others.get(kind) == cell else DYNAMIC_BASELINES
            baselines[cell] = [others[kind] for kind in kinds]
    accuracies = {cell: _accuracies(members[cell]) for cell in baselines}
    verdicts = compared_with_each(accuracies, baselines)
    return {cell: (verdict, other and other[2]) for cell, (verdict, other) in verdicts.items()}


def _baseline(method, runs, methods):
    """Returns the name of the baseline to compare with: that under the same quota, if it ran.

    Otherwise it is the plain baseline, and `None` for itself or if it did not run.
    """
    name = method_name(baseline_of(runs[0].metrics["selection"]))
    if name in methods and name != method:
        return name
    # The baseline under a quota is itself compared with the plain baseline.
    return PLAIN if PLAIN in methods and method != PLAIN else None


def _is_baseline(run):
    if run.dynamic is not None:
        return is_dynamic_baseline(run)
    return is_baseline(run.metrics["selection"])


def _accuracies(runs):
    return np.array([run.metrics["test_accuracy"] for run in runs])


def _half_width(interval):
    return None if interval is None else (interval[1] - interval[0]) / 2

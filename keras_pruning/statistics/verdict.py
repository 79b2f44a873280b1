"""The verdict: is a method better than its baseline, and does it keep the accuracy of all data?"""

import dataclasses
import math
from dataclasses import dataclass

import numpy as np

from keras_pruning.arguments import require_not_negative, require_type
from keras_pruning.errors import InputError
from keras_pruning.statistics.power import runs_needed
from keras_pruning.statistics.resampling import holm
from keras_pruning.statistics.welch import welch

BETTER, WORSE, NOT_SHOWN, BASELINE = "better", "worse", "not shown", "baseline"
LEVEL = 0.05
# Loss of accuracy that "keeps full accuracy" allows.
TOLERANCE = 0.005


@dataclass(frozen=True)
class Retention:
    """The comparison of a method with training on all examples.

    Args:
        keeps: whether the lower end of the interval lies above minus the tolerance. `None` without
            an interval.
        difference: mean accuracy minus that on all examples.
        interval: tuple, its 95 % interval (Welch). `None` if one side has one run only or neither
            side varies.
        tolerance: loss of accuracy that is allowed.
    """

    keeps: bool | None
    difference: float
    interval: tuple | None
    tolerance: float

    @property
    def half_width(self):
        """Half the width of the interval, or `None`."""
        return None if self.interval is None else (self.interval[1] - self.interval[0]) / 2


@dataclass(frozen=True)
class Verdict:
    """The comparison of a method with its baseline.

    Args:
        verdict: `"better"` or `"worse"` if the adjusted p-value is below 0.05, else `"not shown"`.
            `"baseline"` for a baseline that is compared with no other.
        difference: mean accuracy minus that of the baseline.
        interval: tuple, the 95 % interval of the difference (Welch), not adjusted for the number
            of comparisons. `None` if one side has one run only or neither side varies.
        p_adjusted: two-sided p-value of Welch's test, or of the exact permutation test if neither
            side varies, adjusted for all comparisons by Holm's
            step-down method.
        comparisons: number of comparisons that were made together.
        seeds_needed: number of runs of the method with which a difference of this size would be
            shown with probability 0.8, the baseline having as many for each as now. `None` if the
            difference is shown, if it would take more than 10,000, or without an interval.
        retention: `Retention`, the comparison with training on all examples. `None` without these.
    """

    verdict: str
    difference: float
    interval: tuple | None
    p_adjusted: float
    comparisons: int
    seeds_needed: int | None
    retention: Retention | None

    @property
    def keeps_full_accuracy(self):
        """Whether the method loses no more than the tolerance, `None` if that is not known."""
        return None if self.retention is None else self.retention.keeps


def verdict(accuracies, baseline="random", baselines=None, full="full", tolerance=TOLERANCE):
    """Compares the test accuracies of methods with random pruning, and with training on all data.

    Welch's t-tests, two-sided, adjusted for their number by Holm's step-down method: if no method
    differs from its baseline, the probability that any is called better or worse is about 0.05.
    With 8 runs a method and 16 of the baseline it is 0.06 if spreads differ threefold. With fewer
    runs, the baseline should have no more than the methods.
    The runs of a method differ in their seed only. Their number has to be fixed beforehand: to add
    seeds until something is shown makes false verdicts likely.

    "Keeps full accuracy" is a test of non-inferiority: the 95 % interval of the difference, not
    adjusted, leaves no room for a loss of more than the tolerance. That no difference is shown
    would not be enough.

    Args:
        accuracies: dictionary from names of methods to the accuracies of their runs, lists or
            arrays of at least one float in [0, 1].
        baseline: name of the baseline.
        baselines: dictionary from names of methods to the names of other baselines, for example
            random pruning under the same quota.
        full: name of the runs on all examples, which need not be there.
        tolerance: loss of accuracy that "keeps full accuracy" allows, a float in [0, 1).

    Returns:
        Dictionary from the names of all methods but `full` to their `Verdict`.

    Raises:
        InputError: if there is no baseline, or an accuracy is not a number in [0, 1].

    Reference:
        Holm, A Simple Sequentially Rejective Multiple Test Procedure, 1979.

    Example:
        >>> kp.verdict({"random": [0.90, 0.91, 0.92], "el2n-hardest": [0.95, 0.96, 0.95]})
    """
    values = _checked(accuracies)
    if require_not_negative("tolerance", tolerance) >= 1:
        raise InputError(f"Invalid `tolerance`. Expected a float in [0, 1). Received: {tolerance}")
    full = values.pop(full, None) if isinstance(full, str) else None
    _require_known("baseline", [baseline], values)
    baselines = {} if baselines is None else baselines
    require_type("baselines", baselines, "items", "a dictionary from methods to their baselines")
    _require_known("baselines", [*baselines, *baselines.values()], values)
    for name in baselines:
        if baselines[name] == name:
            raise InputError(
                "Invalid `baselines`. Expected another method for each. Received: "
                f"{name!r} for itself"
            )
    baselines = {**{name: baseline for name in values if name != baseline}, **baselines}
    return compared(values, baselines, full, tolerance)


def compared(values, baselines, full=None, tolerance=TOLERANCE):
    """Returns the `Verdict` of each method. All comparisons are adjusted together.

    Args:
        values: dictionary from names of methods to accuracies, floats `(runs,)`.
        baselines: dictionary from the methods that are compared to the names of their baselines.
        full: floats `(full_runs,)`, those of training on all examples, or `None`.
        tolerance: loss of accuracy that "keeps full accuracy" allows.
    """
    tests = {name: welch(values[name], values[other]) for name, other in baselines.items()}
    adjusted = dict(zip(tests, holm([test.p for test in tests.values()]), strict=True))
    verdicts = {}
    for name in values:
        if name in tests:
            sides = values[name], values[baselines[name]]
            found = shown(*sides, tests[name], float(adjusted[name]), len(tests))
        else:
            found = baseline_verdict(len(tests))
        kept = None if full is None else retention(values[name], full, tolerance)
        verdicts[name] = dataclasses.replace(found, retention=kept)
    return verdicts


def retention(accuracies, full, tolerance=TOLERANCE):
    """Returns the `Retention` of a method.

    Args:
        accuracies: floats `(runs,)`.
        full: floats `(full_runs,)`, those of training on all examples.
        tolerance: loss of accuracy that is allowed.
    """
    found = welch(accuracies, full)
    keeps = None if found.interval is None else found.interval[0] > -tolerance
    return Retention(keeps, found.difference, found.interval, tolerance)


def baseline_verdict(comparisons):
    """Returns the `Verdict` of a baseline that is compared with no other."""
    return Verdict(BASELINE, 0.0, None, 1.0, comparisons, None, None)


def shown(values, baseline, test, p, comparisons):
    """Returns the `Verdict` of a test whose p-value is adjusted, without the retention.

    Args:
        values, baseline: floats `(runs,)`, the accuracies of both sides.
        test: the result of `welch`.
        p: the adjusted p-value.
        comparisons: number of comparisons that it is adjusted for.
    """
    kept = test.difference, test.interval, p, comparisons
    if p < LEVEL:
        return Verdict(BETTER if test.difference > 0 else WORSE, *kept, None, None)
    needed = None
    if test.interval is not None:
        deviations = [values.std(ddof=1), baseline.std(ddof=1)]
        ratio, level = len(baseline) / len(values), LEVEL / comparisons
        needed = runs_needed(test.difference, *deviations, ratio, level)
    return Verdict(NOT_SHOWN, *kept, needed, None)


def _require_known(argument, names, values):
    """Raises an `InputError` unless there are accuracies of all names."""
    for name in names:
        if not isinstance(name, str) or name not in values:
            raise InputError(
                f"Invalid `{argument}`. Expected the name of a method that has accuracies: "
                f"{', '.join(map(repr, values)) or 'there are none'}. Received: {repr(name)[:80]}. "
                "Add its accuracies, or name another one."
            )


def _checked(accuracies):
    """Returns the accuracies as float64 arrays, or raises an `InputError`."""
    if not isinstance(accuracies, dict):
        raise InputError(
            "Invalid `accuracies`. Expected a dictionary from names of methods to the accuracies "
            f"of their runs. Received: {type(accuracies).__name__}"
        )
    return {name: _floats(name, values) for name, values in accuracies.items()}


def _floats(name, values):
    try:
        checked = np.asarray(values)
        checked = checked.astype(np.float64) if checked.dtype.kind in "fiu" else np.array(math.nan)
    except (TypeError, ValueError):
        checked = np.array(math.nan)
    if checked.ndim != 1 or not len(checked) or not ((checked >= 0) & (checked <= 1)).all():
        raise InputError(
            f"Invalid `accuracies` of {name!r}. Expected a list of numbers in [0, 1], one for each "
            f"run. Received: {repr(values)[:80]}"
        )
    return checked

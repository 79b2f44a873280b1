"""Tests of means over repeated random splits, and of several of them at once."""

import numpy as np

from keras_pruning.statistics.welch import ROUNDING


def split_t_test(differences, ratio, confidence=0.95):
    """Tests whether a mean difference over random splits of one data set is above zero.

    Both sides of a difference were measured on the same split. Splits of one data set overlap, so
    that their differences vary less than those of new data would. The variance of the mean is
    corrected for it.

    Formula:
        t = mean(d) / sqrt((1 / S + held_out / trained) · var(d)), with S - 1 degrees of freedom

    Args:
        differences: floats `(splits,)`.
        ratio: number of held-out examples divided by the number of the others.
        confidence: float in (0, 1), the probability of the interval.

    Returns:
        Tuple of the mean, half the width of its two-sided interval and the one-sided p-value. With
        one split, or equal differences on all, the half width is `None` and the p-value is 1.

    Reference:
        Nadeau and Bengio, Inference for the Generalization Error, 2003, section 3.
    """
    # SciPy takes a second to load, and most commands need no test.
    from scipy import stats

    differences = np.asarray(differences, np.float64)
    mean, count = float(differences.mean()), len(differences)
    # Equal differences do not show how much other splits would differ. Rounding is no difference.
    if count < 2 or np.ptp(differences) <= ROUNDING:
        return mean, None, 1.0
    error = np.sqrt((1 / count + ratio) * differences.var(ddof=1))
    quantile = stats.t.ppf((1 + confidence) / 2, count - 1)
    return mean, float(quantile * error), float(stats.t.sf(mean / error, count - 1))


def holm(p_values):
    """Returns p-values adjusted for their number by Holm's step-down method.

    Args:
        p_values: floats `(tests,)`.

    Returns:
        Floats `(tests,)`, at most 1. To reject those below 0.05 rejects any true hypothesis with a
        probability of at most 0.05.

    Reference:
        Holm, A Simple Sequentially Rejective Multiple Test Procedure, 1979.
    """
    values = np.asarray(p_values, np.float64)
    order = np.argsort(values, kind="stable")
    # The smallest counts for all tests, the next for one fewer, and none below the one before
    stepped = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(stepped, 1)
    return adjusted

"""Intervals of means from a few runs, and of the AUROC by chance."""

import numpy as np

from keras_pruning.statistics.welch import CONFIDENCE


def half_width(values):
    """Returns half the width of the 95 % interval of the mean (Student's t).

    Args:
        values: floats `(runs,)`.

    Returns:
        A float, or `None` if there is one value only.
    """
    if len(values) < 2:
        return None
    # SciPy takes a while to load, and most commands need no interval.
    from scipy.special import stdtrit

    quantile = stdtrit(len(values) - 1, (1 + CONFIDENCE) / 2)
    return float(quantile * np.std(values, ddof=1) / np.sqrt(len(values)))


def auroc_chance_half_width(positives, negatives):
    """Returns half the width of the interval of the AUROC of a score that cannot tell two groups.

    In 95 of 100 cases the AUROC lies this close to 0.5 (normal approximation of the rank sum).

    Args:
        positives: number of examples in the one group.
        negatives: number of examples in the other group.
    """
    variance = (positives + negatives + 1) / (12 * positives * negatives)
    return 1.96 * float(np.sqrt(variance))

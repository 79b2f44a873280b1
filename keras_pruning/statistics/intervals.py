"""Intervals of means and of differences of means, from a few runs."""

import numpy as np

CONFIDENCE = 0.95


def half_width(values):
    """Returns half the width of the 95 % interval of the mean (Student's t).

    Args:
        values: floats `(runs,)`.

    Returns:
        A float, or `None` if there is one value only.
    """
    if len(values) < 2:
        return None
    return float(_quantile(len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values)))


def difference_half_width(values, baseline):
    """Returns half the width of the 95 % interval of the difference of two means (Welch's t).

    Args:
        values: floats `(runs,)`.
        baseline: floats `(baseline_runs,)`.

    Returns:
        A float, or `None` if one side has one value only or neither side varies.
    """
    if len(values) < 2 or len(baseline) < 2:
        return None
    # Variance of each mean
    parts = np.array([np.var(side, ddof=1) / len(side) for side in (values, baseline)])
    # Equal runs do not show how much other runs would differ.
    if not parts.any():
        return None
    # Degrees of freedom by Welch and Satterthwaite
    freedom = parts.sum() ** 2 / (parts**2 / [len(values) - 1, len(baseline) - 1]).sum()
    return float(_quantile(freedom) * parts.sum() ** 0.5)


def auroc_chance_half_width(positives, negatives):
    """Returns half the width of the interval of the AUROC of a score that cannot tell two groups.

    In 95 of 100 cases the AUROC lies this close to 0.5 (normal approximation of the rank sum).

    Args:
        positives: number of examples in the one group.
        negatives: number of examples in the other group.
    """
    variance = (positives + negatives + 1) / (12 * positives * negatives)
    return 1.96 * float(np.sqrt(variance))


def _quantile(freedom):
    """Returns the quantile of Student's t for a two-sided interval."""
    # SciPy takes a second to load, and most commands need no interval.
    from scipy import stats

    return stats.t.ppf((1 + CONFIDENCE) / 2, freedom)

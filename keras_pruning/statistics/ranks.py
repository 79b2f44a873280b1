"""Spearman's rank correlation."""

import numpy as np


def rank_correlations(values):
    """Returns Spearman's rank correlation of every two rows. Ties get their mean rank.

    Args:
        values: floats `(rows, examples)`.

    Returns:
        Floats `(rows, rows)`, NaN for a constant row.
    """
    # SciPy takes a second to load, and most commands need no ranks.
    from scipy import stats

    ranks = stats.rankdata(values, axis=1)
    # A constant row has no deviation to divide by.
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.corrcoef(ranks)


def rank_correlation(first, second):
    """Returns Spearman's rank correlation of two arrays, or `None` if one of them is constant.

    Args:
        first: floats `(examples,)`.
        second: floats `(examples,)`.
    """
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return None
    return float(rank_correlations([first, second])[0, 1])

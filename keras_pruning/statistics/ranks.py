"""Ranks, and Spearman's rank correlation."""

import numpy as np

# Every float32 has a place among the integers below 2³², in the order of its value.
_SIGN, _HALF = np.uint32(2**31), np.uint64(32)


def mean_ranks(values):
    """Returns the ranks of values from 1 on, as `scipy.stats.rankdata`. Ties get their mean rank.

    Args:
        values: numbers `(examples,)`.

    Returns:
        Floats `(examples,)`, all NaN if one of the values is.
    """
    if values.dtype != np.float32 or len(values) >= 2**32 or np.isnan(values).any():
        # SciPy takes a second to load, and most commands need no ranks.
        from scipy import stats

        return stats.rankdata(values)
    # Sort value and position as one integer, which NumPy does many times faster than `argsort`
    keys = _ordered(values).astype(np.uint64) << _HALF
    keys |= np.arange(len(values), dtype=np.uint64)
    keys.sort()
    places, sorted_values = keys.astype(np.uint32), (keys >> _HALF).astype(np.uint32)
    del keys
    is_first = np.concatenate([[True], sorted_values[1:] != sorted_values[:-1]])
    first = np.flatnonzero(is_first[: len(values)])
    counts = np.diff(first, append=len(values))
    ranks = np.empty(len(values))
    ranks[places] = np.repeat(first + (counts + 1) / 2, counts)
    return ranks


def _ordered(values):
    """Returns finite or infinite float32 as uint32 in the same order. 0.0 and -0.0 are equal."""
    bits = (values + np.float32(0)).view(np.uint32)
    return np.where(bits & _SIGN, ~bits, bits | _SIGN)


def rank_correlations(values):
    """Returns Spearman's rank correlation of every two rows. Ties get their mean rank.

    Args:
        values: floats `(rows, examples)`.

    Returns:
        Floats `(rows, rows)`, NaN for a constant row.
    """
    ranks = np.stack([mean_ranks(np.asarray(row)) for row in values])
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

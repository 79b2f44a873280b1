"""Shares a number of examples out over the classes."""

import numpy as np


def shares(weights, available, total, rng):
    """Distributes `total` in proportion to weights. A full class gives its excess to the others.

    Classes of the weight zero get examples only if all others are full, equally many then.
    Fractions of an example go to the largest remainders, and to equal ones at random.

    Args:
        weights: floats >= 0 `(classes,)`.
        available: integers `(classes,)`, the most that each class can get.
        total: number of examples, at most the sum of `available`.
        rng: `numpy.random.Generator`.

    Returns:
        Integers `(classes,)` that sum to `total`, none above `available`.
    """
    weights, exact = np.asarray(weights, np.float64), np.zeros(len(available))
    is_open = available > 0
    while (rest := total - exact[~is_open].sum()) > 0 and is_open.any():
        # Weights of zero are the last that count
        current = np.where(weights > 0, weights, 0.0) * is_open
        if not current.any():
            current = is_open.astype(np.float64)
        exact[is_open] = (rest * current / current.sum())[is_open]
        full = is_open & (exact >= available)
        if not full.any():
            break
        exact[full] = available[full]
        is_open &= ~full
    return _rounded(exact, available, total, rng)


def _rounded(exact, available, total, rng):
    """Returns integers that sum to `total`, by largest remainder and within `available`."""
    # The sum of a few classes may end in ...9999 or ...0001.
    exact = np.round(exact, 9)
    counts = np.minimum(np.floor(exact).astype(np.int64), available)
    order = np.lexsort((rng.random(len(exact)), counts - exact))
    order = order[counts[order] < available[order]]
    counts[order[: total - counts.sum()]] += 1
    return counts

"""How many examples a fraction is, and how to draw that many with the data's own class shares."""

from decimal import ROUND_HALF_UP, Decimal

import numpy as np

from keras_pruning.arguments import require_fraction
from keras_pruning.errors import InputError


def keep_count(keep_fraction, num_examples, name="keep_fraction"):
    """The number of examples that `keep_fraction` keeps: exactly round-half-up(f·N).

    Args:
        keep_fraction: float in (0, 1].
        num_examples: N.
        name: what the message calls the fraction.

    Raises:
        InputError: if `keep_fraction` is outside (0, 1] or keeps nothing.
    """
    require_fraction(keep_fraction, name)
    count = rounded_count(keep_fraction, num_examples)
    if count == 0:
        raise InputError(
            f"Invalid `{name}`. Expected one that keeps at least one example of "
            f"{num_examples}. Received: {name}={keep_fraction}"
        )
    return count


def rounded_count(fraction, num_examples):
    """The number of examples that a fraction in [0, 1] is: exactly round-half-up(f·N)."""
    # In decimal: 0.145 * 100 is 14.499... in binary floating point.
    exact = Decimal(repr(float(fraction))) * int(num_examples)
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))


def proportional(available, total, rng):
    """The data's own shares of `total`, by largest remainder; equal remainders at random.

    Args:
        available: integers `(classes,)`, the examples there are of each class.
        total: how many to draw in all.
        rng: `numpy.random.Generator`.

    Returns:
        Integers `(classes,)` that sum to `total`, none above `available`.
    """
    exact = available * (total / available.sum())
    counts = np.floor(exact).astype(available.dtype)
    by_remainder = np.lexsort((rng.random(len(available)), counts - exact))
    counts[by_remainder[: total - counts.sum()]] += 1
    return counts


def stratified_rows(labels, total, rng):
    """`total` rows drawn at random with the data's own class shares, in ascending order.

    Args:
        labels: integers `(examples,)`.
        total: how many rows to draw.
        rng: `numpy.random.Generator`.
    """
    classes, members = np.unique(labels, return_inverse=True)
    counts = proportional(np.bincount(members, minlength=len(classes)), total, rng)
    drawn = [
        rng.permutation(np.flatnonzero(members == index))[:count]
        for index, count in enumerate(counts)
    ]
    return np.sort(np.concatenate(drawn))

"""Converts fractions to counts, and draws examples with the class shares of the data."""

import warnings
from decimal import ROUND_HALF_UP, Decimal

import numpy as np

from keras_pruning.arguments import require_fraction
from keras_pruning.errors import InputError


def keep_count(keep_fraction, num_examples, name="keep_fraction"):
    """Returns the number of examples that `keep_fraction` keeps, exactly round-half-up(f · N).

    Args:
        keep_fraction: float f in (0, 1].
        num_examples: number of examples N.
        name: name of the fraction in the message.

    Raises:
        InputError: if `keep_fraction` is outside (0, 1] or keeps no example.
    """
    keep_fraction = require_fraction(keep_fraction, name)
    count = rounded_count(keep_fraction, num_examples)
    if count == 0:
        raise InputError(
            f"Invalid `{name}`. Expected a fraction that keeps at least one example of "
            f"{num_examples}. Received: {name}={keep_fraction}"
        )
    return count


def rounded_count(fraction, num_examples):
    """Returns the number of examples in a fraction f in [0, 1], exactly round-half-up(f · N)."""
    # Multiplied in decimal, because 0.145 * 100 is 14.499... in binary floating point.
    exact = Decimal(repr(float(fraction))) * int(num_examples)
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))


def proportional(available, total, rng):
    """Distributes `total` over the classes in proportion to their sizes, by largest remainder.

    Equal remainders are ordered at random.

    Args:
        available: integers `(classes,)`, the number of examples of each class.
        total: number of examples to draw from all classes.
        rng: `numpy.random.Generator`.

    Returns:
        Integers `(classes,)` that sum to `total`, none above `available`.
    """
    exact = available * (total / available.sum())
    # Round down, then add the missing examples to the classes with the largest remainders.
    counts = np.floor(exact).astype(available.dtype)
    by_remainder = np.lexsort((rng.random(len(available)), counts - exact))
    counts[by_remainder[: total - counts.sum()]] += 1
    return counts


def stratified_rows(labels, total, rng):
    """Draws `total` rows at random, with the class shares of the data.

    Args:
        labels: integers `(examples,)`.
        total: number of rows to draw.
        rng: `numpy.random.Generator`.

    Returns:
        Integers `(total,)`, ascending.
    """
    classes, members = np.unique(labels, return_inverse=True)
    counts = proportional(np.bincount(members, minlength=len(classes)), total, rng)
    drawn = [
        rng.permutation(np.flatnonzero(members == index))[:count]
        for index, count in enumerate(counts)
    ]
    return np.sort(np.concatenate(drawn))


def warn_of_lost_classes(labels, drawn, class_names):
    """Warns if a draw has no example of a class that the data have.

    Args:
        labels: integers `(examples,)`, before the draw.
        drawn: integers `(drawn examples,)`, after it.
        class_names: names of the classes.
    """
    lost = np.setdiff1d(labels, drawn)
    if len(lost) == 0:
        return
    counts = np.bincount(labels, minlength=len(class_names))
    shown = [f"{class_names[label]!r} ({counts[label]} in the data)" for label in lost[:5]]
    more = f" and {len(lost) - 5} more" if len(lost) > 5 else ""
    warnings.warn(
        f"The draw of {len(drawn):,} of {len(labels):,} examples has none of the class "
        f"{', '.join(shown)}{more}. Expected an example of every class. Choose a larger fraction "
        "or another seed.",
        UserWarning,
        stacklevel=3,
    )

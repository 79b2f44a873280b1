"""The quota that gives every class an equal share."""

import numpy as np

from keras_pruning.selection.quotas.quota import Quota


def balanced(available, total, rng):
    """Returns equal shares of `total`. A class too short for its share gives the rest to others.

    Args:
        available: integers `(classes,)`, the number of examples of each class.
        total: number of examples to keep in all.
        rng: `numpy.random.Generator` that draws the classes with one example more than others.

    Returns:
        Integers `(classes,)` that sum to `total`, none above `available`.
    """
    counts = np.zeros_like(available)
    while (left := total - counts.sum()) > 0:
        open_classes = np.flatnonzero(counts < available)
        share = left // len(open_classes)
        if share == 0:
            # Fewer examples are left than classes: some classes get one more
            counts[rng.permutation(open_classes)[:left]] += 1
        else:
            counts[open_classes] = np.minimum(counts[open_classes] + share, available[open_classes])
    return counts


class Balanced(Quota):
    """Keeps an equal share of every class.

    A class too short for its share gives the rest to the others.
    """

    name = "balanced"

    def counts(self, available, total, rng):
        return balanced(available, total, rng)

"""How many examples each class may keep."""

import numpy as np

from keras_pruning.errors import unknown


def balanced(available, total, rng):
    """Equal shares of `total`; a class too short for its share gives the rest to the others.

    Args:
        available: integers `(classes,)`, the examples there are of each class.
        total: how many to keep in all.
        rng: `numpy.random.Generator` that says which classes get an odd example more.

    Returns:
        Integers `(classes,)` that sum to `total`, none above `available`.
    """
    counts = np.zeros_like(available)
    while (left := total - counts.sum()) > 0:
        open_classes = np.flatnonzero(counts < available)
        share = left // len(open_classes)
        if share == 0:
            counts[rng.permutation(open_classes)[:left]] += 1
        else:
            counts[open_classes] = np.minimum(counts[open_classes] + share, available[open_classes])
    return counts


QUOTAS = {"balanced": balanced}


def get(name):
    """The quota function called `name`; `None` stays `None`.

    Raises:
        InputError: if there is no such quota.
    """
    if name is None:
        return None
    if not isinstance(name, str) or name not in QUOTAS:
        raise unknown("quota", name, QUOTAS)
    return QUOTAS[name]

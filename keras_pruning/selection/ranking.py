"""Ranks examples by difficulty."""

import numpy as np


def hardest_first(difficulty, rng):
    """Returns the positions from the hardest example to the easiest, ties in random order.

    Args:
        difficulty: floats `(examples,)`.
        rng: `numpy.random.Generator`.
    """
    return np.lexsort((rng.random(len(difficulty)), -np.asarray(difficulty, np.float64)))

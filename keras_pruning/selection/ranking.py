"""The policies that keep one end of the ranking by difficulty."""

import numpy as np

from keras_pruning.selection.policy import Policy


def hardest_first(difficulty, rng):
    """Positions from the hardest example to the easiest, ties in random order."""
    return np.lexsort((rng.random(len(difficulty)), -np.asarray(difficulty, np.float64)))


class Hardest(Policy):
    """Keeps the hardest examples.

    `Easiest` with the same seed keeps exactly the others.
    """

    name = "hardest"

    def choose(self, difficulty, count, rng):
        return hardest_first(difficulty, rng)[:count]


class Easiest(Policy):
    """Keeps the easiest examples."""

    name = "easiest"

    def choose(self, difficulty, count, rng):
        return hardest_first(difficulty, rng)[len(difficulty) - count :]
